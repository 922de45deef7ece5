"""One object into its part file: what is believed of an answer, what is kept, what is left."""

import errno
import os

import pytest
from fakes3.characters import CHARACTERS

from s3kit.disk import lock
from s3kit.disk.tree import part_name
from s3kit.proof.digest import digest_of
from s3kit.s3.capabilities import PART_SIZES, Capabilities
from s3kit.transfer import body as body_module
from s3kit.transfer import engine as engine_module
from s3kit.transfer import task
from s3kit.transfer import whole as module
from s3kit.transfer.job import (
    AGAIN,
    BIG,
    CONFLICT,
    FAILED,
    FETCHED,
    FULL,
    HELD,
    NAMED,
    UNCHANGED,
    VANISHED,
    WRITTEN,
)
from s3kit.transfer.sizes import SMALL
from s3kit.transfer.unnamed import COMPLETE

SMALL_BODY, MIDDLE_BODY = b"the bytes of S3", os.urandom(SMALL + 12345)
BODIES = pytest.mark.parametrize("body", [SMALL_BODY, MIDDLE_BODY], ids=["small", "middle"])
TIME = 1_700_000_000_000_000_000


@pytest.fixture
def engine(desk):
    """An engine."""
    return desk.engine()


def parts(engine):
    """Return the part files that are there."""
    return os.listdir(engine.tree.parts)


class Counting:
    """A function, and how often it was called."""

    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, *args):
        self.calls += 1
        return self.function(*args)


def name(desk, engine, outcome):
    """Return what became of the name of a part."""
    named = desk.do(desk.job("name", etag="", pieces=[outcome.path]), engine=engine)
    assert named.state == NAMED
    return named.pieces[0]


# --- an object that comes


@BODIES
@pytest.mark.parametrize("size", [None, -1], ids=["known", "unknown"])
def test_an_object(desk, engine, body, size):
    """Its part is kept, held, until it is named; the outcome has all that S3 said of it."""
    desk.fake.put("b", "k", body, modified=TIME / 1e9, storage_class="STANDARD_IA")
    job = desk.job() if size is None else desk.job(size=size)
    outcome = desk.do(job, engine=engine)
    assert (outcome.state, outcome.holder, outcome.size, outcome.moved) == (
        WRITTEN, os.getpid(), len(body), len(body))
    assert (outcome.digest, outcome.proof) == (digest_of(body), "crc64nvme")
    assert (outcome.etag, outcome.storage_class, outcome.last_modified) == (
        job.etag, "STANDARD_IA", "2023-11-14T22:13:20Z")
    assert parts(engine) == [outcome.path] and lock.hold(outcome.path, engine.tree.parts) is None
    path, inode, mtime_ns = name(desk, engine, outcome)
    there = engine.tree.look("b/k")
    assert (path, inode, mtime_ns) == ("b/k", there.st_ino, TIME) and parts(engine) == []
    assert (desk.folder / "b/k").read_bytes() == body


def test_an_object_without_bytes(desk, engine):
    """And a directory, whose time is nobody's."""
    for key in ("k", "x/"):
        desk.fake.put("b", key)
        outcome = desk.do(desk.job(key=key), engine=engine)
        assert (outcome.state, outcome.size, outcome.digest) == (WRITTEN, 0, digest_of(b""))
        assert name(desk, engine, outcome)[0] == f"b/{key}"
    assert (desk.folder / "b/k").read_bytes() == b"" and (desk.folder / "b/x").is_dir()


def test_a_time_that_is_known_better(desk, engine):
    """The row's comes before that of the answer."""
    desk.fake.put("b", "k", SMALL_BODY)
    outcome = desk.do(desk.job(mtime_ns=TIME + 5), engine=engine)
    assert name(desk, engine, outcome)[2] == TIME + 5


def test_a_checksum_of_parts(desk, engine):
    """Their size is asked for first, then proved."""
    desk.fake.put("b", "k", MIDDLE_BODY, parts=[200_000, len(MIDDLE_BODY) - 200_000], checksum=None)
    outcome = desk.do(desk.job(), engine=engine)
    assert (outcome.state, outcome.proof) == (WRITTEN, "etag-md5-parts:200000")
    assert [(one.method, one.query) for one in desk.fake.log] == [
        ("HEAD", {"partNumber": "1"}), ("GET", {})]


