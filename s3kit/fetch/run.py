"""The run of one s3-fetch: its destination, its workers, its stage."""

import os

from s3kit.cluster.workers import workers_of
from s3kit.disk.tree import OURS, Tree
from s3kit.fetch.fetching import Fetching
from s3kit.fetch.lease import lease_of
from s3kit.fetch.rehearsal import Rehearsal
from s3kit.fetch.sweeping import sweep
from s3kit.pipeline.group_commit import Destination
from s3kit.pipeline.stage import Stage, open_ledgers
from s3kit.s3.access import Access
from s3kit.transfer.work import Work


def run(args, streams, people):
    """Fetch the rows of `streams`; return what has the summary and the status.

    Raises Fault (Cut).
    """
    if args.dry_run:
        rehearsal = Rehearsal(args, streams, people)
        rehearsal.run()
        return rehearsal
    tally, _, signals = people
    stage = Stage(args, streams, people, Access(args, signals.at_once))
    tree = Tree(args.dest)
    with lease_of(tree, tally.say, signals.check) as lease:
        return fetch_into(tree, lease, stage)


def fetch_into(tree, lease, stage):
    """Fetch the rows of a Stage into a Tree, while we have the Lease on it; return the Fetching."""
    args, left = stage.args, sweep(tree)
    ledger, writer = open_ledgers(os.path.join(args.dest, OURS))
    lease.keep_ledgers(ledger, writer)
    workers = workers_of(args, stage, tree, args.connections, ahead=2)
    lease.tell(lambda until: workers.executor.tell(("lease", until), keep=True))
    work = Work(os.path.abspath(args.dest), {}, workers.connections, workers.rate,
                workers.requests, place=workers.place, share=workers.share,
                describes=args.with_metadata or args.source_times, retimes=args.source_times)
    if ledger.is_empty():
        # the first run: rows will need them, while later ones may not
        workers.executor.warm(work)
    stage.open(workers.executor, lambda: work, Destination(tree, writer, check=tree.check_lease),
               ledger, workers.limit)
    fetching = Fetching(stage, tree, left)
    stage.run(fetching)
    return fetching
