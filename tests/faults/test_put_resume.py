"""Large files of s3-put whose upload was broken off: the same command goes on with what S3 has of
it, or begins anew and says so; and what it gives up is aborted, or said.
"""

import os
import random
import signal
import sqlite3
from contextlib import closing

import pytest
from fakes3.operations import step_of

from faults.put_oracle import PART, PREFIX, PutWorld

NAME, PARTS = "large", 3
BODY = random.Random(3).randbytes(2 * PART + 777)
KEY = PREFIX + NAME


class Broken(PutWorld):
    """A PutWorld with one large file, whose first s3-put is killed when S3 was asked for `step`
    number `nth` (from 1), after it was carried out if `is_done`.
    """

    def __init__(self, folder, step, nth=1, is_done=False, more=(), **options):
        super().__init__(folder, {NAME: BODY}, more=more, **options)
        self.process = None
        self.fake.fault("beforehand", key=KEY, step=step, after=nth - 1,
                        do=lambda s3, request: self.kill(request, is_done))
        self.process = self.begin(jobs=1)
        ran = self.end(self.process)
        assert ran.status == -signal.SIGKILL, f"it was not killed: {ran.err}"
        self.look()
        self.seen = len(self.fake.log)

    def kill(self, request, is_done):
        """Kill all processes of s3-put, as the power does."""
        if is_done:
            self.fake.carry_out(request)
        os.killpg(self.process.pid, signal.SIGKILL)
        if request.method == "POST" and "uploads" in request.query:
            self.killed += 1
        request.body = b"not carried out: the signature is of another body"

    def sent(self):
        """Return the numbers of the parts that were sent since."""
        return sorted(int(request.query["partNumber"]) for request in self.fake.log[self.seen:]
                      if step_of(request) == "UploadPart" and request.status == 200)

    @property
    def upload(self):
        """The upload that S3 has."""
        found, = self.uploads().values()
        return found

    def tell_ledger(self, words, *values):
        """Change the ledger."""
        with closing(sqlite3.connect(self.dest / ".s3kit" / "ledger.sqlite3")) as base, base:
            base.execute(words, values)


def of_parts(folder, **more):
    """Return a Broken World of which S3 has all parts."""
    return Broken(folder, "CompleteMultipartUpload", **more)


def nothing(world):
    """S3 and the ledger agree."""


def other_checksum(world):
    """Of part 2 S3 has other bytes, whose ETag is no MD5."""
    world.upload.parts[2].body = bytes(PART)
    world.upload.parts[2].checksum = "AAAAAA=="


def other_etag(world):
    """Of part 2 S3 has other bytes."""
    world.upload.parts[2].etag = "0" * 32


def part_lost(world):
    """S3 has lost part 1."""
    del world.upload.parts[1]


def no_listing(world):
    """The server does not list parts: the ledger is believed."""
    world.fake.fault("status", key=KEY, step="ListParts", times=None, status=501)


def rows_lost(world):
    """A power cut has taken what the ledger was told last."""
    world.tell_ledger("DELETE FROM part WHERE number > 1")


def upload_gone(world):
    """A lifecycle rule has taken the upload."""
    world.fake.fault("take-upload", key=KEY, step="ListParts")


def ledger_gone(world):
    """Nobody knows of the upload: it stays, and another is begun."""
    for path in (world.dest / ".s3kit").glob("ledger.sqlite3*"):
        path.unlink()
    world.said += "1 upload could not be aborted"


def listed_in_pages(world):
    """The list of parts comes in pieces."""
    answer = world.fake.respond

    def one_each(request):
        if step_of(request) == "ListParts":
            request.query["max-parts"] = "1"
        return answer(request)
    world.fake.respond = one_each


ALL = [1, 2, 3]


@pytest.mark.parametrize("change, sent", [
    (nothing, []), (other_checksum, [2]), (other_etag, [2]), (part_lost, [1]), (no_listing, []),
    (rows_lost, [2, 3]), (upload_gone, ALL), (ledger_gone, ALL), (listed_in_pages, [])],
    ids=lambda value: getattr(value, "__name__", ""))
def test_only_what_is_not_there_is_sent_again(cases, tmp_path, change, sent):
    with cases("an upload that goes on").case(change.__name__), of_parts(tmp_path) as world:
        change(world)
        ran = world.put()
        assert ran.status == 0, f"{ran.status}: {ran.err}"
        assert world.sent() == sent, f"sent again: {world.sent()}, not {sent}"
        world.fake.faults.clear()
        world.settle(ran)


def grows(world):
    """More is written to the end."""
    world.lay(NAME, BODY + b"more")


def shrinks(world):
    """The end is cut off."""
    world.lay(NAME, BODY[:-100])


def is_replaced(world):
    """Another file of the same size and time is there."""
    place = world.dest / NAME
    status = place.stat()
    place.rename(world.dest / "before")
    world.lay(NAME, BODY[::-1])
    os.utime(place, ns=(status.st_atime_ns, status.st_mtime_ns))
    (world.dest / "before").unlink()


def is_written_to(world):
    """Bytes in the middle are others."""
    world.lay(NAME, BODY[:PART] + b"other" + BODY[PART + 5:])


def is_touched(world):
    """Its time is another."""
    os.utime(world.dest / NAME)


