"""s3-put --uploads: which unfinished uploads there are, and what becomes of them."""

from types import SimpleNamespace

import pytest
from odd_keys import KEYS
from unit.put.conftest import begun, made

from s3kit.errors import DONE, SOME_FAILED, UNVERIFIABLE, Fault, NoAccess, NoSuchBucket
from s3kit.put import leftovers
from s3kit.put.leftovers import Listing, ahead, run
from s3kit.s3 import capabilities
from s3kit.s3.capabilities import LISTED_PARTS, Capabilities
from s3kit.text import visible

pytestmark = pytest.mark.usefixtures("alone")
DAY = 86400


@pytest.fixture(autouse=True)
def knows_nothing(monkeypatch):
    """Let no test know what another has learned."""
    monkeypatch.setattr(leftovers, "KNOWN", Capabilities())
    assert capabilities.KNOWN is not leftovers.KNOWN


@pytest.fixture
def bucket(fake):
    """A fake with an empty bucket."""
    fake.bucket("b")
    return fake


@pytest.fixture
def ran(capsys):
    """Return ran(is_ours=, options...) -> (status, lines of stdout, stderr)."""
    def ran(is_ours=None, **options):
        args, people = made(**options)
        status = run(args, people, *[is_ours] * bool(is_ours))
        said = capsys.readouterr()
        return status, said.out.splitlines(), said.err

    return ran


def is_abort(request):
    """Return whether a request is AbortMultipartUpload."""
    return request.method == "DELETE" and "uploadId" in request.query


def is_parts(request):
    """Return whether a request is ListParts."""
    return request.method == "GET" and "uploadId" in request.query


# --- the list


def test_the_list(bucket, ran):
    """A line each, in order of keys: when, bytes, parts, class, ours or not, id, key; a summary."""
    bucket.clock.advance(1800000000.5 - bucket.clock.now())
    ours = begun(bucket, "b/two words", 5 << 20, 7, age=DAY, storage_class="GLACIER")
    other = begun(bucket, "a")
    begun(bucket, "c", 1)
    asked = []

    def is_ours(*upload):
        asked.append(upload)
        return upload[2] == ours

    status, lines, err = ran(is_ours)
    assert status == DONE and lines[:2] == [
        f"2027-01-15T08:00:00Z            0      0 STANDARD     -         {other} a",
        f"2027-01-14T08:00:00Z      5242887      2 GLACIER      resumable {ours} b/two words"]
    assert err.startswith("s3-put: 3 unfinished uploads, 3 parts, 5.0M in ")
    assert asked[:2] == [("b", "a", other), ("b", "b/two words", ours)]
    assert ran(quiet=True) == (DONE, [line.replace(" resumable", " -        ") for line in
                                      ran()[1]], "")
    assert not bucket.requests(method="DELETE")


def test_below_a_prefix(bucket, ran):
    """Only uploads there are, whatever the server thinks of prefixes, and nothing else is touched.
    """
    for key in ("logs", "logs/a", "logs/b", "lots/a"):
        begun(bucket, key, 1)
    assert [line.split()[-1] for line in ran(to="s3://b/logs/")[1]] == ["logs/a", "logs/b"]
    assert not [request for request in bucket.requests(method="GET") if "prefix" in request.query]
    assert ran(to="s3://b/logs/", abort=True)[0] == DONE
    assert sorted(upload.key for upload in bucket.buckets["b"].uploads.values()) == [
        "logs", "lots/a"]


def test_nothing(bucket, ran):
    """No line, and a word."""
    status, lines, err = ran()
    assert (status, lines) == (DONE, []) and err.startswith("s3-put: 0 unfinished uploads, 0 parts")


def test_odd_keys(bucket, ran):
    """Every key that S3 can have is listed, visible, and its upload aborted."""
    for key in KEYS:
        begun(bucket, key, 3)
    status, lines, _ = ran()
    assert status == DONE and len(lines) == len(KEYS)
    assert not [line for line in lines if not line.isprintable() and visible(line) != line]
    assert {line.split(" ", 1)[0] for line in lines} != {"-"} and "?" not in "".join(
        line.partition("STANDARD")[0] for line in lines)
    status, lines, err = ran(abort=True)
    assert (status, len(lines)) == (DONE, len(KEYS)) and not bucket.buckets["b"].uploads
    assert f"{len(KEYS)} uploads aborted" in err


