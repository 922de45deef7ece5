"""Which rows of s3-verify are read, which S3 is asked about, and what the answers decide."""

import os
from datetime import datetime, timezone
from types import SimpleNamespace

import pytest

from s3kit.cli.tally import Tally
from s3kit.disk.tree import Tree
from s3kit.errors import SOME_FAILED, NoCredentials
from s3kit.errors import UNVERIFIABLE as NOT_ALL_VERIFIABLE
from s3kit.manifest.row import (
    FAILED,
    FETCHED,
    LISTED,
    MISMATCH,
    MISSING,
    PRUNED,
    UNVERIFIABLE,
    VERIFIED,
    Row,
)
from s3kit.pipeline.entries import entry_of
from s3kit.proof.claims import claim_of
from s3kit.transfer import job as jobs
from s3kit.transfer.job import Outcome
from s3kit.verify.verifying import TRIES, Verifying

MD5 = "841a2d689ad86bd1611447453c22c6fc"        # of "body"
OTHER = "0123456789abcdef0123456789abcdef"
SHA256 = "Iw2DWNyOiBC0vY3u3ucgDmtsMxNpo1WoSmxjtpm5uTk="
FULL = {"checksum_algorithm": "SHA256", "checksum_type": "FULL_OBJECT", "checksum": SHA256}
SINCE = datetime(2026, 1, 1, tzinfo=timezone.utc)


class Stage:
    """Notes what becomes of rows; S3 cannot be asked where `fault` says why."""

    def __init__(self, **options):
        self.args = SimpleNamespace(**{"quick": False, "verified_since": None, "discard": False,
                                       "prog": "s3-verify", "quiet": False, "verbose": False}
                                    | options)
        self.tally, self.expected, self.moves = Tally(self.args), [], []
        self.progress = SimpleNamespace(expect=self.expected.append, move=self.moves.append)
        self.left, self.finished, self.sent, self.retried = [], [], [], []
        self.fault, self.tries, self.ledger = None, 0, None
        self.outbox = SimpleNamespace(pending_at=lambda path: None)
        self.looks = 0

    def look(self):
        """A turn of the run."""
        self.looks += 1

    def reach(self, row):
        """Know the bucket."""
        if self.fault:
            raise self.fault

    def send(self, errand, job=None, weight=0):
        """A job goes out."""
        self.sent.append((errand, job or errand.job, weight))

    def retry(self, errand, outcome, most):
        """Try again while there are tries."""
        self.retried.append(most)
        self.tries -= 1
        return self.tries >= 0

    def leave(self, row, aloud=False):
        """A row leaves."""
        self.tally.count(row)
        self.left.append((row, aloud))

    def finish(self, row, entry, is_safe, aloud):
        """A row leaves with an Entry."""
        self.tally.count(row)
        self.finished.append((row, entry))


@pytest.fixture
def verb_of(tmp_path):
    """Return f(options) -> Verifying, of a destination with the file b/k."""
    tree = Tree(str(tmp_path / "d"))
    os.makedirs(tmp_path / "d/b/folder")
    (tmp_path / "d/b/k").write_text("body")
    return lambda **options: Verifying(Stage(**options), tree)


def row_of(key="k", **columns):
    """Return a fetched Row of four bytes."""
    return Row("b", key, "v", **{"size": "4", "state": FETCHED} | columns)


def entry_in(verifying, state=VERIFIED, when="2026-06-01T00:00:00Z", **columns):
    """Return the ledger's Entry of the file."""
    status = verifying.tree.look("b/k")
    row = row_of(path="b/k", digest="d", proof="sha256", **columns)
    return entry_of(row, "v", 4, status.st_mtime_ns, status.st_ino,
                    state=state)._replace(changed_at=when)


def jobs_of(verifying):
    """Return (kind, path, whether past the page cache) of the jobs that were sent."""
    return [(job.kind, job.path, job.direct) for _, job, _ in verifying.stage.sent]


