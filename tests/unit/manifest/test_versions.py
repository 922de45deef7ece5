"""The versions of a key: which was there at a moment, which is the newer."""

import math

import pytest

from s3kit.errors import Fault
from s3kit.manifest.row import Row
from s3kit.manifest.versions import age, as_of, time_of
from s3kit.units import parse_time

NOON, LATER = "2026-01-01T12:00:00Z", "2026-01-01T13:00:00Z"


def then(rows, moment):
    """Return the versions that were there, of rows that come one by one."""
    return [(row.bucket, row.version_id)
            for found in as_of([[row] for row in rows], parse_time(moment)) for row in found]


def test_the_same_key_in_two_buckets():
    """The last key of one bucket may be the first of the next."""
    rows = [Row(bucket, "k", "1", last_modified=NOON) for bucket in "ab"]
    assert then(rows, LATER) == [("a", "1"), ("b", "1")]


@pytest.mark.parametrize("latest, found", [("false", "1"), ("true", "2")])
def test_two_as_old(latest, found):
    """The latest of all was there last, else the first of the listing, which is the newer."""
    rows = [Row("b", "k", "1", last_modified=NOON, is_latest="false"),
            Row("b", "k", "2", last_modified=NOON, is_latest=latest)]
    assert then(rows, NOON) == [("b", found)]


def test_who_does_not_say():
    """Is named: a server, or a manifest."""
    with pytest.raises(Fault, match="the manifest does not say when s3://b/k is from"):
        list(as_of([[Row("b", "k")]], parse_time(NOON), "the manifest"))


def test_age():
    """As times, whatever their text; what has none is the oldest."""
    half = Row(last_modified="2026-01-01T12:00:00.500Z")
    assert age(Row()) < age(Row(last_modified=NOON)) < age(half) < age(Row(last_modified=LATER))
    assert age(Row(last_modified=NOON)) < age(Row(last_modified=NOON, is_latest="true"))
    assert time_of(Row(last_modified="yesterday")) == -math.inf
