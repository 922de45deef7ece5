"""What becomes of the workers' answers to s3-fetch."""

from types import SimpleNamespace

import pytest

from s3kit.cli.tally import Tally
from s3kit.disk.tree import Tree
from s3kit.disk.failures import Failures
from s3kit.disk.ledger import Ledger
from s3kit.errors import SOME_FAILED, Fault
from s3kit.fetch.deciding import HELD_SECONDS
from s3kit.fetch.fetching import Fetching
from s3kit.fetch.large_objects import RangeErrand
from s3kit.manifest.row import (
    CONFLICT,
    FAILED,
    FETCHED,
    LISTED,
    RESTORED,
    UNVERIFIABLE,
    VANISHED,
    VERIFIED,
    Row,
)
from s3kit.pipeline.entries import entry_of
from s3kit.transfer import job as jobs
from s3kit.transfer.job import Outcome


class Stage:
    """Notes what becomes of rows; errands are tried again `tries` times."""

    ledger = None

    def __init__(self):
        self.args = SimpleNamespace(retries=5, jobs=2, connections=None, dest="DIR",
                                    prog="s3-fetch", quiet=False, verbose=False,
                                    with_metadata=False, source_times=False, again=False,
                                    file=[])
        self.tally, self.expected, self.moves = Tally(self.args), [], []
        self.progress = SimpleNamespace(expect=self.expected.append,
                                        move=lambda *move: self.moves.append(move))
        self.left, self.finished, self.sent, self.named = [], [], [], []
        self.retried, self.slept, self.unflushed = [], [], []
        self.tries = 0
        self.outbox = SimpleNamespace(has_pending=False, lost="")

    def reach(self, row):
        """Know the bucket."""

    def send(self, errand, job=None, weight=0):
        """A job goes out."""
        self.sent.append((errand, job or errand.job, weight))

    def send_to(self, holder, job, errand):
        """A job goes out to one worker."""
        self.named.append((holder, job.pieces, errand))

    def retry(self, errand, outcome, most):
        """Try again while there are tries."""
        self.retried.append((outcome.error, most))
        self.tries -= 1
        return self.tries >= 0

    def later(self, seconds, call, *values):
        """A row waits."""
        self.slept.append((seconds, call, *values))

    def when_flushed(self, errand):
        """A file waits for a flush."""
        self.unflushed.append(errand)

    def leave(self, row, aloud=False):
        """A row leaves."""
        self.tally.count(row)
        self.note(row, aloud)

    def note(self, row, aloud=False):
        """A row that was counted leaves."""
        self.left.append((row.key, row.state, row.error, aloud))

    leaving = property(lambda stage: [], lambda stage, rows: [stage.note(row) for row in rows])

    def finish(self, row, entry):
        """A row leaves with an Entry."""
        self.tally.count(row)
        self.finished.append((row, entry))


class Large:
    """A large object, `pending` ranges of which are on their way."""

    def __init__(self, pending=0):
        self.pending, self.ended = pending, []

    def drop(self):
        """Its part stays."""
        self.ended.append("dropped")

    def discard(self):
        """Its part goes."""
        self.ended.append("discarded")


@pytest.fixture
def fetching(tmp_path):
    """A Fetching whose stage notes what becomes of rows."""
    return Fetching(Stage(), Tree(str(tmp_path / "d")), ())


def under_way(fetching, key="k", size="4", **columns):
    """Return the errand of a row that was taken and sent."""
    fetching.take(Row("b", key, "v", size=size, state=LISTED, **columns), None)
    return fetching.stage.sent.pop()[0]


def come(fetching, errand, **more):
    """Let a file be written, its bytes be flushed, and it be named."""
    fetching.answered(errand, Outcome(jobs.WRITTEN, path=".part", holder=7, size=4, **more))
    fetching.flushed(fetching.stage.unflushed)
    [(_, _, naming)], fetching.stage.named = fetching.stage.named, []
    fetching.answered(naming, Outcome(jobs.NAMED, pieces=[(errand.job.path, 11, 22)]))


@pytest.mark.parametrize("row, is_mine", [
    (Row("b", "k", state=LISTED), True), (Row("b", "k", state=VERIFIED), True),
    (Row("b", "k", state=VANISHED), False), (Row("b", "k", is_delete_marker="true"), False)])
def test_which_rows_are_looked_at(fetching, row, is_mine):
    """As manifest.states has it."""
    assert fetching.is_mine(row) == is_mine


