"""Whose turn it is to be asked for."""

import pytest

from s3kit.manifest.row import Row
from s3kit.restore import turns
from s3kit.restore.cap import Cap
from s3kit.restore.probing import Probes
from s3kit.restore.version import Version


def queue(keys, most=2, wait=True, shown=True):
    """Return Turns of a bucket with these keys to ask for."""
    probes = Probes()
    if shown is not None:
        probes.shown["b"] = shown
    found = turns.Turns(Cap(most), probes, wait, 60)
    for key in keys:
        found.add(Version(Row("b", key, size="1", storage_class="GLACIER"), "Standard"))
    return found


def steps(found):
    """Return [(step, key)] until nothing is to be done; what others ask for gets a place, too."""
    done = []
    while (step := found.next(0)) and step[0] != turns.REST:
        done.append((step[0], step[1].row.key))
        if step[0] == turns.JOIN:
            found.hold(step[1])
    return done


@pytest.mark.parametrize("keys, wait, shown, wanted", [
    ("abc", True, True, [(turns.ASK, "a"), (turns.ASK, "b")]),
    ("abc", False, True, [(turns.ASK, "a"), (turns.ASK, "b"), (turns.PUT_OFF, "c")]),
    ("aab", True, True, [(turns.ASK, "a"), (turns.JOIN, "a")]),
    ("abc", True, None, [(turns.LOOK, "a")]),           # the others wait for the probe
    ("abc", True, False, [(turns.LOOK, "a"), (turns.LOOK, "b"), (turns.LOOK, "c")])])
def test_steps(keys, wait, shown, wanted):
    assert steps(queue(keys, wait=wait, shown=shown)) == wanted


def test_nothing_is_asked_for_while_rows_are_looked_at():
    assert queue("abc").next(1) is None


def test_a_long_queue_goes_to_disk_and_old_answers_are_renewed(monkeypatch):
    monkeypatch.setattr(turns, "QUEUED", 1)
    found = queue("abc", most=9)
    assert len(found) == 3 and len(found.spool) == 2
    monkeypatch.setattr(turns, "STALE_SECONDS", -1)
    assert steps(found) == [(turns.ASK, "a"), (turns.LOOK, "b"), (turns.LOOK, "c")]


def test_no_more_than_the_rate(monkeypatch):
    monkeypatch.setattr(turns.time, "monotonic", lambda: 5.0)
    found = queue("a")
    assert found.may_ask()
    found.allowance = 0.5
    assert not found.may_ask() and found.next(0) == (turns.REST, None)
