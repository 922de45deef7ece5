"""The policies that are live, and what S3 lets us do with their buckets."""

import json

from s3kit.errors import Fault
from s3kit.s3.translation import DENIED, translated

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
        if not may_be_policy(text):
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
                lambda key=key: client.head_object(Bucket=bucket, Key=key), may_be_gone=True))
        return found


def may_be_policy(text):
    """Return whether a text is a JSON object with statements, or one that nobody can read."""
    if not text.startswith("{"):
        return False
    try:
        return "Statement" in json.loads(text)
    except (ValueError, RecursionError):
        return True


def refusal(call, may_be_gone=False):
    """Return S3's word for refusing a call, or '' if it does not refuse.

    With `may_be_gone` S3's own 404 to a HEAD of a key is not a refusal: the key went since it was
    listed. Raises Fault for any other trouble, an error that is not S3's own among it: whoever
    answered with that has not let us in.
    """
    try:
        with translated():
            call()
    except Fault as fault:
        if fault.code in DENIED:
            return fault.code
        if not (may_be_gone and fault.code == "404"):
            raise
    return ""