def test_a_file_gets_its_name_after_the_flush(fetching):
    """And its row leaves with all that came: what S3 said, our digest, the proof."""
    errand = under_way(fetching)
    fetching.answered(errand, Outcome(jobs.WRITTEN, path=".part", holder=7))
    assert fetching.stage.unflushed == [errand] and not fetching.stage.finished
    assert fetching.flying == {"b/k": errand}
    fetching.stage.unflushed.clear()
    come(fetching, errand, moved=4, etag="e", version_id="w", last_modified="1970-01-01T00:00:00Z",
         storage_class="STANDARD", checksum_algorithm="CRC32", checksum_type="FULL_OBJECT",
         checksum="c", digest="d", proof="crc32")
    [(row, entry)] = fetching.stage.finished
    assert (row.state, row.path, row.etag, row.version_id, row.size, row.last_modified,
            row.storage_class) == (FETCHED, "b/k", "e", "v", "4", "1970-01-01T00:00:00Z",
                                   "STANDARD")
    assert (row.checksum_algorithm, row.checksum_type, row.checksum, row.digest, row.proof) == (
        "CRC32", "FULL_OBJECT", "c", "d", "crc32")
    assert (entry.path, entry.version_id, entry.size, entry.inode, entry.mtime_ns) == (
        "b/k", "v", 4, 11, 22)
    assert fetching.flying == {} and (fetching.fetched, fetching.adopted) == (1, 0)


def test_what_a_row_says_itself_stays(fetching):
    """S3's words fill what is empty; a checksum of S3's is newer than the row's."""
    errand = under_way(fetching, etag="mine", storage_class="GLACIER", last_modified="then",
                       error="before", checksum="old")
    come(fetching, errand, etag="other", storage_class="STANDARD", last_modified="now")
    [(row, _)] = fetching.stage.finished
    assert (row.etag, row.storage_class, row.last_modified, row.error, row.checksum) == (
        "mine", "GLACIER", "then", "", "old")


@pytest.mark.parametrize("size, moved, fetched", [(4, 4, 1), (0, 0, 1), (4, 0, 0)])
def test_a_file_that_was_there(fetching, size, moved, fetched):
    """Bytes that did not have to come are counted apart; an empty file has none to come."""
    errand = under_way(fetching)
    fetching.take_file(errand, Outcome(jobs.FETCHED, size=size, moved=moved, path="b/k"))
    assert (fetching.fetched, fetching.adopted) == (fetched, 1 - fetched)


def test_what_fails_in_passing(fetching):
    """It is tried as often as --retries says; then the row fails, aloud."""
    errand = under_way(fetching, digest="d", path="b/k", proof="p")
    fetching.stage.tries = 1
    fetching.answered(errand, Outcome(jobs.AGAIN, "the connection broke"))
    assert not fetching.stage.left and fetching.flying
    fetching.answered(errand, Outcome(jobs.AGAIN, "it broke again"))
    assert fetching.stage.retried == [("the connection broke", 5), ("it broke again", 5)]
    assert fetching.stage.left == [("k", FAILED, "it broke again", True)]
    assert (errand.row.digest, errand.row.path, errand.row.proof) == ("", "", "")
    assert fetching.flying == {}


@pytest.mark.parametrize("answer, state", [(jobs.VANISHED, VANISHED), (jobs.CONFLICT, CONFLICT),
                                           (jobs.FAILED, FAILED), (jobs.CHANGED, FAILED)])
def test_what_fails_for_good(fetching, answer, state):
    """Its row says how."""
    fetching.answered(under_way(fetching), Outcome(answer, "why"))
    assert fetching.stage.left == [("k", state, "why", True)] and fetching.flying == {}
    assert fetching.status() == SOME_FAILED


def test_the_ledger_hears_of_what_failed(fetching, tmp_path):
    """Before the row leaves, and no more once its file is there."""
    (tmp_path / "ledger").mkdir()
    ledger = Ledger(tmp_path / "ledger")
    fetching.failures = Failures(ledger)
    fetching.answered(under_way(fetching), Outcome(jobs.FAILED, "it broke"))
    fetching.leaving()
    query = "SELECT key, version_id, size, state, error FROM failure"
    assert ledger.base.execute(query).fetchall() == [("k", "v", 4, FAILED, "it broke")]
    come(fetching, under_way(fetching))
    ledger.record([entry for _, entry in fetching.stage.finished])
    assert ledger.base.execute(query).fetchall() == []


@pytest.mark.parametrize("answer, state, end", [(jobs.FAILED, FAILED, "dropped"),
                                                (jobs.VANISHED, VANISHED, "discarded")])
def test_a_large_object_waits_for_its_ranges(fetching, answer, state, end):
    """It is let go when the last one has come back, for what failed first."""
    errand = under_way(fetching)
    errand.large = Large(pending=2)
    for kind, error in ((answer, "first"), (jobs.CONFLICT, "second")):
        assert not fetching.stage.left
        fetching.answered(RangeErrand(errand, errand.job), Outcome(kind, error))
    assert fetching.stage.left == [("k", state, "first", True)]
    assert errand.large.ended == [end]


def test_what_another_process_fetches(fetching):
    """It is looked at again soon."""
    errand = under_way(fetching)
    fetching.answered(errand, Outcome(jobs.HELD))
    assert fetching.stage.slept == [(HELD_SECONDS, fetching.deciding.look_again, errand)]
    assert fetching.flying and not fetching.stage.left


def test_a_row_whose_object_turns_out_large(fetching):
    """It begins again, for the very bytes that were seen."""
    errand = under_way(fetching, size="")
    fetching.answered(errand, Outcome(jobs.BIG, size=10**10, etag="e"))
    [(sent, job, weight)] = fetching.stage.sent
    assert sent is errand and weight == 10**10 and fetching.stage.expected[-1] == 10**10
    assert (job.kind, job.size, job.etag, job.unless) == ("survey", 10**10, "e", "")


