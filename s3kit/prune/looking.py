"""What S3 says of a copy before its source is deleted."""

from s3kit.errors import NoAccess, NoCredentials, NoSuchBucket
from s3kit.prune import copies
from s3kit.prune.copies import ABSENT, SEEN, UNTOLD, Sought
from s3kit.prune.proofs import BrokenProof
from s3kit.s3.patience import Patience
from s3kit.s3.verdicts import AGAIN

TRIES = 8           # of what failed in passing
TICK = 0.5          # seconds; copies that could not be looked at together are so again


class Looking:
    """What `deleting` (the verb) does with errands of rows that are stored elsewhere: each copy is
    looked at, and its source goes if that is what the ledger says.
    """

    def __init__(self, deleting):
        self.deleting, self.stage, self.choice = deleting, deleting.stage, deleting.choice
        self.is_due = False         # whether those that go are sent soon
        self.blind = set()          # buckets whose copies S3 does not let us look at

    def begin(self, errand):
        """Ask for the head of a copy. Raises Fault where nothing can be asked at all."""
        upload = errand.upload
        try:
            endpoint = self.stage.access.endpoint(upload.to_bucket)
        except NoCredentials:
            raise
        except (NoAccess, NoSuchBucket) as fault:
            self.untold(errand, str(fault))
            return
        errand.job = Sought(endpoint, upload.to_key, upload.to_version_id)
        self.stage.send(errand)

    def answered(self, errand, seen):
        """Take a Seen."""
        if seen.state in (SEEN, ABSENT):
            self.decide(errand, copies.why_changed(errand.upload, seen))
        elif seen.state == UNTOLD:
            self.untold(errand, seen.error)
        elif seen.state != AGAIN or not self.stage.retry(errand, seen, TRIES - 1, TICK):
            self.decide(errand, BrokenProof(f"its copy cannot be looked at: {seen.error}"))

    def untold(self, errand, why):
        """S3 does not let us look, or another server has the copy: the ledger's word does, while it
        is fresh. A refusal may also mean that there is nothing.
        """
        bucket = errand.upload.to_bucket
        if not self.choice.is_fresh(errand.upload):
            self.decide(errand, BrokenProof(
                f"its copy cannot be looked at ({why}), and was stored too long ago to be believed "
                "without (--verified-since)"))
            return
        if bucket not in self.blind:
            self.blind.add(bucket)
            self.deleting.tally.say(f"warning: copies in s3://{bucket} cannot be looked at ({why}):"
                                    " what s3-put has written of them must do")
        self.decide(errand, "")

    def decide(self, errand, why):
        """Let a source go, with all others that came together, or stay."""
        if why:
            self.deleting.asked -= 1
            self.deleting.stay(errand.row, why)
            return
        errand.upload, errand.patience = None, Patience()
        doomed = self.deleting.targets.target(errand.row)       # with the credentials of now
        if isinstance(doomed, BrokenProof):
            self.deleting.stay(errand.row, doomed)
            return
        errand.job = doomed
        self.deleting.going.append(errand)
        if not self.is_due:
            self.is_due = True
            self.stage.later(0.0, self.go)

    def go(self):
        """Send those that go."""
        self.is_due = False
        self.deleting.taken()
