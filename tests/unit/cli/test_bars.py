"""The lines of a pipeline on the terminal."""

import re

import pyte
import pytest

from s3kit.cli import bars
from s3kit.cli.bars import Bars, line_of
from s3kit.runs.snapshot import Snapshot

FETCH = Snapshot(command="s3-fetch", unit="B", done=512 << 20, total=1 << 30, expected=1 << 30,
                 speed=10 << 20, left=51.2, rows={"fetched": 2000, "failed": 48})
LIST = Snapshot(command="s3-manifest", done=20000, speed=4000.0)


@pytest.fixture
def screen(monkeypatch):
    """Return a screen of 60 columns and 6 lines, to which all is written."""
    made = pyte.Screen(60, 6)
    stream = pyte.Stream(made)
    made.writes = []

    def put(text):
        made.writes.append(text)
        stream.feed(text.replace("\n", "\r\n"))

    monkeypatch.setattr(bars, "put", put)
    monkeypatch.setattr(bars, "width", lambda: made.columns - 1)
    made.say = put
    return made


def shown(screen):
    """Return the lines that are not empty."""
    return [line.rstrip() for line in screen.display if line.strip()]


def test_a_line_fits_the_terminal():
    """With a bar where there is room and a total, cut where there is not even that."""
    line = line_of(FETCH, 99, 51.2)
    assert len(line) == 99 and re.match(r"s3-fetch     50% \|\S+ +\| 512M of 1\.0G", line)
    assert "|" not in line_of(FETCH._replace(total=0), 99, -1)
    assert line_of(FETCH, 40, 51.2) == "s3-fetch    512M of 1.0G, 51 s left, 10M"
    hostile = line_of(FETCH._replace(text="\x1b[2J{desc}"), 99, -1.0)
    assert "\x1b" not in hostile and "(desc)" in hostile


def test_a_picture_stays_in_its_place(screen):
    """One write each; the cursor stays above, and what was there and is not any more is gone."""
    drawn = Bars()
    drawn.draw([LIST, FETCH])
    drawn.draw([LIST, FETCH])
    assert [line.split()[0] for line in shown(screen)] == ["s3-manifest", "s3-fetch"]
    assert (screen.cursor.x, screen.cursor.y, len(screen.writes)) == (0, 0, 2)
    drawn.draw([FETCH])
    assert [line.split()[0] for line in shown(screen)] == ["s3-fetch"]
    screen.say("\r\x1b[Ks3-manifest: done\n")
    drawn.draw([FETCH])
    assert [line.split()[0] for line in shown(screen)] == ["s3-manifest:", "s3-fetch"]
    drawn.clear()
    assert shown(screen) == ["s3-manifest: done"] and screen.cursor.y == 1
    drawn.clear()
    assert len(screen.writes) == 6


def test_at_the_lower_end_of_the_screen_it_scrolls_once(screen):
    drawn = Bars()
    screen.say("\n" * 5)
    for _ in range(9):
        drawn.draw([LIST, FETCH])
    assert (screen.cursor.x, screen.cursor.y) == (0, 4)
    drawn.clear()
    assert shown(screen) == []


def test_the_last_stage_tells_how_long_the_slowest_takes(screen):
    Bars().draw([FETCH._replace(left=70.0, unit="row"), LIST._replace(left=5.0, total=1 << 20)])
    assert "1 min 10 s left" in shown(screen)[1]


def test_without_a_terminal_there_is_a_width(monkeypatch):
    monkeypatch.setattr("os.get_terminal_size", lambda fd: (_ for _ in ()).throw(OSError()))
    assert bars.width() == 79
