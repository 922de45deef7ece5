"""A large object in ranges: what of a range is believed, what is read back."""

import errno
import json
import os
import zlib

import pytest
from descriptors import open_descriptors
from fakes3 import CHARACTERS

from s3kit.disk import direct_io
from s3kit.proof.checksums import DIGEST_BYTES, Crc
from s3kit.proof.claims import Claim, etag_claim
from s3kit.proof.digest import LEAF, digest_of, join_leaves
from s3kit.transfer import ranges as module
from s3kit.transfer.job import (
    AGAIN,
    CHECKED,
    CONFLICT,
    FAILED,
    FULL,
    RECEIVED,
    UNDIVIDED,
    Job,
)
from s3kit.transfer.ranges import NOTE_BYTES, Sums

BODY = os.urandom(300_000)
START, END = 100_000, 250_000
TIME = 1_700_000_000_000_000_000


@pytest.fixture
def engine(desk):
    """An engine."""
    return desk.engine()


# --- sums


def job_of(body, start, end, claim):
    """Return the Job of a range."""
    return Job("range", "b", "k", "", "e", len(body), -1, "p", start=start, end=end, claim=claim)


def test_sums_of_ranges_make_those_of_the_object():
    """Leaves that lie across two ranges are in neither; a range's parts are its own."""
    body = os.urandom(1 << 20) * 20
    borders = [0, LEAF, LEAF + 5_000_000, len(body)]
    leaves, parts = {}, []
    for start, end in zip(borders, borders[1:]):
        sums = Sums(job_of(body, start, end, etag_claim("0" * 32 + "-5", 0).with_part_size(LEAF)))
        for at in range(start, end, 1_234_567):
            sums.update(body[at:min(at + 1_234_567, end)])
        pieces = sums.pieces()
        assert (pieces["start"], pieces["end"], pieces["crc"]) == (start, end, 0)
        leaves |= pieces["leaves"]
        parts.append(len(pieces["parts"]))
    assert set(leaves) == {"0", "2"} and parts == [1, 1, 1]
    leaves["1"] = digest_of(body[LEAF:2 * LEAF]).partition(":")[2]
    assert join_leaves([bytes.fromhex(leaves[number]) for number in "012"]) == digest_of(body)


def test_a_crc_of_a_range():
    """It starts anew with each."""
    sums = Sums(job_of(BODY, START, END, Claim("full", "crc32", bytes(4), "crc32")))
    sums.update(BODY[START:200_000])
    sums.update(BODY[200_000:END])
    assert sums.pieces() == {"start": START, "end": END, "crc": zlib.crc32(BODY[START:END]),
                             "parts": [], "leaves": {}}


def test_a_note_of_a_range_is_not_too_long():
    """Though all parts that an object can have were in it, with the longest digests."""
    parts = [bytes(max(DIGEST_BYTES.values())).hex()] * 10_000
    assert len(json.dumps({"start": 0, "end": 0, "crc": 0, "parts": parts})) < NOTE_BYTES // 2


# --- a range


@pytest.fixture
def part(engine):
    """The descriptor of a part file as long as the object."""
    fd = os.open("p", os.O_CREAT | os.O_RDWR, dir_fd=engine.tree.parts)
    os.ftruncate(fd, len(BODY))
    yield fd
    os.close(fd)


@pytest.fixture
def fetch(desk, engine, part):
    """Return f(the job's fields) -> the Outcome of a range."""
    desk.fake.put("b", "k", BODY)
    claim = Claim("full", "crc32", bytes(4), "crc32")
    fields = {"path": "p", "start": START, "end": END, "inode": os.fstat(part).st_ino,
              "claim": claim}
    return lambda **changes: desk.do(desk.job("range", **(fields | changes)), engine=engine)


def around(part):
    """Return whether nothing but the range has been written."""
    return not any(os.pread(part, START, 0)) and not any(os.pread(part, len(BODY), END))


def test_a_range(desk, fetch, part):
    """Its bytes are at their place, and noted; the object's others are left alone."""
    outcome = fetch()
    assert (outcome.state, outcome.moved) == (RECEIVED, END - START)
    assert outcome.pieces["crc"] == zlib.crc32(BODY[START:END])
    assert os.pread(part, END - START, START) == BODY[START:END] and around(part)
    assert desk.fake.log[0].headers["range"] == f"bytes={START}-{END - 1}"


def test_a_range_that_was_noted(desk, fetch, engine, part):
    """Its bytes are read back: if they are what was noted, S3 is not asked."""
    noted = fetch().pieces
    for spoil in (b"", b"x", None):
        before = len(desk.fake.log)
        if spoil is None:
            os.ftruncate(part, START + 5)
        else:
            os.pwrite(part, spoil, END - 1)
        outcome = fetch(pieces=noted)
        assert (outcome.state, outcome.pieces) == (RECEIVED, noted)
        assert outcome.moved == (0 if spoil == b"" else END - START)
        assert len(desk.fake.log) - before == (spoil != b"")
        assert os.pread(part, END - START, START) == BODY[START:END] and not engine.reading
    assert engine.read == 2 * (END - START) + 5


def test_a_range_that_is_read_back_in_steps(desk, fetch, engine, monkeypatch):
    """The network is looked after between them."""
    noted = fetch().pieces
    monkeypatch.setattr(module, "READ", 1000)
    assert fetch(pieces=noted).moved == 0
    assert engine.read == END - START


def test_a_part_file_that_was_replaced(desk, fetch):
    """Nothing is written to it, nor is S3 asked."""
    outcome = fetch(inode=1)
    assert (outcome.state, outcome.error) == (AGAIN, "the part file was replaced")
    assert fetch(path="none").state == FAILED and desk.fake.log == []


