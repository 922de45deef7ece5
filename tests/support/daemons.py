"""Servers of several processes, for tests: they are started in order and ended last first."""

import subprocess
import time

import servers

SECONDS = 90            # for one daemon to come up


class Daemons(servers.Server):
    """What such servers share; `start` makes the configuration and calls `daemon` for each."""

    def __init__(self, folder=None):
        super().__init__(folder)
        self.processes = []

    def start(self):
        """Bring all of it up; return self. What fails leaves nothing running."""
        try:
            self.bring_up()
        except BaseException:
            self.stop()
            raise
        return self

    def bring_up(self):
        """Make the configuration, start the daemons, make the users."""
        raise NotImplementedError

    def call(self, *words):
        """Run a program to its end; return what it wrote."""
        done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS,
                              cwd=self.folder)
        if done.returncode:
            raise RuntimeError(f"{words[0]}: {done.stdout}{done.stderr}")
        return done.stdout

    def daemon(self, *words):
        """Start a daemon in a session of its own."""
        with open(self.folder / "log", "ab") as log:
            self.processes.append(subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                cwd=self.folder))

    def until_it_answers(self):
        """Wait until `url` answers."""
        end = time.monotonic() + SECONDS
        while not servers.answers(self.url):
            if time.monotonic() > end:
                tail = (self.folder / "log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{type(self).__name__} does not answer:\n{tail}")
            time.sleep(0.1)

    def stop(self):
        """End the daemons, last first."""
        while self.processes:
            process = self.processes.pop()
            servers.end(process.pid)
            process.wait()
        servers.shutil.rmtree(self.folder, ignore_errors=True)
