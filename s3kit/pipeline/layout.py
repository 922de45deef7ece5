"""How the files of a bucket lie below a destination: as `bucket/key`, or without the bucket's
folder, as tools lay them that are given the place of the bucket itself
(`rclone copy remote:photos /data/photos`, `aws s3 sync s3://photos /data/photos`).

Nobody says which it is; files that are right do. This is the one place where that is decided.
"""

from s3kit.disk.paths import BESIDE_DIRECTORY, file_of_folder, is_inside, path_in_bucket, with_mark
from s3kit.manifest import row as rows

FILES = 1000            # of a bucket that are looked at in the ledger
RIGHT = (rows.FETCHED, rows.VERIFIED, rows.PRUNED)


def places_of(row, is_flat):
    """Yield the paths where a row's file may lie, the likeliest first; `is_flat`: without the
    bucket's folder. None of them leads out of the destination or into our own folder.

    A key's own plain name, which other tools give it, is among them even where s3-fetch would
    write another.
    """
    return filter(is_inside, names_of(row, "" if is_flat else f"{row.bucket}/"))


def names_of(row, folder):
    """Yield what `places_of` does below a folder, wherever that leads."""
    plain = folder + path_in_bucket(row.key)
    if row.version_id and row.is_latest == "false":
        yield folder + path_in_bucket(row.key, row.version_id)
    if not folder and plain != row.key:
        yield row.key
    yield plain
    yield file_of_folder(plain) if plain.endswith("/") else with_mark(plain, BESIDE_DIRECTORY)
    if row.version_id and row.is_latest != "false":
        yield folder + path_in_bucket(row.key, row.version_id)


class Layouts:
    """The layout of each bucket in a destination, by its Ledger (None: there is none) and by the
    files that this run has found right.

    What the ledger says when it is first asked holds for the run. Where it knows no file of a
    bucket, most of those decide that were noted, the first FILES; without any it is the usual
    layout. A destination that `is_new` has no files of anybody's.
    """

    def __init__(self, ledger=None, is_new=False):
        self.ledger, self.is_new = ledger, is_new
        self.known, self.noted = {}, {}

    def recorded(self, bucket):
        """Return whether the ledger has most files of a bucket without its folder; None where that
        knows none.
        """
        if bucket not in self.known:
            found = self.ledger.files_in(bucket, RIGHT, FILES) if self.ledger else ()
            balance = [0, 0]
            for key, path in found:
                count(balance, bucket, key, path)
            self.known[bucket] = balance[1] > balance[0] if any(balance) else None
        return self.known[bucket]

    def is_settled(self, bucket):
        """Return whether nothing that this run finds can change a bucket's layout."""
        return self.is_new or self.recorded(bucket) is not None

    def is_flat(self, bucket):
        """Return whether a bucket's files lie without its folder, as far as is known now."""
        if self.is_settled(bucket):
            return bool(self.known.get(bucket))
        usual, flat = self.noted.get(bucket, (0, 0))
        return flat > usual

    def note(self, bucket, key, path):
        """Note that a file which is not empty was found right at a path."""
        balance = self.noted.setdefault(bucket, [0, 0])
        if sum(balance) < FILES and not self.is_settled(bucket):
            count(balance, bucket, key, path)


def count(balance, bucket, key, path):
    """Count a file in [usual, flat] by its path; one that lies elsewhere tells nothing."""
    name = path_in_bucket(key)
    if is_at(path, f"{bucket}/{name}"):
        balance[0] += 1
    elif is_at(path, name) or path == key:
        balance[1] += 1


def is_at(path, plain):
    """Return whether a path is this one, or this one with a mark (see disk.paths)."""
    return path == plain or path.startswith(f"{plain}%")
