"""A Dask cluster for tests: a scheduler and its workers on loopback, each a process of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120           # for a process to come up


def free_port():
    """Return a port that is free now."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


class Cluster:
    """A scheduler and `count` workers of one thread each, their logs in `folder`; ended at the
    block's end. `env` is theirs, `before` are words before a worker's command (strace).
    """

    def __init__(self, folder, count, env=None, threads=1, before=(), nanny=False, port=None):
        self.folder, self.count, self.threads = Path(folder), count, threads
        self.before, self.nanny = list(before), nanny
        self.port, self.dashboard = port or free_port(), free_port()
        self.env = {name: value for name, value in os.environ.items()
                    if not name.startswith("AWS_")} | {"PYTHONPATH": str(ROOT)} | (env or {})
        self.scheduler, self.workers, self.started = None, [], 0

    @property
    def address(self):
        """The scheduler's address."""
        return f"tcp://127.0.0.1:{self.port}"

    def __enter__(self):
        try:
            self.start_scheduler()
            for _ in range(self.count):
                self.start_worker()
            self.until(lambda: self.nodes() == self.count)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def daemon(self, log, *words):
        """Start a process."""
        with open(self.folder / log, "ab") as file:
            return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                                    env=self.env, cwd=self.folder, start_new_session=True)

    def start_scheduler(self):
        """Start the scheduler."""
        self.scheduler = self.daemon(
            "scheduler.log", sys.executable, "-m", "distributed.cli.dask_scheduler",
            "--host", "127.0.0.1", "--port", str(self.port), "--dashboard-address",
            f"127.0.0.1:{self.dashboard}")

    def start_worker(self):
        """Start one more worker."""
        self.started += 1
        words = [sys.executable, "-m", "distributed.cli.dask_worker", self.address,
                 "--nthreads", str(self.threads), "--host", "127.0.0.1",
                 "--nanny" if self.nanny else "--no-nanny", "--no-dashboard",
                 "--local-directory", str(self.folder), "--death-timeout", "60"]
        before = [word.format(number=self.started) for word in self.before]
        self.workers.append(self.daemon(f"worker-{self.started}.log", *before, *words))
        return self.workers[-1]

    def kill(self, process):
        """Kill a process with all that it has started in its session."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process in self.workers:
            self.workers.remove(process)

    def page(self, path):
        """Return a page of the scheduler's dashboard, as text."""
        from urllib.request import urlopen
        with urlopen(f"http://127.0.0.1:{self.dashboard}/{path}", timeout=30) as answer:
            return answer.read().decode()

    def nodes(self):
        """Return how many workers the scheduler knows; -1 while it does not answer."""
        try:
            return json.loads(self.page("json/counts.json"))["workers"]
        except (OSError, ValueError):
            return -1

    def until(self, is_so):
        """Wait until something is so."""
        end = time.monotonic() + SECONDS
        while not is_so():
            if time.monotonic() > end:
                raise AssertionError(self.logs()[-3000:])
            time.sleep(0.1)

    def logs(self):
        """Return all that the processes have said."""
        return "".join(log.read_text(errors="replace") for log in sorted(self.folder.glob("*.log")))

    def stop(self):
        """End all."""
        for process in [*self.workers, self.scheduler]:
            if process and process.poll() is None:
                self.kill(process)
        self.workers.clear()
