"""--minus and --common: rows that another manifest does not name, or does: an operation."""

from itertools import chain, groupby

from s3kit.disk.scratch import Scratch
from s3kit.errors import Fault
from s3kit.manifest.sorter import OBJECT, VERSION, Sort, Sorter

HELD = 10_000           # version ids of one key that are held in memory


class Membership:
    """The rows that the manifest `other` names too (`keeps`), or those that it does not name.

    A row without a version id names all versions of its key. A row that makes no sense stays. All
    of `other` (an iterator of lists of rows) is read before a row goes on, for what a manifest does
    not name is known at its end. Rows stay in the order of the input where that is one of buckets
    and keys; from the first row on that breaks it they are sorted.
    """

    def __init__(self, other, keeps, name="the other manifest"):
        self.other, self.keeps, self.name = other, keeps, name

    def __call__(self, batches):
        """Yield the rows that stay. Raises Cut, Fault before the first where `other` is not whole,
        or has a row of which nobody can say what it names.
        """
        self.named = Sorter(VERSION)
        for rows in self.other:
            for row in rows:
                if row.verbatim is not None:
                    raise Fault(f"{self.name}: {row.error}: what this row names is not known")
            self.named.add(rows)
        yield from self.join(batches)

    def join(self, batches):
        """Yield the rows of `batches` that stay."""
        versions, last = Versions(self.named), ("", "")
        batches = iter(batches)
        for rows in batches:
            found = []
            for at, row in enumerate(rows):
                if row.verbatim is None:
                    name = OBJECT(row)
                    if name < last:
                        if found:
                            yield found
                        yield from self.join(Sort(order)(chain([rows[at:]], batches)))
                        return
                    last = name
                    if versions.has(name, row.version_id) is not self.keeps:
                        continue
                found.append(row)
            if found:
                yield found


def order(row):
    """Return a row's bucket and key; a row that makes no sense comes first."""
    return OBJECT(row) if row.verbatim is None else ("", "")


class Versions:
    """Which versions rows name, that are sorted by VERSION; asked key by key, in order."""

    def __init__(self, rows):
        self.groups = groupby(rows, key=OBJECT)
        self.name, self.group = next(self.groups, (None, None))
        self.take()

    def take(self):
        """Read the version ids of the key at hand; those of a key with many go to the disk."""
        self.all, self.ids, self.more = False, set(), None
        for row in self.group or ():
            self.all = self.all or not row.version_id
            self.ids.add(row.version_id)
            if len(self.ids) == HELD:
                self.more = self.more or Scratch("CREATE TABLE version (id TEXT PRIMARY KEY)"
                                                 " WITHOUT ROWID")
                self.more.put_all("INSERT OR IGNORE INTO version VALUES (?)",
                                  [(name,) for name in self.ids])
                self.ids.clear()

    def has(self, name, version_id):
        """Return whether a row names this version of the bucket and key `name`."""
        while self.name is not None and self.name < name:
            self.name, self.group = next(self.groups, (None, None))
            self.take()
        if self.name != name:
            return False
        return self.all or not version_id or version_id in self.ids or bool(
            self.more and self.more.one("SELECT 1 FROM version WHERE id = ?", (version_id,)))
