"""Sizes and times, read and written as people and S3 write them."""

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache

SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGTPE]?)(i?B?)", re.IGNORECASE)
POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
AGO = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d|w)")
OF_DAY = re.compile(r"(?P<day>today|yesterday)?(?:(?:^| +)(?P<clock>\d\d?:\d\d(?::\d\d)?))?"
                    r"(?P<zone>Z|[+-]\d\d:?\d\d)?", re.ASCII)
ISO = ((re.compile(r"Z$"), "+00:00"), (re.compile(r"(:\d\d[\d.]*[+-]\d\d)(\d\d)$"), r"\1:\2"),
       (re.compile(r"([T ])(\d:)"), r"\g<1>0\2"))
FRACTION = re.compile(r"\.(\d+)")
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
# The form in which all servers must write dates (RFC 9110, 5.6.7).
IMF_FIXDATE = re.compile(r"[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d:\d\d:\d\d) GMT",
                         re.ASCII)
MONTHS = {name: f"{number:02d}" for number, name in enumerate(
    "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
CENTURY = 100 * 366 * 86400     # in seconds; threads cannot wait for three of them
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
# seconds that an answer may take to begin: slow stores think for minutes about a listing
READ_TIMEOUT = 300


def number(text):
    """Return the number that `text` names in ASCII digits, from 0 to 2**63 - 1; else None.

    This is how sizes and counts stand in headers, manifests and files of the system. str.isdigit
    would let through a superscript two, which int() refuses, and digits without end.
    """
    value = int(text) if len(text) < 20 and text.isascii() and text.isdigit() else None
    return value if value is None or value < 1 << 63 else None


def parse_size(text):
    """Return the bytes that `text` names: `512`, `10M`, `1.5G`, `4KiB`; powers of 1024 throughout.

    Raises ValueError for anything else.
    """
    match = SIZE.fullmatch(text.strip())
    if not match:
        raise ValueError(f"'{text}' is not a size (like 512, 10M or 1.5G)")
    unit = 1024 ** POWERS[match[2].upper()]
    try:
        return int(match[1]) * unit if match[1].isdigit() else int(float(match[1]) * unit)
    except (ValueError, OverflowError):     # more digits than int() reads, or a float holds
        raise ValueError(f"'{text}' is more than any size") from None


def show_size(count):
    """Return `count` bytes for people: `0`, `999`, `1.5K`, `12M` (powers of 1024, as ls -h)."""
    letters, size = "KMGTP", float(count)
    if count < 1024:
        return str(int(count))
    for letter in letters:
        size /= 1024
        if size < 9.95:
            return f"{size:.1f}{letter}"
        if size < 999.5 or letter == letters[-1]:
            break
    return f"{size:.0f}{letter}"


def show_span(seconds):
    """Return a span of time for people: `4.2 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def parse_span(text):
    """Return the seconds that `text` names: `60s`, `5m`, `0.5h`, `2d`; at most a century.

    Raises ValueError for anything else.
    """
    match = AGO.fullmatch(text.strip())
    seconds = float(match[1]) * SECONDS[match[2]] if match else 0
    if not 0 < seconds <= CENTURY:
        raise ValueError(f"'{text}' is not a span of time (like 60s, 5m or 1h)")
    return seconds


def parse_time(text):
    """Return the moment that people name with `text`, as an aware datetime.

    What `parse_iso` reads; a span before now, `36h`, `7d`; `now`; `today` and `yesterday`, which
    begin at midnight, a time of either, `yesterday 12:00`, and `12:00` of today: all of it in UTC
    where no zone follows. Raises ValueError for anything else.
    """
    now, words = datetime.now(timezone.utc), text.strip()
    if words == "now":
        return now
    ago = AGO.fullmatch(words)
    if ago:
        try:
            return now - timedelta(seconds=float(ago[1]) * SECONDS[ago[2]])
        except OverflowError:
            raise ValueError(f"'{text}' ago is before the calendar") from None
    try:
        day = OF_DAY.fullmatch(words)
        if not day or not (day["day"] or day["clock"]):
            return parse_iso(words)
        # Which day it is depends on the zone.
        clock = parse_iso(f"2000-01-01T{day['clock'] or '0:00'}{day['zone'] or ''}")
        date = now.astimezone(clock.tzinfo).date() - timedelta(day["day"] == "yesterday")
        return datetime.combine(date, clock.timetz())
    except ValueError:
        raise ValueError(f"'{text}' is not a time (like 2026-01-31, 2026-01-31T12:00+02:00, "
                         "yesterday, 12:00 or 7d; without a zone it is UTC)") from None


def parse_iso(text):
    """Return an ISO 8601 date, or date and time, in UTC unless it says otherwise, as an aware
    datetime. Raises ValueError for anything else.
    """
    # Python 3.10 reads neither Z, nor an offset without its colon, nor an hour of one digit.
    for pattern, plain in ISO:
        text = pattern.sub(plain, text)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def show_time(moment):
    """Return an aware datetime as ISO 8601 in UTC with Z; a fraction only where there is one."""
    moment = moment.astimezone(timezone.utc)
    text = moment.isoformat()[:19]      # strftime writes no zeros before a year like 1
    # Three digits or six: Python 3.10 reads no others.
    fraction = f".{moment.microsecond:06d}".removesuffix("000") if moment.microsecond else ""
    return f"{text}{fraction}Z"


def moment_ns(moment):
    """Return an aware datetime as nanoseconds since 1970, exactly: a float would be off by some."""
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000


def from_epoch(seconds):
    """Return seconds since 1970 as ISO 8601 in UTC, whole seconds."""
    return at_second(int(seconds))


@lru_cache(1024)
def at_second(second):
    """Return a whole second since 1970 as ISO 8601: thousands of rows in a row have the same."""
    return f"{(EPOCH + timedelta(seconds=second)).isoformat()[:19]}Z"


def epoch_ns(text):
    """Return an ISO 8601 time as nanoseconds since 1970, or None for an empty text."""
    if not text:
        return None
    if "." in text:     # Python 3.10 reads three or six digits of a fraction, no others
        text = FRACTION.sub(lambda match: f".{match[1]:0<6.6}", text)
    moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    if not moment.tzinfo:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment_ns(moment)


def known_ns(text):
    """Return an ISO 8601 time as nanoseconds since 1970, or None where a text names no time.

    Times are compared as these numbers: as texts `12:00:00.500Z` would be before `12:00:00Z`, and
    an offset would say nothing.
    """
    try:
        return epoch_ns(text)
    except (ValueError, OverflowError):
        return None


@lru_cache(1024)
def date_ns(text):
    """Return an HTTP date as nanoseconds since 1970, or None; objects that came together share
    theirs.

    One without a zone is in UTC, as all of HTTP's are (RFC 9110, 5.6.7). Servers written in Go say
    the year 0001 where they know no time; the email package would take that for 2001.
    """
    fixed = IMF_FIXDATE.fullmatch(text)
    if fixed and fixed[2] in MONTHS:
        return known_ns(f"{fixed[3]}-{MONTHS[fixed[2]]}-{fixed[1]}T{fixed[4]}Z")
    from email.utils import parsedate_to_datetime       # which costs a start 20 ms
    try:
        moment = parsedate_to_datetime(text)
        if not moment.tzinfo:
            moment = moment.replace(tzinfo=timezone.utc)
        return moment_ns(moment.astimezone(timezone.utc).replace(microsecond=0))
    except (ValueError, TypeError, OverflowError):      # a year or an offset that no calendar has
        return None
