"""Processes that belong together: the stages of a pipe, and what a command of ours has started."""

import os
import time

from s3kit.runs import folder
from s3kit.runs.snapshot import RUNNING, STALLED, read


def all_runs(path=None):
    """Return ([Snapshot], files): all of a run directory, and how many files there are none."""
    path = path or folder.folder()
    if not folder.is_ours(path):
        return [], 0
    found = [read(name) for _, name in folder.entries(path)]
    return [snapshot for snapshot in found if snapshot], found.count(None)


def live_runs(path):
    """Return the Snapshots of processes that have just written theirs; other files are not read.
    """
    since = time.time() - folder.FRESH_SECONDS
    found = [read(name) for modified, name in folder.entries(path) if modified >= since]
    return [snapshot for snapshot in found if snapshot and snapshot.state() == RUNNING]


def forget(snapshots):
    """Remove the run files of Snapshots."""
    home = folder.folder()
    for each in snapshots if folder.is_ours(home) else ():
        folder.remove(os.path.join(home, folder.file_name(each.pid, each.start, each.began)))


def feeders(snapshots):
    """Return {(pid, start): the Snapshot whose stdout is its stdin}."""
    by_target = {(each.world, each.target): each for each in snapshots if each.target}
    found = {}
    for each in snapshots:
        feeder = each.source and by_target.get((each.world, each.source))
        if feeder and feeder is not each:
            found[each.pid, each.start] = feeder
    return found


def in_order(snapshots):
    """Return Snapshots in the order of the pipe: who writes before who reads."""
    before = feeders(snapshots)

    def place(each):
        depth, seen = 0, set()
        first = each
        while (key := (first.pid, first.start)) in before and key not in seen:
            seen.add(key)
            first, depth = before[key], depth + 1
        return first.began, first.pid, depth, each.began, each.pid

    return sorted(snapshots, key=place)


def pipelines(snapshots):
    """Return lists of Snapshots that belong together, each in order of its pipe, the oldest first.

    Together are those of one pipe, and what a command has started.
    """
    head = {(each.pid, each.start): (each.pid, each.start) for each in snapshots}

    def top(key):
        while head[key] != key:
            key = head[key]
        return key

    def join(one, other):
        head[top((one.pid, one.start))] = top((other.pid, other.start))

    before = feeders(snapshots)
    by_pid = {(each.world, each.pid): each for each in snapshots if not each.ended}
    for each in snapshots:
        if (each.pid, each.start) in before:
            join(each, before[each.pid, each.start])
        parent = by_pid.get((each.world, each.parent))
        if parent and parent is not each:
            join(each, parent)
    groups = {}
    for each in snapshots:
        groups.setdefault(top((each.pid, each.start)), []).append(each)
    return sorted((in_order(group) for group in groups.values()),
                  key=lambda group: min(each.began for each in group))


def is_at_work(group):
    """Whether any process of a pipeline is there."""
    return any(each.state() in (RUNNING, STALLED) for each in group)


def slowest(group):
    """Return the Snapshot of the stage whose rest takes longest, or None where nobody can say."""
    found = [each for each in group if not each.ended and each.left >= 0]
    return max(found, key=lambda each: each.left, default=None)


def left_of(group):
    """Return the seconds that the rest of a pipeline takes: those of its slowest stage; -1 where
    nobody can say.
    """
    stage = slowest(group)
    return stage.left if stage else -1.0
