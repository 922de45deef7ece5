"""An engine between a strict fake S3 and a destination."""

import errno
import os
import time

import pytest

from s3kit.errors import Fault
from s3kit.s3.address import Endpoint
from s3kit.s3.capabilities import Capabilities
from s3kit.transfer.job import Job, Outcome
from s3kit.transfer.put_job import CREATED, TOKEN, Identity, PutJob
from s3kit.transfer.put_work import PutWork
from s3kit.transfer.task import Task
from s3kit.transfer.work import Work

SOON = 20           # seconds, on a busy machine


class Local(Task):
    """Asks nothing of S3; `path` says what goes wrong."""

    is_local = True

    def begin(self):
        """End, or fail."""
        if self.job.path == "conflict":
            raise Fault("a FIFO is in the way")
        if self.job.path == "full":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.end(Outcome("done", self.job.path))


class Ask(Task):
    """Asks with the method that the job's path names; answers with the status."""

    def begin(self):
        """Ask."""
        self.send(self.job.path)

    def answered(self, transfer):
        """End."""
        if not self.is_refused(transfer):
            self.end(Outcome("done", str(transfer.status)))


class Desk:
    """What the parent does: jobs to an engine, answers back."""

    def __init__(self, fake, folder):
        self.fake, self.folder = fake, folder
        self.engines = []

    def endpoint(self, **changes):
        """Return the Endpoint of the bucket `b`."""
        fake = self.fake
        return Endpoint("b", f"{fake.url}/b", "us-east-1", fake.access_key,
                        fake.secret_key)._replace(**changes)

    def work(self, **settings):
        """Return a Work."""
        endpoint = settings.pop("endpoint", self.endpoint())
        return Work(str(self.folder), {"b": endpoint}, settings.pop("connections", 4), **settings)

    def engine(self, **settings):
        """Return a new engine."""
        self.engines.append(self.work(**settings).engine())
        return self.engines[-1]

    def job(self, kind="get", key="k", **fields):
        """Return the Job of an object in the fake; of one that is not there with its fields alone.
        """
        version = self.fake.get("b", key) if "etag" not in fields else None
        known = {"version_id": "", "etag": version and version.etag, "mtime_ns": -1,
                 "size": version.size if version else 4, "path": f"b/{key}"} | fields
        return Job(kind, "b", key, **known)

    def ask(self, **fields):
        """Return a Job that asks for the object `k`."""
        return self.job("ask", path=fields.pop("method", "GET"), **fields)

    def do(self, *jobs, engine=None, **settings):
        """Return the Outcomes of a batch; of one job its Outcome."""
        engine = engine or self.engine(**settings)
        engine.add(1, list(jobs))
        limit = time.monotonic() + SOON
        while True:
            for ticket, outcomes in engine.turn(0.5):
                assert ticket == 1
                return outcomes if len(jobs) > 1 else outcomes[0]
            assert time.monotonic() < limit


@pytest.fixture
def desk(fake, tmp_path):
    """A desk with an empty bucket `b`."""
    fake.bucket("b")
    made = Desk(fake, tmp_path / "d")
    yield made
    for engine in made.engines:
        engine.close()


@pytest.fixture
def engine(desk):
    """An engine with tasks of our own beside the usual ones."""
    made = desk.engine()
    made.tasks = made.tasks | {"local": Local, "ask": Ask}
    return made


@pytest.fixture
def asks(desk, engine):
    """Return f(the job's fields) -> what comes of asking for an object."""
    desk.fake.put("b", "k", b"body")
    return lambda **fields: desk.do(desk.ask(**fields), engine=engine)


class PutDesk(Desk):
    """A desk whose engine uploads the files of its folder."""

    def __init__(self, fake, folder):
        super().__init__(fake, folder)
        folder.mkdir()

    def work(self, **settings):
        """Return a PutWork."""
        endpoint = settings.pop("endpoint", self.endpoint())
        return PutWork(str(self.folder), {"b": endpoint}, settings.pop("connections", 4),
                       make=False, **settings)

    def file(self, path, body):
        """Write a file; return its Identity."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        return Identity.of(file.stat())

    def put(self, body=b"", kind="put", key="k", **fields):
        """Return the PutJob of a new file with these bytes; of the file that is there, if None."""
        path = fields.setdefault("path", key)
        identity = fields.pop("identity", None) or (
            Identity.of((self.folder / path).stat()) if body is None else self.file(path, body))
        headers = fields.pop("headers", ("Content-Type: text/plain", f"{TOKEN}: t"))
        return PutJob(kind, "b", key, **{"identity": identity, "headers": headers,
                                         "token": "t"} | fields)

    def asked(self, method=None):
        """Return [(method, query)] of the requests that came, or the Requests of a method."""
        if method:
            return [one for one in self.fake.log if one.method == method]
        return [(one.method, one.query_string) for one in self.fake.log]

    def body(self, key="k"):
        """Return the bytes that the server has of a key, or None."""
        found = self.fake.get("b", key)
        return found and bytes(found.body)


@pytest.fixture
def known(monkeypatch):
    """What is known of servers is this test's own."""
    made = Capabilities()
    for module in ("transfer.put_task", "transfer.task", "transfer.engine", "s3.uploads"):
        monkeypatch.setattr(f"s3kit.{module}.KNOWN", made)
    return made


@pytest.fixture
def puts(fake, tmp_path, known):
    """A PutDesk with an empty bucket `b` that has versions."""
    fake.bucket("b", versioning="Enabled")
    made = PutDesk(fake, tmp_path / "d")
    yield made
    for engine in made.engines:
        engine.close()


@pytest.fixture
def begun(puts):
    """Return f(body, algorithm, the job's fields) -> a PutJob of a file with an upload that was
    begun for it; parts of any size make an object.
    """
    puts.fake.min_part = 1

    def begin(body, algorithm="", **fields):
        job = puts.put(body, kind="create", **{"algorithm": algorithm} | fields)
        outcome = puts.do(job)
        assert outcome.state == CREATED
        upload_id, used = outcome.pieces
        puts.fake.log.clear()
        return job._replace(upload_id=upload_id, algorithm=used)

    return begin


def part_of(job, number, start, end):
    """Return the PutJob of one part of an upload that was begun."""
    return job._replace(kind="part", number=number, start=start, end=end)