def read(verifying, proof, digest="d", size=4):
    """Let the file of the job that was sent be read."""
    (errand, job, _) = verifying.stage.sent.pop()
    assert job.kind == "check"
    status = verifying.tree.look("b/k")
    verifying.answered(errand, Outcome(jobs.CHECKED, size=size, digest=digest, proof=proof,
                                       mtime_ns=status.st_mtime_ns, inode=status.st_ino))


def survey(verifying, *answer, **more):
    """Answer what S3 was asked."""
    (errand, job, _) = verifying.stage.sent.pop()
    assert job.kind == "survey"
    verifying.answered(errand, Outcome(*answer, **more))


def results(verifying):
    """Return (state, proof, error) of the rows that have left, when all are done."""
    verifying.at_end()
    gone = [row for row, _ in verifying.stage.finished + verifying.stage.left]
    return [(row.state, row.proof, row.error) for row in gone]


@pytest.mark.parametrize("row, is_mine", [(row_of(), True), (row_of(state=FAILED), False),
                                          (row_of(is_delete_marker="true"), False)])
def test_whose_files_are_verified(verb_of, row, is_mine):
    """As manifest.states has it."""
    assert verb_of().is_mine(row) == is_mine


# --- what is there


def test_a_file_that_is_not_there(verb_of):
    """It is missing; no other row's business."""
    verifying = verb_of()
    verifying.take(row_of("none"), None)
    assert results(verifying) == [(MISSING, "", "there is no file 'b/none'")]
    assert verifying.status() == SOME_FAILED and not verifying.stage.sent


@pytest.mark.parametrize("state, archived", [(LISTED, 1), (FETCHED, 0)])
def test_what_lies_in_an_archive_was_never_here(verb_of, state, archived):
    """Unless its row says that it was fetched: then it is missing."""
    verifying = verb_of()
    verifying.take(row_of("cold", storage_class="GLACIER", state=state), None)
    verifying.at_end()
    [(row, aloud)] = verifying.stage.left
    assert row.state == (LISTED if archived else MISSING) and aloud == (not archived)
    assert verifying.results.archived == archived and verifying.status() == SOME_FAILED


@pytest.mark.parametrize("size, recorded, wanted", [("5", None, 5), ("", 7, 7)])
def test_a_file_of_another_size(verb_of, size, recorded, wanted):
    """It is not read; a row without a size is held to the ledger's."""
    verifying = verb_of()
    entry = entry_in(verifying)._replace(size=recorded) if recorded else None
    verifying.take(row_of(size=size), entry)
    assert results(verifying) == [(MISMATCH, "", f"the file has 4 bytes, not {wanted}")]
    assert not verifying.stage.sent


def test_what_is_no_file(verb_of):
    """Neither a directory nor a symbolic link has an object's bytes."""
    verifying = verb_of()
    os.symlink("k", os.path.join(verifying.tree.path, "b/link"))
    os.mkfifo(os.path.join(verifying.tree.path, "b/fifo"))
    for key in ("folder", "link", "fifo"):
        verifying.take(row_of(key, path=f"b/{key}"), None)
    assert results(verifying) == [(MISMATCH, "", f"there is a {kind} in its place")
                                  for kind in ("directory", "symbolic link", "FIFO")]


def test_a_directory_for_an_empty_key(verb_of):
    """It is what s3-fetch makes of one that ends in a slash."""
    verifying = verb_of()
    verifying.take(row_of("folder/", size="0"), None)
    [(row, entry)] = verifying.stage.finished
    assert (row.state, row.path, row.proof, entry.size) == (VERIFIED, "b/folder/", "size", 0)
    verifying.take(row_of("folder/", size="4"), None)
    verifying.at_end()
    assert verifying.stage.left[0][0].state == MISMATCH


def test_the_entry_of_another_object_is_not_used(verb_of):
    """Its path may lead to the file of another version."""
    verifying = verb_of()
    entry = entry_in(verifying, etag="other")._replace(path="b/elsewhere")
    verifying.take(row_of(etag=MD5, **FULL), entry)
    [(errand, job, _)] = verifying.stage.sent
    assert errand.entry is None and job.path == "b/k"


