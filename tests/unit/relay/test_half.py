"""Half of the way: a process that takes rows and gives them back, however it ends."""

import os
import queue
import signal
import sys
import threading
import time

import pytest
from conftest import ROOT
from odd_keys import KEYS
from unit.relay.rows import delivery

from s3kit.relay import half as module
from s3kit.relay.half import Half, stop_all

# A command that gives back what it gets, in the state `fetched`, as one of ours would.
ECHO = """
from s3kit.manifest.streams import Input, Output
source, output = Input(0, 'stdin'), Output()
for batch in source.batches():
    for row in batch:
        row.state = 'fetched'
    output.write(batch, source.extras)
    output.file.flush()
"""
CLOSE = "output.close()\n"
START = f"import sys; sys.path.insert(0, {str(ROOT)!r}); exec(sys.argv[1])"


@pytest.fixture
def started(monkeypatch):
    """Return a function that starts a Half whose command is a text of Python's; it has `events`."""
    made = []

    def start(text, env=None):
        made.append(begun(monkeypatch, text, env or {}))
        return made[-1]
    yield start
    for half in made:
        half.process.kill()
        half.process.wait()


def begun(monkeypatch, text, env):
    """Return a Half whose command is a text of Python's, with more environment; it has `events`."""
    monkeypatch.setattr(module, "argv_of", lambda words: [sys.executable, "-c", START, text])
    events = queue.Queue()
    half = Half(["fetch", "--words"], {**os.environ, **env}, events.put)
    half.events = events
    return half


def heard(half, seconds=20):
    """Return (rows, whether it ended) of the next event."""
    event = half.events.get(timeout=seconds)
    assert event[1] is half
    return (event[2], False) if event[0] == "rows" else ([], True)


def to_the_end(half):
    """Return all rows that come until it has ended."""
    found, is_over = [], False
    while not is_over:
        rows, is_over = heard(half)
        found += rows
    return found


def test_rows_go_and_come_back(started):
    """Each is known again, also two of one name, and whatever its key is."""
    half = started(ECHO + CLOSE)
    given = [delivery(key, number) for number, key in enumerate(KEYS)] + [delivery(KEYS[0])]
    half.feed(given[:5], "a")
    rows, back = [], []
    while len(rows) < 5:
        rows += heard(half)[0]
    assert half.fed == 5, "a row comes back before the next is given"
    half.feed(given[5:], "a")
    half.finish()
    half.finish()
    rows += to_the_end(half)
    for row in rows:
        back.append(half.taken_back(row))
        assert back[-1].key == row.key and half.taken_back(row) is None
    assert back == given and not half.out and not half.has_failed


def test_a_row_that_is_not_ours(started):
    half = started(ECHO + CLOSE)
    half.feed([delivery()], "a")
    half.finish()
    [row] = to_the_end(half)
    for number in ("", "x", "-1", "2", "²"):
        row.extra = {module.NUMBER: number}
        assert half.taken_back(row) is None
    row.extra = None
    assert half.taken_back(row) is None and len(half.out) == 1


@pytest.mark.parametrize("text, has_failed, reason", [
    (ECHO + CLOSE, False, ""),
    (ECHO + CLOSE + "raise SystemExit(1)", False, ""),
    (ECHO + CLOSE + "raise SystemExit(5)", False, ""),
    (ECHO + CLOSE + "import sys; sys.exit('s3-fetch: no room')", False, "no room"),
    (ECHO + CLOSE + "raise SystemExit(3)", True, ""),
    (ECHO, True, ""),
    ("import os; os.write(2, b's3-fetch: first\\nnoise\\ns3-fetch: \\xff: last\\n'); os._exit(3)",
     True, "\\xff: last"),
    ("import os; os.kill(os.getpid(), 9)", True, "")])
def test_how_it_ends(started, text, has_failed, reason):
    """Whole output and one of three statuses are well; the last that it said is the reason."""
    half = started(text)
    half.feed([delivery(str(number)) for number in range(100)], "a")
    half.finish()
    to_the_end(half)
    assert (half.has_failed, half.reason) == (has_failed, reason)


def test_one_that_dies_takes_no_row_with_it(started):
    """What it has not given back is still out, and who feeds it is not held up."""
    half = started("import time; time.sleep(0.2)")
    half.feed([delivery(str(number)) for number in range(20_000)], "a")
    assert to_the_end(half) == [] and len(half.out) == 20_000 and half.has_failed
    half.feed([delivery("late")], "a")
    half.finish()
    half.threads[0].join(5)
    assert not half.threads[0].is_alive(), "its writer has ended"


def test_its_environment_is_its_own(started):
    half = started("import os; os.write(2, b'x: ' + os.environb[b'OF_A_SIDE']); os._exit(3)",
                   {"OF_A_SIDE": "yes"})
    to_the_end(half)
    assert half.reason == "yes" and "OF_A_SIDE" not in os.environ


def test_stop_all(started):
    """Who does not end when it is asked is killed; both within the time that a command has."""
    good = started(ECHO)
    bad = started("import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
                  "sys.stderr.write('x: deaf\\n'); sys.stderr.flush(); time.sleep(60)")
    end = time.monotonic() + 20
    while bad.reason != "deaf" and time.monotonic() < end:
        time.sleep(0.01)
    begin = time.monotonic()
    stop_all([good, bad])
    assert time.monotonic() - begin < 1.9
    assert (good.process.returncode, bad.process.returncode) == (-signal.SIGTERM, -signal.SIGKILL)
    for half in (good, bad):
        to_the_end(half)
        half.stop()     # of one that has ended
    stop_all([])


def test_no_descriptor_is_left_behind(monkeypatch):
    """A relay starts thousands of them."""
    def life():
        half = begun(monkeypatch, ECHO + CLOSE, {})
        half.finish()
        to_the_end(half)
        for thread in half.threads:
            thread.join(5)
    life()
    before = sorted(os.listdir("/proc/self/fd"))
    life()
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_a_command_that_ends_at_once_is_heard_of(started, monkeypatch):
    """Its end is read before the last of our threads has started."""
    start = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start",
                        lambda thread: (start(thread), time.sleep(0.3)))
    assert heard(started("raise SystemExit(3)")) == ([], True)
