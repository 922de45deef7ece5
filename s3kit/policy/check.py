"""s3-policy check: who may do what before and after, and whether a document may be put."""

from s3kit.errors import DONE, SOME_FAILED
from s3kit.policy import review
from s3kit.policy.advice import advise, show_table
from s3kit.policy.documents import check_size, readable
from s3kit.policy.guard import faults_of
from s3kit.policy.identity import principal
from s3kit.policy.intent import planned
from s3kit.policy.rehearsal import cleaned
from s3kit.policy.simulation import Simulation


def check(run, buckets):
    """Print the table of who may do what, before and after; return 1 where a document may not be
    put.
    """
    simulation = Simulation(run.session, run.say)
    run.circle()
    run.args.principal = [principal(arn, run.session) for arn in run.args.principal]
    return run.each(buckets, lambda bucket: check_one(run, bucket, simulation))


def check_one(run, bucket, simulation):
    """Check one bucket's document; return the status. Raises Fault."""
    circle = run.circle(run.shelf.facts(bucket))
    old = readable(cleaned(run.live.get(bucket)))
    document = old if run.args.live else planned(bucket, run.shelf)
    if document:
        check_size(document)
        advise(run, bucket, document, circle)
    faults = faults_of(document, bucket, circle) + simulation.faults_of(document, bucket, circle)
    show_table(run, bucket, (old, document), circle)
    for fault in faults:
        run.complain(f"{bucket}: {fault}")
    run.tell({"bucket": bucket, "safe": not faults, "faults": faults,
              "table": table(run.args, bucket, (old, document), circle)})
    return SOME_FAILED if faults else DONE


def table(args, bucket, documents, circle):
    """Return {who: {action: [before, after]}} of (the old document, the new one)."""
    rows = review.rows_of(bucket, *documents, circle, args.principal, args.action, args.key)
    return {name: dict(zip(args.action or review.ACTIONS, cells)) for name, cells in rows}
