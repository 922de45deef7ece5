"""s3-put's verb with a stage of one thread: jobs are done by a worker's engine in this process,
against a strict fake, one after another.
"""

from types import SimpleNamespace

from s3kit.cli.tally import Tally
from s3kit.errors import NoSuchBucket
from s3kit.manifest.row import LISTED, Row
from s3kit.put.place import Place
from s3kit.put.putting import Putting

STEP = 5000             # bytes of a part, and of a leaf of our digest, in these tests
OPTIONS = {"prog": "s3-put", "quiet": False, "verbose": False, "jobs": 2, "connections": 4,
           "retries": 3, "target": ("b", "p/"), "strip": "", "part_size": 0, "checksum": None,
           "if_absent": False, "history": False, "follow_links": False, "remove_local": False,
           "content_type": None, "metadata": [], "to_storage_class": None, "kms_key": None,
           "tag": []}


class Stage:
    """Does what the verb wants sent when `work` is called; `left` has (row, aloud) of rows that
    left, `finished` their (row, Upload).

    `before(kind, job)` is called before each job, and may change anything, or raise.
    """

    ledger = None

    def __init__(self, args, desk):
        self.args, self.desk, self.verb = args, desk, None
        self.said = []
        self.tally = Tally(args)
        self.tally.say = self.said.append
        self.progress = SimpleNamespace(expect=lambda size: None, move=lambda *shown: None)
        self.flow = SimpleNamespace(flush=lambda: None)
        self.queue, self.left, self.finished, self.retried = [], [], [], []
        self.done, self.slept = [], []
        self.before = lambda kind, job: None
        self.place = None

    def reach(self, row):
        """Know the bucket of a row, or of a Copy."""
        if row.bucket not in self.desk.fake.buckets:
            raise NoSuchBucket(f"bucket '{row.bucket}' does not exist")

    def send(self, errand, job=None, weight=0):
        """Take a job."""
        self.queue.append((errand, job or errand.job))

    def later(self, seconds, call, *values):
        """Take a call."""
        self.slept.append((call, values))

    def retry(self, errand, outcome, most):
        """Have it sent once more, as often as `most` says."""
        tries = sum(1 for other, _ in self.retried if other is errand)
        if tries >= most:
            return False
        self.retried.append((errand, outcome.error))
        self.slept.append((self.verb.resend, (errand,)))
        return True

    def leave(self, row, aloud=False):
        """A row leaves."""
        self.tally.count(row)
        self.left.append((row, aloud))

    def finish(self, row, entry, is_safe=False, aloud=False):
        """A row leaves with what is written of it."""
        self.tally.count(row)
        if self.place.uploads:
            self.place.record([entry])
        self.finished.append((row, entry))
        self.left.append((row, aloud))

    def work(self, most=10_000):
        """Do all that is to be done, but no more than `most` jobs; return what is left of it."""
        engine = self.desk.engine(connections=2)
        while (self.queue or self.slept) and most:
            if not self.queue:
                call, values = self.slept.pop(0)
                call(*values)
                continue
            most -= 1
            errand, job = self.queue.pop(0)
            self.before(job.kind, job)
            self.done.append(job)
            outcome = self.desk.do(job, engine=engine)
            self.verb.answered(errand, outcome)
        return len(self.queue) + len(self.slept)

    def kinds(self):
        """Return the kinds of the jobs that were done, in their order."""
        return [job.kind for job in self.done]


class Run:
    """One run of s3-put in this process; `desk` is a PutDesk."""

    def __init__(self, desk, is_fresh=False, **options):
        self.desk, self.fake = desk, desk.fake
        self.args = SimpleNamespace(**OPTIONS | {"dest": str(desk.folder)} | options)
        self.stage = Stage(self.args, desk)
        self.place = self.stage.place = Place(self.args, self.stage.said.append)
        self.putting = self.stage.verb = Putting(self.stage, self.place, is_fresh)

    def put(self, key="k", body=None, most=10_000, **columns):
        """Store a file (written first, if `body` is not None) by its row; return the row."""
        if body is not None:
            self.desk.file(columns.get("path") or key, body)
        row = Row(**{"bucket": "src", "key": key, "state": LISTED, "path": key} | columns)
        self.putting.take(row, None)
        self.stage.work(most)
        return row

    def body(self, key="p/k"):
        """Return the bytes that the server has of a key, or None."""
        return self.desk.body(key)

    def uploads(self):
        """Return the ids of the uploads that the server has under way."""
        return list(self.fake.buckets["b"].uploads)

    def under_way(self, key="p/k"):
        """Return the ids of those that the ledger knows."""
        return [sending.upload_id for sending in self.place.uploads.under_way("b", key)]
