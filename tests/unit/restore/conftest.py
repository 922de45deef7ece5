"""What the tests of s3-restore's modules share: a stage that only takes note."""

from types import SimpleNamespace

import pytest

from s3kit.cli.tally import Tally
from s3kit.errors import NoSuchBucket
from s3kit.s3.address import Endpoint
from s3kit.s3.verdicts import EXPIRED


class Access:
    """Endpoints of any bucket but `gone`; `renewed` has what `renew` was told."""

    def __init__(self):
        self.generation, self.renewed = 1, []

    def endpoint(self, bucket):
        """Return a bucket's Endpoint."""
        if bucket == "gone":
            raise NoSuchBucket("bucket 'gone' does not exist")
        return Endpoint(bucket, f"http://h/{bucket}", generation=self.generation)

    def renew(self, generation, told):
        """Renew the credentials."""
        self.renewed.append((generation, told))
        self.generation += 1


class Stage:
    """Keeps what is sent, [(key, job)], what is called later, and the rows that leave, with their
    tickets.
    """

    def __init__(self, **options):
        self.args = SimpleNamespace(**{
            "prog": "s3-restore", "quiet": False, "verbose": False, "connections": 4,
            "max_pending": 3, "max_pending_size": None, "wait": True, "poll": 60.0, "days": 7,
            "tier": "Expedited", "fallback": None, "again": False,
            "dry_run": False} | options)
        self.access, self.tally = Access(), Tally(self.args)
        self.moved, self.shown = 0, []
        self.progress = SimpleNamespace(expect=lambda amount: None, move=self.move)
        self.sent, self.calls, self.left, self.tickets = [], [], [], []
        self.outbox = SimpleNamespace(tickets=lambda: self.tickets)

    def move(self, amount, text=None):
        """Show progress."""
        self.moved += amount
        if text:
            self.shown.append(text)

    def send(self, errand):
        """Send an errand's job."""
        self.sent.append((errand, errand.job))

    def answer(self, errand, outcome):
        """Give the verb an outcome, as the real one does."""
        if outcome.state == EXPIRED:
            self.access.renew(errand.job.endpoint.generation, outcome.error)
            self.verb.resend(errand)
        else:
            self.verb.answered(errand, outcome)

    def later(self, seconds, call, *values):
        """Call back."""
        self.calls.append((seconds, call, values))

    def wake(self):
        """Call all that was to be called later."""
        calls, self.calls = self.calls, []
        for _, call, values in calls:
            call(*values)

    def leave(self, row, aloud=False, ticket=None):
        """Let a row go."""
        self.tally.count(row, aloud)
        self.left.append((row.key, row.state, ticket))


@pytest.fixture
def made():
    """Make a Stage with these options."""
    return Stage
