"""Files of a node become durable, and get their names, before the parent hears of them.

The parent cannot flush what another machine has written: each node flushes what its workers wrote,
and only then answers, in the order that pipeline.group_commit and fetch.naming keep on one machine:
bytes, then names, then the directories that have these.
"""

from s3kit.disk import durable
from s3kit.errors import Fault, reason
from s3kit.pipeline.pool import WorkerDied
from s3kit.transfer import job as jobs
from s3kit.transfer.job import Job, Outcome

ON_DISK = (jobs.WRITTEN, jobs.FETCHED, jobs.RECEIVED)


def is_anything_written(outcomes):
    """Return whether files were written for any of the outcomes of a parcel."""
    return any(outcome.state in ON_DISK for outcome in outcomes)


def settle(tree, outcomes, submit):
    """Return the outcomes of a parcel when all that was written for them is on the disk of a Tree,
    and every file has its name.

    `submit(job, holder)` has a worker do a job, and returns the Future of its outcomes. Raises
    Fault where a flush failed: then what came is removed, for it may be there in memory alone.
    """
    flush(tree, outcomes)
    named = name_files(outcomes, submit)
    if any(outcome.state == jobs.FETCHED for outcome in named):
        flush(tree, named)
    return named


def flush(tree, outcomes):
    """Flush the file system of a Tree. Raises Fault where that fails."""
    try:
        durable.sync_tree(tree.fd)
    except OSError as error:
        for outcome in outcomes:
            disown(tree, outcome)
        raise Fault(f"cannot make files durable: {reason(error)}; what was written since the last "
                    "flush is not believed: run the same command again") from None


def disown(tree, outcome):
    """Remove the file of an outcome."""
    try:
        if outcome.state == jobs.WRITTEN:
            durable.unlink(outcome.path, tree.parts)
        elif outcome.state == jobs.FETCHED and outcome.moved:
            tree.remove(outcome.path)
    except (OSError, Fault):
        pass            # a disk that has failed may take no change either


def name_files(outcomes, submit):
    """Return the outcomes where each file that was written has its name, or why it has none."""
    held = {}
    for place, outcome in enumerate(outcomes):
        if outcome.state == jobs.WRITTEN:
            held.setdefault(outcome.holder, []).append(place)
    named, naming = list(outcomes), []
    for holder, places in held.items():
        parts = [outcomes[place].path for place in places]
        naming.append((places, submit(
            Job("name", "", "", "", "", -1, -1, "", pieces=parts), holder)))
    for places, future in naming:
        try:
            answer, = future.result()
        except WorkerDied as death:     # its files are complete, and found by whoever tries again
            answer = Outcome(jobs.AGAIN, str(death))
        for number, place in enumerate(places):
            named[place] = outcome_of(outcomes[place], answer, number)
    return named


def outcome_of(written, answer, number):
    """Return the outcome of a file by the worker's answer about those that it was to name, of which
    it is the one with a number.
    """
    if answer.state != jobs.NAMED:
        return answer
    found = answer.pieces[number]
    if isinstance(found, Outcome):
        return found
    path, inode, mtime_ns = found
    return written._replace(state=jobs.FETCHED, path=path, inode=inode, mtime_ns=mtime_ns, holder=0)
