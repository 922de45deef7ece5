"""The pipeline on servers that are not Amazon's: every version is listed, fetched, verified and
deleted, or something says why not; and what is uploaded to them.
"""

import random
import sqlite3

import pytest
from conftest import SERVERS, env_of
from fakes3 import CHARACTERS, FakeS3

from manifests import read_rows
from s3kit.s3.stalls import STALLED_SECONDS
from s3kit.units import epoch_ns

PAGE = 1000
LARGE = 70 << 20
# An upload alone shows what the others do.
NAMES = [name for name, kind in CHARACTERS.items() if set(kind.differs) != {"uploads"}]
BARE = "bucket,key\nb,k\n"
ODD = ["a%2Fz", "a%2Fz!", "a+1", "a-1", "a.txt", "b~z", "\x01control", "sp ace", "é", "x&y<z>"]


def fill(server):
    """Put more than a page of keys into bucket `b`, odd ones at its end, and versions of some."""
    server.bucket("b", versioning="Enabled" if server.character.versions else None)
    early = [f"a%2Fa{n:04d}" for n in range(PAGE - 3)]
    for key in early + ODD:
        server.put("b", key, b"body of " + key.encode())
    for key in (early[0], "a%2Fz", "b~z") if server.character.versions else ():
        for n in range(3):
            server.put("b", key, b"%d" % n)


@pytest.fixture
def became(record_property):
    """Return became(command, words): what the table of servers says of a command; see conftest."""
    def became(command, words):
        said[command] = words
    said = {}
    yield became
    record_property(SERVERS, list(said.items()))


@pytest.mark.system("minutes")
@pytest.mark.parametrize("name", NAMES)
def test_the_pipeline(run, tmp_path, name, became):
    """From the listing to the deletion, with every version in the manifest once."""
    became("server", name)
    with FakeS3(character=name) as server:
        fill(server)
        there = {(version.key, version.id if server.character.versions else "")
                 for version in server.versions("b")}
        options = ["--versions"] * server.character.versions
        listed = run("s3-manifest", *options, "s3://b/", env=env_of(server))
        assert listed.status == 0, listed.err
        rows = [(row.key, row.version_id) for row in read_rows(listed.out)]
        assert len(rows) == len(set(rows)) and set(rows) == there
        became("s3-manifest", f"{len(rows):,} versions" if options else f"{len(rows):,} objects")
        fetched = run("s3-fetch", "-d", "d", input=listed.out, env=env_of(server))
        assert fetched.status == 0, fetched.err
        became("s3-fetch", "all")
        checked = run("s3-verify", "--discard", "-d", "d", input=fetched.out, env=env_of(server))
        proofs = "+".join(sorted({row.proof.partition(":")[0] for row in read_rows(checked.out)}))
        if not server.character.verifiable:
            assert checked.status == 5, checked.err
            assert {row.state for row in read_rows(checked.out)} == {"unverifiable"}
            assert all((tmp_path / "d" / row.path).exists() for row in read_rows(checked.out))
            became("s3-verify", "unverifiable")
            became("s3-prune", "nothing")
            return
        assert checked.status == 0, checked.err
        became("s3-verify", proofs)
        pruned = run("s3-prune", "--yes", "-d", "d", input=checked.out, env=env_of(server))
        if not server.character.heeds_conditions:       # what may have changed is not deleted
            assert pruned.status == 1, pruned.err
            assert {row.state for row in read_rows(pruned.out)} == {"failed"}
            assert len(server.versions("b")) == len(there)
            became("s3-prune", "nothing")
            return
        assert pruned.status == 0, pruned.err
        assert {row.state for row in read_rows(pruned.out)} == {"pruned"}
        assert not server.versions("b")
        became("s3-prune", "all")


# What proves uploads to servers that take them in ways of their own: of one request, of parts.
MD5S, CRCS, NONE = ("etag-md5", "etag-md5-parts"), ("crc32", "crc32"), ("size", "size")
UPLOADED = {"ceph": MD5S, "no-checksums": MD5S, "b2": MD5S, "proxy": MD5S, "rclone-serve": MD5S,
            "no-ranges": MD5S, "r2-sums": MD5S, "minio-gateway": NONE, "exoscale": NONE,
            "gcs": NONE, "composite-sums": ("crc32", "crc32-parts"), "no-crc64nvme": CRCS,
            "conditions-ignored": CRCS, "conditions-refused": CRCS, "no-list-parts": CRCS,
            "empty-listings": CRCS, "repeats-completions": CRCS, "no-metadata": CRCS,
            "snowball": MD5S}


def test_all_who_take_uploads_otherwise_are_known():
    """A new character says here what proves an upload to it."""
    assert set(UPLOADED) == {name for name, kind in CHARACTERS.items() if "uploads" in kind.differs}


