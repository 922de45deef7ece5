"""How much lies below the folders of a bucket, as du(1) has it, of rows in the order of their keys.
"""

from itertools import accumulate


class Totals:
    """How many `versions` of `keys` came, how many `bytes` they have together, and how many delete
    `markers` there were; rows come in the order of their keys.
    """

    def __init__(self):
        self.versions = self.keys = self.bytes = self.markers = 0
        self.last = None

    def add(self, row):
        """Count a row."""
        if row.is_marker:
            self.markers += 1
            return
        self.versions += 1
        self.bytes += row.length or 0
        name = row.bucket, row.key
        self.keys += name != self.last
        self.last = name

    def add_all(self, other):
        """Count what other Totals have counted, of other keys."""
        self.versions += other.versions
        self.keys += other.keys
        self.bytes += other.bytes
        self.markers += other.markers


class Folders:
    """Sums up the rows below a prefix by their folders, down to `depth` levels below it (None:
    all): those of which all has come are handed on at once, the ones within before those around
    them. So no more is in memory than one of each level.
    """

    def __init__(self, prefix, depth=None):
        self.base = prefix[:prefix.rfind("/") + 1]
        self.depth = depth
        self.open = [(prefix, Totals())]        # the prefix itself, and the folders in it
        self.at = ""                            # the folder of the last row, of any depth

    def add(self, rows):
        """Take some more rows; yield (name, Totals) of each folder that ends before one of them."""
        for row in rows:
            at = row.key[len(self.base):row.key.rfind("/") + 1]
            if at != self.at:
                self.at = at
                yield from self.turn_to(at)
            self.open[-1][1].add(row)

    def turn_to(self, folder):
        """Open a folder and those around it; yield those that it is not in."""
        names = [self.base + name for name
                 in accumulate(part + "/" for part in folder.split("/")[:-1][:self.depth])]
        while len(self.open) > 1 and self.open[-1][0] not in names:
            yield self.close()
        self.open += [(name, Totals()) for name in names[len(self.open) - 1:]]

    def close(self):
        """Return (name, Totals) of the innermost folder, whose sums are those of the one around it,
        too.
        """
        name, totals = self.open.pop()
        if self.open:
            self.open[-1][1].add_all(totals)
        return name, totals

    def end(self):
        """Yield those that are left, at last the prefix itself."""
        while self.open:
            yield self.close()