# --- verified since


@pytest.mark.parametrize("is_new, state, digest, is_done", [
    (True, VERIFIED, "", True), (True, VERIFIED, "d", True), (True, VERIFIED, "other", False),
    (True, FETCHED, "", False), (False, VERIFIED, "", False)])
def test_what_was_verified_since(verb_of, is_new, state, digest, is_done):
    """It leaves as the ledger has it, if nothing says otherwise."""
    verifying = verb_of(verified_since=SINCE)
    entry = entry_in(verifying, state, f"{2026 if is_new else 2025}-06-01T00:00:00Z")
    verifying.take(row_of(digest=digest, error="before", **FULL), entry)
    if is_done:
        assert results(verifying) == [(VERIFIED, "sha256", "")] and not verifying.stage.sent
        assert verifying.stage.left[0][0].digest == "d"
    else:
        assert jobs_of(verifying) == [("check", "b/k", True)]


def test_a_file_that_was_touched_since(verb_of):
    """It is read again."""
    verifying = verb_of(verified_since=SINCE)
    entry = entry_in(verifying)
    verifying.take(row_of(**FULL), entry._replace(mtime_ns=entry.mtime_ns + 1))
    assert jobs_of(verifying) == [("check", "b/k", True)]


def test_the_second_in_which_it_was_verified(verb_of):
    """The ledger's times are whole seconds: a part of one is too early."""
    since = SINCE.replace(microsecond=1)
    for second, is_done in ((0, False), (1, True)):
        verifying = verb_of(verified_since=since)
        verifying.take(row_of(**FULL),
                       entry_in(verifying, when=f"2026-01-01T00:00:0{second}Z"))
        assert bool(verifying.stage.left) == is_done


# --- what the bytes are compared with


def test_a_row_that_says_enough(verb_of):
    """The file is read at once, past the page cache, and S3 is not asked."""
    verifying = verb_of()
    verifying.take(row_of(**FULL), None)
    [(errand, job, weight)] = verifying.stage.sent
    assert (job.kind, job.direct, weight) == ("check", True, 4)
    assert job.claim.kind == "full" and verifying.stage.expected == [4]
    read(verifying, "sha256")
    assert results(verifying) == [(VERIFIED, "sha256", "")]
    assert verifying.bytes == 4 and verifying.stage.moves == [4]


@pytest.mark.parametrize("etag, proof, kinds", [
    ("", "", ["survey"]), (f"{OTHER}-2", "", ["survey"]),
    (f"{OTHER}-2", "etag-md5-parts:2", ["check"]), (f"{OTHER}-2", "etag-md5-parts:4", ["survey"])])
def test_a_row_that_does_not_say_enough(verb_of, etag, proof, kinds):
    """S3 is asked first; unless an earlier proof has the size of the parts."""
    verifying = verb_of()
    verifying.take(row_of(etag=etag, proof=proof), None)
    assert [kind for kind, _, _ in jobs_of(verifying)] == kinds


def test_what_s3_says_fills_the_row(verb_of):
    """Then the file is read, with that to compare it with."""
    verifying = verb_of()
    verifying.take(row_of(size=""), None)
    claim = claim_of("SHA256", "FULL_OBJECT", SHA256, "e", 4)
    survey(verifying, jobs.SURVEYED, size=4, etag="e", claim=claim, checksum=SHA256,
           checksum_algorithm="SHA256", checksum_type="FULL_OBJECT")
    [(errand, job, _)] = verifying.stage.sent
    row = errand.row
    assert (job.kind, job.claim) == ("check", claim)
    assert (row.etag, row.size, row.checksum_algorithm, row.checksum_type, row.checksum) == (
        "e", "4", "SHA256", "FULL_OBJECT", SHA256)


