"""Files of s3-fetch get their names when their bytes are on the disk."""

from s3kit.pipeline.errand import Errand
from s3kit.transfer import job as jobs
from s3kit.transfer.job import Job, Outcome


class NamingErrand(Errand):
    """Files that one worker holds, to be named: `files` are their errands."""

    __slots__ = ("files",)

    def __init__(self, files):
        super().__init__(None, Job("name", "", "", "", "", -1, -1, "",
                                   pieces=[errand.written.path for errand in files]))
        self.files = files


class Naming:
    """What `fetching` (the verb) does with files that are written and have no names yet.

    A worker that holds a small file's part names it; the parts of large objects are the parent's.
    """

    def __init__(self, fetching):
        self.fetching, self.stage = fetching, fetching.stage

    def wait(self, errand, outcome):
        """A file is written: it waits for the next flush."""
        errand.written = outcome
        self.stage.when_flushed(errand)

    def flushed(self, errands):
        """The bytes of files are on the disk: have them named."""
        held = {}
        for errand in errands:
            if errand.large:
                self.fetching.large.name(errand)
            else:
                held.setdefault(errand.written.holder, []).append(errand)
        for holder, files in held.items():
            naming = NamingErrand(files)
            self.stage.send_to(holder, naming.job, naming)

    def disown(self, why):
        """Let the rows of files without a name go as failed, for a flush that failed; their parts
        go, for their bytes may be there in memory alone.
        """
        for errand in [each for each in self.fetching.flying.values() if each.written]:
            if not errand.large:
                try:
                    self.fetching.tree.remove_part(errand.written.path)
                except OSError:
                    pass            # a disk that has failed may take no change either
            self.fetching.give_up(errand, Outcome(jobs.FAILED, why))
        self.stage.let_go()

    def answered(self, naming, outcome):
        """A worker has named files, or has died: then they are fetched again."""
        if outcome.state != jobs.NAMED:
            for errand in naming.files:
                self.fetching.try_again(errand, outcome)
            return
        for errand, found in zip(naming.files, outcome.pieces):
            if isinstance(found, Outcome):
                self.fetching.answered(errand, found)
                continue
            path, inode, mtime_ns = found
            self.fetching.take_file(errand, errand.written._replace(
                state=jobs.FETCHED, path=path, inode=inode, mtime_ns=mtime_ns))
