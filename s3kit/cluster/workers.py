"""The workers of a command: processes on this machine, or those of a cluster."""

from typing import NamedTuple

from s3kit.pipeline.flow import BATCH_ROWS
from s3kit.pipeline.pool import DEPTH, Pool
from s3kit.pipeline.sharing import Sharing, most_connections, workers
from s3kit.s3.window import FEW


class Workers(NamedTuple):
    """An `executor` and what its work is to be told: how many `connections` each worker may have at
    most, its `share` of the requests that may be under way, the bytes (`rate`) and `requests` a
    second that it may move and send (0: as many as come), and the `place` of the destination, None
    where each worker finds out. `limit` rows are on their way at most.
    """

    executor: object
    connections: int
    share: float
    rate: float
    requests: float
    place: object
    limit: int


def workers_of(args, stage, tree, connections=None, few=0, ahead=0):
    """Return the Workers that move or read the files in a Tree, for a Stage. At first `few`
    requests of each are under way (0: FEW of all). Each is to have `ahead` times its connections in
    rows, at least.

    Raises Fault, and Usage where a cluster cannot be used.
    """
    if args.scheduler:
        from s3kit.cluster.hiring import hired
        return hired(args, stage, tree, connections, few)
    jobs = workers(args)
    most = most_connections(connections, jobs)
    sharing = Sharing(jobs, most, stage.hear, jobs * few or FEW)
    pool = Pool(jobs, sharing.hear)
    sharing.join(pool)
    rate, requests = limits_of(args)
    return Workers(pool, most, sharing.share, rate / jobs, requests / jobs, tree.place,
                   jobs * max(DEPTH * BATCH_ROWS, ahead * most))


def limits_of(args):
    """Return the (bytes, requests) a second that all workers may move and send; 0: no limit."""
    return getattr(args, "limit_rate", 0), args.limit_requests


def control_of(args, stage):
    """Return the executor of requests that move no files. Raises Fault, Usage."""
    if args.scheduler:
        from s3kit.cluster.hiring import hired_for_requests
        return hired_for_requests(args, stage)
    from s3kit.s3.calls import Control      # not with the module: who moves files needs no libcurl
    return Control(args.connections)
