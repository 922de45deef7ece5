"""s3-policy apply: what is planned is put, one bucket first as the canary."""

import sys

from s3kit.errors import DONE, SOME_FAILED
from s3kit.policy.advice import advise, show_table
from s3kit.policy.applying import carry_out
from s3kit.policy.directory import APPLY
from s3kit.policy.guard import refuse
from s3kit.policy.intent import intent_of
from s3kit.policy.review import differences, told
from s3kit.policy.simulation import Simulation
from s3kit.text import count


def apply(run, buckets, ask):
    """Put what is planned, the canary first: if that fails no other is tried.

    `ask(question)` is whether a person says yes; None is yes. Return the status. Raises Fault.
    """
    simulation = Simulation(run.session, run.say)
    canary = run.args.canary or buckets[0]
    others = [bucket for bucket in buckets if bucket != canary]
    run.circle()

    def one(bucket):
        return apply_one(run, bucket, simulation, ask)

    if run.args.dry_run:
        return run.each([canary, *others], one)
    with run.shelf.held():
        status = run.each([canary], one)
        if status == DONE:
            return run.each(others, one)
        leave(run, canary, others)
        return status


def leave(run, canary, others):
    """Say of the other buckets that they are not tried."""
    if others:
        run.complain(f"{count(len(others), 'other bucket')} not tried: '{canary}' came first, as "
                     "the canary")
    for bucket in others:
        run.tell({"bucket": bucket, "state": "not tried"})


def apply_one(run, bucket, simulation, ask):
    """Put what is planned for one bucket, after all that may speak against it; return the status.

    Raises Fault.
    """
    args, removes_self = run.args, bucket in run.args.remove_self
    circle = run.circle(run.shelf.facts(bucket))
    intent = intent_of(bucket, run.live, run.shelf, circle, args.overwrite, removes_self)
    if intent.is_done:
        return run.conclude(bucket, "unchanged", "has this policy already")
    old, document = intent.documents
    refuse(simulation.faults_of(document, bucket, circle, removes_self))
    advise(run, bucket, document, circle)
    if args.dry_run or ask:
        show(run, intent)
    if args.dry_run:
        return run.conclude(bucket, "to apply", "would be applied: " + told(old, document))
    if ask and not ask(f"Put this policy on s3://{bucket}?"):
        return run.conclude(bucket, "kept", "left as it is", SOME_FAILED)
    carry_out(run, intent, APPLY)
    return run.conclude(bucket, "applied", "applied: " + told(old, document))


def show(run, intent):
    """Print who may do what and the differences: on stdout for -n, on stderr before a question."""
    file = None if run.args.dry_run else sys.stderr
    show_table(run, intent.bucket, intent.documents, intent.circle, file)
    if file or not run.args.json:
        run.print(differences(*intent.documents), file)
