"""Putting a policy on a bucket: back up, rehearse, put, read back, try, and roll back whatever is
not as it should be.

PutBucketPolicy replaces a policy in one step, so at any moment the old or the new one is live,
never none; and its backup is on the disk before. Killed anywhere, `rollback` finds by its backups
which policy was live before the one that is now.
"""

import time
from typing import NamedTuple

from s3kit.errors import Fault
from s3kit.policy import documents
from s3kit.policy.directory import APPLY
from s3kit.policy.documents import Broken, compact, parse, same
from s3kit.policy.evaluator import DENY, answer
from s3kit.policy.template import RECOVERY, arn_of, faults_of
from s3kit.s3.translation import DENIED, translated

REHEARSAL = "S3KitRehearsal"            # the Sid of what is put to see how a server takes a Deny
HARMLESS = "s3:GetBucketVersioning"     # and what it denies
READS = 10                              # times that what was put is read, until it comes back
PAUSE = 0.3                             # seconds between
NAMED = 40                              # characters of an answer that is not a policy


class Live:
    """The policies that are live, and what we may do with the buckets."""

    def __init__(self, session):
        self.session = session

    @property
    def is_amazons(self):
        """Return whether this is Amazon's S3, whose rules we know."""
        return not self.session.is_custom()

    def get(self, bucket):
        """Return a bucket's policy as text, or None where S3 says that it has none.

        Raises Fault, also for an answer that is not a policy at all: a listing, a page, nothing.
        """
        try:
            with translated():
                answer = self.session.client.get_bucket_policy(Bucket=bucket)
        except Fault as fault:
            if fault.code == "NoSuchBucketPolicy":
                return None
            raise
        text = answer.get("Policy", "").strip()
        if not text.startswith("{"):
            raise Fault("the server does not answer with a policy, but with "
                        + (f"'{text[:NAMED]}'" if text else "nothing"))
        return text

    def put(self, bucket, text, removes_self=False):
        """Make `text` a bucket's policy, in one step; None takes the policy away. Raises Fault."""
        more = {"ConfirmRemoveSelfBucketAccess": True} if removes_self else {}
        with translated():
            if text is None:
                self.session.client.delete_bucket_policy(Bucket=bucket)
            else:
                self.session.client.put_bucket_policy(Bucket=bucket, Policy=text, **more)

    def versioning(self, bucket):
        """Ask what the rehearsal denies. Raises Fault."""
        with translated():
            self.session.client.get_bucket_versioning(Bucket=bucket)

    def tries(self, bucket):
        """Return {what was tried: (action, of which key, why it was refused or '')} of reading and
        listing as the caller.
        """
        client, keys = self.session.client, []

        def listed():
            keys.extend(each["Key"] for each
                        in client.list_objects_v2(Bucket=bucket, MaxKeys=1).get("Contents", ()))

        found = {"list": ("s3:ListBucket", "", refusal(listed)),
                 "head": ("s3:ListBucket", "", refusal(lambda: client.head_bucket(Bucket=bucket)))}
        for key in keys:
            found["head of an object"] = ("s3:GetObject", key, refusal(
                lambda key=key: client.head_object(Bucket=bucket, Key=key)))
        return found


def readable(text):
    """Return a policy as a document, or None if there is none, or none that could be read."""
    try:
        return text and parse(text)
    except Broken:
        return None


def refusal(call):
    """Return S3's word for refusing a call, or '' if it does not.

    Raises Fault for any other trouble.
    """
    try:
        with translated():
            call()
    except Fault as fault:
        if fault.code in DENIED:
            return fault.code
        if fault.code not in ("404", "NoSuchKey", "304"):
            raise
    return ""


class Errand(NamedTuple):
    """What is to be done with one bucket: `found` is live, `old` the same without a killed
    rehearsal, `text` shall be live.

    None is no policy.
    """

    bucket: str
    circle: object
    found: str
    text: str
    removes_self: bool = False

    @property
    def old(self):
        """The policy to go back to."""
        return cleaned(self.found)

    @property
    def is_done(self):
        """Return whether the bucket has the planned policy already."""
        return same(self.found, self.text)

    @property
    def documents(self):
        """Return both policies as documents; one that cannot be read is None."""
        return readable(self.old), readable(self.text)


