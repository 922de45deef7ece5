"""The runs on the whole screen."""

import io
import os

import pyte
import pytest
from rich.console import Console
from unit.status.live_runs import five, snapshot

from s3kit.status import watch


def drawn(groups, columns, height):
    """Return the lines of a picture on a screen of that size, and whether it scrolled."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=columns, height=height)
    console.print(watch.picture(groups, 0, columns, height))
    screen = pyte.HistoryScreen(columns, height)
    pyte.Stream(screen).feed(file.getvalue().replace("\n", "\r\n"))
    return [line.rstrip() for line in screen.display if line.strip()], bool(screen.history.top)


@pytest.mark.parametrize("columns, height", [(80, 24), (100, 30), (200, 50)])
def test_a_pipeline_of_five_fits_the_screen(columns, height):
    """A line for each stage, one for each worker as far as they fit; nothing scrolls or wraps."""
    lines, has_scrolled = drawn([five(workers=60)], columns, height)
    assert not has_scrolled and len(lines) <= height
    assert [line.split()[0] for line in lines[1:6]] == [
        "s3-manifest", "s3-restore", "s3-fetch", "s3-verify", "s3-prune"]
    assert "running" in lines[0] and "25%" in lines[3] and "2 wrong" in lines[3]
    assert "%" not in lines[4]
    assert "running, 1 min 1 s left (s3-fetch), 1 min 30 s" in lines[0]
    assert "s3-fetch: 7 tried again, 0 times slowed down" in lines[6]
    assert "s3-fetch: 2 rows: S3 says NoSuchKey, like s3://b/k" in lines[7]
    workers = [line for line in lines if "img-" in line]
    assert all(("far:" in line) == ("img-1." in line) for line in workers)
    assert len(workers) > 10 and all("50%" in line and "\u202e" not in line for line in workers)
    assert f"and {60 - len(workers)} more workers" in "\n".join(lines)


def test_what_is_at_work_comes_first():
    """The newest of it; what does not fit is counted."""
    groups = [[snapshot("s3-list", ended=1.0 + number, began=1.0)] for number in range(40)]
    lines, has_scrolled = drawn([*groups, [snapshot("s3-fetch", run="night")]], 80, 24)
    assert not has_scrolled and lines[0].startswith("night: running")
    assert lines[-1].endswith("more runs")
    assert drawn([], 80, 24)[0] == ["nothing runs, and nothing ended within a day"]


def test_a_pipeline_that_lost_a_stage():
    """It says since when, and how to go on; nobody is at work in what is gone."""
    first, dead, last = five()[:3]
    dead, last = dead._replace(start="1"), last._replace(ended=2.0, status=141)
    lines, _ = drawn([[first, dead, last._replace(causes=[], tried_again=0)]], 80, 24)
    assert [line.split()[:2] for line in lines[1:3]] == [["s3-manifest", "done"],
                                                         ["s3-restore", "dead"]]
    assert lines[3].split()[:3] == ["s3-fetch", "status", "141"]
    assert lines[4].startswith("  s3-restore: dead since 20")
    assert lines[5].startswith("  to go on: cd /data && s3-manifest -d 'my data' | s3-restore")
    assert len(lines) == 6


def test_without_a_terminal_there_are_lines(monkeypatch):
    """Until nothing is at work any more; once a minute."""
    monkeypatch.setattr(watch, "FRAME_SECONDS", 0.0)
    states = [five(), five(), five(), [snapshot("s3-fetch", ended=1.0)]]
    said, checks = [], []
    watch.watch_in_lines(lambda: ([states.pop(0)], 0), lambda: checks.append(1), said.append)
    assert len(said) == 2 and "running" in said[0] and "done" in said[1] and len(checks) == 3


def test_a_key_ends_it():
    """On a terminal; elsewhere only time passes."""
    ours, theirs = os.openpty()
    saved = os.dup(0)
    os.dup2(theirs, 0)
    try:
        with watch.keys() as pressed:
            assert not pressed(0)
            os.write(ours, b"x")
            assert not pressed(1)
            os.write(ours, b"q")
            assert pressed(1)
    finally:
        os.dup2(saved, 0)
        for fd in (ours, theirs, saved):
            os.close(fd)
