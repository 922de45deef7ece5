"""The workers of a cluster, and what is allowed to all of them together as they come and go."""

import os

from s3kit.cluster import probe
from s3kit.cluster.gathering import ROWS
from s3kit.cluster.parcel import Setup
from s3kit.cluster.pool import ClusterPool
from s3kit.cluster.shipping import DEPTH
from s3kit.cluster.workers import Workers, limits_of
from s3kit.cores import usable_cores
from s3kit.pipeline.sharing import Sharing, most_connections
from s3kit.s3.window import FEW


class Crew:
    """The workers at a scheduler, for a Stage."""

    def __init__(self, args, stage):
        self.args, self.stage, self.jobs = args, stage, 0
        self.limits = limits_of(args)
        self.pool = self.sharing = None

    def hire(self, setup):
        """Have a ClusterPool for a Setup. Raises Fault, Usage."""
        jobs = getattr(self.args, "jobs", None) or usable_cores()
        self.pool = ClusterPool(self.args.scheduler, jobs, setup, self.hear, self.changed,
                                self.stage.tally.say)

    def share_out(self, connections, few):
        """Share out what requests may be under way."""
        jobs = max(1, self.pool.processes)
        self.most = most_connections(connections, jobs)
        self.sharing = Sharing(jobs, self.most, self.stage.hear, jobs * few or FEW)
        self.sharing.join(self.pool)

    def hear(self, note):
        """Take a note of a worker."""
        (self.sharing or self.stage).hear(note)

    def changed(self, nodes):
        """Take note of which nodes there are now."""
        if self.stage.flow:
            self.stage.flow.limit = limit_of(len(nodes))
        jobs = sum(node.processes for node in nodes)
        if self.sharing and jobs and jobs != self.sharing.jobs:
            self.sharing.resize(jobs)
        if self.pool and jobs and jobs != self.jobs:
            self.jobs = jobs
            if any(self.limits):
                self.pool.tell(("limits", tuple(most / jobs for most in self.limits)), keep=True)


def hired(args, stage, tree, connections, few):
    """Return the Workers of a cluster that have the files in a Tree. Raises Fault, Usage."""
    destination, crew = os.path.abspath(args.dest), Crew(args, stage)
    crew.hire(Setup(run_id(), args.prog, destination, probe.write(destination)))
    crew.share_out(connections, few)
    nodes = crew.pool.nodes()
    crew.changed(nodes)
    rate, requests = (most / crew.sharing.jobs for most in crew.limits)
    return Workers(crew.pool, crew.most, crew.sharing.share, rate, requests, None,
                   limit_of(len(nodes)))


def hired_for_requests(args, stage):
    """Return a ClusterPool for requests that move no files. Raises Fault, Usage."""
    crew = Crew(args, stage)
    crew.hire(Setup(run_id(), args.prog, connections=args.connections))
    crew.changed(crew.pool.nodes())
    return crew.pool


def run_id():
    """Return a name that no other run has."""
    return os.urandom(4).hex()


def limit_of(nodes):
    """Return how many rows may be on their way for so many nodes."""
    return (DEPTH * max(1, nodes) + 1) * ROWS
