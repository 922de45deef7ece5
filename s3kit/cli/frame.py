"""The frame of every command: standard descriptors, faults, exit status."""

import gc
import os
import signal
import sys

from s3kit.cli.messages import say
from s3kit.cli.signals import Interrupted, Signals, die_of
from s3kit.errors import UNFINISHED, Fault, reason

GARBAGE = 50_000            # objects between two runs of the garbage collector; rows make no cycles


def open_standard():
    """Open what is closed of descriptors 0 to 2, so that no other file gets their numbers.

    stdout becomes unwritable, not a place where output vanishes.
    """
    for fd, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, mode)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)


def run(made, work, argv=None):
    """Parse the arguments, run `work(args)`, return its exit status; every expected fault is one line."""
    open_standard()
    Signals.watch()
    gc.set_threshold(GARBAGE)
    try:
        return attempt(made, work, argv)
    finally:
        for stream, fd in ((sys.stdout, 1), (sys.stderr, 2)):
            try:
                stream.flush()
            except (OSError, ValueError):
                # What Python could not write at its end would change our status to 120.
                os.dup2(os.open(os.devnull, os.O_WRONLY), fd)


def attempt(made, work, argv):
    """Do what `run` says; what people must know of a failure is said here."""
    name = made.prog
    try:
        status = work(made.parse_args(argv))
        sys.stdout.flush()
        return status
    except SystemExit as end:
        try:
            sys.stdout.flush()
        except OSError as error:
            return not_written(name, error)
        return end.code
    except Interrupted as interrupted:
        return stop(interrupted.args[0])
    except Fault as fault:
        say(name, fault)
        return Signals.number and stop(Signals.number) or fault.status
    except BrokenPipeError as error:
        return not_written(name, error)
    except OSError as error:
        return not_written(name, error) if error.filename is None else fail(name, error)
    except ImportError as error:
        say(name, f"cannot load '{error.name}': {error} (pip install s3kit, or use its environment's bin)")
        return UNFINISHED


def fail(name, error):
    """Say an OSError about a file; return the status."""
    say(name, f"cannot use '{error.filename}': {reason(error)}")
    return UNFINISHED


def not_written(name, error):
    """Our reader has gone: die of it as coreutils do; or the output could not be written: say so."""
    muted = os.open(os.devnull, os.O_WRONLY)
    os.dup2(muted, 1)
    if isinstance(error, BrokenPipeError):
        die_of(signal.SIGPIPE)
    say(name, f"cannot write the output: {reason(error)}")
    return UNFINISHED


def stop(number):
    """Die of the signal that came."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    die_of(number)
    return 128 + number