def test_s3_has_another_size(verb_of):
    """The file is not read for that."""
    verifying = verb_of()
    verifying.take(row_of(size=""), None)
    survey(verifying, jobs.SURVEYED, size=5)
    assert results(verifying) == [(MISMATCH, "", "the file has 4 bytes, not 5")]


@pytest.mark.parametrize("answer", [jobs.VANISHED, jobs.ARCHIVED, jobs.CHANGED, jobs.FAILED,
                                    jobs.FATAL, jobs.AGAIN])
@pytest.mark.parametrize("digest, state", [("d", VERIFIED), ("", UNVERIFIABLE)])
def test_s3_does_not_say(verb_of, answer, digest, state):
    """Our own digest must do; without one nothing is known, and why is said."""
    verifying = verb_of()
    verifying.take(row_of(digest=digest), None)
    survey(verifying, answer, "no such version")
    read(verifying, "size")
    [(found, proof, error)] = results(verifying)
    assert (found, proof) == (state, "digest" if digest else "size")
    assert ("no such version" in error) == (state == UNVERIFIABLE)
    assert verifying.status() == (0 if digest else NOT_ALL_VERIFIABLE)


def test_s3_is_asked_some_times(verb_of):
    """What fails in passing is tried again."""
    verifying = verb_of()
    verifying.stage.tries = 1
    verifying.take(row_of(), None)
    survey(verifying, jobs.AGAIN, "slow")
    assert verifying.stage.retried == [TRIES] and not verifying.stage.sent


def test_a_file_that_cannot_be_read(verb_of):
    """Its row fails, also where S3 was asked before."""
    verifying = verb_of()
    verifying.take(row_of(**FULL), None)
    (errand, _, _) = verifying.stage.sent.pop()
    verifying.answered(errand, Outcome(jobs.FAILED, "cannot read it"))
    assert results(verifying) == [(FAILED, "", "cannot read it")]


def test_s3_cannot_be_asked_at_all(verb_of, capsys):
    """That is said once; all rows are compared with our own digests."""
    verifying = verb_of()
    verifying.stage.fault = NoCredentials("no credentials found")
    for _ in range(2):
        verifying.take(row_of(digest="d"), None)
    assert [kind for kind, _, _ in jobs_of(verifying)] == ["check", "check"]
    assert capsys.readouterr().err.count("S3 cannot be asked (no credentials found)") == 1


@pytest.mark.parametrize("columns, kind", [
    ({"path": "b/k", "key": "a/../k"}, "survey"), ({"etag": "a b"}, "check")])
def test_rows_that_s3_cannot_be_asked_about(verb_of, columns, kind):
    """They are read at once; keys with dot segments are asked about as any."""
    verifying = verb_of()
    verifying.take(row_of(**columns), None)
    assert [sent for sent, _, _ in jobs_of(verifying)] == [kind]


def test_quick(verb_of):
    """Only our digest counts, read by way of the page cache; S3 is never asked."""
    verifying = verb_of(quick=True)
    verifying.take(row_of(digest="d", etag=MD5, **FULL), None)
    [(errand, job, _)] = verifying.stage.sent
    assert (job.kind, job.direct, job.claim.kind) == ("check", False, "none")
    read(verifying, "size")
    assert results(verifying) == [(VERIFIED, "digest", "")]


# --- an ETag that looks like an MD5


def looked(verb_of, **columns):
    """Return a Verifying that has read a file whose bytes are not the MD5 that the ETag looks like,
    and asks S3 what that is.
    """
    verifying = verb_of()
    verifying.take(row_of(etag=OTHER, **columns), None)
    read(verifying, "")
    assert [kind for kind, _, _ in jobs_of(verifying)] == ["survey"]
    return verifying


def test_it_is_one(verb_of):
    """Then the bytes are others."""
    verifying = looked(verb_of)
    survey(verifying, jobs.SURVEYED, size=4, claim=claim_of("", "", "", OTHER, 4))
    assert results(verifying) == [(MISMATCH, "", "the bytes do not match S3's etag-md5")]


