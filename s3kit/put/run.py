"""The run of one s3-put: the files' place, its workers, its stage."""

import os
from itertools import chain

from s3kit.cluster.workers import workers_of
from s3kit.errors import Fault
from s3kit.pipeline.group_commit import Destination
from s3kit.pipeline.outbox import SECONDS_TO_BREAK_OFF
from s3kit.pipeline.stage import Stage
from s3kit.put.history import oldest_first
from s3kit.put.place import Place
from s3kit.put.putting import Putting
from s3kit.put.rehearsal import Rehearsal
from s3kit.put.targets import terms_of
from s3kit.s3.access import Access
from s3kit.transfer.put_work import PutWork


def run(args, streams, people):
    """Upload the files of the rows of `streams`; return what has the summary and the status.

    Raises Fault (Cut).
    """
    tally, _, signals = people
    bucket, prefix = args.target
    if prefix and not prefix.endswith("/"):
        tally.say(f"warning: keys will begin with '{prefix}' as it stands (--to s3://{bucket}/"
                  f"{prefix}/ puts them below it)")
    if args.dry_run:
        rehearsal = Rehearsal(args, streams, people)
        rehearsal.run()
        return rehearsal
    stage = Stage(args, streams, people, Access(args, signals.at_once))
    batches = stage.source.batches()
    # until a row comes, s3-fetch before us may not have made DIR
    batches = chain([next(batches, [])], batches)
    place = Place(args, tally.say)
    workers = workers_of(args, stage, place.tree, args.connections, ahead=2)
    work = PutWork(os.path.abspath(args.dest), {}, workers.connections, workers.rate,
                   workers.requests, make=False, place=workers.place, share=workers.share)
    workers.executor.warm(work)
    files = Destination(place.tree, place if place.uploads else None, are_ours=False)
    stage.open(workers.executor, lambda: work, files, place.ledger, workers.limit,
               batches=oldest_first(batches) if args.history else batches)
    putting = begun(stage, place, args.target)
    stage.run(putting)
    return putting


def begun(stage, place, target):
    """Return the Putting of a Stage that is open. Where it cannot begin what was opened is ended:
    raises NoSuchBucket and other Faults.
    """
    try:
        is_fresh = is_empty(stage, target)      # which shows whose server it is
        if stage.args.history and stage.access.versioning(target[0]) != "Enabled":
            raise Fault(f"bucket '{target[0]}' does not keep versions, as far as can be seen: "
                        "--history would leave none but the newest")
        return Putting(stage, place, is_fresh, terms_of(stage.access.endpoint(target[0])))
    except BaseException:
        stage.executor.shutdown(cancel_futures=True)
        stage.outbox.close(SECONDS_TO_BREAK_OFF)
        raise


def is_empty(stage, target):
    """Return whether S3 says that nothing is below the target's prefix now: then no target needs to
    be looked at before it is written.
    """
    from s3kit.s3 import asking
    bucket, prefix = target
    endpoint = stage.access.endpoint(bucket)
    with stage.signals.at_once():
        return asking.is_empty(endpoint, prefix, stage.access.renewed)
