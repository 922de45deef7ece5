"""What is asked side by side, and never waited for long.

A machine that needs a doctor has services that do not answer. So each is asked in a thread of its
own, which is left behind when its time is over.
"""

import concurrent.futures
import threading
import time
from concurrent.futures import Future

Late = concurrent.futures.TimeoutError

SECONDS = 3.5               # in all, for what a sick machine is asked
LEAST = 2.0                 # but so long, however slowly we started


def aside(call, *values):
    """Have `call(*values)` done in a thread that nobody must wait for; return its Future."""
    future = Future()

    def run():
        try:
            future.set_result(call(*values))
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


class Limit:
    """How long all answers together are waited for."""

    def __init__(self):
        self.seconds = SECONDS
        self.until = time.monotonic() + SECONDS

    def started(self):
        """Leave LEAST seconds from now on, whatever was used up before anything was asked."""
        self.until = max(self.until, time.monotonic() + LEAST)

    def wait(self, future):
        """Return what a Future brings before the time is over. Raises Late, or what it raises."""
        return future.result(max(0.0, self.until - time.monotonic()))
