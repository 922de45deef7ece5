"""One flush of a file system for thousands of small files, about every second.

A flush that fails is never believed and never tried again, and ends the run: the kernel reports
such an error once, so a later flush would say nothing of the bytes that were lost.
"""

import threading
import time
from typing import NamedTuple

from s3kit.disk import durable
from s3kit.errors import Fault, reason
from s3kit.manifest.row import FAILED

EVERY = 1.0             # seconds between flushes
MOST = 8192             # rows and others that may wait for one


class Destination(NamedTuple):
    """Where files are written, or only read: its Tree, a Ledger of the outbox's own or None,
    whether files are ours, and `check()`, which raises Fault where nothing may be written there.
    """

    tree: object
    ledger: object
    are_ours: bool = True       # those that could not be flushed are removed
    check: object = lambda: None


class GroupCommit:
    """Rows that wait for a flush of the destination of their files, in a thread of its own.

    `let_go(rows)` gets them when they are durable and their Entries are in the ledger, or failed
    where they could not be flushed; `on_flushed(values)` what else waited for a flush of
    `destination`. `fault` is set where a flush or the ledger has failed; `lost` says why what was
    written since the last flush may not be on the disk, and is empty as long as no flush failed.
    """

    def __init__(self, destination, let_go, on_flushed):
        self.destination, self.let_go, self.on_flushed = destination, let_go, on_flushed
        self.waiting = []           # (row, Entry, Destination, whether it needs a flush)
        self.values = []            # what else waits
        self.pending, self.paths = {}, {}
        self.more = threading.Condition()
        self.ending, self.due, self.fault, self.lost = False, 0.0, None, ""
        self.is_flushing = False    # a slow disk may need minutes for what it was given
        self.thread = threading.Thread(target=self.run, name="group commit", daemon=True)
        self.thread.start()

    def __len__(self):
        return len(self.waiting) + len(self.values)

    def add(self, row, entry, destination, must):
        """Take a row, its ledger Entry and its Destination; `must` says whether a flush is needed.
        """
        with self.more:
            self.waiting.append((row, entry, destination or self.destination, must))
            self.pending[entry[:3]] = self.paths[entry.path] = entry
            self.expect()

    def when_flushed(self, value):
        """Take what `on_flushed` gets after the next flush of our destination."""
        with self.more:
            self.values.append(value)
            self.expect()

    def expect(self):
        """See that what was just taken is flushed in time; the lock is held."""
        if len(self) == 1:
            self.due = time.monotonic() + EVERY
        if len(self) in (1, MOST):
            self.more.notify_all()

    def hurry(self):
        """Flush now."""
        with self.more:
            self.due = 0.0
            self.more.notify_all()

    def pending_at(self, path):
        """Return the Entry at a path that the ledger will have after the next flush, or None."""
        with self.more:
            return self.paths.get(path)

    def pending_of(self, name):
        """Return the Entry of (bucket, key, version id) that the ledger will have after the next
        flush, or None.
        """
        if not self.pending:        # as nearly always where nothing is to be done
            return None
        with self.more:
            return self.pending.get(name)

    def end(self):
        """Flush what is left, and end the thread."""
        with self.more:
            self.ending = True
            self.more.notify_all()

    def run(self):
        """The thread."""
        try:
            while self.turn():
                pass
        except BaseException as fault:      # of whatever kind: rows must not look done
            self.fault = fault

    def turn(self):
        """Wait for the next flush and do it; return whether more may come."""
        with self.more:
            while not (self.ending or self.is_due()):
                self.more.wait(max(0.01, self.due - time.monotonic()) if len(self) else None)
            is_last = self.ending
            group, self.waiting = self.waiting, []
            values, self.values = self.values, []
        if group or values:
            self.flush(group, values)
        return not is_last

    def is_due(self):
        """Return whether it is time to flush."""
        return bool(len(self)) and (len(self) >= MOST or time.monotonic() >= self.due)

    def flush(self, group, values):
        """Make a group durable, record it, let it leave; tell what else was flushed.

        Raises Fault where it could not be flushed, or the lease on a destination has run out.
        """
        places = [where for _, _, where, must in group if must] + [self.destination] * bool(values)
        self.is_flushing = True
        try:
            for destination in {id(where): where for where in places}.values():
                durable.sync_tree(destination.tree.fd)
        except OSError as error:
            self.lost = f"cannot make it durable: {reason(error)}"
            self.disown(group)
            raise Fault(
                f"cannot make files durable: {reason(error)}; what was written since the last "
                "flush is not believed: run the same command again") from None
        finally:
            self.is_flushing = False
        for destination in {id(where): where for _, _, where, _ in group}.values():
            destination.check()
        if values:
            self.on_flushed(values)
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
        if group:
            self.let_go([row for row, *_ in group])

    def disown(self, group):
        """Let rows go as failed whose files may not be on the disk; remove those files, if they are
        ours.
        """
        for row, entry, destination, must in group:
            if destination.are_ours and must:
                try:
                    destination.tree.remove(entry.path)
                except (OSError, Fault):
                    pass        # gone already, or as unreadable as the rest of this disk
            row.state, row.error, row.proof = FAILED, self.lost, ""
        self.let_go([row for row, *_ in group])