@pytest.mark.parametrize("change", [grows, shrinks, is_replaced, is_written_to, is_touched],
                         ids=lambda change: change.__name__)
def test_a_file_that_was_changed_since(cases, tmp_path, change):
    """Parts of what it was are not mixed with parts of what it is."""
    with cases("an upload of a file that was changed since").case(change.__name__), \
            of_parts(tmp_path) as world:
        change(world)
        world.write_rows()
        ran = world.resume()
        assert len(world.sent()) == -(-(world.dest / NAME).stat().st_size // PART)
        assert "from the beginning: the file was changed" in ran.err, ran.err
        assert not world.uploads(), "the upload of what it was is left"


@pytest.mark.parametrize("options", [("--part-size", "16M"), ("--checksum", "sha256")],
                         ids=lambda options: options[0])
def test_other_options(cases, tmp_path, options):
    with cases("an upload that other options go on with").case(options[0]), \
            of_parts(tmp_path) as world:
        ran = world.put(*options)
        assert ran.status == 0 and "from the beginning" in ran.err, ran.err
        world.settle(ran)
        assert not world.uploads()


# --- nobody heard that it was complete


def by_a_rival(world):
    """Another has put an object there since."""
    world.fake.put(world.bucket, KEY, b"a rival's")


@pytest.mark.parametrize("versioning", ["Enabled", pytest.param(
    None, marks=pytest.mark.system("minutes"))])
@pytest.mark.parametrize("change, sent", [(nothing, []), (rows_lost, []), (ledger_gone, []),
                                          (by_a_rival, ALL)],
                         ids=lambda value: getattr(value, "__name__", ""))
def test_completed_and_nobody_heard(cases, tmp_path, change, sent, versioning):
    """What is there is known again by its token, or by its bytes."""
    with cases("an upload that was completed, and nobody heard").case(change.__name__), \
            of_parts(tmp_path, is_done=True, versioning=versioning) as world:
        assert world.current(NAME) and not world.uploads()
        change(world)
        ran = world.put()
        assert ran.status == 0, f"{ran.status}: {ran.err}"
        world.settle(ran)
        assert world.sent() == sent, f"sent again: {world.sent()}"


def test_begun_and_nobody_heard(cases, tmp_path):
    """The upload is empty, and stays; nothing is wrong with the next."""
    with cases("an upload that was begun, and nobody heard").case("killed"), \
            Broken(tmp_path, "CreateMultipartUpload", is_done=True) as world:
        assert not world.upload.parts
        world.resume()
        assert world.sent() == ALL


# --- what is given up is aborted


ABORTS = {"lost": ("lost", {}, 1), "500": ("status", {"status": 500}, 2),
          "not done at once": ("half-abort", {}, 3), "never done": ("half-abort", {}, None),
          "refused": ("status", {"status": 403, "code": "AccessDenied"}, None),
          "500 for ever": ("status", {"status": 500}, None)}
GIVEN_UP = {"a rival": ("CompleteMultipartUpload", "rival", {}, "conflict"),
            "500": ("UploadPart", "status", {"status": 500, "times": None}, "failed"),
            "400": ("CompleteMultipartUpload", "status", {"status": 400, "code": "MalformedXML",
                                                          "times": None}, "failed")}


@pytest.mark.system("minutes")
@pytest.mark.parametrize("why, abort", [
    *(("a rival", abort) for abort in ABORTS),
    *((why, abort) for why in ("500", "400") for abort in ("not done at once", "refused"))])
def test_what_is_given_up_is_aborted(cases, tmp_path, why, abort):
    """None of its parts is left, or people hear of it and the ledger knows."""
    step, kind, options, state = GIVEN_UP[why]
    with cases("an upload that is given up").case(f"{why}, {abort}"), PutWorld(
            tmp_path, {NAME: BODY[:PART + 5]}) as world:
        world.fake.fault(kind, key=KEY, step=step, **options)
        name, more, times = ABORTS[abort]
        world.fake.fault(name, key=KEY, step="AbortMultipartUpload", times=times, **more)
        world.killed = why == "500"         # then it has no parts
        ran = world.put("--retries", 3)
        assert (ran.status, ran.rows[0]["state"]) == (1, state), ran.err
        world.tell_truth(ran)
        world.look()
        assert bool(world.uploads()) == (times is None), "it was not aborted"
        assert times or world.killed or "1 upload could not be aborted" in ran.err, ran.err
        world.resume()
        assert all(not upload.parts for upload in world.uploads().values()), "it was forgotten"


def test_if_absent(cases, tmp_path):
    """Nothing that is there is replaced, whenever it came."""
    bodies = {"there": b"ours", "late": b"ours, too", "large": BODY[:PART + 5],
              "large, late": BODY[:PART + 7]}
    with cases("--if-absent").case("others' objects"), PutWorld(
            tmp_path, bodies, there={PREFIX + name: b"theirs" for name in ("there", "large")},
            more=["--if-absent"]) as world:
        for name in ("late", "large, late"):
            world.fake.fault("rival", key=PREFIX + name, method=None,
                             where=lambda request: step_of(request) in (
                                 "PutObject", "CompleteMultipartUpload"))
        ran = world.put()
        assert {row["state"] for row in ran.rows} == {"conflict"}, ran.err
        world.tell_truth(ran)
        world.look()
        assert not world.uploads()
        assert not world.answers.writes, "something was written"