MIB = 1 << 20
LIKELY, UNLIKELY, UNEVEN = ([8 * MIB, 2 * MIB], [6 * MIB, 4 * MIB], [7 * MIB + 1, 3 * MIB - 1])


@pytest.mark.parametrize("sizes, proof, read, asked", [
    (LIKELY, f"etag-md5-parts:{8 * MIB}", 0, 1), (UNLIKELY, f"etag-md5-parts:{6 * MIB}", 1, 1),
    (UNEVEN, "size", 2, 2)])
def test_parts_that_the_server_does_not_tell_of(desk, engine, monkeypatch, sizes, proof, read,
                                                asked):
    """The likeliest size is tried while the bytes come, that of the object before first; they are
    read for the others. The server is asked once, and where nothing else is left.
    """
    monkeypatch.setattr(task, "KNOWN", known := Capabilities())
    monkeypatch.setattr(engine_module, "KNOWN", known)
    monkeypatch.setattr(body_module, "hash_file", hashed := Counting(body_module.hash_file))
    desk.fake.character = CHARACTERS["ceph"]()
    body = os.urandom(10 * MIB)
    for key in ("k", "l"):
        desk.fake.put("b", key, body, parts=sizes, checksum=None)
        outcome = desk.do(desk.job(key=key), engine=engine)
        assert (outcome.state, outcome.proof) == (WRITTEN, proof)
    assert hashed.calls == read
    assert [one.method for one in desk.fake.log].count("HEAD") == asked


def test_parts_that_the_server_tells_of_late(desk, engine, monkeypatch):
    """It was silent about another object: the sizes are asked for, and the bytes come by them."""
    monkeypatch.setattr(task, "KNOWN", known := Capabilities())
    known.learn(desk.endpoint(), PART_SIZES)
    desk.fake.put("b", "k", os.urandom(10 * MIB), parts=UNEVEN, checksum=None)
    outcome = desk.do(desk.job(), engine=engine)
    assert (outcome.state, outcome.size, parts(engine)) == (BIG, 10 * MIB, [])


def test_parts_that_the_row_did_not_tell_of(desk, engine):
    """It is surveyed first: a guess may prove nothing. What came of it is of no use."""
    desk.fake.put("b", "k", MIDDLE_BODY, parts=[200_000, len(MIDDLE_BODY) - 200_000], checksum=None)
    outcome = desk.do(desk.job(etag="", size=-1), engine=engine)
    assert (outcome.state, outcome.size, outcome.etag) == (
        BIG, len(MIDDLE_BODY), desk.fake.get("b", "k").etag)
    assert parts(engine) == []


def test_a_large_object_that_the_row_did_not_tell_of(desk, engine, monkeypatch):
    """It is to be fetched in ranges."""
    monkeypatch.setattr(module, "LARGE", len(MIDDLE_BODY))
    desk.fake.put("b", "k", MIDDLE_BODY)
    outcome = desk.do(desk.job(size=-1), engine=engine)
    assert (outcome.state, outcome.size, parts(engine)) == (BIG, len(MIDDLE_BODY), [])
    assert desk.do(desk.job(), engine=engine).state == WRITTEN


# --- a server that lies, or breaks off


@BODIES
@pytest.mark.parametrize("kind, options, said", [
    ("flip", {}, "the bytes do not match S3's crc64nvme"),
    ("other", {}, "the bytes do not match S3's crc64nvme"),
    ("empty", {}, "S3 sends 0 bytes, not"),
    ("short", {}, ""), ("reset", {}, ""), ("double-length", {}, ""), ("bad-chunks", {}, ""),
    ("short-nolength", {}, "bytes came, not"),
    ("wrong-etag", {}, "S3 sent another object: ETag 000"),
    ("html", {}, "the answer has no ETag"),
    ("error200", {}, ""),
    ("endless", {}, ""), ("endless", {"chunked": True}, "")])
