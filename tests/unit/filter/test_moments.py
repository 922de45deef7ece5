"""What a manifest of all versions says of another moment."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3kit.errors import Cut, Fault
from s3kit.filter.moments import Moment
from s3kit.manifest.row import Row
from s3kit.units import parse_time

DAYS = [f"2026-01-0{day}T00:00:00Z" for day in range(1, 6)]
BUCKET = st.dictionaries(
    st.tuples(st.sampled_from("bc"), st.sampled_from(("k", "l", "\uffe0", "\U0001f600"))),
    st.lists(st.booleans(), min_size=1, max_size=4), max_size=4)


def versions(bucket):
    """Return the rows of {(bucket, key): [whether it is a marker, the oldest first]}, as listed."""
    rows = []
    for (name, key), markers in sorted(bucket.items()):
        rows += [Row(name, key, f"v{day}", "true" if day == len(markers) - 1 else "false",
                     "true" if markers[day] else "false", last_modified=DAYS[day])
                 for day in reversed(range(len(markers)))]
    return rows


def found(moment, rows):
    """Return the names that a Moment yields of rows that come one by one, and its warnings."""
    warnings = []
    chosen = Moment(moment, warnings.append)([row] for row in rows)
    return [(row.bucket, row.key, row.version_id) for batch in chosen for row in batch], warnings


@given(BUCKET, st.randoms(use_true_random=False), st.integers(0, 4))
@settings(max_examples=100)
def test_as_a_plain_model_has_it(bucket, random, day):
    """In any order of rows."""
    rows = versions(bucket)
    random.shuffle(rows)
    then = [(*name, f"v{min(day, len(markers) - 1)}") for name, markers in sorted(bucket.items())
            if not markers[min(day, len(markers) - 1)]]
    assert found(parse_time(DAYS[day]), rows)[0] == then
    hidden = [(*name, f"v{max(at for at, marker in enumerate(markers) if not marker)}")
              for name, markers in sorted(bucket.items()) if markers[-1] and not all(markers)]
    assert found(None, rows)[0] == hidden


def test_ties():
    """A marker that is the latest is newer than a version of the same second; of versions the first
    one listed is.
    """
    rows = [Row("b", "k", "2", "false", last_modified=DAYS[0]),
            Row("b", "k", "1", "false", last_modified=DAYS[0]),
            Row("b", "k", "3", "true", "true", last_modified=DAYS[0])]
    assert found(parse_time(DAYS[0]), rows)[0] == []
    assert found(None, rows)[0] == [("b", "k", "2")]


def test_nobody_says_which_is_the_latest():
    """The newest is."""
    rows = [Row("b", "k", "1", last_modified=DAYS[0]),
            Row("b", "k", "2", is_delete_marker="true", last_modified=DAYS[1])]
    assert found(None, rows)[0] == [("b", "k", "1")]


def test_a_manifest_of_what_is_current():
    """Is warned of: it says nothing of another time."""
    row = Row("b", "k", "1", "true", last_modified=DAYS[0])
    for moment in (parse_time(DAYS[1]), None):
        assert "was it made with --versions?" in found(moment, [row])[1][0]
    assert found(None, [row, Row("b", "k", "0", "false", last_modified=DAYS[0])])[1] == []


@pytest.mark.parametrize("moment, option", [(parse_time(DAYS[0]), "--at"), (None, "--undelete")])
def test_no_time(moment, option):
    """Cannot be chosen by."""
    rows = [Row("b", "k", "2", "true", "true", last_modified=DAYS[0]), Row("b", "k", "1", "false")]
    with pytest.raises(Fault, match=f"does not say when s3://b/k.versionId=1 is from: {option}"):
        found(moment, rows)


def test_nonsense_stays_and_a_cut_comes_through():
    """After what is known of the rows before."""
    def batches():
        yield [Row("b", "k", "1", "false", last_modified=DAYS[0])]
        yield [Row("b", "k", state="failed", verbatim={})]
        raise Cut("cut")
    rows = []
    with pytest.raises(Cut):
        for batch in Moment(parse_time(DAYS[0]), print)(batches()):
            rows += batch
    assert [row.state for row in rows] == ["failed"]
