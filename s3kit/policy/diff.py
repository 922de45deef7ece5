"""s3-policy diff: what is planned against what is live."""

from s3kit.errors import DONE, SOME_FAILED
from s3kit.policy.documents import readable
from s3kit.policy.intent import planned
from s3kit.policy.review import differences


def diff(run, buckets):
    """Print how the planned documents differ from the live ones; return 1 if any does."""
    return run.each(buckets, lambda bucket: diff_one(run, bucket))


def diff_one(run, bucket):
    """Print how one bucket's planned document differs; return the status. Raises Fault."""
    document, old = planned(bucket, run.shelf), run.live.get(bucket)
    lines = differences(readable(old), document)
    if old and not readable(old):
        lines.insert(0, "- a policy that cannot be read")
    if run.args.json:
        run.tell({"bucket": bucket, "differs": bool(lines), "changes": lines})
    elif lines:
        run.print([f"s3://{bucket}", *lines])
    return SOME_FAILED if lines else DONE