def test_a_server_that_lies(desk, engine, body, kind, options, said):
    """Nothing of it stays; it is asked again."""
    desk.fake.put("b", "k", body)
    desk.fake.fault(kind, key="k", **options)
    outcome = desk.do(desk.job(version_id="null"), engine=engine)
    assert outcome.state == AGAIN and outcome.error and said in outcome.error
    assert parts(engine) == [] and engine.tree.look("b/k") is None
    assert desk.do(desk.job(), engine=engine).state == WRITTEN


@BODIES
def test_an_answer_that_is_longer_than_it_says(desk, engine, body):
    """What is too much is not the object's."""
    desk.fake.put("b", "k", body)
    desk.fake.fault("long", key="k")
    outcome = desk.do(desk.job(), engine=engine)
    assert (outcome.state, outcome.digest) == (WRITTEN, digest_of(body))


@BODIES
@pytest.mark.parametrize("size", [None, -1], ids=["known", "unknown"])
def test_an_answer_in_chunks(desk, engine, body, size):
    """It does not say how long it is; its bytes tell."""
    desk.fake.put("b", "k", body)
    desk.fake.fault("chunked", key="k")
    job = desk.job() if size is None else desk.job(size=size)
    outcome = desk.do(job, engine=engine)
    assert (outcome.state, outcome.size, outcome.digest) == (WRITTEN, len(body), digest_of(body))


def test_one_part_in_an_answer_in_chunks(desk, engine):
    """Where nobody knows the size of the object, its one part is as long as that."""
    desk.fake.put("b", "k", SMALL_BODY, parts=[len(SMALL_BODY)], checksum=None)
    desk.fake.fault("chunked", key="k")
    outcome = desk.do(desk.job(size=-1), engine=engine)
    assert (outcome.state, outcome.digest) == (WRITTEN, digest_of(SMALL_BODY))


def test_another_version(desk, engine):
    """A server that sends another one than was asked for."""
    desk.fake.bucket("b", versioning="Enabled")
    version = desk.fake.put("b", "k", SMALL_BODY)
    desk.fake.fault("wrong-version", key="k", version="other")
    outcome = desk.do(desk.job(version_id=version), engine=engine)
    assert (outcome.state, outcome.error) == (AGAIN, "S3 sent another version: other")


def test_another_object_is_not_received(desk, engine):
    """Its first bytes are enough."""
    desk.fake.put("b", "k", MIDDLE_BODY)
    desk.fake.fault("wrong-etag", key="k")
    outcome = desk.do(desk.job(version_id="null"), engine=engine)
    assert (outcome.state, outcome.moved, engine.moved) == (AGAIN, 0, 0)


def test_an_object_that_is_gone(desk, engine):
    """Nothing is left of its part."""
    outcome = desk.do(desk.job(etag="0" * 32), engine=engine)
    assert outcome.state == VANISHED and parts(engine) == []


# --- the disk


