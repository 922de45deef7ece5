"""What tests of s3-prune's parts share: a destination with proven files, and S3 played by a table.
"""

import time
from concurrent.futures import Future
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from s3kit.disk.ledger import Entry, Ledger
from s3kit.disk.tree import OURS, Tree
from s3kit.disk.uploads import Upload, Uploads
from s3kit.errors import NoSuchBucket
from s3kit.manifest.row import PRUNED, STORED, VERIFIED, Row
from s3kit.pipeline.stage import Stage
from s3kit.proof.digest import digest_of
from s3kit.prune import deleting as deleting_module
from s3kit.prune import looking
from s3kit.prune.choice import Choice
from s3kit.prune.copies import SEEN, Seen, Sought
from s3kit.prune.deleting import Deleting
from s3kit.prune.deletion import MOST, Removal
from s3kit.prune.removed import Removed
from s3kit.prune.undo import Undo
from s3kit.s3.address import Endpoint
from s3kit.units import from_epoch

TIME = "2026-01-01T12:00:00Z"
OPTIONS = {"fetched": False, "accept_proof": [], "delete_markers": False, "noncurrent_only": False,
           "verified_since": None, "keep_newest": None, "max_delete": None, "undo": None,
           "rules": None, "min_size": None, "max_size": None, "newer": None, "older": None,
           "storage_class": None, "in_place": False, "yes": True, "dry_run": False,
           "connections": 4, "older_than_ledger": False, "verbose": False, "quiet": False,
           "prog": "s3-prune"}


class Destination:
    """A directory with proven files in bucket `b`, and the ledger that knows them."""

    def __init__(self, path):
        self.path, self.tree = path, Tree(str(path))
        (path / OURS).mkdir(exist_ok=True)
        self.ledger = Ledger(str(path / OURS))
        self.uploads = Uploads(self.ledger)

    def args(self, **changed):
        """Return the options of a command line about this destination."""
        return SimpleNamespace(**OPTIONS | {"dest": str(self.path)} | changed)

    def prove(self, key, body=b"body", version_id="v", at=None, **changed):
        """Write a file and its ledger Entry, verified at a time (seconds since 1970; now); return
        its row.
        """
        path = self.path / "b" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        status = path.stat()
        entry = Entry("b", key, version_id, "e" * 32, len(body), TIME, "STANDARD", "", "", "",
                      f"b/{key}", status.st_mtime_ns, status.st_ino, digest_of(body), "md5",
                      VERIFIED, changed_at=from_epoch(at or status.st_ctime))
        self.ledger.record([entry._replace(**changed)])
        return Row("b", key, version_id, size=str(len(body)), last_modified=TIME, etag="e" * 32,
                   storage_class="STANDARD", state=VERIFIED, path=f"b/{key}",
                   digest=entry.digest, proof="md5")

    def store(self, key, body=b"body", version_id="v", at=None, **changed):
        """Write an Upload to bucket `far` of a file that nobody looks at, confirmed at a time
        (seconds since 1970; now); return its row.
        """
        upload = Upload(
            to_bucket="far", to_key=f"to/{key}", to_version_id="w", to_etag="f" * 32, bucket="b",
            key=key, version_id=version_id, etag="e" * 32, path=f"b/{key}", size=len(body),
            mtime_ns=1, inode=2, checksum_algorithm="CRC32", checksum_type="FULL_OBJECT",
            checksum="AAAA", digest=digest_of(body), proof="md5", far_proof="crc32",
            changed_at=from_epoch(at or time.time()))
        self.uploads.record([upload._replace(**changed)])
        return Row("b", key, version_id, size=str(len(body)), last_modified=TIME, etag="e" * 32,
                   storage_class="STANDARD", state=STORED, path=f"b/{key}", proof="md5",
                   extra={"stored_at": f"s3://far/to/{key}?versionId=w"})

    def known(self, key, version_id="v"):
        """Return (state, tries) of a version in the ledger."""
        entry = self.ledger.find("b", key, version_id)
        return entry.state, entry.tries


@pytest.fixture
def destination(tmp_path):
    """A Destination without files."""
    return Destination(tmp_path / "d")


