"""s3-policy rollback: what was live before apply is put back."""

import sys

from s3kit.errors import SOME_FAILED, Fault
from s3kit.policy.applying import carry_out
from s3kit.policy.directory import APPLY, ROLLBACK, read_backup
from s3kit.policy.documents import readable
from s3kit.policy.evaluator import DENY, answer
from s3kit.policy.intent import Intent
from s3kit.policy.meaning import same
from s3kit.policy.rehearsal import cleaned
from s3kit.policy.review import differences
from s3kit.policy.template import RECOVERY, arn_of


def rollback(run, buckets, ask):
    """Put back what was live before apply, or what a backup says; return the status.

    `ask(question)` is whether a person says yes; None is yes. Raises Fault.
    """
    chosen = read_backup(run.args.to) if run.args.to else None
    run.circle()

    def one(bucket):
        return rollback_one(run, bucket, chosen, ask)

    if run.args.dry_run:
        return run.each(buckets, one)
    with run.shelf.held():
        return run.each(buckets, one)


def rollback_one(run, bucket, chosen, ask):
    """Roll one bucket back, to the Backup `chosen` or the one of what is live; return the status.

    Raises Fault.
    """
    args = run.args
    intent = undoing(bucket, run.live, run.shelf, run.circle(), chosen, args.overwrite)
    if intent.is_done:
        return run.conclude(bucket, "unchanged",
                            "nothing to roll back: the policy of before is live")
    if ask or args.dry_run and not args.json:
        run.print([f"s3://{bucket}", *differences(*intent.documents)],
                  None if args.dry_run else sys.stderr)
    done = "rolled back" + ("" if intent.text else " to no policy")
    if args.dry_run:
        return run.conclude(bucket, "to roll back", f"would be {done}")
    if ask and not ask(f"Put the old policy back on s3://{bucket}?"):
        return run.conclude(bucket, "kept", "left as it is", SOME_FAILED)
    carry_out(run, intent, ROLLBACK)
    return run.conclude(bucket, "rolled back", done)


def undoing(bucket, live, shelf, circle, chosen=None, overwrite=False):
    """Return the Intent that rolls a bucket back, to the Backup `chosen` or that of what is live
    now.

    Raises Fault where the live policy is not one that apply put, or the old one would lock us out.
    """
    found = live.get(bucket)
    chosen = chosen or backup_of(bucket, found, shelf, overwrite)
    if chosen.bucket != bucket:
        raise Fault(f"'{chosen.path}' is a backup of the bucket '{chosen.bucket}'")
    document, arn = readable(chosen.text), arn_of(bucket, circle)
    if not overwrite and any(answer(document, circle.asker(circle.caller.arn), action, arn).verdict
                             == DENY for action in RECOVERY):
        raise Fault(
            f"the policy in '{chosen.path}' would lock us out (--overwrite puts it nevertheless)")
    return Intent(bucket, circle, found, chosen.text)


def backup_of(bucket, found, shelf, overwrite):
    """Return the Backup of what was live before apply put `found`.

    Raises Fault where there is none, unless `overwrite` lets it be the last.
    """
    kept = [each for each in shelf.backups(bucket) if each.why == APPLY]
    if not kept:
        raise Fault("nothing to roll back: apply has kept no backup of it")
    chosen = next((each for each in kept if same(found, each.next)), None)
    # Put never came, or is undone already; only a rehearsal may still be there.
    chosen = chosen or next((each for each in kept if same(cleaned(found), each.text)), None)
    if not (chosen or overwrite):
        raise Fault("the live policy is not the one that apply put: --overwrite rolls back to "
                    f"'{kept[0].path}' nevertheless")
    return chosen or kept[0]
