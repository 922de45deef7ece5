"""The work directory: where it may be, who holds it, what is left, which buckets are meant."""

import os

import pytest
from unit.migrate.conftest import options

from s3kit.errors import Held, Usage
from s3kit.migrate.work import LOCK, Work, bucket_of, new_folders


@pytest.fixture
def work(tmp_path):
    """A Work in its usual place; bucket `begun` is known to it, and two things are not buckets."""
    made = Work(None, str(tmp_path / "d"))
    for name in ("begun", ".before"):
        os.makedirs(os.path.join(made.path, name))
    (tmp_path / "d/.s3kit/migration/file").write_text("x")
    return made


@pytest.mark.parametrize("path, is_fine", [(None, True), ("elsewhere", True), ("d/.s3kit/w", True),
                                           ("d/work", False), ("d", False), ("link", False)])
def test_never_among_the_files(tmp_path, monkeypatch, path, is_fine):
    """Through a link neither."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d" / "inside").mkdir(parents=True)
    (tmp_path / "link").symlink_to("d/inside")
    if is_fine:
        Work(path, "d").check_place()
    else:
        with pytest.raises(Usage, match="choose another directory with -w"):
            Work(path, "d").check_place()


def test_the_buckets_that_were_begun(work, tmp_path):
    assert work.buckets() == ["begun"] and Work(str(tmp_path / "none"), "d").buckets() == []


def test_one_run_at_a_time(work):
    """The second is refused, until the first has ended."""
    with work.held():
        with pytest.raises(Held, match="another s3-migrate"):
            with work.held():
                pass
    with work.held():
        pass


def test_nobody_else_can_read_it(tmp_path):
    """Manifests name what is in the buckets."""
    work = Work(None, str(tmp_path / "d"))
    with work.held():
        assert os.stat(work.path).st_mode & 0o777 == 0o700


@pytest.mark.parametrize("begun, more", [(False, False), (True, False), (False, True)])
def test_what_is_left_of_it(tmp_path, begun, more):
    """Nothing, where no bucket was begun; also the directories above it that this run made."""
    work = Work(str(tmp_path / "w/x"), str(tmp_path / "new/d"))
    with work.held():
        assert os.listdir(work.path) == [LOCK]
        if begun:
            os.mkdir(os.path.join(work.path, "b"))
        if more:
            (tmp_path / "new/d/file").write_text("others'")
    assert os.path.exists(work.path) is begun
    assert os.path.exists(work.dest) is (begun or more)
    assert (tmp_path / "new").exists() is (begun or more)


def test_what_was_there_before_stays(tmp_path):
    """An empty directory of a person's, too."""
    (tmp_path / "w").mkdir()
    with Work(str(tmp_path / "w"), str(tmp_path)).held():
        pass
    assert (tmp_path / "w").is_dir()


def test_new_folders(tmp_path):
    """The innermost first."""
    assert new_folders(tmp_path / "a/b") == [str(tmp_path / "a/b"), str(tmp_path / "a")]
    assert new_folders(tmp_path) == []


@pytest.mark.parametrize("word, bucket", [("photos", "photos"), ("s3://photos", "photos"),
                                          ("s3://photos/", "photos"), ("s3://photos/a", None),
                                          ("", None), ("s3://", None), ("a b", None)])
def test_words_for_buckets(word, bucket):
    """Whole buckets are migrated."""
    if bucket:
        assert bucket_of(word) == bucket
    else:
        with pytest.raises(Usage, match="is not a bucket"):
            bucket_of(word)


@pytest.mark.parametrize("verb, words, changed, wanted", [
    ("run", ["x", "s3://y", "x"], {}, ["x", "y"]),
    ("run", ["x"], {"all_buckets": True}, ["x", "one", "two"]),
    ("run", [], {"all_buckets": True, "exclude_bucket": ["t*"]}, ["one"]),
    ("run", ["x"], {"yes": ["x"]}, ["x"]), ("status", [], {}, ["begun"]),
    ("status", ["begun"], {}, ["begun"]), ("reset", ["begun"], {}, ["begun"]),
    ("reset", [], {"all_buckets": True}, ["begun"]),
    ("errors", [], {"exclude_bucket": ["begun"]}, [])])
def test_which_buckets_are_meant(work, verb, words, changed, wanted):
    """A run may name any, the others those that were begun; S3 is asked for all only by a run."""
    asked = []

    def every():
        asked.append(verb)
        return ["one", "two"]

    assert work.chosen(options(**changed), verb, words, every) == wanted
    assert bool(asked) is (verb == "run" and bool(changed.get("all_buckets")))


@pytest.mark.parametrize("verb, words, changed, said", [
    ("run", [], {}, "no bucket: name some"), ("reset", [], {}, "no bucket: name some"),
    ("status", ["x"], {}, "'x' is not a bucket of"), ("run", ["x"], {"yes": ["y"]}, "--yes y: no"),
    ("run", ["x/"], {"exclude_bucket": ["x"], "yes": ["x"]}, "--yes x: no")])
def test_what_cannot_be_meant(work, verb, words, changed, said):
    with pytest.raises(Usage, match=said):
        work.chosen(options(**changed), verb, words, list)


def test_no_bucket_was_begun(tmp_path):
    with pytest.raises(Usage, match="no bucket was begun"):
        Work(None, str(tmp_path)).chosen(options(), "status", [], list)
