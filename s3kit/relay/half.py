"""Half of a row's way: s3-fetch or s3-put, a process that takes rows and gives them back."""

import signal
import subprocess
import threading
from queue import SimpleQueue

from s3kit.errors import Fault
from s3kit.manifest.streams import Input, Output
from s3kit.pipeline.processes import LastWords, argv_of, see_ended

NUMBER = "relay"        # the column of ours by which rows are known again
TRUE_STATUSES = (0, 1, 5)
SECONDS_TO_END = 1.5    # of the 2 that a command has to stop in


class Half:
    """A command that runs, with `words` in the environment `env`; `hear(event)` gets, in threads of
    ours, ("rows", this, rows) and at last ("ended", this).

    `out` has what it was given and has not given back, by number; `fed` how many it was given, and
    `names` the last name that it was given of each key: it lets no other object have the path and
    the target of one that it has had.
    """

    def __init__(self, words, env, hear):
        self.name, self.hear, self.env = f"s3-{words[0]}", hear, env
        self.process = subprocess.Popen(argv_of(words), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
        self.out, self.names, self.fed = {}, {}, 0
        self.is_ending = self.is_stopped = False
        self.is_whole, self.words = False, LastWords(self.process)
        self.queue = SimpleQueue()
        self.threads = [threading.Thread(target=target, name=f"{self.name} {target.__name__}",
                                         daemon=True) for target in (self.write, self.read)]
        for thread in self.threads:
            thread.start()

    def feed(self, deliveries, bucket):
        """Give it Deliveries."""
        given = []
        for delivery in deliveries:
            self.fed += 1
            self.out[self.fed] = delivery
            self.names[delivery.key] = delivery.name
            row = delivery.row(bucket)
            row.extra = {NUMBER: str(self.fed)}
            given.append(row)
        self.queue.put(given)

    def finish(self):
        """Give it no more: it ends when all is done."""
        if not self.is_ending:
            self.is_ending = True
            self.queue.put(None)

    def stop(self):
        """Have it stop where it is; the same rows can be given to another."""
        self.is_ending = self.is_stopped = True
        self.process.send_signal(signal.SIGTERM)
        self.queue.put(None)

    def taken_back(self, row):
        """Return the Delivery that a Row is of, which is not out any more; None if it is of none.
        """
        number = row.optional(NUMBER)
        return self.out.pop(int(number), None) if number.isdecimal() else None

    @property
    def reason(self):
        """The last that it has said, '' where it has said nothing."""
        return self.words.text

    @property
    def has_failed(self):
        """Whether it has ended otherwise than it should."""
        return not self.is_whole or self.process.returncode not in TRUE_STATUSES

    # --- the threads

    def write(self):
        """Write rows as they come, and the end mark."""
        output = Output(file=self.process.stdin)
        try:
            while (given := self.queue.get()) is not None:
                output.write(given, [NUMBER])
                self.process.stdin.flush()
            output.close()
        except (OSError, ValueError):
            pass            # it has ended: its reader says so

    def read(self):
        """Hand on the rows that it writes."""
        source = Input(self.process.stdout.fileno(), self.name)
        try:
            for batch in source.batches():
                self.hear(("rows", self, batch))
            self.is_whole = True
        except (Fault, OSError):
            pass            # cut: what has not come is still out
        self.process.wait()
        self.words.join(1)
        self.hear(("ended", self))


def stop_all(halves):
    """End commands, and see that they do."""
    for half in halves:
        half.stop()
    see_ended([half.process for half in halves], SECONDS_TO_END)