@pytest.mark.system("minutes")
@pytest.mark.parametrize("name", UPLOADED)
def test_uploads(run, tmp_path, name, became):
    """The bytes are there, the proof is what the server gives and no more, no upload is left over,
    and what is proven is not sent again.
    """
    became("server", name)
    bodies = {"empty": b"", "small": b"body", "large": random.Random(1).randbytes(20 << 20)}
    (tmp_path / "d").mkdir()
    for path, body in bodies.items():
        (tmp_path / "d" / path).write_bytes(body)
    one, parts = UPLOADED[name]
    state, status = ("unverifiable", 5) if UPLOADED[name] == NONE else ("stored", 0)
    with FakeS3(character=name) as server:
        server.bucket("b")
        listed = run("s3-manifest", "d", env=env_of(server))
        put = run("s3-put", "-d", "d", "--to", "s3://b/p/", input=listed.out, env=env_of(server))
        assert put.status == status, put.err
        became("s3-put", "+".join(sorted({one, parts})) if status == 0 else state)
        found = {row.path: (row.state, row.proof.partition(":")[0]) for row in read_rows(put.out)}
        assert found == {path: (state, parts if path == "large" else one) for path in bodies}
        assert {path: server.get("b", f"p/{path}").body for path in bodies} == bodies
        assert not server.uploads("b")
        sent = len(server.requests(method="PUT"))
        again = run("s3-put", "-d", "d", "--to", "s3://b/p/", input=listed.out, env=env_of(server))
        assert again.status == status, again.err
        assert len(server.requests(method="PUT")) == sent


@pytest.mark.parametrize("name", NAMES)
def test_current_objects(run, name):
    """A listing without versions has each key once."""
    with FakeS3(character=name) as server:
        fill(server)
        listed = run("s3-list", "-R", "-0", "s3://b/", env=env_of(server))
        assert listed.status == 0, listed.err
        keys = listed.out.split("\0")[:-1]
        assert sorted(keys) == sorted({version.key for version in server.versions("b")})


@pytest.mark.system("minutes")
@pytest.mark.parametrize("options", [
    pytest.param([], marks=pytest.mark.long), ["--versions"]])
def test_directory_order(run, options):
    """A server with an order of its own: the listing is split among connections all the same, and
    each key is there once.
    """
    folders = [name + end for name in ("bar", "foo", "qux")
               for end in ("/", "-", "/x/", "+", ".conda/", "/.h/", "")]
    keys = {f"{folder}{n:04d}" for folder in folders for n in range(2500)}
    with FakeS3(character="directory-order") as server:
        server.bucket("b", versioning="Enabled" if options else None)
        for key in keys:
            server.put("b", key, b"")
        server.latency = 0.3     # longer than a busy machine holds us up
        listed = run("s3-manifest", "-c", 16, *options, "s3://b/", env=env_of(server))
        assert listed.status == 0, listed.err
        rows = [row.key for row in read_rows(listed.out)]
        assert len(rows) == len(keys) and set(rows) == keys
        # One connection asks for 53 pages, and whether there are versions.
        assert len(server.requests()) > len(keys) / PAGE + 5, "it was not split"


@pytest.mark.parametrize("command", [
    ["s3-manifest", "s3://b/"], ["s3-fetch", "-d", "d", "rows"],
    ["s3-policy", "show", "--live", "s3://b"], ["s3-restore", "--yes", "rows"]])
def test_a_redirect_to_another_server(fake, run, tmp_path, command):
    """It is said where it points; nobody shows our signature there."""
    (tmp_path / "rows").write_text("bucket,key,size,storage_class\nb,k,1,GLACIER\n"
                                   if command[0] == "s3-restore" else BARE)
    with FakeS3() as other:
        fake.bucket("b")
        fake.fault("redirect", key=None, status=307, location=f"{other.url}/b/k", times=None)
        done = run(*command, env=env_of(fake))
        assert done.status and f"it points to {other.url}/b/k: see --endpoint-url" in done.err
        assert not other.log


@pytest.mark.system("minutes")
def test_the_checksum_of_all_beside_a_range(run, tmp_path):
    """It is not that of the range: a large object comes in ranges, and is verified."""
    body = bytes(range(256)) * (LARGE >> 8)
    with FakeS3(character="bos") as server:
        server.bucket("b")
        server.put("b", "large", body)
        listed = run("s3-manifest", "s3://b/", env=env_of(server))
        fetched = run("s3-fetch", "-d", "d", input=listed.out, env=env_of(server))
        assert fetched.status == 0 and len(server.requests(key="large", status=206)) > 1
        checked = run("s3-verify", "-d", "d", input=fetched.out, env=env_of(server))
        assert [row.state for row in read_rows(checked.out)] == ["verified"], checked.err
        assert (tmp_path / "d/b/large").read_bytes() == body


@pytest.mark.parametrize("etag", ["0F1E2D3C4B5A69788796A5B4C3D2E1F0", "CKih16GZycICEAE=",
                                  'W/"AbC"'])
