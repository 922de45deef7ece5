"""Rows in an order, however many there are: sorted in memory a part at a time, merged from disk."""

import heapq
import pickle
import tempfile
from operator import attrgetter

from s3kit.errors import Cut, Fault, reason
from s3kit.manifest.row import COLUMNS, Row

OBJECT = attrgetter("bucket", "key")
VERSION = attrgetter("bucket", "key", "version_id")
# Python compares texts by code points, which is the order of their UTF-8 bytes, S3's own.

STATE = attrgetter(*Row.__slots__)
TEXTS = attrgetter(*COLUMNS)
LIMIT = 32 << 20        # of weight that is held in memory
ROW = 1000              # bytes that a row weighs beside its letters
CHUNK, CHUNK_WEIGHT = 64, 256 << 10         # rows that are written and read together, and bytes
FAN = 32                # runs of a level that become one of the next


class Run:
    """Rows in order in a file without a name; more of them can be put behind the last."""

    def __init__(self, level=0):
        self.level, self.end, self.last = level, 0, None
        self.file = tempfile.TemporaryFile()

    def write(self, rows):
        """Put rows at the end. Raises OSError."""
        self.file.seek(self.end)
        # Tuples of texts take a third of the time that pickled Rows take, a quarter of SQLite's.
        pickle.dump([STATE(row) for row in rows], self.file, pickle.HIGHEST_PROTOCOL)
        self.file.flush()
        self.end, self.last = self.file.tell(), rows[-1]

    def __iter__(self):
        at = 0
        while at < self.end:
            self.file.seek(at)
            found = pickle.load(self.file)
            at = self.file.tell()
            for values in found:
                yield Row(*values)


class Sorter:
    """Takes rows with `add`; iterate over it, as often as wanted, for all of them in the order of
    `key`, a function of a row. Rows of one key stay in the order in which they came.

    What comes in order already is only written and read. Raises Fault where the disk does not hold
    them.
    """

    def __init__(self, key):
        self.key = key
        self.rows, self.weight = [], 0
        self.runs = []

    def add(self, rows):
        """Take a list of rows."""
        self.rows += rows
        self.weight += ROW * len(rows) + sum(map(letters, rows))
        if self.weight >= LIMIT:
            self.spill()

    def add_all(self, batches):
        """Take lists of rows; return this. What the iterator raises leaves what came in here."""
        for rows in batches:
            self.add(rows)
        return self

    def spill(self):
        """Write what is in memory to the disk, behind the last run where it fits there."""
        self.rows.sort(key=self.key)
        try:
            last = self.runs[-1] if self.runs else None
            if last is None or self.key(last.last) > self.key(self.rows[0]):
                self.fold()
                self.runs.append(Run())
            size = max(1, min(CHUNK, CHUNK_WEIGHT * len(self.rows) // self.weight))
            for at in range(0, len(self.rows), size):
                self.runs[-1].write(self.rows[at:at + size])
        except OSError as error:
            raise no_room(error) from None
        self.rows, self.weight = [], 0

    def fold(self):
        """Merge the last FAN runs into one, where they are of one level, so that few are open."""
        while len(self.runs) >= FAN and self.runs[-FAN].level == self.runs[-1].level:
            merged, chunk = Run(self.runs[-1].level + 1), []
            for row in heapq.merge(*self.runs[-FAN:], key=self.key):
                chunk.append(row)
                if len(chunk) == CHUNK:
                    merged.write(chunk)
                    chunk = []
            if chunk:
                merged.write(chunk)
            self.runs[-FAN:] = [merged]

    def __iter__(self):
        self.rows.sort(key=self.key)
        parts = [*self.runs, self.rows] if self.rows else self.runs
        return iter(parts[0]) if len(parts) == 1 else heapq.merge(*parts, key=self.key)


def letters(row):
    """Return how much text a row has."""
    count = sum(map(len, TEXTS(row)))
    for more in (row.extra, row.verbatim):
        if more:
            count += sum(map(len, more.values()))
    return count


def no_room(error):
    """Return a Fault about the place where rows are kept."""
    try:
        folder = tempfile.gettempdir()
    except OSError:         # it names all the places that were tried
        return Fault(f"cannot keep rows on disk: {reason(error)} (TMPDIR names another place)")
    return Fault(f"cannot keep rows in '{folder}': {reason(error)} (TMPDIR names another place)")


class Sort:
    """Rows in the order of a key: an operation. An input that was cut gives what came of it.

    `check()` is called when all rows have come, if any did, before the first goes on.
    """

    def __init__(self, key, check=None):
        self.key, self.check = key, check

    def __call__(self, batches):
        """Yield the rows in order. Raises Cut after them, where the input was cut."""
        sorter, cut = Sorter(self.key), None
        try:
            sorter.add_all(batches)
        except Cut as error:
            cut = error
        if self.check and (sorter.rows or sorter.runs):
            self.check()
        yield from in_batches(sorter)
        if cut:
            raise cut


def in_batches(rows, size=1000):
    """Yield lists of the rows of an iterable."""
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