def test_many_parts(bucket, ran):
    """More than a page of them."""
    begun(bucket, "k", *[10] * 2500)
    status, (line,), err = ran()
    assert line.split()[1:3] == ["25000", "2500"] and status == DONE
    assert [request.query.get("part-number-marker") for request in bucket.log if is_parts(request)
            ] == [None, "1000", "2000"]


def test_many_uploads(bucket, ran):
    """More than a page of them, of one key and of several; none is left out, or there twice."""
    for number in range(1700):
        begun(bucket, f"k{number:04d}", 1)
    for _ in range(700):
        begun(bucket, "one key", 1)
    status, lines, err = ran()
    assert status == DONE and len({line.split()[5] for line in lines}) == len(lines) == 2400
    assert "s3-put: 2,400 unfinished uploads, 2,400 parts, 2.3K in" in err
    assert len(bucket.requests(key="", where=lambda request: "uploads" in request.query)) == 3
    status, lines, err = ran(abort=True)
    assert status == DONE and len(lines) == 2400 and not bucket.buckets["b"].uploads


def test_older(bucket, ran):
    """By the server's clock; what has no time is left, and said."""
    begun(bucket, "new", 1, age=DAY)
    begun(bucket, "old", 1, age=8 * DAY)
    begun(bucket, "odd", 1, age=bucket.clock.now())
    status, lines, err = ran(older=7 * DAY, abort=True, dry_run=True)
    assert [line.split()[-1] for line in lines] == ["old"] and status == DONE
    assert "1 upload to abort (1), 1 left of which nobody says when they began" in err
    bucket.skew = -7.5 * DAY
    assert [line.split()[-1] for line in skewed(bucket, ran, older=7 * DAY)] == []
    bucket.skew = 6.5 * DAY
    assert [line.split()[-1] for line in skewed(bucket, ran, older=7 * DAY)] == ["new", "old"]


def skewed(fake, ran, **options):
    """Return the lines where a fake whose clock is off believes everybody."""
    fake.sign = False
    return ran(**options)[1]


class OfPages:
    """Requests that answer with these pages of a listing, and keep what they were asked for."""

    def __init__(self, *pages, url="http://h/b"):
        self.endpoint, self.pages, self.asked = SimpleNamespace(bucket="b", url=url), [], []
        for keys, marker in pages:
            rows = "".join(f"<Upload><Key>{key}</Key><UploadId>i{key}</UploadId></Upload>"
                           for key in keys)
            more = (f"<IsTruncated>true</IsTruncated><NextKeyMarker>{marker}</NextKeyMarker>"
                    if marker else "")
            self.pages.append(f"<ListMultipartUploadsResult>{more}{rows}"
                              "</ListMultipartUploadsResult>".encode())

    def send(self, key, query, take, fail, **_):
        """Answer at once."""
        self.asked.append(query)
        take(SimpleNamespace(status=200, code="", errno=0, headers={}, body=self.pages.pop(0)))

    def run(self):
        """Nothing waits."""


def test_pages():
    """One after the other; what comes twice is there once."""
    asked = OfPages(("ab", "b"), ("bc", "c"), ("", "d"), ("e", ""))
    found = [[upload.key for upload in uploads] for _, uploads in Listing(asked, "").pages()]
    assert found == [["a", "b"], ["c"], [], ["e"]]
    assert [query.partition("key-marker=")[2] for query in asked.asked] == [
        "", "b&upload-id-marker=ib&uploads=", "c&upload-id-marker=ic&uploads=", "d&uploads="]


@pytest.mark.parametrize("pages", [(("a", "a"), ("a", "a")), (("", "x"), ("", "x"))])
def test_pages_in_circles(pages):
    """Are no list."""
    with pytest.raises(Fault, match="of 'b' goes in circles"):
        list(Listing(OfPages(*pages), "").pages())


