"""A thread of every command that tells how it goes: in the run file of the process, for s3-status
and the other stages of its pipe; on the terminal; and without one in a line now and then.

Nothing of a command's work waits for it. What it tells is read from Tally and Progress, which only
count.
"""

import os
import signal
import threading
import time

from s3kit.cli.messages import Screen, say
from s3kit.cli.progress import Progress

PUBLISH_SECONDS = 1.0
DRAW_SECONDS = 0.25
LINE_SECONDS = 60.0     # between two lines without a terminal, if nobody says otherwise
END_SECONDS = 2.0       # that the end waits for the thread


class Reporter(threading.Thread):
    """Tells how the run of this process goes; `args` are of its command line."""

    current = None

    def __init__(self, args):
        super().__init__(name="reporter", daemon=True)
        self.args, self.began = args, time.time()
        self.home = self.path = self.ourselves = None
        self.over, self.others, self.fault = threading.Event(), [], ""
        self.line_seconds = getattr(args, "progress", None)

    @classmethod
    def begin(cls, args):
        """Begin to tell; a process has one.

        The thread gets no signals: one that it had would not end what the main thread waits for.
        """
        cls.current = cls(args)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            cls.current.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    @classmethod
    def end(cls, status):
        """Tell the exit status, and no more."""
        reporter, cls.current = cls.current, None
        if reporter is None:
            return
        Screen.clear()
        reporter.over.set()
        reporter.join(END_SECONDS)
        if not reporter.is_alive():
            reporter.publish(status=status, ended=time.time(), fault=reporter.fault)

    @classmethod
    def note_fault(cls, fault):
        """Note what ends the run, to be told with its status."""
        if cls.current:
            cls.current.fault = str(fault)

    def run(self):
        """Tell, until the end."""
        from s3kit.cli.ourselves import Ourselves
        from s3kit.runs import folder
        self.ourselves, self.home = Ourselves(self.args, self.began), folder.made()
        if self.home and getattr(self.args, "is_published", True):
            self.path = os.path.join(self.home, self.ourselves.name)
            self.publish()
            folder.sweep(self.home)
        published = lined = time.monotonic()
        while not self.over.wait(DRAW_SECONDS if self.draws() else PUBLISH_SECONDS):
            now = time.monotonic()
            if now - published >= PUBLISH_SECONDS - DRAW_SECONDS / 2:
                published = now
                self.publish()
                self.others = self.neighbours() if self.draws() else []
            if self.draws():
                self.draw()
            elif now - lined >= (self.line_seconds or LINE_SECONDS):
                lined = now
                self.tell_line()

    def publish(self, **end):
        """Write the run file; where that cannot be, nobody hears of it."""
        from s3kit.runs import folder
        try:
            if self.path:
                folder.write(self.path, self.ourselves.snapshot(self.draws(), **end).to_json())
        except OSError:
            self.path = None

    def draws(self):
        """Whether there is a bar to draw."""
        progress = Progress.current
        return bool(progress and progress.is_shown and not progress.is_closed
                    and not self.line_seconds)

    def neighbours(self):
        """Return the Snapshots of those that share the terminal with us."""
        from s3kit.runs import pipelines
        here = self.ourselves.facts
        return [each for each in (pipelines.live_runs(self.home) if self.path else ())
                if each.terminal == self.ourselves.terminal and each.group == here["group"]
                and each.pid != here["pid"]]

    def draw(self):
        """Draw all stages that share the terminal, if we are the last of them."""
        from s3kit.cli.bars import Bars
        from s3kit.runs import pipelines
        ours = self.ourselves.snapshot(True)
        shown = pipelines.in_order([*self.others, ours])
        with Screen.lock:
            if not self.draws():
                return
            Screen.bars = Screen.bars or Bars()
            if shown[-1] is ours:
                Screen.bars.draw(shown)
            else:
                Screen.bars.height = 0      # another draws now, in the same place

    def tell_line(self):
        """Say in a line how it goes."""
        from s3kit.runs.facts import facts_of
        progress = Progress.current
        if progress and not progress.quiet and not progress.is_closed:
            snapshot = self.ourselves.snapshot()
            say(self.args.prog, ", ".join(facts_of(snapshot, snapshot.left)))