def test_it_is_that_of_an_encrypted_object(verb_of):
    """Our digest says more, where there is one."""
    for digest, state in (("d", VERIFIED), ("", UNVERIFIABLE), ("other", MISMATCH)):
        verifying = looked(verb_of, digest=digest)
        survey(verifying, jobs.SURVEYED, size=4,
               claim=claim_of("", "", "", OTHER, 4, md5_etag=False))
        assert [found for found, _, _ in results(verifying)] == [state]


def test_s3_has_a_checksum_instead(verb_of):
    """The file is read once more, with that; its bytes are not expected twice."""
    verifying = looked(verb_of)
    survey(verifying, jobs.SURVEYED, size=4, claim=claim_of("SHA256", "FULL_OBJECT", SHA256, "", 4))
    [(errand, job, _)] = verifying.stage.sent
    assert job.kind == "check" and job.claim.kind == "full" and errand.read is None
    read(verifying, "sha256")
    assert results(verifying) == [(VERIFIED, "sha256", "")]


@pytest.mark.parametrize("digest, state", [("d", VERIFIED), ("", MISMATCH)])
def test_s3_does_not_say_what_it_is(verb_of, digest, state):
    """Bytes that are those that came are right; others are not the MD5."""
    verifying = looked(verb_of, digest=digest)
    survey(verifying, jobs.VANISHED, "gone")
    assert [found for found, _, _ in results(verifying)] == [state]


@pytest.mark.parametrize("digest, state", [("d", VERIFIED), ("", MISMATCH)])
def test_s3_cannot_be_asked_what_it_is(verb_of, digest, state):
    """The same, without an answer."""
    verifying = verb_of()
    verifying.is_offline = True
    verifying.take(row_of(etag=OTHER, digest=digest), None)
    read(verifying, "")
    assert [found for found, _, _ in results(verifying)] == [state] and not verifying.stage.sent


# --- what was recorded


@pytest.mark.parametrize("row, entry, digest, found", [
    ("d", "", "d", True), ("d", "", "x", False), ("", "d", "d", True), ("", "d", "x", False),
    ("", "", "d", None), ("x", "d", "x", True)])
def test_the_digest_that_was_recorded(verb_of, row, entry, digest, found):
    """The row's comes before the ledger's."""
    verifying = verb_of(quick=True)
    verifying.take(row_of(digest=row),
                   entry_in(verifying, FETCHED)._replace(digest=entry) if entry else None)
    assert verifying.stage.sent[0][0].is_recorded(digest) is found


@pytest.mark.parametrize("digest, found", [("d", None), ("x", False)])
def test_the_digest_of_an_unverifiable_row(verb_of, digest, found):
    """It tells a change, and proves nothing."""
    verifying = verb_of(quick=True)
    verifying.take(row_of(digest="d", state=UNVERIFIABLE), None)
    assert verifying.stage.sent[0][0].is_recorded(digest) is found


# --- afterwards


def test_the_summary(verb_of):
    """What there was, in the order of what matters."""
    verifying = verb_of()
    assert [part for part in verifying.summary() if part] == ["0 rows verified"]
    for state in (VERIFIED, VERIFIED, MISMATCH, MISSING, UNVERIFIABLE, FAILED):
        verifying.tally.count(Row("b", "k", state=state))
    verifying.bytes, verifying.results.archived = 2048, 1
    verifying.results.removed.add("b/k")
    assert [part for part in verifying.summary() if part] == [
        "2 rows verified (2.0K read)", "1 mismatch", "1 missing", "1 unverifiable",
        "1 row failed before", "1 row in an archive", "1 file removed"]


def test_what_was_pruned_can_be_verified(verb_of):
    """Its file is the only copy."""
    verifying = verb_of()
    verifying.take(row_of(**FULL), entry_in(verifying, PRUNED))
    read(verifying, "sha256")
    [(row, entry)] = verifying.stage.finished
    assert (row.state, entry.state) == (VERIFIED, PRUNED) and verifying.status() == 0
