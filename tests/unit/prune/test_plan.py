"""What a plan says, and which versions are the newest."""

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from s3kit.manifest.row import Row
from s3kit.prune.plan import PREFIXES, Newest, Planned

BASE = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
MOMENTS = st.integers(-3, 3).map(lambda halves: BASE + timedelta(seconds=halves / 2))
ZONES = st.integers(-12, 12).map(lambda hours: timezone(timedelta(hours=hours)))


@st.composite
def versions(draw):
    """Return (moment or None, its text in some zone and form)."""
    moment = draw(st.none() | MOMENTS)
    if moment is None:
        return None, draw(st.sampled_from(["", "yesterday", "2026-99-01T00:00:00Z"]))
    if draw(st.booleans()):
        return moment, moment.isoformat().replace("+00:00", "Z")
    return moment, moment.astimezone(draw(ZONES)).isoformat(timespec="milliseconds")


@given(st.lists(versions(), max_size=8), st.integers(1, 4))
def test_the_newest_against_a_naive_model(found, most):
    """A version is kept where fewer than `most` are of a later time, whatever the texts are like.
    """
    newest = Newest()
    rows = [Row("b", "k", str(n), last_modified=text) for n, (_, text) in enumerate(found)]
    newest.add(rows)
    newest.add([Row("b", "other", last_modified="2030-01-01T00:00:00Z")])
    for row, (moment, _) in zip(rows, found):
        newer = sum(moment is not None and at is not None and at > moment for at, _ in found)
        assert newest.has(row, most) == (moment is None or newer < most)


def test_what_is_gone_is_not_the_newest():
    newest, late = Newest(), "2030-01-01T00:00:00Z"
    newest.add([Row("b", "k", "1", last_modified=late, state="pruned"),
                Row("b", "k", "2", last_modified=late, is_delete_marker="true"),
                Row("b", "k", "3", last_modified=late, state="vanished")])
    assert newest.has(Row("b", "k", "4", last_modified="2020-01-01T00:00:00Z"), 1)


def test_the_words_of_a_plan():
    planned = Planned()
    for n in range(PREFIXES + 2):
        planned.add(Row("b", f"{n:02}/k", size="1024"))
    planned.keep("not verified")
    lines = list(planned.lines("b"))
    assert (lines[0] == "s3://b: 10 versions to delete (10K), 1 kept"
            and "  ... and 2 more prefixes" in lines)
    assert lines[-1].split() == ["1", "kept:", "not", "verified"]
    planned = Planned()
    for n in range(PREFIXES + 1):
        planned.add(Row("b", f"{n:02}/k"))
    assert "  ... and 1 more prefix" in list(planned.lines("b"))
