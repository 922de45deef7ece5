"""Rows on their way out, written by a thread of their own: who reads slowly holds up nothing but the rows."""

import threading

from s3kit.manifest.spool import Spool


class Outlet:
    """A queue, on disk where it is long, that `write(rows)` empties.

    A thing is put in with a ticket, which is in `done()` once the row is written. The fault that ended the writing, if
    any, is in `fault`.
    """

    def __init__(self, write):
        self.write, self.spool, self.tickets = write, Spool(), []
        self.fault, self.ending = None, False
        self.turn = threading.Condition()
        self.thread = threading.Thread(target=self.run, name="write", daemon=True)
        self.thread.start()

    def put(self, row, ticket=None):
        """Let a row go. Raises Fault where the disk has no room for it."""
        with self.turn:
            self.spool.add((row, ticket))
            self.turn.notify()

    def done(self):
        """Return the tickets of what was written since the last time."""
        with self.turn:
            tickets, self.tickets = self.tickets, []
        return tickets

    def close(self):
        """Wait until all is written. Raises the fault that ended the writing."""
        with self.turn:
            self.ending = True
            self.turn.notify()
        self.thread.join()
        if self.fault:
            raise self.fault

    def run(self):
        """The thread."""
        try:
            while found := self.next():
                self.write([row for row, _ in found])
                with self.turn:
                    self.tickets += [ticket for _, ticket in found if ticket is not None]
        except BaseException as fault:
            self.fault = fault

    def next(self):
        """Return what is to be written now; nothing at the end."""
        with self.turn:
            while not (len(self.spool) or self.ending):
                self.turn.wait()
            return self.spool.take()
