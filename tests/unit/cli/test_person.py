"""Questions at a terminal."""

import os
import pty
import sys
import time
from pathlib import Path

import pytest
from terminals import pieces

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


def test_the_time_that_a_person_thinks_is_none_of_the_work():
    """A summary says how long the work took."""
    script = """from s3kit.cli.person import working_time
clock, work = time.monotonic(), working_time()
ask('First?'), ask('Second?')
clock, work = time.monotonic() - clock, working_time() - work
print('stood', 0.08 < clock - work, flush=True)
"""
    shown = at_terminal(script, b"", [(b"First? [y/N] ", b"y\n"), (b"Second? [y/N] ", b"n\n")])
    assert "stood True" in shown


@pytest.mark.parametrize("typed, is_named", [("photos", True), (" photos ", True), ("y", False),
                                             ("yes", False), ("photo", False), ("", False),
                                             ("Photos", False)])
def test_a_word_is_to_be_typed_exactly(typed, is_named):
    shown = at_terminal("print('said', ask('Type it:', 'photos'))", b"photos\n",
                        [(b"Type it: ", typed.encode() + b"\n")])
    assert f"said {is_named}" in shown
