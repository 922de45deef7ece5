"""The run of one s3-manifest --check: the files one after the other, their rows as one manifest."""

import os

from s3kit.check.cells import faults, misspelt, oddities
from s3kit.check.findings import Findings
from s3kit.check.meetings import Meetings
from s3kit.check.numbered import NumberedInput
from s3kit.check.twins import Twins
from s3kit.errors import DONE, SOME_FAILED, UNFINISHED, Cut, Fault, of_file
from s3kit.manifest.filters import Filter
from s3kit.text import count

TOGETHER = 64           # HEADs of one batch
AHEAD = 2000            # rows that S3 is asked about


class Checking:
    """Checks rows as they are read; `run`, then `summary` and `status`.

    `people` are (tally, progress, signals) of the command line.
    """

    def __init__(self, args, people):
        self.args, self.people = args, people
        self.keep = Filter(args)
        self.findings, self.twins = Findings(), Twins()
        self.meetings = Meetings(args.dest)
        self.rows = self.unread = 0
        self.presence = None

    def run(self):
        """Check everything. Raises Fault where S3 cannot be asked at all."""
        if self.args.online:
            self.ask()
        else:
            for _ in self.batches():
                self.people[2].check()
        for place, first in self.twins.found():
            self.findings.add(place, "", "the same version as in "
                              f"{self.findings.other(first, place)}")

    def ask(self):
        """Check, and ask S3 for each row that makes sense."""
        from s3kit.check.presence import Presence
        from s3kit.pipeline.stage import Stage
        from s3kit.restore.asking import ArchiveCall
        from s3kit.s3.access import Access
        from s3kit.s3.calls import Control
        stage = Stage(self.args, (None, None), self.people,
                      Access(self.args, self.people[2].at_once))
        self.presence = Presence(stage, self.findings)
        stage.open(Control(self.args.connections), lambda: ArchiveCall, limit=AHEAD,
                   together=TOGETHER, batches=self.batches())
        stage.run(self.presence)

    def batches(self):
        """Yield lists of rows that S3 can be asked about, when all else was checked."""
        for path in self.args.source or ["-"]:
            try:
                fd = 0 if path == "-" else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                raise of_file("open", path, error) from None
            name = "standard input" if path == "-" else path
            self.findings.add_file(name)
            source = NumberedInput(fd, name, self.args.bucket or "", self.args.columns,
                                   self.args.from_form)
            try:
                yield from self.rows_of(source)
            except Fault as fault:
                self.end(source, fault)
            for warning in source.warnings:
                self.findings.write(warning)
            if fd:
                os.close(fd)

    def end(self, source, fault):
        """Take what ended the reading; that a manifest is not whole is what was looked for."""
        self.findings.write(str(fault))
        reader = source.reader
        self.unread += not (isinstance(fault, Cut) and reader and reader.marked and not reader.stop)

    def rows_of(self, source):
        """Yield lists of the rows of one file."""
        header = None
        for numbered in source.numbered():
            if not source.has_lines:
                self.findings.has_rows()
            elif source.reader.columns.header is not header:
                header = source.reader.columns.header
                for why in misspelt(header or ()):
                    self.findings.add(self.findings.place(source.reader.header_line), "", why)
            sane = [(self.findings.place(number), row) for number, row in numbered
                    if self.look_at(row, self.findings.place(number), source.reader.marked)]
            kept = {id(row) for row in self.keep([row for _, row in sane])}
            sane = [(place, row) for place, row in sane if id(row) in kept and row.verbatim is None]
            if self.presence:
                self.presence.places.extend(place for place, _ in sane)
            yield [row for _, row in sane]

    def look_at(self, row, place, is_marked):
        """Check one row; return whether it makes sense."""
        self.rows += 1
        is_sane = row.verbatim is None
        for column, what in oddities(row, not is_marked) if is_sane else faults(row):
            self.findings.add(place, column, what)
        if is_sane:
            self.twins.add(row, place)
            if not row.is_marker:
                self.meet(row, place)
        return is_sane

    def meet(self, row, place):
        """Find the path of a row's file, and say where another has it."""
        met = self.meetings.take(row, place)
        if met and met[1] is not None:
            self.findings.add(place, "path",
                              f"{met[0]}: {self.findings.other(met[1], place)}")

    def summary(self):
        """Return the parts of the summary, after what people must know of the paths."""
        for note in self.meetings.notes():
            self.people[0].say(note)
        found = self.findings.count
        return [f"{count(self.rows, 'row')} checked", f"{count(found, 'fault')} found"
                if found else "nothing found"]

    def status(self):
        """Return the exit status."""
        return UNFINISHED if self.unread else SOME_FAILED if self.findings.count else DONE
