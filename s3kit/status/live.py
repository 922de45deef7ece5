"""The runs of a user as text and as data: each pipeline, its stages, and how they stand."""

import shlex
import time

from s3kit.errors import DONE as ALL_DONE
from s3kit.errors import SOME_FAILED
from s3kit.manifest.row import WRONG
from s3kit.runs import pipelines
from s3kit.runs.facts import facts_of
from s3kit.runs.pace import show_left
from s3kit.runs.snapshot import DEAD, DONE, FAILED, RUNNING, STALLED
from s3kit.units import from_epoch, show_span

CAUSES = 10             # that are told of a stage, at most


def wrong_of(snapshot):
    """Return how many rows left a stage as wrong."""
    return sum(number for state, number in snapshot.rows.items() if state in WRONG)


def name_of(group):
    """Return what a pipeline is called: the name it was given, else its process ids."""
    names = [each.run for each in group if each.run]
    return names[0] if names else " ".join(str(each.pid) for each in group)


def state_of(group):
    """Return how a pipeline stands: as the worst of its stages."""
    states = {each.state() for each in group}
    for state in (DEAD, STALLED, RUNNING, FAILED):
        if state in states:
            return state
    return DONE


def command_line(group):
    """Return what can be typed to run a pipeline again, where it ran."""
    line = " | ".join(shlex.join(each.argv) for each in group)
    return f"cd {shlex.quote(group[0].cwd)} && {line}" if group[0].cwd else line


def says(snapshot):
    """Return how a stage stands, for people."""
    state = snapshot.state()
    if state == FAILED:
        return f"ended with status {snapshot.status}"
    if state in (DEAD, STALLED):
        return f"{state} since {from_epoch(snapshot.written)}"
    return state


def heading(group):
    """Return the line above the stages of a pipeline: how it stands, what is left to do, and by
    which stage, for how long it has run, and since when.
    """
    began, is_over = min(each.began for each in group), not pipelines.is_at_work(group)
    until = max(each.ended or each.written for each in group) if is_over else time.time()
    facts, stage = [state_of(group)], pipelines.slowest(group)
    if stage and not is_over:
        facts.append(f"{show_left(stage.left)} left" + f" ({stage.command})" * (len(group) > 1))
    facts += [show_span(max(0.0, until - began)), f"begun {from_epoch(began)}"]
    return f"{name_of(group)}: {', '.join(facts)}"


def lines(groups, unread=0):
    """Yield the lines that tell of pipelines."""
    for group in groups:
        yield heading(group)
        for each in group:
            wrong = wrong_of(each)
            facts = [says(each), *(facts_of(each, each.left) if not each.said else [each.said])]
            if wrong:
                facts.append(f"{wrong:,} wrong")
            yield f"  {each.command:<11} {', '.join(facts)}"
            yield from trouble(each)
        if state_of(group) == DEAD:
            yield f"  to go on: {command_line(group)}"
    if not groups:
        yield "nothing runs, and nothing ended within a day"
    if unread:
        yield f"{unread:,} files in the run directory are none of ours"


def trouble(snapshot):
    """Yield lines about what a stage had trouble with."""
    if snapshot.tried_again or snapshot.slowed_down:
        yield (f"    {snapshot.tried_again:,} tried again, {snapshot.slowed_down:,} times slowed "
               "down by S3")
    causes = sorted(snapshot.causes, key=lambda cause: -cause[1])
    for cause, number, example in causes[:CAUSES]:
        yield f"    {number:,} {'row' if number == 1 else 'rows'}: {cause}, like {example}"


def facts(groups, unread=0):
    """Return the same as data: {"runs": [{name, state, left, command_line, stages}], "unread"}."""
    return {"runs": [{"name": name_of(group), "state": state_of(group),
                      "left": pipelines.left_of(group), "command_line": command_line(group),
                      "stages": [each._asdict() | {"state": each.state()} for each in group]}
                     for group in groups], "unread": unread}


def found(dest=None):
    """Return (pipelines, files that are none): all of the user's, or those that are at work in a
    destination, an absolute path.
    """
    snapshots, unread = pipelines.all_runs()
    groups = pipelines.pipelines(snapshots)
    return (at(dest, groups), 0) if dest else (groups, unread)


def at(dest, groups):
    """Return the pipelines that work in a destination, an absolute path."""
    return [group for group in groups if any(each.dest == dest for each in group)
            and pipelines.is_at_work(group)]


def status_of(groups):
    """Return the exit status: 1 if any of them died or failed, or has rows that did."""
    is_wrong = any(state_of(group) in (DEAD, FAILED) or any(map(wrong_of, group))
                   for group in groups)
    return SOME_FAILED if is_wrong else ALL_DONE