class Applying:
    """Puts policies, one bucket at a time; `say(text)` tells people, `settle` is how many seconds
    S3 has to take it in.

    `is_hurried()` is whether somebody waits for us to end.
    """

    def __init__(self, live, shelf, say, settle=0, is_hurried=lambda: False):
        self.live, self.shelf, self.say, self.settle, self.is_hurried = (
            live, shelf, say, settle, is_hurried)

    def run(self, errand, why=APPLY):
        """Put an errand's policy. Raises Fault if that did not come to a good end; then the old
        policy is live again.

        Nothing is put before the old one is on the disk; and not if it has changed while people
        thought about it.
        """
        before = self.live.tries(errand.bucket)
        backup = self.shelf.keep(errand.bucket, errand.old, errand.text, why)
        if not same(self.live.get(errand.bucket), errand.found):
            raise Fault("the live policy has changed just now; nothing was put")
        self.has_put = False
        try:
            if why == APPLY:
                self.rehearse(errand)
            if self.is_hurried():
                raise Fault("stopped before it was put")
            self.put(errand.bucket, errand.text, errand.removes_self)
            if not errand.removes_self:
                self.verify(errand, before)
        except BaseException as error:
            if why == APPLY:
                self.take_back(errand, backup, error)
            raise

    def put(self, bucket, text, removes_self=False):
        """Put a policy, and remember that it was. Raises Fault."""
        self.live.put(bucket, text, removes_self)
        self.has_put = True

    def verify(self, errand, before):
        """Read back what was put, and try as the caller, as long as S3 may need to take it in.

        Raises Fault.
        """
        for _ in self.moments():
            self.read_back(errand.bucket, errand.text)
            self.try_out(errand, before)

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

    def try_out(self, errand, before):
        """Raise Fault if the caller is refused what he could do before and what the policy does not
        deny him.
        """
        _, document = errand.documents
        asker, arn = (errand.circle.asker(errand.circle.caller.arn),
                      arn_of(errand.bucket, errand.circle))
        for name, (action, key, refused) in self.live.tries(errand.bucket).items():
            resource = f"{arn}/{key}" if key else arn
            if refused and not before.get(name, ("", "", ""))[
                    2] and not answer(document, asker, action, resource).is_barred:
                raise Fault(
                    f"S3 refuses us now ({name}: {refused}), which this policy should not do")

    def rehearse(self, errand):
        """See how a server that is not Amazon's takes the conditions of a policy that shuts others
        out. Raises Fault.

        Some do not know aws:PrincipalArn, and a Deny that spares nobody they know could not be
        taken back. So its statements are put first with another action, whose loss harms nobody,
        beside the old policy.
        """
        if self.live.is_amazons or errand.text is None or errand.removes_self:
            return
        trial = rehearsal(errand)
        if trial is None:
            return
        if refusal(lambda: self.live.versioning(errand.bucket)):
            raise Fault(
                f"we may not {HARMLESS}, so it cannot be tried whether this server would spare us")
        self.put(errand.bucket, trial)
        self.read_back(errand.bucket, trial)
        for _ in self.moments():
            if refusal(lambda: self.live.versioning(errand.bucket)):
                raise Fault(
                    f"this server does not spare us by {errand.circle.key}: the policy would lock "
                    "us out (plan with --by arn or --by username, whichever it knows)")

    def take_back(self, errand, backup, error):
        """Put the old policy again after something went wrong. Raises Fault, which says where it
        lies, if that fails.

        What S3 shows as live may be late, so it is asked only where a put failed, whose answer may
        have been lost.
        """
        bucket = errand.bucket
        try:
            if not self.has_put and same(self.live.get(bucket), errand.old):
                return
            self.put(bucket, errand.old)
            self.read_back(bucket, errand.old)
        except Fault as fault:
            raise Fault(
                f"{error}; AND THE OLD POLICY COULD NOT BE PUT BACK: {fault}. It is in "
                f"'{backup.path}'; the account's root can put it back") from None
        self.say(f"{bucket}: rolled back to {'the old policy' if errand.old else 'no policy'}")


