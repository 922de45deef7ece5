"""What rows say whose files are there, by the row itself, the ledger, or S3."""

import os
from types import SimpleNamespace

import pytest

from s3kit.disk.ledger import Entry, Ledger
from s3kit.disk.tree import Tree
from s3kit.errors import Fault, NoSuchBucket
from s3kit.fetch.describing import Describing
from s3kit.manifest.row import Row
from s3kit.transfer import job as jobs
from s3kit.transfer.job import Outcome

SAID = {"content_type": "text/plain"}
ENTRY = Entry("b", "k", "v", "e", 4, "2026-01-31T12:00:00Z", "", "", "", "", "b/k", 7, 9, "",
              "etag-md5", "fetched")


class Stage:
    """Notes what becomes of rows; `tries` of S3 fail in passing."""

    def __init__(self, folder):
        self.ledger, self.tries = Ledger(folder), 0
        self.gone, self.finished, self.sent = [], [], []

    def reach(self, row):
        """Know all buckets but one."""
        if row.bucket == "gone":
            raise NoSuchBucket("no such bucket")

    def send(self, errand):
        """A job goes out."""
        self.sent.append(errand)

    def retry(self, errand, outcome, most):
        """Try again while there are tries."""
        self.tries -= 1
        return self.tries >= 0

    def leave(self, row, aloud=False):
        """A row leaves."""
        self.gone.append((row.key, aloud))

    def finish(self, row, entry, aloud=False):
        """A row leaves after the next flush."""
        self.finished.append((row.key, entry, aloud))


def made(tmp_path, fills=True, retimes=False):
    """Return a Describing of what is wanted."""
    def stop(errand, outcome):
        raise Fault(outcome.error)
    args = SimpleNamespace(with_metadata=fills, source_times=retimes, retries=3)
    failures = SimpleNamespace(over=lambda rows: None)
    return Describing(SimpleNamespace(stage=Stage(tmp_path), stop=stop, args=args,
                                      failures=failures, tree=Tree(str(tmp_path / "d"))))


@pytest.fixture
def describing(tmp_path):
    """A Describing that fills rows."""
    return made(tmp_path)


def row_of(**columns):
    """Return the Row of the file that ENTRY is of."""
    return Row("b", "k", **{"version_id": "v", "etag": "e", "size": "4", "path": "b/k", **columns})


def test_where_it_is_not_wanted(tmp_path):
    """Rows leave as they are, and the ledger has no table for it."""
    idle, row = made(tmp_path, fills=False), row_of()
    idle.leave(row, ENTRY)
    idle.take(row, "v", None)
    idle.record()
    assert idle.stage.gone == [("k", False)] and row.extra is None
    assert not idle.stage.ledger.base.execute(
        "SELECT 1 FROM sqlite_master WHERE name = 'description'").fetchone()


def test_what_the_row_or_the_ledger_knows(describing):
    """S3 is not asked; what is news counts before it is written, too."""
    describing.leave(row_of(extra={"metadata": "a=1"}), ENTRY)
    describing.take(row_of(), "v", SAID)
    for _ in range(2):
        row = row_of()
        describing.leave(row, ENTRY)
        assert row.extra == SAID
        describing.record()
    assert describing.stage.gone == [("k", False)] * 3 and not describing.stage.sent
    assert describing.ledger.find(("b", "k", "v"), "e") == SAID


def test_what_nobody_knows(describing):
    """S3 is asked, and asked again; the answer is for the ledger, too."""
    row, describing.stage.tries = row_of(), 1
    describing.finish(row, ENTRY)
    [errand] = describing.stage.sent
    assert errand.job[:6] == ("describe", "b", "k", "v", "e", 4)
    describing.answered(errand, Outcome(jobs.AGAIN, "slowly"))
    assert not describing.stage.finished
    describing.answered(errand, Outcome(jobs.DESCRIBED, description=SAID))
    assert describing.stage.finished == [("k", ENTRY, False)] and row.extra == SAID
    describing.record()
    assert describing.ledger.find(("b", "k", "v"), "e") == SAID and describing.lacking == 0


@pytest.mark.parametrize("entry, columns", [
    (ENTRY._replace(etag="other"), {}),
    (ENTRY._replace(version_id="null"), {"version_id": "null",
                                         "last_modified": "2026-02-01T12:00:00Z"})])