def test_etags_as_they_came(fake, run, tmp_path, etag):
    """They are sent back letter by letter, and known again where an older ledger has them in small
    letters.
    """
    body = b"body"
    fake.put("b", "k", body, checksum=None, etag=etag, sse="aws:kms")
    listed = run("s3-manifest", "s3://b/", env=env_of(fake))
    assert read_rows(listed.out)[0].etag == etag
    fetched = run("s3-fetch", "-d", "d", input=listed.out, env=env_of(fake))
    assert fetched.status == 0, fetched.err
    ledger = sqlite3.connect(tmp_path / "d/.s3kit/ledger.sqlite3")
    with ledger:
        ledger.execute("UPDATE object SET etag = ?", (etag.removeprefix("W/").strip('"').lower(),))
    ledger.close()
    again = run("s3-fetch", "-d", "d", input=listed.out, env=env_of(fake))
    assert again.err.startswith("s3-fetch: nothing to fetch, 1 row already there"), again.err
    checked = run("s3-verify", "-d", "d", input=again.out, env=env_of(fake))
    pruned = run("s3-prune", "--yes", "-d", "d", input=checked.out, env=env_of(fake))
    assert pruned.status == 0, pruned.err
    assert not fake.versions("b") and (tmp_path / "d/b/k").read_bytes() == body


@pytest.mark.parametrize("time", ["1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z",
                                  "1938-04-24T22:13:20Z", "2038-01-19T03:14:08Z",
                                  "2286-11-20T17:46:40Z", "9999-12-31T23:59:59Z",
                                  "0001-01-01T00:00:00Z"])
def test_any_time_that_s3_can_say(fake, run, tmp_path, time):
    """It is kept; what was fetched is there, verified, and may be deleted."""
    fake.put("b", "k", b"body", modified=time)
    fake.put("b", "large", b"body" * (17 << 20) if time == "1970-01-01T00:00:00Z" else b"body",
             modified=time)
    listed = run("s3-manifest", "s3://b/", env=env_of(fake))
    fetched = run("s3-fetch", "-d", "d", input=listed.out, env=env_of(fake))
    assert fetched.status == 0, fetched.err
    assert {row.last_modified for row in read_rows(fetched.out)} == {time}
    for name in ("k", "large"):
        there = (tmp_path / "d/b" / name).stat()
        assert there.st_mtime_ns == epoch_ns(time) or abs(epoch_ns(time)) > 1 << 63
    again = run("s3-fetch", "-d", "d", input=listed.out, env=env_of(fake))
    assert again.err.startswith("s3-fetch: nothing to fetch, 2 rows already there"), again.err
    bare = run("s3-fetch", "-d", "bare", input=BARE, env=env_of(fake))
    assert read_rows(bare.out)[0].last_modified == time
    checked = run("s3-verify", "-d", "d", input=again.out, env=env_of(fake))
    pruned = run("s3-prune", "--yes", "-d", "d", input=checked.out, env=env_of(fake))
    assert pruned.status == 0, pruned.err
    assert not fake.versions("b")


@pytest.mark.system("minutes")
@pytest.mark.parametrize("name, most", [("rclone-serve", 10), ("no-ranges", 14)])
def test_ranges_that_are_answered_in_other_ways(run, tmp_path, name, most):
    """With 200: it is the range, if Content-Range says so; or by all of the object, which is then
    fetched in one piece.
    """
    body = random.Random(7).randbytes(70 << 20)
    with FakeS3(character=name) as server:
        for key in ("one", "two"):
            server.put("b", key, body)
        listed = run("s3-manifest", "s3://b/", env=env_of(server))
        fetched = run("s3-fetch", "-j", "1", "-c", "1", "-d", "d", input=listed.out,
                      env=env_of(server))
        assert fetched.status == 0, fetched.err
        assert {row.proof for row in read_rows(fetched.out)} == {"etag-md5"}
        assert (tmp_path / "d/b/one").read_bytes() == (tmp_path / "d/b/two").read_bytes() == body
        assert sum(request.method == "GET" and bool(request.key) for request in server.log) <= most


@pytest.mark.system("minutes")
@pytest.mark.long
def test_an_answer_that_takes_long_to_begin(fake, run, tmp_path):
    """A store may think for longer than a transfer may stand still, and for no longer than said;
    for an object that is shown in test_fetch.
    """
    fake.put("b", "k", b"body")
    fake.fault("hang", key="", times=1, seconds=STALLED_SECONDS + 5)
    listed = run("s3-manifest", "s3://b/", env=env_of(fake))
    assert listed.status == 0, listed.err
    fake.fault("hang", key="k", times=None)
    failed = run("s3-fetch", "--read-timeout", "2", "--retries", "0", "-d", "e", input=listed.out,
                 env=env_of(fake))
    assert failed.status == 1 and "no answer for 2 s (--read-timeout)" in failed.err, failed.err
