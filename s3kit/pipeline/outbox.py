"""Group commit: rows enter the ledger, and leave on stdout, only after their files are on the disk.

One flush of the file system serves thousands of small files, about every second, in a thread of its
own. A flush that fails is never believed and never tried again: its rows fail, and files of ours go.
"""

import threading
import time

from s3kit.disk import durable
from s3kit.errors import Fault, reason
from s3kit.manifest.row import FAILED

EVERY = 1.0             # seconds between flushes
MOST = 8192             # rows that may wait for one
SECONDS_TO_BREAK_OFF = 0.7
QUEUED = 20_000         # rows after which `add` waits for the output


class Commit:
    """Takes finished rows from one thread; `output.write(rows, extras)` and the ledger get them in another.

    Each finished row comes with its ledger Entry and a directory descriptor to flush; rows that need no
    flush pass at once. `should_stop()` is called while nobody takes our output, and raises to stop.
    `are_ours` says whether files that could not be flushed may be removed: not those that were only looked at.
    `pending` has the entries that the ledger will have after the next flush, by
    bucket, key and version. `fault` is set when the output or the ledger fails.
    """

    def __init__(self, output, ledger, tree, extras, on_failed, should_stop, are_ours=True):
        self.output, self.ledger, self.tree = output, ledger, tree
        self.extras, self.on_failed, self.should_stop = extras, on_failed, should_stop
        self.are_ours = are_ours
        self.waiting, self.passing = [], []
        self.unsafe = False         # whether anything has come since the last flush that needs one
        self.pending = {}
        self.more = threading.Condition()
        self.ending = False
        self.due = 0.0
        self.fault = None
        self.thread = threading.Thread(target=self.run, name="commit", daemon=True)
        self.thread.start()

    def add(self, row, entry, is_safe=False):
        """Take a row whose file must be flushed before anybody hears of it, unless it `is_safe` already."""
        with self.more:
            self.waiting.append((row, entry))
            self.unsafe = self.unsafe or not is_safe
            self.pending[entry[:3]] = entry
            if len(self.waiting) == 1:
                self.due = time.monotonic() + EVERY
            if len(self.waiting) in (1, MOST):
                self.more.notify_all()
            self.hold_back()

    def pending_at(self, path):
        """Return the entries at a path that the ledger will have after the next flush."""
        with self.more:
            return [entry for entry in self.pending.values() if entry.path == path]

    def pass_on(self, rows):
        """Take rows that may leave at once."""
        with self.more:
            self.passing += rows
            self.more.notify_all()
            self.hold_back()

    def hold_back(self):
        """Wait while the reader of our output is slower than we are."""
        while len(self.waiting) + len(self.passing) > QUEUED and not self.fault:
            self.should_stop()
            self.more.wait(0.2)

    def close(self, seconds=None):
        """Flush and write what is left, and end the thread. Raises what went wrong.

        With `seconds` no longer than that, else until `should_stop` raises: nobody may be reading our output.
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
        except Exception as fault:      # a fault of ours, too: rows that nobody writes must not look like rows done
            with self.more:
                self.fault = fault
                self.more.notify_all()

    def turn(self):
        """Wait for rows and let them go; return whether that was the end."""
        with self.more:
            while not (self.passing or self.ending or self.is_due()):
                self.more.wait(max(0.01, self.due - time.monotonic()) if self.waiting else None)
            passing, self.passing = self.passing, []
            group = []
            if self.ending or self.is_due():
                group, self.waiting = self.waiting, []
                must_sync, self.unsafe = self.unsafe, False
            ending = self.ending
            self.more.notify_all()
        if passing:
            self.output.write(passing, self.extras())
        if group:
            self.flush(group, must_sync)
        return ending

    def is_due(self):
        """Return whether it is time to flush."""
        return bool(self.waiting) and (len(self.waiting) >= MOST or time.monotonic() >= self.due)

    def flush(self, group, must_sync):
        """Make a group durable, then let it be known."""
        try:
            if must_sync:
                durable.sync_tree(self.tree.fd)
        except OSError as error:
            for row, entry in group:
                if self.are_ours:
                    self.take_away(entry)
                row.state, row.error, row.proof = FAILED, f"cannot make it durable: {reason(error)}", ""
                self.on_failed(row)
        else:
            if self.ledger:
                self.ledger.record([entry for _, entry in group])
        for _, entry in group:
            if self.pending.get(entry[:3]) is entry:
                del self.pending[entry[:3]]
        self.output.write([row for row, _ in group], self.extras())

    def take_away(self, entry):
        """Remove a file that may not be on the disk."""
        try:
            folder, name, _ = self.tree.folder(entry.path, make=False)
            durable.unlink(name, folder)
        except (OSError, Fault):
            pass        # gone already, or as unreadable as the rest of this disk
