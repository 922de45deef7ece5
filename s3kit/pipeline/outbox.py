"""The only door out of a row command: rows leave, and are known to the ledger, when they may.

A row that needs no flush leaves at once. A row whose file was written leaves after the next flush
of its destination: one flush of the file system serves thousands of small files, about every
second, in a thread of its own. A flush that fails is never believed and never tried again, and ends
the run: the kernel reports such an error once, so a later flush would say nothing of the bytes that
were lost.
"""

import threading
import time
from typing import NamedTuple

from s3kit.disk import durable
from s3kit.errors import Fault, reason
from s3kit.manifest.row import FAILED
from s3kit.manifest.spool import Spool

EVERY = 1.0             # seconds between flushes
MOST = 8192             # rows that may wait for one
SECONDS_TO_BREAK_OFF = 0.7
QUEUED = 20_000         # rows after which a slow reader holds us back, or the spool takes them


class Destination(NamedTuple):
    """Where files are written, or only read: its Tree, a Ledger of the outbox's own or None, and
    whether files are ours.
    """

    tree: object
    ledger: object
    are_ours: bool = True       # those that could not be flushed are removed


class Outbox:
    """Takes rows from one thread; `write(rows)` gets them in another, in the order in which they
    may leave.

    `should_stop()` is called while nobody reads what we write, and raises to stop. With
    `is_spooled` rows that a slow reader leaves behind wait on the disk, else whoever brings them is
    held back. `fault` is set when a flush, the ledger or the writing has failed: the run must end.
    """

    def __init__(self, write, should_stop, destination=None, is_spooled=False):
        self.write, self.should_stop, self.destination = write, should_stop, destination
        self.spool = Spool() if is_spooled else None
        self.waiting = []           # (row, Entry, Destination, whether it needs a flush)
        self.passing = []           # (row, ticket)
        self.taken = []             # tickets of rows that were written
        self.pending, self.paths = {}, {}
        self.more = threading.Condition()
        self.ending, self.due, self.fault = False, 0.0, None
        self.thread = threading.Thread(target=self.run, name="outbox", daemon=True)
        self.thread.start()

    def add(self, row, entry, is_safe=False, destination=None):
        """Take a row whose ledger Entry must be recorded, and whose file must be flushed unless it
        `is_safe`, before it leaves.

        Raises what `should_stop` raises while it is held back.
        """
        with self.more:
            self.waiting.append((row, entry, destination or self.destination, not is_safe))
            self.pending[entry[:3]] = self.paths[entry.path] = entry
            if len(self.waiting) == 1:
                self.due = time.monotonic() + EVERY
            if len(self.waiting) in (1, MOST):
                self.more.notify_all()
            self.hold_back()

    def pass_on(self, rows, ticket=None):
        """Take rows that may leave at once; `ticket`, if any, is among `tickets()` when they are
        written.

        Raises Fault where the spool's disk is full, and what `should_stop` raises while it is held
        back.
        """
        with self.more:
            if self.spool is not None and (len(self.spool) or len(self.passing) > QUEUED):
                for row in rows:
                    self.spool.add((row, ticket))
            else:
                self.passing += [(row, ticket) for row in rows]
            self.more.notify_all()
            self.hold_back()

    def tickets(self):
        """Return the tickets of the rows that were written since the last time, one for each row.
        """
        with self.more:
            taken, self.taken = self.taken, []
        return taken

    def pending_at(self, path):
        """Return the Entry at a path that the ledger will have after the next flush, or None."""
        with self.more:
            return self.paths.get(path)

    def pending_of(self, name):
        """Return the Entry of (bucket, key, version id) that the ledger will have after the next
        flush, or None.
        """
        with self.more:
            return self.pending.get(name)

    def hold_back(self):
        """Wait while the reader of our output is slower than we are."""
        while self.is_full() and not self.fault:
            self.should_stop()
            self.more.wait(0.2)

    def is_full(self):
        """Return whether more rows wait than memory should hold; those in the spool are not there.
        """
        passing = len(self.passing) if self.spool is None else 0
        return len(self.waiting) + passing > QUEUED

    def close(self, seconds=None):
        """Flush and write what is left, and end the thread. Raises the fault that ended it, if any.

        With `seconds` it waits no longer than that, else until `should_stop` raises: nobody may be
        reading our output.
        """
        with self.more:
            self.ending = True
            self.more.notify_all()
        while seconds is None and self.thread.is_alive():
            self.should_stop()
            self.thread.join(0.2)
        self.thread.join(seconds)
        if self.fault:
            raise self.fault

    def run(self):
        """The thread: pass on at once, flush every second or so."""
        try:
            while not self.turn():
                pass
        # a fault of ours, too: rows that nobody writes must not look like rows done
        except BaseException as fault:
            with self.more:
                self.fault = fault
                self.more.notify_all()

    def turn(self):
        """Wait for rows and let them go; return whether that was the end."""
        with self.more:
            while not (self.passing or self.ending or self.is_due()):
                self.more.wait(max(0.01, self.due - time.monotonic()) if self.waiting else None)
            passing = self.next_passing()
            group = []
            if self.ending or self.is_due():
                group, self.waiting = self.waiting, []
            is_end = self.ending and not self.passing
            self.more.notify_all()
        if passing:
            self.write([row for row, _ in passing])
            with self.more:
                self.taken += [ticket for _, ticket in passing if ticket is not None]
        if group:
            self.flush(group)
        return is_end

    def next_passing(self):
        """Return the rows that leave now; what waits in the spool comes after them."""
        passing, self.passing = self.passing, []
        if self.spool is not None and not self.passing:
            self.passing = self.spool.take()
        return passing

    def is_due(self):
        """Return whether it is time to flush."""
        return bool(self.waiting) and (len(self.waiting) >= MOST or time.monotonic() >= self.due)

    def flush(self, group):
        """Make a group durable, record it, let it leave.

        Raises Fault where it could not be flushed.
        """
        try:
            for destination in {id(where): where for _, _, where, must in group if must}.values():
                durable.sync_tree(destination.tree.fd)
        except OSError as error:
            self.disown(group, error)
            raise Fault(
                f"cannot make files durable: {reason(error)}; what was written since the last "
                "flush is not believed: run the same command again") from None
        for destination in {id(where): where for _, _, where, _ in group}.values():
            if destination.ledger:
                destination.ledger.record([entry for _, entry, where,
                                           _ in group if where is destination])
        with self.more:
            for _, entry, _, _ in group:
                if self.pending.get(entry[:3]) is entry:
                    del self.pending[entry[:3]]
                if self.paths.get(entry.path) is entry:
                    del self.paths[entry.path]
        self.write([row for row, *_ in group])

    def disown(self, group, error):
        """Let rows go as failed whose files may not be on the disk; remove those files, if they are
        ours.
        """
        for row, entry, destination, must in group:
            if destination.are_ours and must:
                try:
                    destination.tree.remove(entry.path)
                except (OSError, Fault):
                    pass        # gone already, or as unreadable as the rest of this disk
            row.state, row.error, row.proof = FAILED, f"cannot make it durable: {reason(error)}", ""
        self.write([row for row, *_ in group])
