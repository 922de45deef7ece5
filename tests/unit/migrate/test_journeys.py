"""Several buckets in one run: in which order, what a person is asked, and the status."""

import pytest
from unit.migrate.conftest import options, row, write

from s3kit.errors import DONE, SOME_FAILED, UNFINISHED, Fault, Usage
from s3kit.migrate.folder import Folder
from s3kit.migrate.journeys import Journeys
from s3kit.migrate.phases import DELETE, FETCH, SCAN, VERIFY


class Migration:
    """A bucket whose verified manifest has `rows`; `fault` ends its preparation. `did` notes what
    is done, of all buckets.
    """

    def __init__(self, work, bucket, did, rows=(), fault=None, came=0, deleted="pruned"):
        self.folder, self.bucket, self.did = Folder(work, bucket, lambda: None), bucket, did
        self.rows, self.fault, self.came, self.deleted = list(rows), fault, came, deleted
        self.said = []
        self.say = self.said.append

    def ask_archive(self):
        """Note it."""
        self.did.append(f"ask {self.bucket}")

    def retry(self):
        """Note it."""
        self.did.append(f"retry {self.bucket}")

    def advance(self):
        """Verify, unless that was done."""
        self.did.append(f"advance {self.bucket}")
        if self.fault:
            raise self.fault
        if not self.folder.is_done(DELETE):
            for phase in (SCAN, FETCH, VERIFY):
                write(self.folder, phase, *self.rows)

    def delete(self):
        """Delete."""
        self.did.append(f"delete {self.bucket}")
        for each in self.rows:
            each.state = self.deleted
        write(self.folder, DELETE, *self.rows)

    def arrivals(self, newest):
        """Return what came."""
        assert newest or not self.rows
        return self.came

    def summary(self, census):
        """Return something."""
        return f"{census.rows} to delete"


@pytest.fixture
def run(tmp_path):
    """Return f({bucket: options of its Migration}, word=, is_retry=, options...) -> status.

    `word` is what a person types, None where there is nobody. `run.did` has what was done,
    `run.said` what was said of all, `run.of` the Migrations.
    """
    def start(buckets, word=None, is_retry=False, verb="run", **changed):
        start.did, start.said = [], []

        def person(bucket):
            if word is None:
                raise Usage("nobody there")
            return lambda question, wanted=None: (start.did.append(f"question {bucket}") or (
                word == wanted if wanted else word == "y"))

        start.of = {bucket: Migration(tmp_path, bucket, start.did, **given)
                    for bucket, given in buckets.items()}
        journeys = Journeys(options(**changed), list(start.of.values()), start.said.append,
                            lambda: None, person)
        return journeys.reset() if verb == "reset" else journeys.run(is_retry)

    return start


def proven(*keys):
    """Return the options of a bucket all of which is proven."""
    return {"rows": [row(key) for key in keys or ("k",)]}


def test_a_bucket_whose_name_is_typed_is_deleted(run):
    assert run({"b": proven()}, word="b") == DONE
    assert run.did == ["advance b", "question b", "delete b"]
    assert run.of["b"].said == ["1 to delete", "complete: 1 pruned"]
    assert run.said == ["1 of 1 bucket complete"]


@pytest.mark.parametrize("word, last", [("yes", "kept in S3"),
                                        (None, "kept in S3: nobody there")])
def test_without_a_yes_all_stays(run, word, last):
    """A word that is not the bucket's name is none, and neither is nobody."""
    assert run({"b": proven()}, word=word) == SOME_FAILED
    assert "delete b" not in run.did and last in run.of["b"].said


def test_yes_for_a_bucket_is_for_that_bucket(run):
    assert run({"one": proven(), "two": proven()}, word="no", yes=["two"]) == SOME_FAILED
    assert [did for did in run.did if did[:3] in ("del", "que")] == ["question one", "delete two"]
    assert run.said == ["1 of 2 buckets complete"]


def test_archives_first_and_questions_last(run):
    """The archives of several buckets are waited for together."""
    run({"one": proven(), "two": proven()}, word="one")
    assert run.did == ["ask one", "ask two", "advance one", "advance two", "question one",
                       "delete one", "question two"]