@pytest.mark.parametrize("kind, options, said", [
    ("short", {}, ""), ("reset", {}, ""), ("bad-chunks", {}, ""),
    ("empty", {}, ""),
    ("short-nolength", {}, "75000 bytes came, not 150000"),
    ("wrong-range", {}, "S3 sends 'bytes 100001-250000/300000', not 'bytes 100000-249999/300000'"),
    ("wrong-etag", {}, "S3 sent another object"), ("error200", {}, "S3"), ("html", {}, "S3"),
    ("status", {"status": 500}, "S3 says InternalError"),
    ("endless", {}, ""), ("endless", {"chunked": True}, "")])
def test_a_server_that_lies(desk, fetch, engine, part, kind, options, said):
    """It is asked again; what lies beside the range is not written to."""
    desk.fake.fault(kind, key="k", **options)
    outcome = fetch(version_id="null")
    assert outcome.state == AGAIN and outcome.error and said in outcome.error
    assert around(part) and not outcome.pieces
    assert fetch().state == RECEIVED
    assert os.pread(part, END - START, START) == BODY[START:END] and around(part)


def test_a_range_that_is_not_heeded(desk, fetch, part):
    """All of the object comes: that is said, and nothing is written. Of a page it is not."""
    desk.fake.fault("ignore-range", key="k")
    outcome = fetch()
    assert (outcome.state, outcome.moved) == (UNDIVIDED, 0) and around(part)
    desk.fake.fault("html", key="k", body=bytes(len(BODY)))
    assert fetch().state == AGAIN


def test_a_range_with_the_status_of_a_whole(desk, fetch, part, monkeypatch):
    """Content-Range says what it is."""
    monkeypatch.setattr(desk.fake, "character", CHARACTERS["rclone-serve"]())
    assert fetch().state == RECEIVED
    assert os.pread(part, END - START, START) == BODY[START:END] and around(part)


def test_an_object_in_one_piece(desk, fetch):
    """It is asked for without a range, so that nobody need know of them."""
    desk.fake.fault("ignore-range", key="k")
    assert fetch(start=0, end=len(BODY)).state == RECEIVED
    assert "range" not in desk.fake.log[-1].headers


def test_no_space(desk, fetch, monkeypatch):
    """It is said as that; the answer is not waited for."""
    def fail(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(direct_io, "write_all", fail)
    outcome = fetch()
    assert (outcome.state, outcome.error) == (FULL, "No space left on device")
    assert outcome.moved <= END - START


# --- a file is read


@pytest.mark.parametrize("direct", [True, False])
def test_a_file_against_a_claim(desk, engine, direct):
    """In steps that do not keep the network waiting; what was read is told."""
    body = BODY * 20
    (desk.folder / "b").mkdir()
    (desk.folder / "b/k").write_bytes(body)
    crc = Crc("crc32")
    crc.update(body)
    expected = crc.value.to_bytes(4, "big")
    os.utime(desk.folder / "b/k", ns=(1, TIME))
    for value, proof in ((expected, "crc32"), (bytes(4), "")):
        outcome = desk.do(desk.job("check", etag="", size=len(body), direct=direct,
                                   claim=Claim("full", "crc32", value, "crc32")), engine=engine)
        assert (outcome.state, outcome.size, outcome.proof, outcome.digest) == (
            CHECKED, len(body), proof, digest_of(body))
        assert (outcome.mtime_ns, outcome.inode) == (TIME, engine.tree.look("b/k").st_ino)
    assert engine.read == 2 * len(body) and desk.fake.log == [] and not engine.reading


@pytest.mark.parametrize("size", [len(BODY) - 1, len(BODY) + 1, 0])
def test_a_file_of_another_length(desk, engine, size):
    """It proves nothing; how long it is is told, as far as it was read."""
    (desk.folder / "k").write_bytes(BODY)
    outcome = desk.do(desk.job("check", etag="", path="k", size=size), engine=engine)
    assert (outcome.state, outcome.size, outcome.proof) == (CHECKED, len(BODY), "")


def test_a_part_is_checked_where_it_lies(desk, engine, part):
    """An inode tells that it is one."""
    os.pwrite(part, BODY, 0)
    outcome = desk.do(desk.job("check", etag="", path="p", size=len(BODY),
                               inode=os.fstat(part).st_ino), engine=engine)
    assert (outcome.state, outcome.digest, outcome.proof) == (CHECKED, digest_of(BODY), "size")


def test_what_is_not_a_file_is_not_checked(desk, engine, tmp_path):
    """Nothing hangs, no link is followed, nothing is left in the queue of readers."""
    os.mkfifo(desk.folder / "fifo")
    os.symlink(tmp_path, desk.folder / "link")
    found = desk.do(*[desk.job("check", etag="", path=path) for path in
                      ("fifo", "link", "link/x", "none")], engine=engine)
    assert [one.state for one in found] == [CONFLICT, FAILED, CONFLICT, FAILED]
    assert not engine.reading


def test_breaking_off_while_files_are_read(desk, engine, fetch, monkeypatch):
    """They are closed, whether a check or a range reads them."""
    noted = fetch().pieces
    monkeypatch.setattr(module, "READ", 1000)
    (desk.folder / "k").write_bytes(bytes(20 << 20))
    inode = os.stat("p", dir_fd=engine.tree.parts).st_ino
    before = len(open_descriptors())
    engine.add(1, [desk.job("check", etag="", path="k", size=20 << 20),
                   desk.job("range", path="p", start=START, end=END, inode=inode, pieces=noted)])
    assert engine.turn(0) == [] and len(engine.reading) == 2
    assert len(open_descriptors()) >= before + 2
    engine.close()
    assert not engine.reading and len(open_descriptors()) <= before
