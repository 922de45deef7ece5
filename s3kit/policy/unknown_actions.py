"""Which actions of a policy a server does not know, where it refuses the policy without saying why.

Amazon's S3 names what is wrong. Ceph's gateway answers InvalidArgument without a message to an
action that it does not know (https://docs.ceph.com/en/latest/radosgw/bucketpolicy/), so they are
tried: put in an Allow for a user whom nobody has.
"""

from s3kit.errors import Fault
from s3kit.policy.documents import listed
from s3kit.policy.identity import STRANGER
from s3kit.policy.rehearsal import HARMLESS, REHEARSAL, beside_the_old
from s3kit.policy.template import arn_of

REFUSED = ("InvalidArgument", "MalformedPolicy")    # codes of a policy that is not understood


def unknown_actions(put, intent):
    """Return the actions of an Intent's new policy that a server refuses; none where it refuses
    others as well.

    `put(text)` puts a policy, and raises a Fault; what it put last is live afterwards.
    """
    def is_refused(actions):
        try:
            put(beside_the_old(intent, [for_nobody(actions, intent)]))
        except Fault as fault:
            if fault.code not in REFUSED:
                raise
            return True
        return False

    def among(actions):
        if not actions or not is_refused(actions):
            return []
        if len(actions) == 1:
            return actions
        half = len(actions) // 2
        return among(actions[:half]) + among(actions[half:])

    return [] if is_refused([HARMLESS]) else among(actions_in(intent.documents[1]))


def for_nobody(actions, intent):
    """Return a statement that allows actions to the caller, if the caller were somebody else."""
    bucket, circle = arn_of(intent.bucket, intent.circle), intent.circle
    return {"Sid": f"{REHEARSAL}Actions", "Effect": "Allow", "Principal": {
        "AWS": circle.caller.arn}, "Action": actions, "Resource": [bucket, f"{bucket}/*"],
            "Condition": {"StringEquals": {circle.key: STRANGER}}}


def actions_in(document):
    """Return the actions that a document names."""
    return sorted({action for statement in document["Statement"]
                   for action in listed(statement.get("Action", statement.get("NotAction")))})
