"""Our commands as processes, each reading what the one before it writes."""

import os
import signal
import subprocess
import sys
import threading
import time

from s3kit.units import READ_TIMEOUT

SECONDS_TO_END = 1.8                        # of the 2 that a command has to stop in
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# A command as a process that ends with us, in a group of its own: the terminal's signals come to
# us, who pass them on once. Without '', the current directory: no module there is taken for one of
# ours (as in pool.py).
START = """import os, sys
sys.path[:] = [sys.argv[1], *filter(None, sys.path)]
os.setpgrp()
from s3kit.pipeline.worker import die_with
die_with(int(sys.argv[2]))
from importlib import import_module
main = import_module(sys.argv[3]).main
del sys.argv[:3]
sys.exit(main())"""


def argv_of(words):
    """Return the argument list of a process that runs a command of ours, its words without `s3-`.
    """
    return argv_of_module(f"s3kit.commands.{words[0]}", *words[1:])


def argv_of_module(module, *words):
    """Return the argument list of a process that runs the `main` of a module of ours."""
    return [sys.executable, "-c", START, ROOT, str(os.getpid()), module, *words]


def s3_words(args):
    """Return the S3 options as a command's words."""
    return (words_of(args, "profile", "region", "endpoint_url", "request_payer", "ca_bundle") + [
        f"--{name.replace('_', '-')}"
        for name in ("no_sign_request", "no_verify_ssl") if getattr(args, name)] + [
            f"--read-timeout={args.read_timeout}"] * (args.read_timeout != READ_TIMEOUT))


def words_of(args, *names):
    """Return the options of these names that were given a value, as words."""
    return [f"--{name.replace('_', '-')}={value}"
            for name in names if (value := getattr(args, name))]


class Pipeline:
    """Commands of ours as processes, each reading what the one before it writes."""

    def __init__(self, stages, hear):
        self.names = [f"s3-{words[0]}" for words in stages]
        self.processes, self.reader, self.listener = [], None, None
        errors = None                       # a terminal gets their bars as well
        if not os.isatty(2):
            self.reader, errors = os.pipe()
            self.listener = threading.Thread(target=self.listen, args=(hear,), daemon=True)
            self.listener.start()
        try:
            source = subprocess.DEVNULL
            for words in stages:
                last = len(self.processes) == len(stages) - 1
                process = subprocess.Popen(argv_of(words), stdin=source,
                                           stdout=subprocess.DEVNULL if last else subprocess.PIPE,
                                           stderr=errors)
                self.processes.append(process)
                if source != subprocess.DEVNULL:
                    source.close()
                source = process.stdout
        except BaseException:
            self.end()
            raise
        finally:
            if errors is not None:
                os.close(errors)

    def listen(self, hear):
        """Pass on what the commands tell people."""
        # A signal that this thread took would not wake the other from its waiting (as `kill %1` of
        # a stopped job).
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
        with open(self.reader, encoding="utf-8", errors="backslashreplace", newline="\n") as lines:
            for line in lines:
                hear(line.rstrip("\n"))

    def run(self):
        """Wait for all of them; return what is to be said of those that could not finish."""
        try:
            for process in self.processes:
                process.wait()
        except BaseException:
            self.end()
            raise
        finally:
            if self.listener:
                self.listener.join(SECONDS_TO_END)
        return [f"{name} {'was ended by signal' if status < 0 else 'ended with status'} "
                f"{abs(status)}" for name, status
                in zip(self.names, (process.returncode for process in self.processes))
                if status not in (0, 1, 5)]

    def end(self):
        """Ask them to stop, and see that they do."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        see_ended(self.processes)


class LastWords(threading.Thread):
    """Keeps the last line that a process of ours says on its stderr, a pipe: `text`, without the
    command's name.
    """

    def __init__(self, process):
        super().__init__(name="last words", daemon=True)
        self.process, self.text = process, ""
        self.start()

    def run(self):
        """Read what it says to the end."""
        with open(os.dup(self.process.stderr.fileno()), encoding="utf-8",
                  errors="backslashreplace") as lines:
            for line in lines:
                self.text = line.rstrip("\n").partition(": ")[2] or self.text


def see_ended(processes, seconds=SECONDS_TO_END):
    """Wait so many seconds in all for processes that were asked to stop; kill those that do not."""
    limit = time.monotonic() + seconds
    for process in processes:
        try:
            process.wait(max(0.0, limit - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
