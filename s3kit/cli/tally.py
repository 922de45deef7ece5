"""What a command has done so far: rows and bytes by name, told in its summary and by its exit
status.
"""

import threading
from collections import Counter

from s3kit.cli.messages import say
from s3kit.cli.person import working_time
from s3kit.errors import DONE, SOME_FAILED, UNVERIFIABLE
from s3kit.text import cause_of, count, visible
from s3kit.units import show_span

MOST_CAUSES = 50
OTHERS = "other causes"


class Tally:
    """Counts the rows that leave a command; its threads may all count at once.

    `states` is {state: rows}; `amounts` is {name: number} of everything else that is counted
    (files, bytes); `causes` is {cause: [rows, example]} of those that failed here. `at_work()`
    tells what each worker is at (see WorkerProcess); `said` is the summary, once there is one.
    """

    current = None      # that of this process

    def __init__(self, args, next_step="the same command goes on"):
        self.next_step = next_step      # after an interruption
        self.name, self.quiet, self.verbose = args.prog, args.quiet, args.verbose
        self.states, self.amounts = Counter(), Counter()
        self.causes, self.at_work, self.said = {}, list, ""
        self.started = working_time()
        self.lock = threading.Lock()
        Tally.current = self

    def count(self, row, told=False):
        """Count a row by its state; one that failed here (`told`) is named on stderr, with the
        reason.
        """
        with self.lock:
            self.states[row.state] += 1
        if told and row.error:
            self.note_cause(row)
            say(self.name, f"{row.name}: {row.error}")
        elif self.verbose:
            self.tell(row)

    def note_cause(self, row):
        """Count what a row failed for."""
        cause = cause_of(row.error)
        with self.lock:
            if cause not in self.causes and len(self.causes) >= MOST_CAUSES:
                cause = OTHERS
            self.causes.setdefault(cause, [0, visible(f"{row.name}: {row.error}")])[0] += 1

    def seen(self):
        """Return ({state: rows}, {name: number}, [[cause, rows, example]]) of this moment."""
        with self.lock:
            return (dict(self.states), dict(self.amounts),
                    [[cause, *found] for cause, found in self.causes.items()])

    def tell(self, row):
        """Name a row on stderr, and its state."""
        say(self.name, f"{row.name}: {row.state or 'passed on'}")

    def count_all(self, rows):
        """Count rows as `count` does, none of which failed here."""
        with self.lock:
            self.states.update(row.state for row in rows)
        for row in rows if self.verbose else ():
            self.tell(row)

    def add(self, name, number=1):
        """Add to the amount of this name."""
        with self.lock:
            self.amounts[name] += number

    def amount(self, name):
        """Return the amount of this name, 0 if nothing was added."""
        return self.amounts.get(name, 0)

    def of(self, *states):
        """Return how many rows left in any of the states."""
        return sum(self.states.get(state, 0) for state in states)

    def rows(self):
        """Return how many rows left."""
        with self.lock:
            return sum(self.states.values())

    def say(self, text):
        """Write a line that tells of no row's fault, unless -q was given."""
        if not self.quiet:
            say(self.name, text)

    def status(self, unverifiable=True):
        """Return 1 if any row is wrong, 5 if some could not be verified (and `unverifiable`), else
        0.
        """
        from s3kit.manifest.row import UNVERIFIABLE as CANNOT_TELL
        from s3kit.manifest.row import WRONG
        if self.of(*WRONG):
            return SOME_FAILED
        return UNVERIFIABLE if self.of(CANNOT_TELL) and unverifiable else DONE

    def summary(self, progress, parts):
        """Say in one line what was done: the parts that are not empty, and how long it took."""
        text = ", ".join(part for part in parts if part) or count(0, "row")
        self.said = f"{text} in {show_span(working_time() - self.started)}"
        progress.end(f"{self.name}: {self.said}")