@pytest.mark.parametrize("buckets, wanted", [
    (["one"], ["retry one", "advance one"]),
    (["one", "two"], ["retry one", "advance one", "retry two", "advance two"])])
def test_what_failed_is_tried_again(run, buckets, wanted):
    run({bucket: proven() for bucket in buckets}, is_retry=True)
    assert run.did == wanted


def test_one_bucket_s_fault_is_its_own(run):
    """It is said, nothing is left of its folder, and the others go on."""
    buckets = {"bad": {"fault": Fault("bad: cannot be scanned")}, "good": proven()}
    assert run(buckets, yes=["good", "bad"]) == UNFINISHED
    assert [str(said) for said in run.said] == ["bad: cannot be scanned", "1 of 2 buckets complete"]
    assert "delete good" in run.did and "delete bad" not in run.did
    assert not run.of["bad"].folder.latest()


def test_nothing_is_deleted_of_a_bucket_with_something_wrong(run):
    """It is named, with what to do."""
    buckets = {"b": {"rows": [row("good"), row("bad", state="failed", error="no such luck")]}}
    assert run(buckets, yes=["b"]) == SOME_FAILED
    assert "delete b" not in run.did
    assert run.of["b"].said == [
        "1 of 2 rows not proven; nothing of it is deleted (1 failed, 1 verified); "
        "s3-migrate errors b -d d shows them, s3-migrate retry-errors b -d d tries again",
        "s3://b/bad?versionId=v: no such luck"]


def test_what_is_to_be_pasted_has_this_run_s_options(run):
    """Where the manifests are, and that nothing is to be deleted: it would be."""
    rows = [row("bad", state="failed", error="no such luck")]
    assert run({"b": {"rows": rows}}, work="a b", dest=".", no_delete=True) == SOME_FAILED
    assert run.of["b"].said[0].endswith(
        "s3-migrate errors -w 'a b' b shows them, "
        "s3-migrate retry-errors --no-delete -w 'a b' b tries again")


def test_what_s3_does_not_delete(run):
    assert run({"b": {**proven(), "deleted": "locked"}}, yes=["b"]) == SOME_FAILED
    assert run.of["b"].said[1].startswith("1 of 1 row not deleted (1 locked)")


def test_no_delete_ends_when_all_is_verified(run):
    assert run({"b": proven()}, word="b", no_delete=True) == DONE
    assert run.did == ["advance b"] and run.of["b"].said == ["complete: 1 verified"]


def test_nobody_is_asked_about_an_empty_bucket(run):
    assert run({"b": {}}) == DONE
    assert run.did == ["advance b", "delete b"]
    assert run.of["b"].said == ["complete: nothing in it"]


def test_what_came_since_is_said(run):
    """Complete it is nevertheless."""
    assert run({"b": {**proven(), "came": 2}}, yes=["b"]) == DONE
    assert run.of["b"].said[-1] == "2 versions came since the scan: run again with --rescan"


def test_rescan_begins_anew(run):
    """Of every bucket, before anything else."""
    run({"b": proven()}, yes=["b"])
    assert run.of["b"].folder.is_done(DELETE)
    run({"b": proven()}, rescan=True)
    assert not run.of["b"].folder.is_done(DELETE)


@pytest.mark.parametrize("word, yes, status, is_left", [("y", [], DONE, False),
                                                        ("n", [], SOME_FAILED, True),
                                                        ("n", ["b"], DONE, False)])
def test_reset(run, word, yes, status, is_left):
    """Asks, unless --yes named the bucket."""
    run({"b": proven()}, word="no")
    assert run({"b": proven()}, word, verb="reset", yes=yes) == status
    assert (run.of["b"].folder.latest() == VERIFY) is is_left


def test_reset_says_what_is_left(run, tmp_path):
    run({"b": proven()}, word="no")
    (tmp_path / "b" / "notes").write_text("x")
    assert run({"b": {}}, verb="reset", yes=["b"]) == DONE
    assert run.of["b"].said == [f"'{tmp_path / 'b'}' is left: there is more in it than ours"]


def test_quiet(run):
    """What is wrong is said, what is well is not."""
    run({"b": proven()}, yes=["b"], quiet=True)
    assert run.of["b"].said == ["1 to delete"] and not run.said
