"""Listings of one answer in no order: all of it in order, read as it comes, and counted twice."""

import resource

import pytest
from fakes3 import FakeS3
from unit.listing.test_listing import endpoint_of

from s3kit.errors import Fault, NoAccess, NoVersions
from s3kit.listing.listing import Listing
from s3kit.listing.unpaged import ROWS, Batch, Reading, group_of
from s3kit.s3 import asking, patience
from s3kit.s3.capabilities import KNOWN
from s3kit.s3.snowball import is_at

HEAD = ('<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/'
        'doc/2006-03-01/"><Name>b</Name><EncodingType>url</EncodingType>')
ENTRY = ("<Contents><Key>{}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>"
         '<ETag>"e"</ETag><Size>7</Size><StorageClass>STANDARD</StorageClass></Contents>')
TAIL = "</ListBucketResult>"


@pytest.fixture
def snow(monkeypatch):
    """The fake adapter with keys that come in no order; no test knows of another's servers."""
    monkeypatch.setattr(patience, "delay", lambda tries, base=0.2, most=20.0: 0.001)
    with FakeS3(character="snowball") as server:
        for number in range(1500):
            server.put("b", f"{number % 3}/{number:04d}")
        for key in ("a%2Fz", "x&y<z>", "\x01control", "sp ace", "\u00e9"):
            server.put("b", key)
        yield server
    KNOWN.missing.clear()
    KNOWN.implied.clear()


@pytest.fixture
def pages(snow, monkeypatch):
    """Return pages(prefix, ...) -> what a Listing shows, one after the other."""
    endpoint = endpoint_of(snow, monkeypatch)
    return lambda *more, **options: list(Listing().pages(endpoint, *more, **options))


def keys_of(pages):
    """Return the keys of pages."""
    return [row.key for page in pages for row in page.rows]


def answers(server):
    """Return how many listings of the first version were asked for."""
    return len(server.requests(status=200, where=lambda r: "list-type" not in r.query))


def test_all_keys_in_order(snow, pages):
    """In as many answers as show that none was cut."""
    assert keys_of(pages()) == [version.key for version in snow.objects("b")]
    assert answers(snow) == 2


def test_rows_are_those_of_other_servers(snow, pages):
    """Each column that a listing of objects tells."""
    row = next(row for page in pages() for row in page.rows if row.key == "a%2Fz")
    there = snow.get("b", "a%2Fz")
    assert (row.bucket, row.size, row.etag, row.storage_class, row.state, row.version_id) == (
        "b", "0", there.etag, "STANDARD", "listed", "")


@pytest.mark.parametrize("hook", [None, lambda request: request.query.pop("prefix", None)],
                         ids=["heeded", "passed over"])
def test_a_prefix(snow, pages, hook):
    """The server need not know what one is."""
    snow.hook = hook
    assert keys_of(pages("1/")) == [f"1/{number:04d}" for number in range(1, 1500, 3)]


def test_a_level(snow, pages):
    """Keys with a slash after the prefix come together, by our own doing."""
    page, = pages(delimiter="/")
    assert page == Batch("b", page.rows, ["0/", "1/", "2/"])
    assert keys_of([page]) == ["\x01control", "a%2Fz", "sp ace", "x&y<z>", "\u00e9"]
    assert group_of("a/b/c", "a/", "/") == "a/b/" and not group_of("a/b", "a/", "/")


def test_an_empty_bucket(snow, monkeypatch):
    """Shows nothing, and has been counted."""
    snow.bucket("new")
    endpoint = endpoint_of(snow, monkeypatch)._replace(bucket="new", url=f"{snow.url}/new")
    assert list(Listing().pages(endpoint)) == [] and answers(snow) == 2


def test_a_server_that_is_known_is_not_asked_for_pages(snow, pages):
    """Nor one that names itself in the answer to another question."""
    pages()
    asked = len(snow.log)
    pages()
    assert len(snow.log) == asked + 2


