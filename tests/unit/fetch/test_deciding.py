"""Which rows need bytes, and which job is sent for them."""

import os
from types import SimpleNamespace

import pytest

from s3kit.cli.tally import Tally
from s3kit.disk.tree import Tree, part_name
from s3kit.errors import NoSuchBucket
from s3kit.fetch.describing import Describing
from s3kit.fetch.deciding import HELD_SECONDS, Deciding, mtime_of
from s3kit.manifest.row import CONFLICT, FAILED, FETCHED, Row
from s3kit.pipeline.entries import entry_of
from s3kit.transfer.sizes import LARGE


PERSON = SimpleNamespace(prog="s3-fetch", quiet=True, verbose=False)


class Stage:
    """Notes what becomes of rows."""

    def __init__(self):
        self.left, self.finished, self.sent, self.slept = [], [], [], []
        self.pending, self.known = {}, {}
        self.outbox = SimpleNamespace(pending_of=self.pending.get, has_pending=True)
        self.ledger = SimpleNamespace(find=lambda *name: self.known.get(name),
                                      versions_in=lambda *key: [], at_path=lambda path: None,
                                      is_empty=lambda: True, files_in=lambda *asked: [])

    def reach(self, row):
        """Know the bucket, or raise."""
        if row.bucket == "gone":
            raise NoSuchBucket("bucket 'gone' does not exist")

    def leave(self, row):
        """A row needs nothing."""
        self.left.append(row.key)

    leaving = property(lambda stage: [], lambda stage, rows: [stage.leave(row) for row in rows])

    def finish(self, row, entry):
        """A row leaves with an Entry."""
        self.finished.append((row.key, entry))

    def send(self, errand, weight=0):
        """A job goes out."""
        self.sent.append((errand, weight))

    def later(self, seconds, call, *values):
        """A row waits."""
        self.slept.append((seconds, call, *values))

    def take_again(self, row):
        """Never called here."""


@pytest.fixture
def deciding(tmp_path):
    """A Deciding whose verb notes what it is told."""
    verb = SimpleNamespace(stage=Stage(), tree=Tree(str(tmp_path / "d")), failed=[], archived=[],
                           resent=[], surveyed=[], tally=Tally(PERSON),
                           progress=SimpleNamespace(expect=lambda size: None))
    verb.fail = lambda row, state, why: verb.failed.append((row.key, state, why))
    verb.leave_archived = lambda row: verb.archived.append(row.key)
    verb.resend = verb.resent.append
    verb.args = SimpleNamespace(with_metadata=False, source_times=False, retries=0, again=False)
    verb.mended = []
    verb.failures = SimpleNamespace(over=verb.mended.extend)
    verb.describing = Describing(verb)
    verb.large = SimpleNamespace(surveyed=lambda errand, survey: verb.surveyed.append(errand))
    return Deciding(verb)


def row_of(key="k", **columns):
    """Return a Row that pins its bytes."""
    return Row("b", key, "v", **{"etag": "e", "size": "4", **columns})


def put(deciding, row):
    """Put a row's file where it belongs; return the ledger's Entry of it."""
    path = os.path.join(deciding.tree.path, row.bucket, row.key)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write("body")
    status = os.stat(path)
    known = Row(row.bucket, row.key, row.version_id, etag="e", size="4", state=FETCHED,
                path=f"b/{row.key}", digest="xxh3-128:00", proof="etag-md5")
    return entry_of(known, row.version_id, 4, status.st_mtime_ns, status.st_ino)


def test_a_row_that_needs_bytes(deciding):
    """Is sent with all that pins it, and its path is taken."""
    deciding.take(row_of(last_modified="1970-01-01T00:00:01Z"), None)
    [(errand, weight)] = deciding.stage.sent
    job = errand.job
    assert (job.kind, job.bucket, job.key, job.version_id, job.etag, job.size, job.mtime_ns,
            job.path, weight) == ("get", "b", "k", "v", "e", 4, 10**9, "b/k", 4)
    assert deciding.flying == {"b/k": errand}


@pytest.mark.parametrize("key", ["k", "a/../k"])
@pytest.mark.parametrize("size, kind", [(LARGE, "survey"), (LARGE - 1, "get"), ("", "get")])
def test_the_kind_of_job(deciding, size, kind, key):
    """Its size alone says it, whatever its key."""
    deciding.take(row_of(key, size=str(size)), None)
    job = deciding.stage.sent[0][0].job
    assert (job.kind, job.size) == (kind, -1 if size == "" else size)


