"""The only door out of a row command: rows leave, and are known to the ledger, when they may.

A row that needs no flush leaves at once. A row whose file was written leaves after the next flush
of its destination. Two threads do that, so that files become durable, and are recorded, whether or
not anybody reads what we write: `group_commit` flushes, and our own writes.
"""

import threading
import time

from s3kit.manifest.spool import Spool
from s3kit.pipeline.group_commit import GroupCommit

SECONDS_TO_BREAK_OFF = 0.7
QUEUED = 20_000         # rows after which a slow reader holds us back, or the spool takes them


class Outbox:
    """Takes rows from one thread; `write(rows)` gets them in another, in the order in which they
    may leave.

    `should_stop()` is called while nobody reads what we write, and raises to stop. With
    `is_spooled` rows that a slow reader leaves behind wait on the disk, else whoever brings them is
    held back. `on_flushed(values)` is called, in a third thread, with what `when_flushed` took
    before a flush. `fault` is set when a flush, the ledger or the writing has failed: the run must
    end.
    """

    def __init__(self, write, should_stop, destination=None, is_spooled=False, on_flushed=None):
        self.write, self.should_stop = write, should_stop
        self.spool = Spool() if is_spooled else None
        self.passing = []           # (row, ticket)
        self.taken = []             # tickets of rows that were written
        self.more = threading.Condition()
        self.ending, self.broken = False, None
        self.commit = GroupCommit(destination, self.let_go, on_flushed)
        self.thread = threading.Thread(target=self.run, name="outbox", daemon=True)
        self.thread.start()

    @property
    def fault(self):
        """What has failed: a flush, the ledger, or the writing; None if nothing has."""
        return self.broken or self.commit.fault

    @property
    def is_flushing(self):
        """Whether a flush is under way."""
        return self.commit.is_flushing

    @property
    def lost(self):
        """Why what was written since the last flush may not be on the disk, or ''."""
        return self.commit.lost

    def add(self, row, entry, is_safe=False, destination=None):
        """Take a row whose ledger Entry must be recorded, and whose file must be flushed unless it
        `is_safe`, before it leaves.

        Raises what `should_stop` raises while it is held back.
        """
        self.commit.add(row, entry, destination, not is_safe)
        self.hold_back()

    def when_flushed(self, value):
        """Hand `value` to `on_flushed` after the next flush of our destination.

        Raises what `should_stop` raises while it is held back.
        """
        self.commit.when_flushed(value)
        self.hold_back()

    @property
    def has_pending(self):
        """Whether `pending_of` knows any Entry."""
        return bool(self.commit.pending)

    def hurry(self):
        """Flush now: nothing more will come before that."""
        self.commit.hurry()

    def pending_at(self, path):
        """Return the Entry at a path that the ledger will have after the next flush, or None."""
        return self.commit.pending_at(path)

    def pending_of(self, name):
        """Return the Entry of (bucket, key, version id) that the ledger will have after the next
        flush, or None.
        """
        return self.commit.pending_of(name)

    def pass_on(self, rows, ticket=None):
        """Take rows that may leave at once; `ticket`, if any, is among `tickets()` when they are
        written.

        Raises Fault where the spool's disk is full, and what `should_stop` raises while it is held
        back.
        """
        self.let_go(rows, ticket)
        self.hold_back()

    def let_go(self, rows, ticket=None):
        """Take rows that may leave, from any thread."""
        with self.more:
            if self.spool is not None and (len(self.spool) or len(self.passing) > QUEUED):
                for row in rows:
                    self.spool.add((row, ticket))
            else:
                self.passing += [(row, ticket) for row in rows]
            self.more.notify_all()

    def tickets(self):
        """Return the tickets of the rows that were written since the last time, one for each row.
        """
        with self.more:
            taken, self.taken = self.taken, []
        return taken

    def hold_back(self):
        """Wait while the reader of our output is slower than we are."""
        if self.is_full():
            with self.more:
                while self.is_full() and not self.fault:
                    self.should_stop()
                    self.more.wait(0.2)

    def is_full(self):
        """Return whether more rows wait than memory should hold; those in the spool are not there.
        """
        passing = len(self.passing) if self.spool is None else 0
        return len(self.commit) + passing > QUEUED

    def close(self, seconds=None):
        """Flush and write what is left, and end the threads. Raises the fault that ended one.

        With `seconds` it waits no longer than that, else until `should_stop` raises: nobody may be
        reading our output.
        """
        until = None if seconds is None else time.monotonic() + seconds
        self.commit.end()
        self.join(self.commit.thread, until)
        with self.more:
            self.ending = True
            self.more.notify_all()
        self.join(self.thread, until)
        if self.fault:
            raise self.fault

    def join(self, thread, until):
        """Wait for a thread until a moment of time.monotonic(), or until `should_stop` raises."""
        while until is None and thread.is_alive():
            self.should_stop()
            thread.join(0.2)
        if until is not None:
            thread.join(max(0.0, until - time.monotonic()))

    def run(self):
        """The thread that writes."""
        try:
            while self.turn():
                pass
        # a fault of ours, too: rows that nobody writes must not look like rows done
        except BaseException as fault:
            with self.more:
                self.broken = fault
                self.more.notify_all()

    def turn(self):
        """Wait for rows and write them; return whether more may come."""
        with self.more:
            while not (self.passing or self.ending):
                self.more.wait()
            passing, self.passing = self.passing, []
            if self.spool is not None:
                self.passing = self.spool.take()    # they come after those
            is_last = self.ending and not self.passing
            self.more.notify_all()
        if passing:
            self.write([row for row, _ in passing])
            with self.more:
                self.taken += [ticket for _, ticket in passing if ticket is not None]
        return not is_last