@BODIES
def test_no_space(desk, engine, body, monkeypatch):
    """It is said as that, and what was written makes room again."""
    def fail(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    desk.fake.put("b", "k", body)
    monkeypatch.setattr(module, "write_all", fail)
    monkeypatch.setattr("s3kit.disk.direct_io.write_all", fail)
    outcome = desk.do(desk.job(), engine=engine)
    assert (outcome.state, outcome.error) == (FULL, "No space left on device")
    assert outcome.moved and parts(engine) == []


def test_another_process_holds_the_part(desk, engine):
    """It is left to that one."""
    desk.fake.put("b", "k", SMALL_BODY)
    job = desk.job()
    fd = lock.hold(part_name("b", "k", "", job.etag), engine.tree.parts)
    outcome = desk.do(job, engine=engine)
    assert (outcome.state, outcome.error) == (HELD, "another process is fetching it")
    assert len(parts(engine)) == 1 and desk.fake.log == []
    os.close(fd)


def test_a_link_in_the_part_s_place(desk, engine, tmp_path):
    """It is not followed, nor is S3 asked."""
    desk.fake.put("b", "k", SMALL_BODY)
    job = desk.job()
    os.symlink(tmp_path / "outside", part_name("b", "k", "", job.etag), dir_fd=engine.tree.parts)
    assert desk.do(job, engine=engine).state == FAILED
    assert not (tmp_path / "outside").exists() and desk.fake.log == []


def test_no_more_files_can_be_held(desk, engine, monkeypatch):
    """The next one is flushed by itself and named at once."""
    synced = []
    monkeypatch.setattr(module.durable, "sync_data",
                        lambda fd: synced.append(engine.tree.look("b/k")))
    desk.fake.put("b", "k", SMALL_BODY)
    engine.unnamed.most = 0
    outcome = desk.do(desk.job(mtime_ns=TIME), engine=engine)
    assert (outcome.state, outcome.path, outcome.mtime_ns) == (FETCHED, "b/k", TIME)
    assert outcome.inode == engine.tree.look("b/k").st_ino
    assert synced == [None] and parts(engine) == [] and not engine.unnamed.held


def test_no_more_files_can_be_held_and_one_cannot_be_flushed(desk, engine, monkeypatch):
    """It gets no name."""
    def fail(fd):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(module.durable, "sync_data", fail)
    desk.fake.put("b", "k", SMALL_BODY)
    engine.unnamed.most = 0
    outcome = desk.do(desk.job(), engine=engine)
    assert (outcome.state, outcome.error) == (FAILED, "cannot write 'b/k': Input/output error")
    assert parts(engine) == [] and engine.tree.look("b/k") is None


# --- what is there already


def test_a_file_that_is_there(desk, engine):
    """S3 is not asked for it; a file that is not S3's is replaced."""
    desk.fake.put("b", "k", SMALL_BODY)
    (desk.folder / "b").mkdir()
    (desk.folder / "b/k").write_bytes(SMALL_BODY)
    outcome = desk.do(desk.job(mtime_ns=TIME), engine=engine)
    assert (outcome.state, outcome.path, outcome.moved) == (FETCHED, "b/k", 0)
    assert desk.fake.log == [] and parts(engine) == []
    (desk.folder / "b/k").write_bytes(SMALL_BODY.upper())
    outcome = desk.do(desk.job(mtime_ns=TIME), engine=engine)
    assert outcome.state == WRITTEN and name(desk, engine, outcome)[0] == "b/k"
    assert (desk.folder / "b/k").read_bytes() == SMALL_BODY


@pytest.mark.parametrize("body, asked", [(SMALL_BODY, 0), (SMALL_BODY.upper(), 1), (b"", 1),
                                         (SMALL_BODY * 2, 1)])
def test_a_part_that_a_killed_run_had_completed(desk, engine, body, asked):
    """Its bytes are read, not believed."""
    desk.fake.put("b", "k", SMALL_BODY)
    job = desk.job(mtime_ns=TIME)
    fd = lock.hold(part_name("b", "k", "", job.etag), engine.tree.parts)
    os.write(fd, body)
    os.fchmod(fd, COMPLETE)
    os.close(fd)
    outcome = desk.do(job, engine=engine)
    assert outcome.state == WRITTEN and len(desk.fake.log) == asked
    assert name(desk, engine, outcome)[0] == "b/k"
    assert (desk.folder / "b/k").read_bytes() == SMALL_BODY


def test_an_object_that_is_what_it_was(desk, engine):
    """S3 says so, and sends nothing."""
    desk.fake.put("b", "k", SMALL_BODY)
    etag = desk.fake.get("b", "k").etag
    outcome = desk.do(desk.job(etag="", unless=etag), engine=engine)
    assert (outcome.state, outcome.moved, parts(engine)) == (UNCHANGED, 0, [])


# --- names


def test_one_part_that_cannot_be_named(desk, engine):
    """The others are; in the order in which they were asked for."""
    outcomes = []
    for key in ("one", "x/two", "three"):
        desk.fake.put("b", key, SMALL_BODY)
        outcomes.append(desk.do(desk.job(key=key), engine=engine))
    (desk.folder / "b").mkdir()
    os.mkfifo(desk.folder / "b/x")
    named = desk.do(desk.job("name", etag="", pieces=[one.path for one in outcomes]), engine=engine)
    one, two, three = named.pieces
    assert (one[0], three[0]) == ("b/one", "b/three") and parts(engine) == []
    assert (two.state, two.error) == (CONFLICT, "a FIFO is in the way: 'x'")