def test_amazons_is_asked_for_the_prefix_alone():
    """Others take it for a whole key."""
    asked = OfPages(("", ""), url="https://b.s3.eu-west-1.amazonaws.com")
    list(Listing(asked, "logs/").pages())
    assert asked.asked == ["encoding-type=url&prefix=logs%2F&uploads="]


def test_a_page_is_used_after_the_next_one_came():
    """A listing goes on after an upload that must not be gone by then."""
    made = []

    def pages():
        for number in range(3):
            made.append(number)
            yield number

    used = ahead(pages())
    assert next(used) == 0 and made == [0, 1]
    assert list(used) == [1, 2] and list(ahead([])) == []


# --- what does not come


@pytest.mark.parametrize("to, fault, kind, words", [
    ("s3://none", None, NoSuchBucket, "none"),
    ("s3://b", {"status": 403, "code": "AccessDenied"}, NoAccess,
     "^cannot list the unfinished uploads of s3://b: S3 says AccessDenied"),
    ("s3://b", {"status": 405, "code": "MethodNotAllowed"}, Fault,
     r"the server does not know how \(S3 says MethodNotAllowed"),
    ("s3://b", {"status": 501, "code": "NotImplemented"}, Fault, "the server does not know how")])
def test_no_list(bucket, ran, to, fault, kind, words):
    """A line, and status 3."""
    if fault:
        bucket.fault("status", where=lambda request: "uploads" in request.query, times=None,
                     **fault)
    with pytest.raises(kind, match=words) as caught:
        ran(to=to)
    assert caught.value.status == 3


def test_another_list(bucket, ran, at_once):
    """Of objects, by a server that knows no other: nothing is taken from it."""
    bucket.put("b", "k", b"x")
    bucket.hook = lambda request: request.query.pop("uploads", None)
    bucket.sign = False
    with pytest.raises(Fault, match="the list of unfinished uploads is none: <ListBucketResult>"):
        ran(abort=True)
    assert not bucket.requests(method="DELETE")


@pytest.mark.parametrize("status, code, is_known", [(501, "NotImplemented", False),
                                                    (405, "MethodNotAllowed", False),
                                                    (403, "AccessDenied", True)])
def test_parts_that_nobody_tells(bucket, ran, status, code, is_known):
    """`?` in their place, said once; a server that does not know the question is asked no more."""
    for number in range(100):
        begun(bucket, f"k{number:02d}", 1)
    bucket.fault("status", where=is_parts, status=status, code=code, times=None)
    status, lines, err = ran(verbose=True)
    assert status == DONE and {tuple(line.split()[1:3]) for line in lines} == {("?", "?")}
    assert err.count(code) == 1 + (not is_known) and "at least 0 in" in err
    asked = len([request for request in bucket.log if is_parts(request)])
    ran()
    assert len([request for request in bucket.log if is_parts(request)]) == asked + 100 * is_known
    assert leftovers.KNOWN.lacks(SimpleNamespace(url=f"{bucket.url}/b"),
                                 LISTED_PARTS) is not is_known


def test_an_upload_that_ends_meanwhile(bucket, ran):
    """Is not listed, and not said to have been aborted by us."""
    begun(bucket, "a", 1)
    gone = begun(bucket, "b", 1)

    def hook(request):
        if is_parts(request) and request.key == "b":
            bucket.buckets["b"].uploads.pop(gone, None)

    bucket.hook = hook
    assert [line.split()[-1] for line in ran()[1]] == ["a"]
    bucket.hook = None
    begun(bucket, "b", 1)
    bucket.hook = lambda request: is_abort(request) and request.key == "b" and [
        bucket.buckets["b"].uploads.pop(name) for name, upload in
        list(bucket.buckets["b"].uploads.items()) if upload.key == "b"]
    status, lines, err = ran(abort=True)
    assert [line.split()[-1] for line in lines] == ["a"] and status == DONE
    assert "1 upload aborted (1 freed), 1 gone before in" in err


