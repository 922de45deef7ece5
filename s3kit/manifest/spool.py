"""A queue that lies on disk: what waits in it costs no memory, and what was taken costs no room."""

import pickle
import tempfile

from s3kit.errors import Fault, reason

CHUNK = 64              # things that are written and read together
SEGMENT = 8 << 20       # bytes after which the next file is begun


class Segment:
    """One file of a Spool: written to its end, then read to its end, then gone."""

    def __init__(self):
        self.file = tempfile.TemporaryFile()
        self.begin = self.end = 0

    def write(self, things):
        """Write some things together. Raises OSError."""
        self.file.seek(self.end)
        pickle.dump(things, self.file)
        self.file.flush()
        self.end = self.file.tell()

    def read(self):
        """Return the things that were written together before all others."""
        self.file.seek(self.begin)
        found = pickle.load(self.file)
        self.begin = self.file.tell()
        if self.begin == self.end:
            self.begin = self.end = 0
            self.file.truncate(0)
        return found


class Spool:
    """First in, first out, of any things that can be pickled. Raises Fault where the disk does not
    hold them.

    It lies in files of SEGMENT bytes; one that was read is closed, and its room is free again.
    """

    def __init__(self):
        self.segments = [Segment()]
        self.written = 0
        self.tail = []

    def __len__(self):
        return self.written + len(self.tail)

    def add(self, thing):
        """Put one thing at the end."""
        self.tail.append(thing)
        if len(self.tail) >= CHUNK:
            self.write()

    def write(self):
        """Write what has gathered."""
        try:
            if self.segments[-1].end >= SEGMENT:
                self.segments.append(Segment())
            self.segments[-1].write(self.tail)
        except OSError as error:
            raise Fault(f"cannot keep rows in '{tempfile.gettempdir()}': {reason(error)}") from None
        self.written += len(self.tail)
        self.tail = []

    def take(self):
        """Return some of the first things, at most CHUNK; none if there are none."""
        if not self.written:
            found, self.tail = self.tail, []
            return found
        first = self.segments[0]
        found = first.read()
        self.written -= len(found)
        if not first.end and len(self.segments) > 1:
            self.segments.pop(0).file.close()
        return found
