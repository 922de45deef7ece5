"""Who may write to a destination that several hosts reach: the holder of a lease, which runs out.

flock holds between the processes of one kernel; on NFS, SMB, FUSE and the like it may say nothing
of other hosts. There an s3-fetch holds a lease: a file `lease.N` in DEST/.s3kit that it renews.

- N is taken by creating `lease.N` with O_EXCL, which also those file systems do for one client
  alone. The newest counts and is never removed, so that nobody writes over the lease of another,
  however long it slept between its look and its step: it finds the number taken, or a newer one
  there. At its end a holder marks its lease as ended and leaves it.
- Whether a lease has run out is told without comparing clocks of hosts: it has if its content has
  not changed for longer than it holds, by the clock of who looks on, beginning with its first look.
- A holder believes in its lease for as long as it holds from the moment when it began its last good
  renewal. Before each step that lasts (a part file is opened, a file named, the ledger written) it
  compares that with its clock: a process that was stopped, or that waited for a server, and wakes
  up too late, writes no more (disk.tree.Tree.check_lease). Its clock counts also while the machine
  sleeps.
- What it was at when it was stopped it ends: the bytes of one version of an object, which are the
  same whoever writes them, and a transaction of the ledger. So who takes over from a holder that
  may wake up puts copies in the place of the ledger's files.
- A holder on the same host, by name, boot and process namespace, whose process is gone has ended.

The idea is that of leases as in https://doi.org/10.1145/74850.74870.
"""

import json
import os
import threading
import time

from s3kit import process
from s3kit.disk import durable
from s3kit.disk.database import set_apart
from s3kit.disk.lease_notes import (
    LOOK,
    NOTE_BYTES,
    SPARE,
    is_there,
    newest,
    numbers,
    read,
    remove,
)
from s3kit.disk.ledger import NAME as LEDGER
from s3kit.disk.tree import LOST, OURS, clock
from s3kit.errors import Fault, Held, of_file

SECONDS = 30.0          # that a lease holds after its last renewal
RENEWALS = 6            # in that time


def lease_of(tree, say, check):
    """Return a context in which nobody else writes to a Tree: a Lease where other hosts may reach
    it, else one that does nothing. `say(text)` tells people, `check()` may raise to end the wait.
    """
    return Lease(tree, say, check) if tree.network() else Unneeded()


class Unneeded:
    """What stands for a Lease on a file system of this host alone, where flock does it all."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def keep_ledgers(self, *ledgers):
        """Nothing is done to them."""

    def tell(self, hear):
        """Nothing is told."""


class Lease:
    """A lease on a Tree's destination. Entering it raises Held while another has one, Fault where
    it cannot be written; so does leaving it where it has run out.
    """

    def __init__(self, tree, say, check):
        self.tree, self.say, self.check = tree, say, check
        self.number = self.beat = 0
        self.fd, self.ledgers, self.hear = None, (), lambda until: None
        self.is_from_silent = False     # whether it was taken from a holder that may wake up
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.keep, name="lease", daemon=True)

    def keep_ledgers(self, *ledgers):
        """Have the connections to the ledger left open where the lease is lost."""
        self.ledgers = ledgers

    def tell(self, hear):
        """Have `hear(until)` called with the moment of `clock` until which it holds, now and
        whenever that changes.
        """
        self.hear = hear
        hear(self.tree.until)

    def __enter__(self):
        number = newest(self.tree.ours)
        try:
            while not (self.is_over(number) and self.create(number + 1)):
                number += 1     # somebody was faster: it is theirs that counts
        except OSError as error:
            raise of_file("hold", os.path.join(self.tree.path, OURS), error) from None
        if self.is_from_silent:
            set_apart(os.path.join(self.tree.path, OURS, LEDGER))
        self.thread.start()
        return self

    def __exit__(self, failed, *_):
        self.ending.set()
        self.thread.join(SECONDS)
        try:
            is_valid = self.is_valid()
            if is_valid:
                self.write(ended=True)
        except OSError:
            is_valid = False    # it runs out
        for ledger in () if is_valid else self.ledgers:
            ledger.leave_open()
        self.tree.until = 0.0
        os.close(self.fd)
        if not (is_valid or failed):
            raise Fault(LOST)

    # --- another's lease

    def is_over(self, number):
        """Return whether lease `number` holds no more; wait to see that it is not renewed.

        Raises Held where it is.
        """
        seen = read(self.tree.ours, number)
        self.is_from_silent = False
        if seen is None or seen.has_ended():
            return True
        began, seconds = clock(), seen.seconds or SECONDS
        until, silent = began + seconds * SPARE, began + 1.5 * seconds / RENEWALS
        while clock() < until:
            self.check()
            time.sleep(LOOK)
            now = read(self.tree.ours, number)
            if now is None or now.has_ended():
                return True
            if now.data != seen.data:
                raise Held(f"another s3-fetch ({now.holder}) writes to '{self.tree.path}', which "
                           f"is on {self.tree.network()}")
            if clock() > silent:
                silent = until
                self.say(f"'{self.tree.path}' is held by an s3-fetch ({seen.holder}) that does not "
                         f"move: it is taken over in {until - clock():.0f} s")
        self.is_from_silent = True
        return True

    # --- ours

    def create(self, number):
        """Take a number; return whether nobody has it. Raises OSError."""
        begun, folder = clock(), self.tree.ours
        try:
            self.fd = os.open(f"lease.{number}", os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                              | os.O_NOFOLLOW, 0o600, dir_fd=folder)
        except FileExistsError:
            return False
        self.number = number
        self.write()
        if newest(folder) > number:     # it was free again: we were late by several leases
            os.close(self.fd)
            remove(folder, number)
            return False
        self.believe(begun)
        for old in numbers(folder):
            if old < number:
                remove(folder, old)
        return True

    def write(self, ended=False):
        """Write what others see; each time it is another. Raises OSError."""
        self.beat += 1
        note = json.dumps({"host": os.uname().nodename, "pid": os.getpid(),
                           "start": process.start_of(os.getpid()), "world": process.world(),
                           "seconds": SECONDS, "beat": self.beat, "ended": ended})
        os.pwrite(self.fd, note.encode().ljust(NOTE_BYTES - 1) + b"\n", 0)
        durable.sync_data(self.fd)

    def believe(self, begun):
        """Count on the lease for as long as it holds from when its renewal began."""
        self.tree.until = begun + SECONDS
        self.hear(self.tree.until)

    def is_valid(self):
        """Return whether it holds: it has not run out, and there is none after it."""
        if clock() >= self.tree.until:
            return False
        return (is_there(self.tree.ours, self.number)
                and not is_there(self.tree.ours, self.number + 1))

    def keep(self):
        """Renew it until it ends or is lost; then nobody of ours writes any more."""
        while not self.ending.wait(SECONDS / RENEWALS):
            begun = clock()
            try:
                if not self.is_valid():
                    break
                self.write()
            except OSError:
                continue        # the server may come back before it has run out
            if clock() >= self.tree.until:
                break           # it was written too late: others may have taken it for ended
            self.believe(begun)
        else:
            return
        self.tree.until = 0.0
        self.hear(0.0)
