"""The commands that do a phase: which of them, with which options."""

import os

from s3kit.migrate.phases import ASK, DELETE, FETCH, NOW, RESTORE, SCAN, VERIFY
from s3kit.pipeline.processes import s3_words, words_of

TO_RESTORE = ("days", "tier", "max_pending", "max_pending_size", "poll")   # options of s3-restore


class Pipelines:
    """The pipelines of one bucket's phases; `args` are s3-migrate's.

    A pipeline is a list of commands, each the list of its words without `s3-`.
    """

    def __init__(self, args, bucket):
        self.args, self.bucket = args, bucket
        self.quiet = ["--quiet"] * args.quiet
        self.told = self.quiet + ["--verbose"] * args.verbose
        self.reach, self.workers = s3_words(args), [f"--jobs={args.jobs}"]
        self.several = [f"--connections={args.connections}"] if args.connections else []
        self.dest = f"--dest={os.path.abspath(args.dest)}"
        self.kinds = {SCAN: self.scan, NOW: self.scan, ASK: self.ask, RESTORE: self.restore,
                      FETCH: self.fetch, VERIFY: self.verify, DELETE: self.delete}

    def of(self, phase, path, source="", since=""):
        """Return the pipeline of a phase that leaves its manifest at `path`.

        It works on the manifest `source`; s3-verify does not read again what was verified since
        `since`.
        """
        return self.kinds[phase](f"--output={path}", source, since)

    def scan(self, out, source, since):
        """List the bucket."""
        return [["manifest", *self.quiet, *self.reach, *self.several,
                 *["--versions"] * (not self.args.current_only), out, f"s3://{self.bucket}"]]

    def fetching(self):
        """Return an s3-fetch without its files."""
        return ["fetch", *self.told, *self.reach, *self.several, *self.workers, self.dest,
                f"--retries={self.args.retries}", f"--limit-rate={self.args.limit_rate}"]

    def restoring(self):
        """Return an s3-restore without its files."""
        return ["restore", *self.told, *self.reach, *self.several, "--yes",
                *words_of(self.args, *TO_RESTORE)]

    def ask(self, out, source, since):
        """Fetch what can be read, and ask for the rest: nothing is waited for."""
        return [[*self.fetching(), source], [*self.restoring(), out]]

    def restore(self, out, source, since):
        """Wait for what is in an archive: what can be read is fetched before and during the wait,
        and what is here is not restored again.
        """
        return [[*self.fetching(), source], [*self.restoring(), "--wait"], [*self.fetching(), out]]

    def fetch(self, out, source, since):
        """Fetch."""
        return [[*self.fetching(), out, source]]

    def verify(self, out, source, since):
        """Verify."""
        return [["verify", *self.told, *self.reach, *self.workers, self.dest,
                 f"--verified-since={since}", out, source]]

    def delete(self, out, source, since):
        """Delete what carries proof, and delete markers."""
        return [["prune", *self.told, *self.reach, *self.several, self.dest, "--yes",
                 "--delete-markers", out, source]]
