"""The volumes of a relay: how much room each has left for rows, and whether it is the one that it
was.
"""

import os

from s3kit.disk import durable
from s3kit.disk.tree import OURS, Tree
from s3kit.errors import Fault, of_file, reason
from s3kit.manifest.row import FETCHED, LISTED, STORED
from s3kit.relay.deliveries import charge

MARK = "relay.id"       # in .s3kit: the id of the relay whose volume it is
MOST_FREE = 10 << 30    # of the minimum that is kept free where nobody says how much
SHARE_FREE = 20
MOST_OURS = 8 << 20     # by which the ledgers of s3-fetch and s3-put may grow between two looks
SHARE_OURS = 8          # of a small one: the log of changes alone may take 4 MiB
SMOOTH = 0.2            # the share of a new measurement in the speed


class Volume:
    """One directory, on a file system of its own as a rule. `budget` bytes at most are given to
    rows (None: no such limit), `min_free` bytes stay free (None: a twentieth, 10 GiB at most).

    `dealt` and `held` are the bytes of rows that are to come and that are there; `rows` how many
    are to come (LISTED) and to go on (FETCHED). `trouble` says why it cannot be used now, '' where
    it can.
    """

    def __init__(self, path, budget=None, min_free=None):
        self.path, self.budget, self.min_free = os.path.abspath(path), budget, min_free
        self.dealt = self.held = 0
        self.rows = {LISTED: 0, FETCHED: 0}
        self.free = self.total = self.inodes = 0
        self.trouble, self.id, self.speed, self.came, self.busy = "", "", 0.0, 0, 0.0

    @property
    def mark(self):
        """The path of the file that shows whose volume it is."""
        return os.path.join(self.path, OURS, MARK)

    def begin(self, relay_id, is_known):
        """Make it a volume of the relay, where it `is_known` to be one only look at it. Raises
        Fault where a new one cannot be used.
        """
        self.id = relay_id
        try:
            if not is_known:
                os.makedirs(self.path, exist_ok=True)
                os.makedirs(os.path.dirname(self.mark), 0o700, exist_ok=True)
                if not os.path.exists(self.mark):
                    write_mark(self.mark, relay_id)
        except OSError as error:
            raise of_file("use", self.path, error) from None
        self.look()
        if self.trouble and not is_known:
            raise Fault(self.trouble)

    def look(self):
        """Look how much is free, and whether it is still there."""
        try:
            with open(self.mark, encoding="ascii", errors="replace") as file:
                found = file.read().strip()
            if any(self.rows.values()):
                os.utime(self.mark)     # after a fault not all file systems say to be read-only
            told = os.statvfs(self.path)
        except FileNotFoundError:
            self.trouble = f"'{self.path}' is not what it was: is it mounted?"
            return
        except OSError as error:
            self.trouble = f"cannot use '{self.path}': {reason(error)}"
            return
        self.free = told.f_bavail * told.f_frsize
        # without what the file system keeps for root
        self.total = (told.f_blocks - told.f_bfree + told.f_bavail) * told.f_frsize
        self.inodes = told.f_favail if told.f_files else 1 << 40
        self.trouble = ""
        if found != self.id:
            self.trouble = (f"'{self.path}' is a volume of another relay (if that is no more, "
                            f"remove '{self.mark}')")
        elif told.f_flag & os.ST_RDONLY:
            self.trouble = f"'{self.path}' is read-only"

    @property
    def kept_free(self):
        """The bytes that must stay free."""
        if self.min_free is not None:
            return self.min_free
        return min(MOST_FREE, self.total // SHARE_FREE)

    @property
    def ours(self):
        """The bytes that rows are not given: the ledgers of s3-fetch and s3-put grow there."""
        return min(MOST_OURS, self.total // SHARE_OURS)

    def room(self):
        """Return the bytes that a new row may have; none where it cannot be used."""
        if self.trouble or self.inodes <= 2 * self.rows[LISTED] + 64:
            return 0
        room = self.free - self.kept_free - self.ours - self.dealt
        if self.budget is not None:
            room = min(room, self.budget - self.dealt - self.held)
        return max(0, room)

    def capacity(self):
        """Return the bytes of the largest row that it could ever take."""
        most = self.total - self.kept_free - self.ours
        return max(0, most if self.budget is None else min(most, self.budget))

    def change(self, before, after):
        """Take that a Delivery which has, or had, its room here is another now; a file that it has
        given up goes.
        """
        if before.volume == self.path and before.path and not after.path:
            self.remove(before.path)
        for delivery, sign in ((before, -1), (after, 1)):
            if delivery.volume == self.path:
                self.count(delivery.state, charge(delivery.size), sign)
        self.came += after.size * ((before.state, after.state) == (LISTED, FETCHED)
                                   and after.volume == self.path)

    def remove(self, path):
        """Remove a file that is of no use. One that stays is found to be wrong once more."""
        try:
            tree = Tree(self.path, make=False)
            try:
                tree.remove(path)
            finally:
                tree.close()
        except (OSError, Fault):
            pass

    def count(self, state, size, rows):
        """Count rows in a state, with so many bytes of room."""
        size = size if rows > 0 else -size
        if state == LISTED:
            self.dealt += size
            self.free += min(0, size)       # its bytes may have come since we looked
        elif state != STORED:
            self.held += size
        if state in self.rows:
            self.rows[state] += rows

    def sweep(self):
        """Remove the directories in which nothing is any more; to be called while nobody makes
        files here.
        """
        for folder, _, _ in os.walk(self.path, topdown=False):
            if os.path.relpath(folder, self.path).partition("/")[0] not in (OURS, "."):
                try:
                    os.rmdir(folder)
                except OSError:
                    pass        # not empty

    def measure(self, seconds):
        """Learn how fast it is from the bytes that came in so many seconds; those in which none did
        count, too, where some were to come: of a large row they all come at its end.
        """
        if self.came or self.rows[LISTED]:
            self.busy += seconds
        if self.came:
            speed = self.came / max(self.busy, 0.001)
            self.came, self.busy = 0, 0.0
            self.speed = speed if not self.speed else self.speed + SMOOTH * (speed - self.speed)


def unmark(path, relay_id):
    """Have the volume at a path be one of a relay no more, if it is there and that one's."""
    volume = Volume(path)
    volume.id = relay_id
    volume.look()
    if not volume.trouble:
        durable.unlink(volume.mark, None)


def write_mark(path, text):
    """Write a small file that survives a power cut. Raises OSError."""
    place = durable.Replacement(path)
    try:
        place.file.write(f"{text}\n".encode())
    except BaseException:
        place.abandon()
        raise
    place.commit()
