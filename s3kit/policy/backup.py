"""s3-policy backup: the live policies, kept."""

from s3kit.errors import DONE
from s3kit.policy.directory import BACKUP


def backup(run, buckets):
    """Keep the live policies, print where; return the status. Raises Held or Fault."""
    with run.shelf.held():
        return run.each(buckets, lambda bucket: backup_one(run, bucket))


def backup_one(run, bucket):
    """Keep one bucket's live policy; return the status. Raises Fault."""
    path = run.shelf.keep(bucket, run.live.get(bucket), why=BACKUP).path
    if run.args.json:
        run.tell({"bucket": bucket, "state": "kept", "path": path})
    else:
        run.print([path])
    return DONE
