"""The run of one s3-fetch: its destination, its workers, its stage."""

import os

from s3kit.disk.tree import OURS, Tree
from s3kit.fetch.fetching import Fetching
from s3kit.fetch.lease import lease_of
from s3kit.fetch.rehearsal import Rehearsal
from s3kit.fetch.sweeping import sweep
from s3kit.pipeline.flow import BATCH_ROWS
from s3kit.pipeline.group_commit import Destination
from s3kit.pipeline.pool import DEPTH, Pool
from s3kit.pipeline.sharing import Sharing, most_connections, workers
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
    jobs = workers(args)
    most = most_connections(args.connections, jobs)
    sharing = Sharing(jobs, most, stage.hear)
    pool = Pool(jobs, sharing.hear)
    sharing.join(pool)
    lease.tell(lambda until: pool.tell(("lease", until), keep=True))
    work = Work(os.path.abspath(args.dest), {}, most, args.limit_rate / jobs,
                args.limit_requests / jobs, place=tree.place, share=sharing.share,
                describes=args.with_metadata or args.source_times, retimes=args.source_times)
    if ledger.is_empty():
        pool.warm(work)         # the first run: rows will need them, while later ones may not
    limit = jobs * max(DEPTH * BATCH_ROWS, 2 * most)
    stage.open(pool, lambda: work, Destination(tree, writer, check=tree.check_lease), ledger, limit)
    fetching = Fetching(stage, tree, left)
    stage.run(fetching)
    return fetching
