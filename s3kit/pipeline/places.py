"""Which path a row's file gets, so that two rows never share a file; whether it lies there."""

from s3kit.disk.path_owners import PathOwners, hash_of
from s3kit.disk.paths import (
    BESIDE_DIRECTORY,
    is_inside,
    key_of,
    path_in_bucket,
    path_of,
    version_of,
    with_mark,
)
from s3kit.errors import Fault
from s3kit.manifest import states
from s3kit.manifest.row import PRUNED
from s3kit.pipeline.layout import RIGHT, Layouts


class Misplaced(Fault):
    """A path that a row names cannot be its place."""


class Places:
    """The paths of one run, each with the object version that owns it.

    `ledger` knows which files are the only copies of versions that s3-prune deleted: none is ever
    replaced by another version's; nor is a file in the Tree that it knows as right and another
    key's. `layouts` says which buckets lie without their folder.
    """

    def __init__(self, ledger=None, tree=None, layouts=None, any_thread=False):
        self.owners, self.ledger, self.tree = PathOwners(any_thread), ledger, tree
        self.layouts = layouts or Layouts(ledger)
        self.is_first = ledger is None or ledger.is_empty()

    def path_for(self, row):
        """Return the path of a row's file; the first version of a key gets its plain name.

        Raises Misplaced where a path that the row names cannot be its place.
        """
        owner = owner_of(row)
        if row.path:
            if not is_inside(row.path):
                raise Misplaced(f"the path '{row.path}' leads outside the destination")
            if not self.owners.take(hash_of(row.path), owner):
                raise Misplaced(f"another row has the path '{row.path}'")
            holder = self.holder(row, row.path)
            if holder:
                raise Misplaced(f"the only copy of another version has the path '{row.path}'"
                                if holder.state == PRUNED else
                                f"the file of s3://{holder.bucket}/{holder.key} has the path "
                                f"'{row.path}'")
            return row.path
        marked = path_of(row.bucket, row.key, row.version_id or row.etag or "other")
        for path in self.choices(row):
            if self.is_free(row, path) and self.owners.take(hash_of(path), owner):
                return path
        self.owners.take(hash_of(marked), owner)
        return marked

    def choices(self, row):
        """Yield the paths that a row's file may get, the best first, but for the last resort."""
        if self.layouts.is_flat(row.bucket):
            names = [path_in_bucket(row.key)]
            if row.version_id:
                names.append(path_in_bucket(row.key, row.version_id))
            yield from filter(is_inside, names)
        yield path_of(row.bucket, row.key)

    def is_free(self, row, path):
        """Return whether nothing that must stay has a path, nor the one that stands for it beside
        a directory. Where the ledger knew nothing only rows of this run have any.
        """
        if not version_of(path) and self.has_last_copy(row):
            return False
        return self.is_first or not (
            self.holder(row, path) or self.holder(row, with_mark(path, BESIDE_DIRECTORY)))

    def beside(self, row):
        """Return the path of a version beside another of its key, whose file has the plain name."""
        marked = path_in_bucket(row.key, row.version_id)
        is_flat = self.layouts.is_flat(row.bucket) and is_inside(marked)
        return marked if is_flat else f"{row.bucket}/{marked}"

    def holder(self, row, path):
        """Return the ledger's Entry of a file at a path that no row like this may replace, or None:
        it is the only copy of another version, or another key's and as it was when it was checked.
        """
        entry = self.ledger.at_path(path) if self.ledger else None
        if entry is None or entry[:3] == (row.bucket, row.key, row.version_id):
            return None
        if entry.state == PRUNED:
            return entry
        if entry[:2] == (row.bucket, row.key) or entry.state not in RIGHT or not self.tree:
            return None
        there = self.tree.look(path)
        return entry if there is not None and entry.is_file(there) else None

    def has_last_copy(self, row):
        """Return whether the plain name of a row's key, or what stands for it beside a directory,
        has the only copy of another version.
        """
        found = self.ledger.versions_in(row.bucket, row.key, PRUNED) if self.ledger else ()
        return any(path and not version_of(path) for version, path in found
                   if version != row.version_id)

    def take(self, row, path):
        """Return whether a path where a row's file lies is now, or was before, that row's."""
        return self.owners.note(hash_of(path), owner_of(row))

    def may_have(self, row, path):
        """Return whether a file that is right, or in the place of one, can be this row's, who then
        has its path.
        """
        return ((self.is_first or not self.holder(row, path))
                and self.owners.take(hash_of(path), owner_of(row)))

    def keep(self, row, entry):
        """Return whether a row's finished file, as the ledger's Entry has it, can stay: no other
        version is about to replace it.
        """
        name, path = (row.bucket, row.key, row.version_id), entry.path
        if name == entry[:3] and (path == f"{row.bucket}/{row.key}" or len(paths_of(entry)) == 1):
            # The ledger has no two entries with one path.
            return self.owners.note(hash_of(path), hash_of(*name))
        return all(self.owners.take(hash_of(path), hash_of(*name)) for path in paths_of(entry))


def owner_of(row):
    """Return what stands for a row's object version among the owners."""
    return hash_of(row.bucket, row.key, row.version_id)


def paths_of(entry):
    """Return the paths that a finished file keeps from others: its own, and the plain one where it
    had to lie beside that.
    """
    plain = path_of(entry.bucket, entry.key)
    if entry.path == plain or version_of(entry.path):
        return [entry.path]
    try:
        is_beside = key_of(entry.path) == (entry.bucket, entry.key)
    except ValueError:
        is_beside = False
    return [plain, entry.path] if is_beside else [entry.path]


def is_intact(tree, row, entry):
    """Return whether the file of a row's ledger Entry lies in the Tree as it was when its bytes
    were checked.
    """
    if not entry.path or not entry.proof or (row.path and row.path != entry.path):
        return False
    if (row.etag, row.size) != (entry.etag, str(entry.size)) and not states.is_same_object(
            row, entry):        # which nearly always needs no call
        return False
    there = tree.look(entry.path)
    return there is not None and entry.is_file(there)