def test_an_answer_that_is_cut(snow, pages):
    """Two that do not agree are followed by more; if no two do, nobody knows."""
    cuts = iter([1000, None, None])
    snow.hook = lambda request: setattr(snow.character, "most", next(cuts, None)
                                        if "list-type" not in request.query else None)
    assert len(keys_of(pages())) == 1505 and answers(snow) == 3
    cuts = iter(range(10, 20))
    with pytest.raises(Fault, match="which has 10, 11, 12, 13 objects each time that it is asked "):
        pages()


def test_an_answer_that_breaks(snow, pages):
    """What did not come whole is asked for again, and what came of it counts for nothing."""
    snow.fault("cut", key="", after=1, times=2, at=50_000)
    assert keys_of(pages()) == [version.key for version in snow.objects("b")]


def test_no_access(snow, pages):
    """It is said, and not asked again."""
    snow.fault("status", key="", times=None, status=403, code="AccessDenied", after=1)
    with pytest.raises(NoAccess, match="cannot list s3://b: S3 says AccessDenied"):
        pages()


@pytest.mark.parametrize("versions", [False, True])
def test_wrong_keys(snow, pages, versions):
    """Are no sign of what the device knows."""
    snow.credentials.clear()
    with pytest.raises(NoAccess, match="InvalidAccessKeyId"):
        pages(versions=versions)


def test_versions(snow, pages, monkeypatch):
    """There are none: neither a listing of them nor a bucket that has any."""
    with pytest.raises(NoVersions, match="does not list the versions of 'b': it is Snowball's"):
        pages(versions=True)
    endpoint = endpoint_of(snow, monkeypatch)
    assert is_at(endpoint) and Listing().is_versioned(endpoint) is False
    assert asking.is_empty(endpoint, "nothing below") is False      # nobody can see that


# --- the reader


def read(text, size=100):
    """Return the keys of a listing that comes in pieces."""
    reading, data = Reading("b"), text.encode()
    for at in range(0, len(data), size):
        if reading.sink(None, data[at:at + size]):
            raise reading.fault
    reading.end()
    return [row.key for row in reading.take()]


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_pieces_of_any_size(size):
    """Blanks and a byte order mark before it, names encoded."""
    entries = "".join(ENTRY.format(f"k%2F{number}") for number in range(ROWS // 50))
    text = "\ufeff \n" + HEAD + entries + TAIL
    assert read(text, size) == [f"k/{number}" for number in range(ROWS // 50)]


@pytest.mark.parametrize("text, why", [
    ("<html><body/></html>", "is not one: <html>"),
    ("<Error><Code>x</Code></Error>", "is not one: <Error>"),
    (HEAD + ENTRY.format("k"), "the server's XML cannot be read"),
    ("no XML", "the server's XML cannot be read"),
    ("", "the server's XML cannot be read"),
    (HEAD + ENTRY.format("%ff") + TAIL, "not UTF-8"),
    (HEAD + "<IsTruncated>true</IsTruncated>" + ENTRY.format("k") + TAIL, "says that it goes on"),
    (HEAD.replace("<EncodingType>url</EncodingType>", "") + ENTRY.format("k") * ROWS
     + "<EncodingType>url</EncodingType>" + TAIL, "says after its keys how they are written"),
    ('<!DOCTYPE x [<!ENTITY a "b">]><ListBucketResult/>', "has a DOCTYPE")])
def test_what_is_no_listing(text, why):
    """Is not taken for a short one."""
    with pytest.raises(Fault, match=why):
        read(text)


def test_names_as_they_are():
    """Where the server does not say that they are encoded."""
    assert read(HEAD.replace("<EncodingType>url</EncodingType>", "") + ENTRY.format("a%2Fz")
                + TAIL) == ["a%2Fz"]


def test_memory_is_flat():
    """However long the answer is."""
    reading = Reading("b")
    reading.sink(None, HEAD.encode())
    piece = "".join(ENTRY.format(f"{number:060d}") for number in range(100)).encode()
    most = []
    for _ in range(300):
        assert reading.sink(None, piece) is None
        reading.take()
        most.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    assert most[-1] - most[30] < 4 << 10        # KiB; of the whole tree it would be 40 MiB