# --- the end


def test_abort(bucket, ran):
    """All that are listed, each seen to be gone; the lines are of what is gone."""
    for number in range(30):
        begun(bucket, f"k{number:02d}", 1000, 24)
    bucket.put("b", "k00", b"kept")
    status, lines, err = ran(abort=True, dry_run=True)
    assert status == DONE and len(lines) == 30 and "s3-put: 30 uploads to abort (30K) in" in err
    assert len(bucket.buckets["b"].uploads) == 30 and not bucket.requests(method="DELETE")
    status, lines, err = ran(abort=True)
    assert status == DONE and len(lines) == 30 and not bucket.buckets["b"].uploads
    assert "s3-put: 30 uploads aborted (30K freed) in" in err
    after = [request.status for request in bucket.log if is_parts(request)][-30:]
    assert after == [404] * 30 and bucket.get("b", "k00").body == b"kept"


def test_a_quiet_abort(bucket, ran):
    """Says nothing, as for cron."""
    begun(bucket, "k", 1)
    assert ran(abort=True, quiet=True) == (DONE, [], "") and not bucket.buckets["b"].uploads


def reappearing(fake, key, times):
    """Have a part come to a key's upload after an abort, so many times; return the aborts seen."""
    uploads, seen = fake.buckets["b"].uploads, []
    held = next(upload for upload in uploads.values() if upload.key == key)
    parts = dict(held.parts)

    def hook(request):
        if is_abort(request) and request.key == key:
            seen.append(request)
        if is_parts(request) and request.key == key and 0 < len(seen) <= times:
            uploads[held.id], held.parts = held, dict(parts)

    fake.hook = hook
    return seen


def test_parts_on_their_way(bucket, ran, at_once):
    """An abort is sent again until nothing is left; pauses lie between them."""
    begun(bucket, "k", 5)
    seen = reappearing(bucket, "k", 3)
    status, lines, err = ran(abort=True)
    assert status == DONE and len(seen) == 4 and not bucket.buckets["b"].uploads
    assert "1 upload aborted (5 freed)" in err and len([wait for wait in at_once if wait]) == 3


def test_parts_without_end(bucket, ran, at_once):
    """Are said, with what to do: it is not aborted, and the status shows that."""
    name = begun(bucket, "k", 5)
    begun(bucket, "l", 6)
    seen = reappearing(bucket, "k", 1000)
    status, lines, err = ran(abort=True)
    assert status == SOME_FAILED and len(seen) == leftovers.ABORTS
    assert [line.split()[-1] for line in lines] == ["l"]
    assert err.startswith(f"s3-put: s3://b/k: upload {name}: cannot abort it: 1 part (5)")
    assert "1 upload aborted (6 freed), 1 failed" in err


def test_an_empty_list_is_the_end(bucket, ran):
    """Other servers know an upload for a while, without parts."""
    begun(bucket, "k", 5)
    held = next(iter(bucket.buckets["b"].uploads.values()))
    aborts = []

    def hook(request):
        if is_abort(request):
            aborts.append(request)
        elif aborts and is_parts(request):
            bucket.buckets["b"].uploads[held.id], held.parts = held, {}

    bucket.hook = hook
    status, lines, err = ran(abort=True)
    assert status == DONE and len(lines) == 1 and "1 upload aborted (5 freed)" in err
    assert len(aborts) == 1


def test_may_not_be_aborted(bucket, ran):
    """One line each, quiet or not; the others are."""
    name = begun(bucket, "k\n", 5)
    begun(bucket, "l", 6)
    bucket.fault("status", key="k\n", method="DELETE", status=403, code="AccessDenied", times=None)
    status, _, err = ran(abort=True, quiet=True)
    assert status == SOME_FAILED and list(bucket.buckets["b"].uploads) == [name]
    assert err == (f"s3-put: s3://b/k\\x0a: upload {name}: cannot abort it: S3 says AccessDenied: "
                   "Access Denied\n")