class Signals:
    """No signal comes."""

    graceful = False
    check = staticmethod(lambda: None)
    at_once = nullcontext


class Access:
    """Buckets with versions; `none` does not exist. New credentials come while `fresh_ones` are
    left.
    """

    def __init__(self, states=None, fresh_ones=0):
        self.states, self.fresh_ones, self.generation = states or {}, fresh_ones, 0
        self.at_once = nullcontext

    def endpoint(self, bucket):
        """Return a bucket's Endpoint."""
        if bucket == "none":
            raise NoSuchBucket("S3 says NoSuchBucket")
        return Endpoint(bucket, f"http://{bucket}.invalid", generation=self.generation)

    def versioning(self, bucket):
        """Return a bucket's versioning."""
        self.endpoint(bucket)
        return self.states.get(bucket, "Enabled")

    def fresh(self):
        """Return nothing new."""
        return []

    def renew(self, generation, told=""):
        """Return newer Endpoints."""
        if not self.fresh_ones:
            raise RuntimeError("no newer credentials")
        self.fresh_ones -= 1
        self.generation = generation + 1
        return [self.endpoint("b")]


class S3:
    """An executor that answers each Doomed by what `answers` says of its key: Removed, one after
    the other, and PRUNED in the end; each Sought by a Seen, in the end that of `store`.

    `before(jobs)` is called as S3 hears of them; `asked` has all jobs, in lists.
    """

    fault, steps = None, 0

    def __init__(self, answers=None, before=lambda jobs: None):
        self.answers, self.before, self.asked = answers or {}, before, []
        self.ended = None

    def submit(self, kind, jobs):
        """Answer."""
        self.before(jobs)
        self.asked.append(jobs)
        future = Future()
        future.set_result([(self.answers.get(job.key) or [
            Seen(SEEN, etag="f" * 32, size=4) if isinstance(job, Sought) else Removed(PRUNED)]
            ).pop(0) for job in jobs])
        return future

    def shutdown(self, wait=True, cancel_futures=False):
        """End."""
        self.ended = cancel_futures


def people():
    """Return (tally, progress, signals) as far as prune needs them; the tally notes what it is
    told.
    """
    from collections import Counter
    states, said = Counter(), []

    def count(row, aloud=False):
        states[row.state] += 1
        if aloud:
            said.append(f"{row.name}: {row.error}")

    tally = SimpleNamespace(count=count, say=said.append, said=said, states=states,
                            add=lambda name: None,
                            of=lambda *names: sum(states[name] for name in names))
    moved = []
    return tally, SimpleNamespace(move=moved.append, moved=moved, read=lambda *_: None), Signals


def streams(batches, end=None):
    """Return (source, sink) of lists of rows; `sink.rows` has what was written."""
    def read():
        yield from batches
        if end:
            raise end

    written = []
    reader = SimpleNamespace(marked=True, ended=True, miscounts=(), shards=())
    return (SimpleNamespace(batches=read, extras=lambda: (), readers=[reader], share=lambda: None),
            SimpleNamespace(write=lambda rows, extras=(): written.extend(rows), rows=written))


@pytest.fixture
def delete(destination, monkeypatch):
    """Return f(rows, s3, access=, options...) -> Deleting, after its run; `delete.left` has the
    rows that left, `delete.tally` what people were told.
    """
    monkeypatch.setattr("s3kit.s3.patience.delay", lambda *_, **__: 0.0)
    monkeypatch.setattr(deleting_module, "TICK", 0.01)
    monkeypatch.setattr(looking, "TICK", 0.01)

    def run(rows, s3, access=None, **options):
        args = destination.args(**options)
        source, sink = streams([rows])
        told = people()
        stage = Stage(args, (source, sink), told, access or Access())
        choice = Choice(args, Signals)
        choice.open()
        stage.open(s3, lambda: Removal, ledger=choice.ledger, limit=20 * MOST, together=MOST)
        deleting = Deleting(stage, choice, Undo(args.undo) if args.undo else None)
        run.left, run.tally, run.progress = sink.rows, told[0], told[1]
        stage.run(deleting)
        return deleting

    return run
