"""A bucket's folder in the work directory: the manifests that its phases have left.

A command gives a manifest its name only when it is whole (-o), so the files alone say which phases
have ended: there is no other state that could disagree with them.
"""

import os
import re

from s3kit.disk import durable
from s3kit.manifest.streams import Input
from s3kit.migrate.census import Census, is_wrong
from s3kit.migrate.phases import PHASES, RESTORE

BEFORE = ".before"                          # in WORK: the folders of scans before --rescan
UNFINISHED = re.compile(r"\.s3kit\..*\.new|\.now\.csv")
END = re.compile(rb"\n#end rows=\d+\s*\Z")


class Folder:
    """The folder of `bucket` in a work directory; `check()` raises if a signal came."""

    def __init__(self, work, bucket, check):
        self.work, self.bucket, self.check = os.path.abspath(work), bucket, check
        self.path = os.path.join(self.work, bucket)

    # --- what is in it

    def file(self, phase):
        """Return the path of a phase's manifest."""
        return os.path.join(self.path, phase.file)

    def is_done(self, phase):
        """Return whether a phase has ended: its manifest is there, with its end mark."""
        try:
            with open(self.file(phase), "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - 64))
                return END.search(file.read()) is not None
        except FileNotFoundError:
            return False

    def latest(self):
        """Return the last phase that has ended with all before it, or None."""
        found = None
        for phase in PHASES:
            if self.is_done(phase):
                found = phase
            elif phase != RESTORE:
                break
        return found

    def batches(self, phase):
        """Yield the rows of a phase's manifest, in lists. Raises Fault."""
        fd = os.open(self.file(phase), os.O_RDONLY | os.O_CLOEXEC)
        try:
            for batch in Input(fd, self.file(phase)).batches():
                self.check()
                yield batch
        finally:
            os.close(fd)

    def census(self, phase):
        """Return the Census of a phase's manifest."""
        census = Census(phase)
        for batch in self.batches(phase):
            for row in batch:
                census.add(row)
        return census

    def wrong(self, phase):
        """Yield the rows of a phase's manifest that are wrong, in lists."""
        for batch in self.batches(phase):
            yield [row for row in batch if is_wrong(row, phase)]

    # --- making and removing

    def make(self):
        """Make it, if it is not there; remove what commands that were killed had begun."""
        os.makedirs(self.path, 0o700, exist_ok=True)
        self.sweep()

    def sweep(self):
        """Remove what commands that were killed had begun to write."""
        for name in os.listdir(self.path) if os.path.isdir(self.path) else ():
            if UNFINISHED.fullmatch(name):
                self.unlink(name)

    def remove_after(self, phase):
        """Remove the manifests of later phases, the last first: they would speak of what is not so
        any more.
        """
        for later in reversed(PHASES[PHASES.index(phase) + 1:]):
            self.unlink(later.file)

    def remove(self):
        """Remove all that is kept of the bucket; return whether nothing is left, as where others
        have put files there.
        """
        self.sweep()
        for phase in reversed(PHASES):
            self.unlink(phase.file)
        try:
            os.rmdir(self.path)
        except OSError:
            return False
        return True

    def leave_nothing(self):
        """Remove the folder where no phase has ended: a bucket that cannot be scanned is not one
        that was begun.
        """
        if self.latest() is None:
            try:
                self.sweep()
                os.rmdir(self.path)
            except OSError:
                pass        # not made, or there is more in it than ours

    def set_aside(self):
        """Put the manifests away, in one step, so that a new scan begins."""
        if not os.path.isdir(self.path):
            return
        before = os.path.join(self.work, BEFORE)
        os.makedirs(before, 0o700, exist_ok=True)
        number = 1
        while os.path.exists(os.path.join(before, f"{self.bucket}.{number}")):
            number += 1
        durable.rename(self.path, os.path.join(before, f"{self.bucket}.{number}"), None, None)

    def unlink(self, name):
        """Remove one of the bucket's files."""
        durable.unlink(os.path.join(self.path, name), None)
