"""Sizes and times: what people type, what S3 says, and back without loss."""

import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit import units
from s3kit.units import (
    date_ns,
    epoch_ns,
    from_epoch,
    known_ns,
    moment_ns,
    number,
    parse_iso,
    parse_size,
    parse_span,
    parse_time,
    show_size,
    show_span,
    show_time,
)

ROOT = Path(__file__).resolve().parents[2]
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2199, 1, 1), timezones=st.just(timezone.utc))


@pytest.mark.parametrize("text, value", [
    ("0", 0), ("007", 7), (str(2**63 - 1), 2**63 - 1), ("0" * 19, 0),
    (str(2**63), None), ("0" * 20, None), ("9" * 5000, None), ("", None), ("-1", None),
    ("+1", None), (" 1", None), ("1_0", None), ("1.0", None), ("\u00b2", None),
    ("\u0663", None), ("\uff11", None)])
def test_a_number_in_ascii_digits(text, value):
    assert number(text) == value


@pytest.mark.parametrize("text, size", [
    ("0", 0), ("512", 512), ("10M", 10 << 20), ("1.5G", 3 << 29), ("4KiB", 4096), ("4 kb", 4096),
    (" 2T ", 2 << 40), ("1e", 1 << 60), ("7B", 7)])
def test_a_size_as_people_write_it(text, size):
    """Letters are powers of 1024, in either case, with or without B."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "M", "-1", "1,5G", "10X", "1 0", "0x10", "1.5.5", "inf"])
def test_no_size(text):
    """What is no size is named in the message."""
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


@pytest.mark.parametrize("text", ["9" * 400 + ".5", "9" * 300 + ".5E", "9" * 5000])
def test_more_than_any_size(text):
    with pytest.raises(ValueError, match="is more than any size"):
        parse_size(text)


@given(MOMENTS)
def test_a_moment_in_nanoseconds_is_that_of_its_text(moment):
    assert moment_ns(moment) == known_ns(show_time(moment))


@given(st.integers(0, 50 << 40))
def test_every_number_of_bytes_is_a_size(size):
    """No object's size (50 TB at most) is rounded."""
    assert parse_size(str(size)) == size


def test_no_whole_number_is_rounded():
    """A number beyond a float's 53 bits is still that number."""
    assert parse_size("9007199254740993") == 9007199254740993


@pytest.mark.parametrize("size, text", [
    (0, "0"), (999, "999"), (1023, "1023"), (1536, "1.5K"), (12 << 20, "12M"), (5 << 30, "5.0G"),
    (3 << 60, "3072P")])
def test_a_size_for_people(size, text):
    """Two figures are enough, as ls -h shows them."""
    assert show_size(size) == text


@given(st.integers(0, 999 << 50))
def test_a_shown_size_is_short(size):
    """A size for people takes at most four characters, so that columns stay straight."""
    assert len(show_size(size)) <= 4


@pytest.mark.parametrize("size, text", [((1 << 20) - 1, "1.0M"), (10 * 1024 - 1, "10K")])
def test_a_size_just_below_the_next_figure(size, text):
    """Rounding up carries over to the next figure and the next unit, as ls -h does."""
    assert show_size(size) == text


@pytest.mark.parametrize("seconds, text", [(0, "0.0 s"), (4.24, "4.2 s"), (60, "1 min 0 s"),
                                           (200.9, "3 min 20 s"), (3600, "1 h 0 min"),
                                           (7500, "2 h 5 min"), (360000, "100 h 0 min")])
def test_a_span_for_people(seconds, text):
    """The larger the span, the coarser."""
    assert show_span(seconds) == text


@pytest.mark.parametrize("text, moment", [
    ("2026-01-31", datetime(2026, 1, 31)),
    ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12)),
    ("2026-01-31 12:00", datetime(2026, 1, 31, 12)),
    ("2026-01-31T12:00:00+02:00", datetime(2026, 1, 31, 10)),
    ("2025-01-02T03:04:05.678Z", datetime(2025, 1, 2, 3, 4, 5, 678000))])
def test_a_time_as_people_write_it(text, moment):
    """A time is UTC unless it says otherwise."""
    assert parse_time(text) == moment.replace(tzinfo=timezone.utc)
    assert parse_iso(text) == parse_time(text)


@pytest.fixture
def late(monkeypatch):
    """Have it be half past eleven in the evening of 2026-02-28, UTC, for people in Japan the next
    day.
    """
    class Clock(datetime):
        """A clock that stands."""

        @classmethod
        def now(cls, zone):
            """Return the moment."""
            return cls(2026, 2, 28, 23, 30, tzinfo=timezone.utc).astimezone(zone)
    monkeypatch.setattr(units, "datetime", Clock)
    monkeypatch.setenv("TZ", "Asia/Tokyo")


@pytest.mark.parametrize("text, moment", [
    ("now", "2026-02-28T23:30:00Z"), ("today", "2026-02-28T00:00:00Z"),
    ("yesterday", "2026-02-27T00:00:00Z"), (" yesterday  12:00 ", "2026-02-27T12:00:00Z"),
    ("today 9:05", "2026-02-28T09:05:00Z"), ("12:00", "2026-02-28T12:00:00Z"),
    ("23:59:59", "2026-02-28T23:59:59Z"), ("12:00Z", "2026-02-28T12:00:00Z"),
    ("12:00+09:00", "2026-03-01T03:00:00Z"), ("8:00+0900", "2026-02-28T23:00:00Z"),
    ("yesterday 8:00-03:30", "2026-02-27T11:30:00Z"), ("today+09:00", "2026-02-28T15:00:00Z"),
    ("2026-01-31T12:00-0330", "2026-01-31T15:30:00Z"), ("2026-01-31 9:00", "2026-01-31T09:00:00Z")])