def test_a_file_that_is_there(deciding):
    """Its row leaves as the ledger has it; it is not asked for."""
    row = row_of()
    deciding.take(row, put(deciding, row))
    assert deciding.stage.left == ["k"] and deciding.kept == 1 and not deciding.stage.sent
    assert deciding.fetching.mended == [row]
    assert (row.state, row.path, row.digest) == (FETCHED, "b/k", "xxh3-128:00")


def test_files_that_are_there_and_others(deciding):
    """Rows leave in their order, whatever lies between them; each is decided on once."""
    rows = [row_of(key) for key in "abcd"]
    entries = [put(deciding, row) for row in rows]
    os.truncate(os.path.join(deciding.tree.path, "b/b"), 1)
    rows[2].path, looked = "../out", []
    deciding.fetching.fail = lambda row, state, why: deciding.stage.leave(row)
    deciding.tree = SimpleNamespace(
        look=lambda path, look=deciding.tree.look: looked.append(path) or look(path))
    deciding.take_all(zip(rows, entries))
    assert deciding.stage.left == ["a", "c", "d"] and deciding.kept == 2
    assert deciding.fetching.tally.states == {FETCHED: 2}
    assert [errand.row for errand, _ in deciding.stage.sent] == [rows[1]]
    assert looked == ["b/a", "b/b", "b/d"]


def test_a_part_of_a_file_that_is_there(deciding):
    """It goes: another list, naming the version otherwise, has brought the file meanwhile."""
    row, part = row_of(), part_name("b", "k", "v", "e")
    for name in (part, f"{part}.journal", "another.part"):
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=deciding.tree.parts))
    deciding.left = {part, "another.part"}
    deciding.take(row, put(deciding, row))
    assert os.listdir(deciding.tree.parts) == ["another.part"] and deciding.left == {"another.part"}


def test_a_file_that_was_changed(deciding):
    """Or removed: the ledger's word is not enough."""
    row = row_of()
    entry = put(deciding, row)
    os.truncate(os.path.join(deciding.tree.path, "b/k"), 1)
    deciding.take(row, entry)
    assert len(deciding.stage.sent) == 1 and not deciding.stage.left


def test_a_bare_row_may_mean_other_bytes_today(deciding):
    """S3 is asked whether it still has what the file is of."""
    row = Row("b", "k")
    deciding.take(row, put(deciding, row))
    [(errand, _)] = deciding.stage.sent
    assert errand.job.unless == "e" and errand.entry is not None


def test_the_same_version_twice(deciding):
    """While it is under way the second row waits; with the first one's flush it leaves."""
    deciding.take(row_of(), None)
    second = row_of()
    deciding.take(second, None)
    assert deciding.stage.slept == [(HELD_SECONDS, deciding.stage.take_again, second)]
    entry = put(deciding, second)
    deciding.stage.pending["b", "k", "v"] = entry
    deciding.take(second, None)
    assert deciding.stage.finished == [("k", entry)] and deciding.kept == 1


def test_rows_that_cannot_be_asked_for(deciding):
    """Each says why."""
    deciding.take(Row("gone", "k", "v"), None)
    deciding.take(Row("b", "k", "a b\n"), None)
    deciding.take(row_of("ice", storage_class="GLACIER", restore="ongoing"), None)
    deciding.take(row_of("x", path="../out"), None)
    assert [(key, state) for key, state, _ in deciding.fetching.failed] == [
        ("k", FAILED), ("k", FAILED), ("x", CONFLICT)]
    assert deciding.fetching.archived == ["ice"] and not deciding.stage.sent


@pytest.mark.parametrize("survey", [None, object()])
def test_what_another_process_held(deciding, survey):
    """If that has finished it the row leaves; else it is sent again, from where it was."""
    row = row_of()
    deciding.take(row, None)
    errand = deciding.flying["b/k"]
    errand.survey = survey
    deciding.look_again(errand)
    assert (deciding.fetching.surveyed if survey else deciding.fetching.resent) == [errand]
    deciding.stage.known["b", "k", "v"] = put(deciding, row)
    deciding.look_again(errand)
    assert deciding.stage.left == ["k"] and deciding.flying == {}


@pytest.mark.parametrize("text, ns", [
    ("", -1), ("yesterday", -1), ("1970-01-01T00:00:01.5Z", 1_500_000_000)])
def test_the_time_of_a_row(text, ns):
    assert mtime_of(Row("b", "k", last_modified=text)) == ns
