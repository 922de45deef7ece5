"""A queue that lies on disk: what waits in it costs no memory."""

import pickle
import tempfile

from s3kit.errors import Fault, reason

CHUNK = 64              # things that are written and read together


class Spool:
    """First in, first out, of any things that can be pickled. Raises Fault where the disk does not hold them."""

    def __init__(self):
        self.file = tempfile.TemporaryFile()
        self.begin = self.end = self.written = 0
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
            self.file.seek(self.end)
            pickle.dump(self.tail, self.file)
            self.file.flush()
        except OSError as error:
            raise Fault(f"cannot keep rows in '{tempfile.gettempdir()}': {reason(error)}") from None
        self.end = self.file.tell()
        self.written += len(self.tail)
        self.tail = []

    def take(self):
        """Return some of the first things, at most CHUNK; none if there are none."""
        if not self.written:
            found, self.tail = self.tail, []
            return found
        self.file.seek(self.begin)
        found = pickle.load(self.file)
        self.begin = self.file.tell()
        self.written -= len(found)
        if not self.written:
            self.begin = self.end = 0
            self.file.truncate(0)
        return found
