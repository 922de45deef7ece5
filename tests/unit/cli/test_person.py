"""Questions at a terminal."""

import os
import pty
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from terminals import pieces

from s3kit.cli import person

ROOT = Path(__file__).resolve().parents[3]
START = f"""import sys, time
sys.path.insert(0, {str(ROOT)!r})
from s3kit.cli.person import Person
ask = Person()
print("ready", flush=True)
time.sleep(0.5)
"""


def at_terminal(script, early, answers):
    """Run a script on a terminal of its own, type `early` before its first question; return what it
    showed.

    `answers` are (end of a question, what is typed then).
    """
    pid, terminal = pty.fork()
    if not pid:
        os.execv(sys.executable, [sys.executable, "-c", START + script])
    shown = b""
    while b"ready" not in shown:
        shown += os.read(terminal, 4096)
    os.write(terminal, early)
    for question, typed in answers:
        shown = b""
        while not shown.endswith(question):
            shown += os.read(terminal, 4096)
        time.sleep(0.05)
        os.write(terminal, typed)
    shown += b"".join(pieces(terminal))
    os.close(terminal)
    os.waitpid(pid, 0)
    return shown.decode()


def test_what_was_typed_before_a_question_answers_nothing():
    shown = at_terminal("print('said', ask('First?'), ask('Second?'))", b"yes\nyes\n",
                        [(b"First? [y/N] ", b"no\nyes\n"), (b"Second? [y/N] ", b"n\n")])
    assert "said False False" in shown


def test_the_time_that_a_person_thinks_is_none_of_the_work(monkeypatch):
    """A summary says how long the work took."""
    clock = [100.0]

    class Slow:
        """A terminal at which somebody thinks for half a minute."""

        fileno, write = (lambda self: 0), (lambda self, text: None)

        def readline(self):
            """Return a yes, after the time."""
            clock[0] += 30
            return b"y\n"

    monkeypatch.setattr(person, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(person, "termios", SimpleNamespace(
        tcflush=lambda fd, queue: None, TCIFLUSH=0, error=OSError))
    monkeypatch.setattr(person.Person, "thought", 0.0)
    ask = object.__new__(person.Person)
    ask.terminal = Slow()
    began = person.working_time()
    assert ask("First?") and ask("Second?")
    clock[0] += 2
    assert person.working_time() - began == 2


@pytest.mark.parametrize("typed, is_named", [("photos", True), (" photos ", True), ("y", False),
                                             ("yes", False), ("photo", False), ("", False),
                                             ("Photos", False)])
def test_a_word_is_to_be_typed_exactly(typed, is_named):
    shown = at_terminal("print('said', ask('Type it:', 'photos'))", b"photos\n",
                        [(b"Type it: ", typed.encode() + b"\n")])
    assert f"said {is_named}" in shown
