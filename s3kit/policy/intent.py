"""What is to be done with the policy of one bucket, before anything is done."""

from typing import NamedTuple

from s3kit.errors import Fault
from s3kit.policy.documents import Broken, check_size, compact, parse, readable
from s3kit.policy.guard import faults_of, refuse
from s3kit.policy.meaning import same
from s3kit.policy.rehearsal import cleaned


class Intent(NamedTuple):
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


def intent_of(bucket, live, shelf, circle, overwrite=False, removes_self=False):
    """Return the Intent that the planned document of a bucket is. Raises Fault where it may not be
    put.

    What is put is judged here, whatever it was when it was planned.
    """
    document = planned(bucket, shelf)
    check_size(document)
    intent = Intent(bucket, circle, live.get(bucket), compact(document), removes_self)
    refuse(faults_of(document, bucket, circle, removes_self))
    facts = shelf.facts(bucket)
    if not overwrite and not same(intent.old, facts.get("base")) and not intent.is_done:
        raise Fault(
            "the live policy has changed since the plan: plan again, or see diff and --overwrite"
            if facts
            else "the bucket has a policy that this plan does not know of: see diff and "
            "--overwrite")
    return intent


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
