"""What s3-list prints."""

import json
from datetime import datetime, timezone
from types import SimpleNamespace

import pytest

from s3kit.listing.folders import Totals
from s3kit.listing.printing import Printer
from s3kit.listing.unpaged import Batch
from s3kit.manifest.row import Row

ROWS = [Row("b", "d/a", "2", is_latest="true", size="2048", last_modified="2026-01-31T12:00:00Z",
            storage_class="STANDARD"), Row("b", "d/a", "1", is_latest="false", size="5"),
        Row("b", "z", "1", is_latest="true", is_delete_marker="true")]
CREATED = datetime(2026, 1, 31, tzinfo=timezone.utc)


def printer(several=False, **given):
    """Return a Printer with these options."""
    options = dict.fromkeys(("json", "null", "long", "human_readable", "versions", "summarize"),
                            False)
    return Printer(SimpleNamespace(**options | given), several)


def totals(rows):
    """Return the Totals of rows."""
    made = Totals()
    for row in rows:
        made.add(row)
    return made


@pytest.fixture
def printed(capfdbinary):
    """Return what was printed since the last call."""
    return lambda: capfdbinary.readouterr().out.decode()


def test_names_say_their_bucket_where_there_are_several(printed):
    """In one bucket they are keys; raw ones, too."""
    for several, name in ((False, "d/a"), (True, "s3://b/d/a")):
        for null, end in ((False, "\n"), (True, "\0")):
            made = printer(several, null=null)
            made.batch(Batch("b", ROWS[:1], ["e/"]))
            assert printed() == f"{name}{end}{'s3://b/' * several}e/{end}"
        printer(several, json=True).batch(Batch("b", ROWS[:1], []))
        assert json.loads(printed())["key"] == "d/a"


def test_long_lines(printed):
    """Time, size, class, version; prefixes in their place among the keys."""
    made = printer(long=True, versions=True, human_readable=True)
    made.batch(Batch("b", ROWS, ["e/"]))
    assert [line.split() for line in printed().splitlines()] == [
        ["2026-01-31T12:00:00Z", "2.0K", "STANDARD", "*", "2", "d/a"], ["5", "-", "1", "d/a"],
        ["PRE", "e/"], ["MARKER", "*", "1", "z"]]


@pytest.mark.parametrize("given, line", [
    ({}, "b\n"), ({"summarize": True}, "b\n"), ({"long": True}, "2026-01-31T00:00:00Z b\n"),
    ({"long": True, "summarize": True}, "2026-01-31T00:00:00Z         2053         2 b\n"),
    ({"json": True, "long": True, "summarize": True, "versions": True},
     '{"bucket": "b", "created": "2026-01-31T00:00:00Z", "versions": 2, "size": 2053}\n')])
def test_buckets(printed, given, line):
    """With their sizes where these are known."""
    printer(**given).bucket("b", CREATED, totals(ROWS) if "long" in given else None)
    assert printed() == line


def test_a_bucket_that_nobody_may_look_into(printed):
    made = printer(long=True, summarize=True)
    made.bucket("b", None)
    assert printed().split() == ["-", "-", "-", "b"] and made.totals.versions == 0


def test_folders_and_the_sum_of_all(printed):
    """Those within an address count once; versions of how many keys."""
    made = printer(versions=True, summarize=True)
    made.folder("b", "d/", totals(ROWS[:2]), False)
    made.folder("b", "", totals(ROWS), True)
    made.folder("c", "", totals(ROWS), True)
    made.summary(False, True)
    assert printed().splitlines() == [
        "        2053         2 s3://b/d/", "        2053         2 s3://b/",
        "        2053         2 s3://c/", "4 versions of 2 keys, 2 delete markers, 4,106 bytes"]
    made = printer(json=True)
    made.folder("b", "d/", totals(ROWS[:1]), True)
    assert json.loads(printed()) == {"bucket": "b", "prefix": "d/", "objects": 1, "size": 2048}


def test_summaries(printed, capfdbinary):
    """Of buckets alone, of keys, of both; for machines' output beside it."""
    made = printer(human_readable=True)
    made.bucket("b", None, totals(ROWS[:1]))
    for what in ((True, False), (False, True), (True, True)):
        made.summary(*what)
    assert printed() == "b\n1 bucket\n1 object, 2.0K\n1 bucket, 1 object, 2.0K\n"
    made.args.null = True
    made.summary(True, False)
    assert capfdbinary.readouterr() == (b"", b"1 bucket\n")