def test_an_answer_that_is_lost(bucket, ran, at_once):
    """The next try hears that there is no such upload, which is our own work."""
    begun(bucket, "k", 5)
    lost = bucket.fault("status", key="k", method="DELETE", status=500, code="InternalError",
                        done=True)
    status, lines, err = ran(abort=True)
    assert lost.hits == 1 and status == DONE and "1 upload aborted (5 freed)" in err


def test_an_answer_that_libcurl_lost(bucket, ran):
    """It sends a request again by itself where a connection that was used before breaks: nobody can
    tell then who ended the upload.
    """
    begun(bucket, "k", 5)
    lost = bucket.fault("reset", key="k", method="DELETE", at=0)
    status, lines, err = ran(abort=True)
    assert lost.hits == 1 and (status, lines) == (DONE, []) and not bucket.buckets["b"].uploads
    assert "0 uploads aborted (0 freed), 1 gone before in" in err


@pytest.mark.parametrize("code, status, words", [
    ("NotImplemented", 501, "aborted, but the server does not tell of its parts"),
    ("AccessDenied", 403, "aborted, but whether parts are left is not known: cannot see its parts: "
     "S3 says AccessDenied")])
def test_an_end_that_nobody_sees(bucket, ran, code, status, words):
    """S3 took the abort, and more is not known: said, with a status of its own."""
    name = begun(bucket, "k", 5)
    bucket.fault("status", where=is_parts, status=status, code=code, times=None)
    status, lines, err = ran(abort=True)
    assert status == UNVERIFIABLE and not bucket.buckets["b"].uploads
    assert f"s3-put: s3://b/k: upload {name}: {words}" in err
    assert "1 upload aborted (at least 0 freed)" in err


# --- other servers


@pytest.mark.parametrize("is_told", [True, False])
def test_keys_that_are_said_to_be_encoded_and_are_not(bucket, ran, monkeypatch, is_told):
    """SeaweedFS: the other spelling is tried, unless it is not below the prefix."""
    names = {key: begun(bucket, key, 5) for key in ("x/1+1", "x/%41", "%78/1")}
    if not is_told:
        bucket.fault("status", where=is_parts, status=501, code="NotImplemented", times=None)
    real = leftovers.unfinished.uploads_in

    def unencoded(root):
        uploads, following = real(root)
        wrong = {"x/1+1": "x/1 1", "x/%41": "x/A", "%78/1": "x/1"}
        return [upload._replace(key=wrong[upload.key], other=upload.key)
                for upload in uploads], following

    monkeypatch.setattr(leftovers.unfinished, "uploads_in", unencoded)
    status, lines, err = ran(to="s3://b/x/", abort=True)
    assert status == (DONE if is_told else UNVERIFIABLE) and "2 uploads aborted" in err
    assert sorted(line.split()[-1] for line in lines) == ["x/%41", "x/1+1"]
    assert list(bucket.buckets["b"].uploads) == [names["%78/1"]]


@pytest.mark.parametrize("name", ["seaweed", "moto", "ministack"])
def test_other_servers(name, request, ran, monkeypatch):
    """What boto3 has begun is listed, below a prefix and with odd keys, and aborted."""
    server = request.getfixturevalue(name)
    for variable, value in server.env.items():
        monkeypatch.setenv(variable, value)
    client, bucket = server.client(), "leftovers"
    client.create_bucket(Bucket=bucket)
    for key in ("logs/a b+c", "logs/\u00fc", "other+1"):
        made = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        client.upload_part(Bucket=bucket, Key=key, UploadId=made, PartNumber=1, Body=b"x" * 1000)
    below = f"s3://{bucket}/logs/"
    status, lines, err = ran(to=below)
    assert status == DONE and "2 unfinished uploads, 2 parts, 2.0K in" in err
    assert [line.split()[1:3] for line in lines] == [["1000", "1"]] * 2
    assert {line.partition(" logs/")[2] for line in lines} == {"a b+c", "\u00fc"}
    status, lines, err = ran(to=below, abort=True)
    assert status == DONE and "2 uploads aborted (2.0K freed) in" in err
    left = client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
    assert [upload["Key"] for upload in left] == ["other+1"]