def rehearsal(errand):
    """Return the old policy with the Denies of the new one that could bar the caller, of a harmless
    action, as text; or None.
    """
    old, document = errand.documents
    circle, bucket = errand.circle, arn_of(errand.bucket, errand.circle)
    _, stranger = circle.strangers()[0]
    trial = []
    for statement in document["Statement"]:
        alone = {"Version": document.get("Version", documents.FIRST_VERSION),
                 "Statement": [statement]}
        if statement["Effect"] == "Deny" and any(answer(alone, stranger, action, bucket).is_barred
                                                 for action in RECOVERY):
            trial.append({name: value for name, value in statement.items()
                          if name not in ("Action", "NotAction", "Resource", "NotResource")} | {
                              "Sid": f"{REHEARSAL}{len(trial) or ''}", "Action": HARMLESS,
                              "Resource": bucket})
    version = max(each.get("Version", documents.FIRST_VERSION) for each in (old, document) if each)
    return compact({"Version": version,
                    "Statement": (old["Statement"] if old else []) + trial}) if trial else None


def without_rehearsal(document):
    """Return a document without what a killed rehearsal left in it, or None if nothing else is
    there.
    """
    if not document:
        return None
    kept = [each for each in document["Statement"] if not each.get("Sid", "").startswith(REHEARSAL)]
    return document | {"Statement": kept} if kept else None


def cleaned(text):
    """Return a live policy as if no rehearsal had been killed in it."""
    if not text or REHEARSAL not in text:
        return text
    try:
        document = parse(text)
    except Fault:
        return text
    kept = without_rehearsal(document)
    return (text if kept and len(kept["Statement"]) == len(document["Statement"])
            else kept and compact(kept))


def errand_of(bucket, live, shelf, circle, overwrite=False, removes_self=False):
    """Return the Errand that the planned document of a bucket is. Raises Fault where it may not be
    put.

    What is put is judged here, whatever it was when it was planned.
    """
    document = planned(bucket, shelf)
    documents.check_size(document)
    errand = Errand(bucket, circle, live.get(bucket), compact(document), removes_self)
    faults = faults_of(document, bucket, circle, removes_self)
    if faults:
        raise Fault("refused: " + "; ".join(faults))
    facts = shelf.facts(bucket)
    if not overwrite and not same(errand.old, facts.get("base")) and not errand.is_done:
        raise Fault(
            "the live policy has changed since the plan: plan again, or see diff and --overwrite"
            if facts
            else "the bucket has a policy that this plan does not know of: see diff and "
            "--overwrite")
    return errand


def planned(bucket, shelf):
    """Return the planned document of a bucket.

    Raises Fault where there is none, or none that could be a policy.
    """
    text = shelf.planned(bucket)
    if text is None:
        raise Fault(f"nothing is planned: there is no '{shelf.place(bucket)}'")
    try:
        return parse(text)
    except Broken as broken:
        raise Broken(f"'{shelf.place(bucket)}': {broken}") from None


def undoing(bucket, live, shelf, circle, chosen=None, overwrite=False):
    """Return the Errand that rolls a bucket back, to the Backup `chosen` or that of what is live
    now.

    Raises Fault where the live policy is none that apply put, or the old one would lock us out.
    """
    found = live.get(bucket)
    if not chosen:
        kept = [each for each in shelf.backups(bucket) if each.why == APPLY]
        if not kept:
            raise Fault("nothing to roll back: apply has kept no backup of it")
        chosen = next((each for each in kept if same(found, each.next)), None)
        # Put never came, or is undone already; only a rehearsal may still be there.
        chosen = chosen or next((each for each in kept if same(cleaned(found), each.text)), None)
        if not (chosen or overwrite):
            raise Fault(
                "the live policy is not the one that apply put: --overwrite rolls back to "
                f"'{kept[0].path}' nevertheless")
        chosen = chosen or kept[0]
    if chosen.bucket != bucket:
        raise Fault(f"'{chosen.path}' is a backup of the bucket '{chosen.bucket}'")
    document, arn = readable(chosen.text), arn_of(bucket, circle)
    if not overwrite and any(answer(document, circle.asker(circle.caller.arn), action, arn).verdict
                             == DENY for action in RECOVERY):
        raise Fault(
            f"the policy in '{chosen.path}' would lock us out (--overwrite puts it nevertheless)")
    return Errand(bucket, circle, found, chosen.text)
