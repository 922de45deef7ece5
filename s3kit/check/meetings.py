"""Which rows' files would meet in one path below a destination, as s3-fetch would place them."""

import os
import unicodedata

from s3kit.disk.path_owners import hash_of
from s3kit.disk.paths import version_of
from s3kit.disk.scratch import Scratch
from s3kit.pipeline.places import Misplaced, Places
from s3kit.text import count

TOGETHER, RECENT = 4096, 1 << 16


class Meetings:
    """The paths of rows below `dest`, as if nothing were there yet.

    s3-fetch keeps apart what would meet, by marks in the names; only paths that rows themselves
    name are held to.
    """

    def __init__(self, dest):
        self.dest, self.places = dest, Places(any_thread=True)
        self.base = Scratch("CREATE TABLE file (path INTEGER, folded INTEGER, place INTEGER)",
                            "CREATE TABLE folder (path INTEGER PRIMARY KEY, folded INTEGER)",
                            any_thread=True)
        self.files, self.folders, self.recent = [], [], set()
        self.versions = self.encoded = 0

    def take(self, row, place):
        """Place a row's file; return (why it cannot lie there, the place of the row that does or
        None), or None.
        """
        try:
            path = self.places.path_for(row)
        except Misplaced as fault:
            self.write()
            first = self.base.one("SELECT min(place) FROM file WHERE path = ?",
                                  (hash_of(row.path),))
            return str(fault), first[0]
        if not row.path:
            self.versions += bool(version_of(path))
            self.encoded += not version_of(path) and path != f"{row.bucket}/{row.key}"
        if not path.endswith("/"):
            self.files.append((hash_of(path), folded(path), place))
        self.enter(path.rpartition("/")[0])
        if len(self.files) >= TOGETHER:
            self.write()
        return None

    def enter(self, folder):
        """Note a directory, and those that it is in."""
        while folder and folder not in self.recent:
            self.recent.add(folder)
            self.folders.append((hash_of(folder), folded(folder)))
            folder = folder.rpartition("/")[0]

    def write(self):
        """Write down what has gathered."""
        self.base.put_all("INSERT INTO file VALUES (?, ?, ?)", self.files)
        self.base.put_all("INSERT OR IGNORE INTO folder VALUES (?, ?)", self.folders)
        self.files, self.folders = [], []
        if len(self.recent) > RECENT:
            self.recent.clear()

    def notes(self):
        """Yield what people must know of names that are no keys any more; none is a fault."""
        self.write()
        beside, = self.base.one("SELECT count(DISTINCT path) FROM file WHERE path IN "
                                "(SELECT path FROM folder)")
        alike, = self.base.one(
            "SELECT total(paths) FROM (SELECT count(DISTINCT path) AS paths FROM "
            "(SELECT path, folded FROM file UNION SELECT path, folded FROM folder) "
            "GROUP BY folded HAVING count(DISTINCT path) > 1)")
        if self.versions:
            yield (f"{count(self.versions, 'row')} of keys with several versions: their files get "
                   "names with %v and the version, only the first row of a key its plain name")
        if beside:
            yield (f"{count(beside, 'key')} that must be directories for others, too: the one that "
                   "comes later gets %f or %d at the end of its name")
        if self.encoded:
            yield f"{count(self.encoded, 'key')} with parts that no file can be called: encoded"
        folds = is_folding(self.dest) if alike else False
        if folds is not False:
            where = "" if folds else ", where the file system takes them for one"
            yield (f"{int(alike):,} names that differ only in capitals or in the form of Unicode: "
                   f"all but the first get %= and digits{where}")


def folded(path):
    """Return a hash that paths share which some file systems take for one."""
    return hash_of(path) if path.isascii() and path.islower() else hash_of(
        unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold()))


def is_folding(dest):
    """Return whether the file system takes `a` for `A` in a directory, None where nothing is there
    to tell.
    """
    try:
        names = os.listdir(dest)
    except OSError:
        return None
    name = next((name for name in names if name.swapcase() != name), None)
    return None if name is None else (name.swapcase() not in names
                                      and os.path.lexists(os.path.join(dest, name.swapcase())))
