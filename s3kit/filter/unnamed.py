"""--extra: the files below a destination that no row names."""

import os

from s3kit.disk.ledger import Ledger
from s3kit.disk.tree import OURS
from s3kit.errors import Fault
from s3kit.manifest.local_tree import tree_rows
from s3kit.manifest.named import Named, is_text
from s3kit.manifest.shards import missing_shards


class Extra:
    """The rows of the files below `dest` that no row of the input names: an operation.

    All of the input is read before, for what a manifest does not name is known at its end. A row
    names the files of its path, and those that its bucket, key and version may have, also by the
    ledger of the destination. `source` has `shards()`, the marks of all manifests that came: one
    that is a shard does not name what the others name.
    """

    def __init__(self, dest, source):
        self.dest, self.source = dest, source

    def __call__(self, batches):
        """Yield the rows. Raises Cut, Fault before the first where the input is not whole, or has
        a row of which nobody can say what it names.
        """
        folder = os.path.join(self.dest, OURS)
        self.ledger = Ledger(folder) if os.path.isdir(folder) else None
        self.named = Named()
        for rows in batches:
            for row in rows:
                if row.verbatim is not None:
                    raise Fault(f"{row.error}: which file this row names is not known")
            self.name(rows)
        missing = missing_shards(self.source.shards())
        if missing:
            raise Fault(f"the input is a shard: what {missing[0]} names is not known")
        for rows in tree_rows(self.dest, "", ours=True):
            found = [row for row in rows if not self.named.has_file(row.path, self.entry(row.path))]
            if found:
                yield found

    def shard(self):
        """Return '': the files are of no shard."""
        return ""

    def shards(self):
        """Return the marks of what comes out, as Source does."""
        return [self.shard()]

    def name(self, rows):
        """Remember what rows name."""
        names = [(row.bucket, row.key, row.version_id) for row in rows]
        entries = self.ledger.find_all(names) if self.ledger else {}
        for row, name in zip(rows, names):
            self.named.add(row, entries.get(name))

    def entry(self, path):
        """Return what the ledger knows of a path, or None."""
        return self.ledger.at_path(path) if self.ledger and is_text(path) else None
