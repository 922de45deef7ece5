"""Files get their names after a flush, from the worker that holds them."""

import os
from types import SimpleNamespace

from s3kit.disk.tree import Tree
from s3kit.fetch.deciding import FetchErrand
from s3kit.fetch.naming import Naming
from s3kit.manifest.row import Row
from s3kit.transfer import job as jobs
from s3kit.transfer.job import Job, Outcome


class Fetching:
    """Notes what the verb is told; its stage notes what is sent and what waits."""

    def __init__(self):
        self.waiting, self.sent, self.files, self.again, self.others = [], [], [], [], []
        self.given_up, self.gone = [], []
        self.stage = SimpleNamespace(let_go=lambda: self.gone.append(True),
                                     when_flushed=self.waiting.append,
                                     send_to=lambda *values: self.sent.append(values))
        self.large = SimpleNamespace(name=lambda errand: self.others.append(errand))

    def take_file(self, errand, outcome):
        """A file has its name."""
        self.files.append((errand, outcome))

    def give_up(self, errand, outcome):
        """Its row fails."""
        self.given_up.append((errand, outcome.error))

    def try_again(self, errand, outcome):
        """It must be fetched again."""
        self.again.append((errand, outcome.error))

    def answered(self, errand, outcome):
        """Something else became of it."""
        self.others.append((errand, outcome))


def written(naming, key, holder, large=None):
    """Return an errand whose file was written by a worker."""
    errand = FetchErrand(Row("b", key), Job("get", "b", key, "", "", 1, 0, f"b/{key}"))
    errand.large = large
    naming.wait(errand, Outcome(jobs.WRITTEN, path=f"{key}.part", size=1, proof="etag-md5",
                                holder=holder))
    return errand


def test_each_worker_names_what_it_holds():
    """In one job; nothing is sent before the flush."""
    fetching = Fetching()
    naming = Naming(fetching)
    errands = [written(naming, key, holder) for key, holder in (("a", 7), ("b", 8), ("c", 7))]
    assert fetching.waiting == errands and fetching.sent == []
    naming.flushed(errands)
    assert [(holder, job.kind, job.pieces) for holder, job, _ in fetching.sent] == [
        (7, "name", ["a.part", "c.part"]), (8, "name", ["b.part"])]


def test_a_named_file_is_taken_with_what_was_known_of_it():
    """Its path may be another than was asked for; one that cannot be named is answered alone."""
    fetching = Fetching()
    naming = Naming(fetching)
    errands = [written(naming, key, 7) for key in "ab"]
    naming.flushed(errands)
    refused = Outcome(jobs.CONFLICT, "a symbolic link is in the way: 'b'")
    naming.answered(fetching.sent[0][2], Outcome(jobs.NAMED, pieces=[("b/a%f", 5, 9), refused]))
    [(errand, outcome)] = fetching.files
    assert errand is errands[0] and outcome == Outcome(
        jobs.FETCHED, path="b/a%f", size=1, proof="etag-md5", holder=7, inode=5, mtime_ns=9)
    assert fetching.others == [(errands[1], refused)]


def test_what_a_dead_worker_held_is_fetched_again():
    """Nobody holds it any more, so that nobody may name it."""
    fetching = Fetching()
    naming = Naming(fetching)
    errands = [written(naming, key, 7) for key in "ab"]
    naming.flushed(errands)
    naming.answered(fetching.sent[0][2], Outcome(jobs.FAILED, "its worker died (signal 9)"))
    assert fetching.again == [(errand, "its worker died (signal 9)") for errand in errands]
    assert fetching.files == []


def test_what_a_failed_flush_has_lost(tmp_path):
    """The rows of files without a name fail, and their parts go; what is under way has none."""
    fetching = Fetching()
    fetching.tree = Tree(str(tmp_path / "d"))
    naming = Naming(fetching)
    small, large = written(naming, "a", 7), written(naming, "b", 0, large=object())
    under_way = FetchErrand(Row("b", "c"), None)
    fetching.flying = {"b/a": small, "b/b": large, "b/c": under_way}
    for name in ("a.part", "c.part"):
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=fetching.tree.parts))
    naming.disown("cannot make it durable: Input/output error")
    assert fetching.given_up == [(small, "cannot make it durable: Input/output error"),
                                 (large, "cannot make it durable: Input/output error")]
    assert os.listdir(fetching.tree.parts) == ["c.part"] and fetching.gone


def test_a_large_object_is_named_by_the_parent():
    """Which holds its part."""
    fetching = Fetching()
    naming = Naming(fetching)
    errand = written(naming, "a", 0, large=object())
    naming.flushed([errand])
    assert fetching.others == [errand] and fetching.sent == []
