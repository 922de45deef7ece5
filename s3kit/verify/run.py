"""The run of one s3-verify: the files' place, its workers, its stage."""

import os
from itertools import chain

from s3kit.cluster.workers import workers_of
from s3kit.disk.ledger import NAME
from s3kit.disk.tree import OURS, Tree
from s3kit.errors import Fault
from s3kit.pipeline.group_commit import Destination
from s3kit.pipeline.stage import Stage, open_ledgers
from s3kit.s3.access import Access
from s3kit.verify.checking import CheckWork
from s3kit.verify.verifying import Verifying

CONNECTIONS = 8         # of a worker, at first: S3 is asked only for what rows do not say


def run(args, streams, people):
    """Verify the rows of `streams`; return what has the summary and the status.

    Raises Fault (Cut).
    """
    signals = people[2]
    stage = Stage(args, streams, people, Access(args, signals.at_once))
    batches = stage.source.batches()
    first = next(batches, [])       # until a row comes, s3-fetch before us may not have made DIR
    tree = Tree(args.dest, make=False)
    ledger, writer = ledgers_of(args.dest)
    workers = workers_of(args, stage, tree, few=CONNECTIONS)
    work = CheckWork(os.path.abspath(args.dest), {}, workers.connections, make=False,
                     requests=workers.requests, place=workers.place, share=workers.share)
    stage.open(workers.executor, lambda: work, Destination(tree, writer, are_ours=False), ledger,
               workers.limit, batches=chain([first], batches))
    verifying = Verifying(stage, tree)
    stage.run(verifying)
    return verifying


def ledgers_of(destination):
    """Return two connections to the ledger, or (None, None) where there is none and none can be
    made.

    Files that another tool left can be verified in a place that we must not write to. Raises Fault,
    OSError.
    """
    folder = os.path.join(destination, OURS)
    try:
        os.makedirs(folder, 0o700, exist_ok=True)
        return open_ledgers(folder)
    except (OSError, Fault):
        if os.path.exists(os.path.join(folder, NAME)):
            raise
        return None, None