def test_of_another_object_nothing_is_known(describing, entry, columns):
    """Nor of one that was put again."""
    describing.take(row_of(**columns), entry.version_id, SAID)
    row = row_of(**columns)
    describing.leave(row, entry)
    assert describing.stage.sent and row.extra is None


@pytest.mark.parametrize("state", [jobs.AGAIN, jobs.VANISHED, jobs.FAILED, jobs.CHANGED])
def test_what_s3_does_not_say(describing, state):
    """The row leaves aloud, with its reason, and is counted."""
    row = row_of()
    describing.leave(row, ENTRY)
    describing.answered(describing.stage.sent[0], Outcome(state, "S3 says no"))
    assert describing.stage.gone == [("k", True)] and describing.lacking == 1
    assert row.error == "what else S3 says of it is not known: S3 says no" and row.extra is None


def test_what_cannot_be_asked(describing):
    """An id that S3 never gives, a bucket that is not there; and where S3 will not have us at all.
    """
    describing.leave(row_of(etag="e\r\nx: y"), ENTRY)
    gone = row_of()
    gone.bucket = "gone"
    describing.leave(gone, ENTRY)
    assert describing.lacking == 2 and not describing.stage.sent
    describing.leave(row_of(), ENTRY)
    with pytest.raises(Fault, match="clock"):
        describing.answered(describing.stage.sent[0], Outcome(jobs.FATAL, "clock"))


# --- times

NOTED = {"metadata": "mtime=1700000000.5"}
AT = 1_700_000_000_500_000_000


def put(describing, mtime_ns=7):
    """Write the file; return its path and the Entry of it."""
    path = os.path.join(describing.fetching.tree.path, "b/k")
    os.makedirs(os.path.dirname(path))
    with open(path, "wb") as file:
        file.write(b"body")
        file.flush()
        os.utime(file.fileno(), ns=(mtime_ns, mtime_ns))
    return path, ENTRY._replace(mtime_ns=mtime_ns, inode=os.stat(path).st_ino)


@pytest.mark.parametrize("fills", [True, False])
@pytest.mark.parametrize("where", ["row", "ledger", "S3"])
def test_a_file_gets_the_time_that_was_noted(tmp_path, where, fills):
    """And the ledger its new time, after a flush; rows are filled only where that is wanted."""
    describing = made(tmp_path, fills, retimes=True)
    path, entry = put(describing)
    row = row_of(extra=dict(NOTED) if where == "row" else None)
    if where == "ledger":
        describing.take(row_of(), "v", NOTED)
    describing.leave(row, entry)
    if where == "S3":
        describing.answered(describing.stage.sent[0], Outcome(jobs.DESCRIBED, description=NOTED))
    assert describing.stage.finished == [("k", entry._replace(mtime_ns=AT), False)]
    assert os.stat(path).st_mtime_ns == AT and not describing.stage.gone
    assert (row.extra == NOTED) is (fills or where == "row")


@pytest.mark.parametrize("told, mtime_ns", [({}, 7), ({"metadata": "mtime=soon"}, 7), (NOTED, AT)])
def test_a_file_that_has_its_time(tmp_path, told, mtime_ns):
    """Or of which none was noted: nothing is done to it, and nothing to record."""
    describing = made(tmp_path, retimes=True)
    path, entry = put(describing, mtime_ns)
    describing.take(row_of(), "v", told)
    describing.leave(row_of(), entry)
    assert describing.stage.gone == [("k", False)] and os.stat(path).st_mtime_ns == mtime_ns


def test_a_file_that_was_changed_meanwhile_keeps_its_time(tmp_path):
    """So does a directory, and one whose time is that of another name, too."""
    describing = made(tmp_path, retimes=True)
    path, entry = put(describing)
    describing.take(row_of(), "v", NOTED)
    describing.leave(row_of(), entry._replace(mtime_ns=8))
    describing.leave(row_of(), entry._replace(path="b/k/"))
    os.link(path, tmp_path / "other")
    describing.leave(row_of(), entry)
    assert describing.stage.gone == [("k", False)] * 3 and os.stat(path).st_mtime_ns == 7


def test_a_time_that_cannot_be_given(tmp_path):
    """The row says why."""
    describing = made(tmp_path, retimes=True)
    _, entry = put(describing)
    describing.take(row_of(), "v", NOTED)
    row = row_of()
    describing.leave(row, entry._replace(path="b/gone"))
    assert row.error == "cannot give 'b/gone' its time: No such file or directory"
    assert describing.stage.gone == [("k", True)] and describing.lacking == 1
