"""An Executor whose work is done by one thread: how that is woken, how it ends, and what its death
means.
"""

import os
import threading
from concurrent.futures import Executor, InvalidStateError


class LoopExecutor(Executor):
    """Subclasses have `loop()`, which the thread runs until it is over, and `outstanding()`, the
    Futures not answered yet.

    `ending` says that no more will be submitted, `gone` that nobody waits for what was. An
    exception that leaves `loop` is kept in `fault`; every Future outstanding gets it, and so does
    whoever submits more.
    """

    def __init__(self, name):
        self.name = name
        self.lock = threading.Lock()
        self.ending = self.gone = False
        self.fault = None
        self.wake_out, self.wake_in = os.pipe()
        os.set_blocking(self.wake_out, False)
        os.set_blocking(self.wake_in, False)
        self.is_closed = False
        self.thread = threading.Thread(target=self.run, name=name, daemon=True)

    def loop(self):
        """Do what is submitted, until `ending` and nothing is left, or `gone`."""
        raise NotImplementedError

    def outstanding(self):
        """Return the Futures that have no result yet; the lock is held."""
        raise NotImplementedError

    def run(self):
        """The thread: the loop, and what follows where an exception ends it."""
        fault = None
        try:
            self.loop()
        except BaseException as error:      # of whatever kind: nobody else would hear of it
            fault = error
        with self.lock:
            self.fault, self.ending, self.is_closed = fault, True, True
            left = self.outstanding()
            os.close(self.wake_out)
            os.close(self.wake_in)
        for future in left:
            if fault is None:
                future.cancel()
            else:
                settle(future.set_exception, fault)

    def check_open(self):
        """Raise the fault, or RuntimeError, where nothing can be submitted any more; the lock is
        held.
        """
        if self.fault is not None:
            raise self.fault
        if self.ending:
            raise RuntimeError(f"the {self.name} has ended")

    def wake(self):
        """Let the thread look at what changed."""
        with self.lock:
            if not self.is_closed:
                try:
                    os.write(self.wake_in, b".")
                except BlockingIOError:
                    pass        # it has been woken often enough

    def drain(self):
        """Forget what woke the thread."""
        try:
            os.read(self.wake_out, 1 << 16)
        except BlockingIOError:
            pass

    def shutdown(self, wait=True, *, cancel_futures=False):
        """End: let what was submitted be done, or with `cancel_futures` break it off."""
        with self.lock:
            self.ending, self.gone = True, self.gone or cancel_futures
        self.wake()
        if wait:
            self.thread.join()


def settle(setter, value):
    """Call a Future's set_result or set_exception, unless somebody has cancelled it."""
    try:
        setter(value)
    except InvalidStateError:
        pass
