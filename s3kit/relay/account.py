"""What a run of s3-relay has done, for people: the bar, the summary, the status."""

from s3kit.manifest.row import FETCHED
from s3kit.relay.standing import status_of, what_is_left
from s3kit.text import count
from s3kit.units import show_size


class Account:
    """Counts the rows that were delivered, their bytes, and the `rotten` files. `progress` is the
    bar, `volumes` the Volumes, `deliveries` the ledger.
    """

    def __init__(self, deliveries, volumes, progress):
        self.deliveries, self.volumes, self.progress = deliveries, volumes, progress
        self.rows = self.bytes = self.expected = self.rotten = 0

    def expect(self, total):
        """So many bytes were dealt in all."""
        self.progress.expect(total - self.expected)
        self.expected = total

    def deliver(self, size):
        """A row of so many bytes was delivered."""
        self.rows += 1
        self.bytes += size
        self.show(size)

    def show(self, size=0):
        """Move the bar by so many bytes; also where there are none, so that people see what goes
        on before something is delivered.
        """
        there = sum(volume.rows[FETCHED] for volume in self.volumes)
        self.progress.move(size, f"{there:,} rows on volumes, {self.rows:,} delivered")

    def summary(self):
        """Return the parts of the summary."""
        done = (f"{count(self.rows, 'row')} delivered ({show_size(self.bytes)})"
                if self.rows else "nothing to deliver")
        return [done, self.rotten and f"{count(self.rotten, 'rotten file')} fetched again",
                *what_is_left(self.deliveries.census())]

    def status(self):
        """Return the exit status."""
        return status_of(self.deliveries.census())