def test_words_for_times_of_these_days(late, text, moment):
    """UTC without a zone, wherever the machine is; with one, its day."""
    assert show_time(parse_time(text)) == moment


@pytest.mark.parametrize("text, seconds", [("60s", 60), ("5m", 300), (" 0.5h ", 1800),
                                           ("1w", 604800), ("36500d", 36500 * 86400)])
def test_a_span(text, seconds):
    assert parse_span(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "0s", "0.0h", "-1s", "1y", "1 h", "inf", "200w3d",
                                  "36601d", "9" * 400 + "s"])
def test_no_span(text):
    """Nothing, and more than a century, which no thread can wait for, are none either."""
    with pytest.raises(ValueError, match="is not a span of time"):
        parse_span(text)


@pytest.mark.parametrize("text, span", [
    ("90s", timedelta(seconds=90)), ("36h", timedelta(hours=36)), ("7d", timedelta(7)),
    ("1.5w", timedelta(10.5)), ("10m", timedelta(minutes=10))])
def test_a_span_before_now(text, span):
    """`7d` is the moment seven days ago."""
    moment = parse_time(text)
    assert timedelta(0) <= datetime.now(timezone.utc) - moment - span < timedelta(seconds=5)


@pytest.mark.parametrize("text", ["", "tomorrow", "Z", "+02:00", "25:00", "1200", "12:00 today",
                                  "todayyesterday", "12:00+99:00", "\u0663:00", "nowZ", "7", "7y",
                                  "31.01.2026", "2026-13-01", "-7d"])
def test_no_time(text):
    """What is no time is named in the message."""
    with pytest.raises(ValueError, match="is not a time"):
        parse_time(text)


@pytest.mark.parametrize("text", ["9999999w", "99999999999999d"])
def test_a_span_from_before_the_calendar(text):
    """A span too long for the calendar is a ValueError too: argparse turns only that into a usage
    error.
    """
    with pytest.raises(ValueError):
        parse_time(text)


@given(MOMENTS)
def test_a_time_survives(moment):
    """A moment written by us is read back as the same microsecond."""
    assert parse_time(show_time(moment)) == moment


@given(MOMENTS)
def test_nanoseconds_are_exact(moment):
    """No float rounding between a manifest's time and a file's."""
    assert (epoch_ns(show_time(moment)) == (moment - datetime(1970, 1, 1, tzinfo=timezone.utc))
            // timedelta(microseconds=1) * 1000)


@pytest.mark.parametrize("text, ns", [
    ("", None), ("1970-01-01T00:00:00Z", 0), ("2025-01-02T03:04:05.000Z", 1735787045 * 10**9),
    ("2025-01-02T03:04:05", 1735787045 * 10**9), ("2025-01-02T04:04:05+01:00", 1735787045 * 10**9)])
def test_nanoseconds_of_a_column(text, ns):
    """An empty column has no time; one without a zone is UTC."""
    assert epoch_ns(text) == ns


def test_nanoseconds_before_1970():
    """Half a second before the epoch is minus half a second."""
    assert epoch_ns("1969-12-31T23:59:59.500Z") == -500_000_000


@given(MOMENTS)
def test_a_fraction_that_every_python_reads(moment):
    """Three digits or six: datetime.fromisoformat of Python 3.10 reads no others."""
    assert len(show_time(moment).partition(".")[2].removesuffix("Z")) in (0, 3, 6)


def test_a_time_is_shown_in_utc():
    """Other zones are converted; a fraction shows only where there is one."""
    assert show_time(datetime(2026, 1, 31, 1,
                              tzinfo=timezone(timedelta(hours=2)))) == "2026-01-30T23:00:00Z"
    assert from_epoch(1735787045.9) == "2025-01-02T03:04:05Z"


@pytest.mark.parametrize("text",
                         ["", "yesterday", "2026-13-01", "12:00", "2026-01-01T00:00:00+99:00"])
def test_what_names_no_time(text):
    assert known_ns(text) is None


def test_times_compare_as_times():
    """In this order, whatever their texts are like."""
    texts = ["2026-01-01T12:00:00+02:00", "2026-01-01T12:00:00Z", "2026-01-01T12:00:00.500Z",
             "2026-01-01T11:00:01-01:00"]
    assert sorted(reversed(texts), key=known_ns) == texts


@pytest.mark.parametrize("text", ["", "yesterday", "Fri, 32 Dec 2012 00:00:00 GMT", "0", "GMT",
                                  "Fri, 21 Dec 99999 00:00:00 GMT", " ", ",", "Fri, 21 Dec",
                                  "Fri, 21 Dez 2012 00:00:00 GMT", "Fri, 21 Dec 2012 24:00:00 GMT"])
def test_what_is_not_a_date(text):
    assert date_ns(text) is None


@pytest.mark.parametrize("text", ["Fri, 21 Dec 2012 00:00:00 GMT", "Fri, 21 Dec 2012 00:00:00",
                                  "Fri, 21 Dec 2012 00:00:00 -0000",
                                  "Fri, 21 Dec 2012 01:00:00 +0100"])
def test_a_date_is_not_of_this_machine_s_zone(text):
    """One that names no zone is in UTC, as all of HTTP is (RFC 9110, 5.6.7)."""
    script = ("import sys; sys.path.insert(0, sys.argv[1]); from s3kit.units import date_ns; "
              "print(date_ns(sys.argv[2]))")
    told = [subprocess.run([sys.executable, "-c", script, str(ROOT), text], text=True, check=True,
                           env=os.environ | {"TZ": zone}, stdout=subprocess.PIPE).stdout.strip()
            for zone in ("UTC0", "XYZ-5")]
    assert told == [str(1356048000 * 10**9)] * 2
