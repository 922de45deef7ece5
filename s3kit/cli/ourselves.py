"""What this process says of itself: a Snapshot of its Tally and its Progress."""

import os
import sys
import time

from s3kit import __version__
from s3kit.cli.progress import Progress
from s3kit.cli.tally import Tally
from s3kit import process
from s3kit.runs.folder import file_name
from s3kit.runs.pace import Pace
from s3kit.runs.snapshot import Snapshot, as_text, shown_argv
from s3kit.text import visible

WORKERS = 64            # of which is told, at most
NOTED_SECONDS = 0.9     # between two looks at how fast it goes
WORKER_SPAN = 10.0      # seconds that a worker's speed is of: with a limit it comes in bursts


class Ourselves:
    """This process, `args` being those of its command line."""

    def __init__(self, args, began):
        pid, dest = os.getpid(), getattr(args, "dest", None)
        self.facts = {
            "command": args.prog, "argv": shown_argv([args.prog, *sys.argv[1:]]),
            "cwd": directory(), "dest": as_text(os.path.abspath(dest)) if dest else "",
            "run": getattr(args, "run", None) or "", "version": __version__, "began": began,
            "pid": pid, "start": process.start_of(pid), "world": process.world(),
            "parent": os.getppid(), "group": os.getpgrp(),
            "source": process.pipe_of(0), "target": process.pipe_of(1)}
        self.terminal = process.terminal_of(2)
        self.name = file_name(pid, self.facts["start"], began)
        self.steps, self.moved, self.noted, self.paces = None, began, 0.0, {}

    def snapshot(self, is_drawn=False, status=0, ended=0.0, fault=""):
        """Return the Snapshot of this moment; `is_drawn`: there is a bar on the terminal, `fault`
        is what ended the run.
        """
        now, progress, tally = time.time(), Progress.current, Tally.current
        facts = dict(self.facts, written=now, status=status, ended=ended,
                     terminal=self.terminal if is_drawn else "")
        if progress:
            facts |= self.of_progress(progress)
        if tally:
            facts |= of_tally(tally) | {"workers": self.workers(tally, now)}
        if fault:
            facts["said"] = visible(fault)
        steps = facts.get("done"), facts.get("rows"), facts.get("text")
        if steps != self.steps:
            self.steps, self.moved = steps, now
        return Snapshot(**facts, moved=self.moved)

    def of_progress(self, progress):
        """Return what Progress says."""
        at, (total, is_about) = time.monotonic(), progress.total()
        if at - self.noted >= NOTED_SECONDS:
            self.noted = at
            progress.pace.note(at, progress.done)
        left = progress.pace.left(total - progress.done) if total else None
        return {"unit": progress.unit, "done": progress.done, "total": total, "is_about": is_about,
                "expected": progress.expected, "speed": progress.pace.speed, "text": progress.text,
                "left": -1.0 if left is None else left}

    def workers(self, tally, now):
        """Return what the workers are at, each with its speed."""
        found, at = [], time.monotonic()
        for process_id, jobs, said in tally.at_work()[:WORKERS]:
            host, _, pid = str(process_id).rpartition(":")
            requests, name, moved, size, seconds, total = said or (0, "", 0, 0, 0.0, 0)
            pace = self.paces.setdefault(process_id, Pace(at, total, WORKER_SPAN))
            pace.note(at, total)
            since = now - seconds if name else 0.0
            found.append({"host": as_text(host), "pid": int(pid), "jobs": jobs, "since": since,
                          "requests": requests, "name": as_text(name), "moved": moved,
                          "size": size, "speed": pace.speed})
        return found


def directory():
    """Return the current directory as text, '' where it is gone."""
    try:
        return as_text(os.getcwd())
    except OSError:
        return ""


def of_tally(tally):
    """Return what a Snapshot has of a Tally."""
    states, amounts, causes = tally.seen()
    return {"rows": states, "causes": causes, "said": tally.said,
            "tried_again": amounts.get("tried again", 0),
            "slowed_down": amounts.get("slowed down", 0)}
