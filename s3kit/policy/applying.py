"""Putting a policy on a bucket: back up, rehearse, put, read back, try, and roll back whatever is
not as it should be.

PutBucketPolicy replaces a policy in one step, so at any moment the old or the new one is live,
never none; and its backup is on the disk before. Killed anywhere, `rollback` finds by its backups
which policy was live before the one that is now.
"""

import time

from s3kit.errors import Fault
from s3kit.policy.directory import APPLY
from s3kit.policy.evaluator import answer
from s3kit.policy.live import refusal
from s3kit.policy.meaning import same
from s3kit.policy.rehearsal import HARMLESS, rehearsal, turned_rehearsals
from s3kit.policy.template import arn_of
from s3kit.policy.unknown_actions import REFUSED, unknown_actions

SETTLE, QUICK = 5, 1  # seconds that Amazon's S3 has to take in the canary's policy, and all others
READS = 10                              # times that what was put is read, until it comes back
PAUSE = 0.3                             # seconds between
OTHERWISE = "plan with --by arn or --by username, whichever it knows"


class Applying:
    """Puts policies, one bucket at a time; `say(text)` tells people, `settle` is how many seconds
    S3 has to take it in.

    `is_hurried()` is whether somebody waits for us to end.
    """

    def __init__(self, live, shelf, say, settle=0, is_hurried=lambda: False):
        self.live, self.shelf, self.say, self.settle, self.is_hurried = (
            live, shelf, say, settle, is_hurried)

    def run(self, intent, why=APPLY):
        """Do what an Intent is. Raises Fault if that did not come to a good end; then the old
        policy is live again.

        Nothing is put before the old one is on the disk; and not if it has changed while people
        thought about it.
        """
        before = self.live.tries(intent.bucket)
        backup = self.shelf.keep(intent.bucket, intent.old, intent.text, why)
        if not same(self.live.get(intent.bucket), intent.found):
            raise Fault("the live policy has changed just now; nothing was put")
        self.has_put = False
        try:
            if why == APPLY:
                self.rehearse(intent)
            if self.is_hurried():
                raise Fault("stopped before it was put")
            self.put_new(intent)
            if not intent.removes_self:
                self.verify(intent, before)
        except BaseException as error:
            if why == APPLY:
                self.take_back(intent, backup, error)
            raise

    def put(self, bucket, text, removes_self=False):
        """Put a policy, and remember that it was. Raises Fault."""
        self.live.put(bucket, text, removes_self)
        self.has_put = True

    def put_new(self, intent):
        """Put an Intent's policy. Raises Fault, which names the actions that the server does not
        know, where it is not Amazon's.
        """
        bucket = intent.bucket
        try:
            self.put(bucket, intent.text, intent.removes_self)
        except Fault as fault:
            if self.live.is_amazons or intent.text is None or fault.code not in REFUSED:
                raise
            unknown = unknown_actions(lambda text: self.put(bucket, text), intent)
            if not unknown:
                raise
            raise Fault(f"{fault}: this server does not know {', '.join(unknown)}") from None

    def verify(self, intent, before):
        """Read back what was put, and try as the caller, as long as S3 may need to take it in.

        Raises Fault.
        """
        for _ in self.moments():
            self.read_back(intent.bucket, intent.text)
            self.try_out(intent, before)

    def moments(self):
        """Yield now and again, as long as S3 may need to take something in; once at least."""
        end = time.monotonic() + self.settle
        yield
        while time.monotonic() < end and not self.is_hurried():
            time.sleep(max(0, min(PAUSE, end - time.monotonic())))
            yield

    def read_back(self, bucket, text):
        """Raise Fault unless a bucket's policy says what `text` does; S3 may take a moment."""
        for _ in range(READS):
            if same(self.live.get(bucket), text):
                return
            time.sleep(PAUSE)
        raise Fault("S3 took the policy, but has another one when it is read back")

    def try_out(self, intent, before):
        """Raise Fault if the caller is refused what they could do before and what the policy does
        not deny them.
        """
        _, document = intent.documents
        asker, arn = (intent.circle.asker(intent.circle.caller.arn),
                      arn_of(intent.bucket, intent.circle))
        for name, (action, key, refused) in self.live.tries(intent.bucket).items():
            resource = f"{arn}/{key}" if key else arn
            if refused and not before.get(name, ("", "", ""))[
                    2] and not answer(document, asker, action, resource).is_barred:
                raise Fault(
                    f"S3 refuses us now ({name}: {refused}), which this policy should not do")

    def rehearse(self, intent):
        """See how a server that is not Amazon's takes the conditions of a policy that shuts others
        out (see rehearsal). Raises Fault.
        """
        if self.live.is_amazons or intent.text is None or intent.removes_self:
            return
        trial, turned = rehearsal(intent), turned_rehearsals(intent)
        if not (trial or turned):
            return
        if not same(intent.found, intent.old):      # one that was killed may refuse us still
            self.try_trial(intent, intent.old)
        if self.is_refused(intent):
            why = f"we may not {HARMLESS}, so it cannot be tried whether this server would "
            if trial:
                raise Fault(f"{why}spare us")
            self.say(f"{intent.bucket}: warning: {why}heed a Deny")
            return
        if trial:
            self.see_that_it_spares(intent, trial)
        for text, keys in turned.items():
            self.see_that_it_refuses(intent, text, keys)

    def see_that_it_spares(self, intent, text):
        """Put a rehearsal that spares us. Raises Fault unless it does."""
        self.try_trial(intent, text)
        if any(self.is_refused(intent) for _ in self.moments()):
            raise Fault(
                f"this server does not spare us by {intent.circle.key}: the policy would lock us "
                f"out ({OTHERWISE})")

    def see_that_it_refuses(self, intent, text, keys):
        """Put a rehearsal that denies us something. Raises Fault unless we are refused that."""
        self.try_trial(intent, text)
        if any(self.is_refused(intent) for _ in self.moments()):
            return
        raise Fault(f"this server does not heed {', '.join(keys)}: the policy would keep nobody out"
                    f" ({OTHERWISE})" if keys else
                    "this server does not heed a Deny: the policy would keep nobody out")

    def try_trial(self, intent, text):
        """Put a rehearsal, or what is live without one. Raises Fault."""
        self.put(intent.bucket, text)
        self.read_back(intent.bucket, text)

    def is_refused(self, intent):
        """Return whether we are refused what a rehearsal denies."""
        return bool(refusal(lambda: self.live.versioning(intent.bucket)))

    def take_back(self, intent, backup, error):
        """Put the old policy again after something went wrong. Raises Fault, which says where it
        lies, if that fails.

        What S3 shows as live may be late, so it is asked only where a put failed, whose answer may
        have been lost.
        """
        bucket = intent.bucket
        try:
            if not self.has_put and same(self.live.get(bucket), intent.old):
                return
            self.put(bucket, intent.old)
            self.read_back(bucket, intent.old)
        except Fault as fault:
            raise Fault(
                f"{error}; AND THE OLD POLICY COULD NOT BE PUT BACK: {fault}. It is in "
                f"'{backup.path}'; the account's root can put it back") from None
        self.say(f"{bucket}: rolled back to {'the old policy' if intent.old else 'no policy'}")


def carry_out(run, intent, why):
    """Put an Intent's policy in a Run; a signal waits until that is at its end, whichever. Raises
    Fault.
    """
    settle = run.args.settle
    if settle is None:
        settle = SETTLE if run.live.is_amazons and not run.has_put else QUICK
    run.has_put = True
    run.signals.graceful = True
    try:
        (Applying(run.live, run.shelf, run.complain, settle, lambda: run.signals.number)
         .run(intent, why))
    finally:
        run.signals.graceful = False