@pytest.mark.parametrize("size, weight", [("", 0), ("4", 4)])
def test_a_job_that_is_sent_once_more(fetching, size, weight):
    """It is the same; a size that is not known weighs nothing."""
    errand = under_way(fetching, "a/../b", size)
    fetching.resend(errand)
    assert fetching.stage.sent == [(errand, errand.job, weight)]


def test_a_full_disk_ends_the_run(fetching, monkeypatch):
    """With what is needed, and what there is."""
    monkeypatch.setattr(fetching.tree, "free", lambda: (1024, 5))
    under_way(fetching, "a", "3072"), under_way(fetching, "c", "")
    with pytest.raises(Fault, match="^no space in 'DIR': 1.0K and 5 inodes are free, what is under "
                                    "way needs 4.0K; make room and run the same command again$"):
        fetching.answered(under_way(fetching, "b", "1024"), Outcome(jobs.FULL, "no space"))


def test_s3_will_not_have_us(fetching):
    """That ends the run, in S3's words."""
    with pytest.raises(Fault, match="^AccessDenied$"):
        fetching.answered(under_way(fetching), Outcome(jobs.FATAL, "AccessDenied"))


@pytest.mark.parametrize("state, path, wanted", [(RESTORED, "p", (RESTORED, "p")),
                                                 (FETCHED, "p", (LISTED, ""))])
def test_bytes_in_an_archive(fetching, state, path, wanted):
    """Their row goes on as it came, but no file is there of it; it is not done."""
    errand = under_way(fetching)
    errand.row.state, errand.row.path = state, path
    fetching.answered(errand, Outcome(jobs.ARCHIVED))
    assert (errand.row.state, errand.row.path) == wanted
    assert fetching.stage.left == [("k", wanted[0], "", False)] and fetching.flying == {}
    assert fetching.archived == 1 and fetching.status() == SOME_FAILED


def test_a_file_that_is_unchanged(fetching):
    """A row that pins no bytes: S3 still has those of the file that is there."""
    errand = under_way(fetching)
    errand.entry = entry_of(Row("b", "k", "v", path="b/k", digest="d", state=FETCHED), "v", 4, 1, 2)
    fetching.answered(errand, Outcome(jobs.UNCHANGED))
    [(key, state, _, _)] = fetching.stage.left
    assert (key, state, errand.row.path, errand.row.digest) == ("k", FETCHED, "b/k", "d")
    assert fetching.deciding.kept == 1 and fetching.flying == {}


def test_bytes_that_come(fetching):
    """They are counted, and shown."""
    fetching.moved(5), fetching.moved(7)
    assert fetching.moved_bytes == 12 and fetching.stage.moves == [(5,), (7,)]


def test_a_run_that_ends_badly_lets_go_of_parts(fetching):
    """What came stays for the next one."""
    fetching.large.held.add(large := Large())
    fetching.abandon()
    assert large.ended == ["dropped"]


def test_a_run_that_ends_with_a_failed_flush_keeps_nothing(fetching, monkeypatch):
    """Neither ranges nor files that have no name yet."""
    whys = []
    fetching.stage.outbox.lost = "cannot make it durable: Input/output error"
    fetching.naming.disown = whys.append
    fetching.large.held.add(large := Large())
    fetching.abandon()
    assert large.ended == ["discarded"] and whys == [fetching.stage.outbox.lost]


def test_the_summary(fetching, capsys):
    """Only what there was."""
    assert [part for part in fetching.summary() if part] == ["0 rows fetched"]
    fetching.fetched, fetching.adopted, fetching.archived = 2, 1, 1
    fetching.deciding.kept, fetching.moved_bytes = 3, 1
    for state in (VERIFIED, UNVERIFIABLE):
        fetching.take(Row("b", "k", state=state), None)
    fetching.tally.count(Row("b", "k", state=FAILED))
    said = [part for part in fetching.summary() if part]
    assert said[0].startswith("2 rows fetched (1")
    assert said[1:] == ["3 rows already there", "1 file found complete, checked and kept",
                        "2 rows passed on as they were", "1 row in an archive", "1 row failed"]
    assert "1 row cannot be read before a restore: see s3-restore" in capsys.readouterr().err


@pytest.mark.parametrize("fetched, kept, first", [(0, 0, "0 rows fetched"),
                                                  (0, 2, "nothing to fetch"),
                                                  (1, 2, "1 row fetched")])
def test_the_summary_of_nothing(fetching, fetched, kept, first):
    """It is said where rows were there already."""
    fetching.fetched, fetching.deciding.kept = fetched, kept
    assert fetching.summary()[0] == first


def test_what_only_could_not_be_verified_is_fetched(fetching):
    """The status is s3-verify's to give."""
    fetching.tally.count(Row("b", "k", state=UNVERIFIABLE))
    assert fetching.status() == 0
