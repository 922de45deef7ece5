"""INT and TERM: the first asks, the second ends; what each leaves behind."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from s3kit.cli.signals import Interrupted, Signals

ROOT = Path(__file__).resolve().parents[3]
START = """import os, signal, sys, time
sys.path.insert(0, {root!r})
from s3kit.cli.signals import Interrupted, Signals, die_of
def send(number=signal.SIGINT):
    os.kill(os.getpid(), number)
    time.sleep(0)       # where Python looks for signals
{body}
print("the end")
"""


def run(body, **options):
    """Run a script; return (its status, the last word that it said)."""
    done = subprocess.run([sys.executable, "-c", START.format(root=str(ROOT), body=body)],
                          text=True, timeout=60, stdout=subprocess.PIPE, **options)
    return done.returncode, done.stdout.strip()


CAUGHT = """Signals.watch()
try:
    send({})
except Interrupted as error:
    print(error.args[0], Signals.number)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_stops_here_and_now(number):
    assert run(CAUGHT.format(int(number))) == (0, f"{int(number)} {int(number)}\nthe end")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_the_second_ends_by_the_signal_itself(first, number):
    """So that the shell knows, whatever the first one was."""
    body = f"Signals.watch(); Signals.graceful = True; send({int(first)}); send({int(number)})"
    assert run(body) == (-number, "")


def test_a_graceful_stop_is_asked_for():
    """The work goes on to where it is whole, and looks there."""
    body = """Signals.watch(); Signals.graceful = True
send()
print("whole")
try:
    Signals.check()
except Interrupted as error:
    print(error.args[0])"""
    assert run(body) == (0, "whole\n2\nthe end")


def test_what_is_ignored_stays_ignored():
    """As under nohup, or in the background of a script."""
    body = """signal.signal(signal.SIGINT, signal.SIG_IGN); Signals.watch()
send()"""
    assert run(body) == (0, "the end")


def test_sigpipe_stays_as_python_has_it():
    body = """before = signal.getsignal(signal.SIGPIPE); Signals.watch()
print(before == signal.getsignal(signal.SIGPIPE))"""
    assert run(body) == (0, "True\nthe end")


def test_output_that_cannot_be_flushed_does_not_stop_an_end():
    body = "sys.stderr.close(); die_of(signal.SIGTERM)"
    assert run(body) == (-signal.SIGTERM, "")


@pytest.fixture
def watched(monkeypatch):
    """Let Signals be as at the beginning, and again afterwards."""
    monkeypatch.setattr(Signals, "number", 0)
    monkeypatch.setattr(Signals, "graceful", True)


def test_within_a_call_that_may_take_long_a_signal_stops_at_once(watched):
    with pytest.raises(Interrupted):
        with Signals.at_once():
            Signals.take(signal.SIGINT, None)
    assert Signals.graceful and Signals.number == signal.SIGINT


def test_a_signal_that_came_before_such_a_call_stops_it_before_it_begins(watched):
    Signals.take(signal.SIGTERM, None)
    with pytest.raises(Interrupted) as told:
        with Signals.at_once():
            raise AssertionError("it began")
    assert told.value.args == (signal.SIGTERM,) and Signals.graceful


def test_without_a_signal_nothing_happens(watched):
    with Signals.at_once():
        assert not Signals.graceful
    Signals.check()
    assert Signals.graceful
