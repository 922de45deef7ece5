"""The frame of every command: it parses, does the work, and says what failed; then the exit status.
"""

import gc
import os
import signal
import sys
import threading

from s3kit.cli.messages import say
from s3kit.cli.reporter import Reporter
from s3kit.cli.signals import Interrupted, Signals, die_of
from s3kit.cli.standard import NotWritten, mute, open_standard
from s3kit.cli.progress import Progress
from s3kit.cli.tally import Tally
from s3kit.errors import UNFINISHED, Fault, reason
from s3kit.text import count, visible

GARBAGE = 50_000            # objects between two runs of the garbage collector; rows make no cycles


def run(made, work, argv=None):
    """Parse the arguments with the parser `made`, run `work(args)`, return its exit status.

    Every expected fault is one line on stderr; any other shows its trace and ends with status 3.
    """
    gc.set_threshold(GARBAGE)
    status = UNFINISHED
    try:
        status = attempt(made, work, argv)
        return status
    finally:
        Signals.graceful = True     # the end is near anyway
        Reporter.end(status)
        for stream, fd in ((sys.stdout, 1), (sys.stderr, 2)):
            try:
                stream.flush()
            except (OSError, ValueError):
                mute(fd)


def attempt(made, work, argv):
    """Do what `run` says; what people must know of a failure is said here."""
    name = made.prog
    threading.excepthook = lambda failed: thread_failed(name, failed)
    try:
        open_standard()
        Signals.watch()
        args = made.parse_args(argv)
        Reporter.begin(args)
        status = work(args)
        sys.stdout.flush()
        return status
    except SystemExit as end:           # --help and --version
        return flushed(name, end.code)
    except Interrupted as interrupted:
        say_interrupted(name, interrupted.args[0])
        return stop(interrupted.args[0])
    except Fault as fault:
        Reporter.note_fault(fault)
        say(name, fault)
        return Signals.number and stop(Signals.number) or fault.status
    except NotWritten as error:
        return not_written(name, error)
    except OSError as error:
        return unexpected(name, error) if error.filename is None else fail(name, error)
    except ModuleNotFoundError as error:
        return unexpected(name, error) if is_ours(error.name) else not_installed(name, error)
    except Exception as error:
        if isinstance(error, SystemError) and isinstance(error.__cause__, Interrupted):
            return stop(error.__cause__.args[0])    # it came while libcurl had called us
        return unexpected(name, error)


def flushed(name, status):
    """Write what is left of stdout; return the status."""
    try:
        sys.stdout.flush()
    except NotWritten as error:
        return not_written(name, error)
    return status


def fail(name, error):
    """Say an OSError about a file; return the status."""
    say(name, f"cannot use '{error.filename}': {reason(error)}")
    return UNFINISHED


def is_ours(module):
    """Return whether a module's name is of this package, or unknown."""
    return not module or module.partition(".")[0] == "s3kit"


def not_installed(name, error):
    """Say which library is missing; return the status."""
    say(name,
        f"cannot load '{error.name}': {error} (pip install s3kit, or use its environment's bin)")
    return UNFINISHED


def unexpected(name, error):
    """Show the trace of an exception that nobody expected, and what to do with it; return the
    status.
    """
    import traceback        # which costs every start 3 ms
    lines = "".join(traceback.format_exception(error)).splitlines()
    try:
        sys.stderr.write("".join(f"{visible(line)}\n" for line in lines))
    except (OSError, ValueError, AttributeError):
        pass            # stderr is closed or full
    say(name,
        f"this is a fault of s3kit ({type(error).__name__}): please report it with the lines above")
    return UNFINISHED


def thread_failed(name, failed):
    """End the command at once, as a kill would: nobody knows what waits for a thread of ours that
    has ended.

    A library's own thread (the one that redraws a progress bar) is only shown. `failed` is as
    threading.excepthook has it.
    """
    if failed.exc_type is Interrupted:
        return
    unexpected(name, failed.exc_value)
    if type(failed.thread) is threading.Thread:
        os._exit(UNFINISHED)


def not_written(name, error):
    """Say that the output could not be written; if its reader has gone, die of SIGPIPE as coreutils
    do.
    """
    mute(1)
    if error.is_pipe:
        Reporter.end(128 + signal.SIGPIPE)
        die_of(signal.SIGPIPE)
    say(name, f"cannot write the output: {reason(error)}")
    return UNFINISHED


def stop(number):
    """Die of the signal that came."""
    mute(1)
    Reporter.end(128 + number)
    die_of(number)
    return 128 + number


def say_interrupted(name, number):
    """Tell people how far it had come when the signal came, where rows were counted."""
    tally, progress = Tally.current, Progress.current
    if progress:
        progress.close()
    if tally and not tally.quiet:
        total = progress.total() if progress and progress.unit != "B" else (0, False)
        done = tally.rows()
        rows = (f"{done:,} of {count(total[0], 'row')}" if total[0] and not total[1]
                else count(done, "row"))
        word = "interrupted" if number == signal.SIGINT else "stopped"
        say(name, f"{word}; {rows} done; {tally.next_step}")
