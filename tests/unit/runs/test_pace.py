"""How fast, and how long."""

import pytest

from s3kit.runs.pace import Pace, show_left


def test_the_speed_is_that_of_the_last_minute():
    """What was long ago says nothing of now."""
    pace = Pace(0)
    for second in range(1, 601):
        pace.note(second, min(second, 500) * 100)
    assert pace.speed == 0 and pace.left(1000) is None
    for second in range(601, 662):
        pace.note(second, 50_000 + (second - 600) * 10)
    assert round(pace.speed) == 10 and round(pace.left(100)) == 10


def test_nobody_knows_in_the_first_seconds():
    pace = Pace(0)
    pace.note(4, 4)
    assert pace.speed == 1 and pace.left(10) is None
    pace.note(5, 5)
    assert pace.left(10) == 10 and pace.left(None) is None and pace.left(-3) == 0


def test_a_clock_that_stands_still():
    """Two looks at one moment, and what goes back, are no speed."""
    pace = Pace(0)
    pace.note(0, 10)
    assert pace.speed == 0
    pace.note(1, 10)
    pace.note(1, 20)
    pace.note(2, 0)
    assert pace.speed == 0


@pytest.mark.parametrize("seconds, text", [
    (0.4, "0 s"), (59.9, "59 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (86400, "1 d 0 h"),
    (200000, "2 d 7 h"), (4e7, "more than a year"), (1e300, "more than a year")])
def test_two_units_at_most(seconds, text):
    assert show_left(seconds) == text
