"""Versions that go to their targets one after another."""

import os
from contextlib import suppress
from types import SimpleNamespace

import pytest
from unit.put.in_process import STEP, Run

from s3kit.errors import Cut
from s3kit.manifest.row import CONFLICT, FAILED, LISTED, PRUNED, STORED, VERIFIED, Row
from s3kit.manifest.stored_at import copy_of
from s3kit.put.history import BROKEN, HIDES, UNKEPT, is_below, is_marker_to_make, oldest_first
from s3kit.transfer.put_task import OTHERS

DAY = "2026-01-{:02}T00:00:00Z"


def versions_of(desk, *bodies, key="k", **columns):
    """Return the rows of a key's versions, the oldest first; None in a body's place is a delete
    marker.
    """
    made = []
    for day, body in enumerate(bodies, 1):
        path = f"{key}.{day}"
        row = Row("b", key, f"v{day}", last_modified=DAY.format(day), state=LISTED)
        if body is None:
            row.is_delete_marker = "true"
        else:
            desk.file(path, body)
            row.path, row.etag, row.state, row.size = path, f"e{day}", VERIFIED, str(len(body))
        for column, text in columns.items():
            setattr(row, column, text)
        made.append(row)
    return made


def run_of(desk, **options):
    """Return a Run that keeps the order of versions, in the bucket itself."""
    return Run(desk, **{"target": ("b", ""), "history": True} | options)


def put(run, found, most=10_000):
    """Have rows stored; return their states and errors."""
    for row in found:
        run.putting.take(row, None)
    run.stage.work(most)
    return [(row.state, row.error) for row in found]


def there(run, key="k"):
    """Return the bodies of a key's versions, the oldest first; None is a delete marker."""
    return [None if one.marker else bytes(one.body)
            for one in reversed(run.fake.versions("b")) if one.key == key]


@pytest.mark.parametrize("is_fresh", [False, True])
def test_versions_come_in_their_order(desk, is_fresh):
    """Each on top of the one before, the same bytes, too, and delete markers in their place."""
    bodies = (b"first", None, b"second", b"second", None, None)
    run = run_of(desk, is_fresh=is_fresh)
    found = versions_of(desk, *bodies)
    put(run, found)
    assert there(run) == list(bodies)
    assert [row.state for row in found] == [LISTED if body is None else STORED for body in bodies]
    assert [copy_of(row)[2] for row in found] == [
        one.id for one in reversed(run.fake.versions("b"))]
    assert run.stage.kinds() == ["look"] * (not is_fresh) + ["put", "hide", "put", "put", "hide",
                                                             "hide"]
    assert run.putting.summary()[0].startswith("3 rows stored")
    assert "3 delete markers made" in run.putting.summary() and run.putting.status() == 0


def test_keys_do_not_wait_for_each_other(desk):
    """But no version for a later one of its key."""
    run = run_of(desk, is_fresh=True)
    one, other = versions_of(desk, b"1", b"2"), versions_of(desk, b"3", b"4", key="l")
    for row in one + other:
        run.putting.take(row, None)
    assert [errand.row for errand, _ in run.stage.queue] == [one[0], other[0]]
    run.stage.work()
    assert there(run) == [b"1", b"2"] and there(run, "l") == [b"3", b"4"]
    assert list(run.putting.history.lines) == [("b", "l")] and not run.putting.history.targets


def test_a_large_version_in_between(desk):
    """In parts, on top of the same bytes."""
    run, large = run_of(desk), b"x" * (2 * STEP)
    assert [state for state, _ in put(run, versions_of(desk, b"small", large, large, b"s"))] == [
        STORED] * 4
    assert there(run) == [b"small", large, large, b"s"]


class Killed(BaseException):
    """A run ends here."""


def killed(desk, found, jobs=10_000, rows=10_000):
    """Have rows stored by a run that is killed after so many jobs, or when so many rows are written
    down: of the next one S3 has heard.
    """
    run = run_of(desk)
    real = run.stage.finish

    def finish(row, entry, is_safe=False):
        if len(run.stage.left) == rows:
            raise Killed
        real(row, entry)

    run.stage.finish = lambda row, entry, is_safe=False, aloud=False: finish(row, entry)
    with suppress(Killed):
        put(run, found, jobs)
    for errand in run.putting.large.under_way:
        os.close(errand.large.fd)           # as the kernel does


@pytest.mark.parametrize("when", [*({"jobs": jobs} for jobs in range(1, 12)),
                                  *({"rows": rows} for rows in range(5))], ids=str)
def test_a_run_that_is_killed(desk, when):
    """The next one goes on with what it finds: nothing is stored twice, also where the ledger did
    not hear of the last row.
    """
    bodies = (b"first", b"first", b"x" * (2 * STEP), None, b"last")
    killed(desk, versions_of(desk, *bodies), **when)
    run, found = run_of(desk), versions_of(desk, *bodies)
    put(run, found)
    assert there(run) == list(bodies), run.stage.kinds()
    assert [copy_of(row)[2] for row in found] == [
        one.id for one in reversed(run.fake.versions("b"))]
    again = run_of(desk)
    put(again, versions_of(desk, *bodies)), put(again, found)
    assert there(run) == list(bodies) and again.putting.stored == again.putting.history.hidden == 0


@pytest.mark.parametrize("body", [b"others'", b"first"])
def test_what_lay_below_before_is_covered(desk, body):
    """An older version of the very name, the same bytes, too."""
    desk.fake.put("b", "k", body)
    run = run_of(desk)
    found = versions_of(desk, b"first", b"second")
    for row in found:
        row.last_modified = "2090-01-01T00:00:00Z"
    assert [state for state, _ in put(run, found)] == [STORED] * 2
    assert there(run) == [body, b"first", b"second"]


@pytest.mark.parametrize("bodies", [(b"first", b"second"), (None, b"second")])
@pytest.mark.parametrize("options", [{}, {"target": ("b", "p/")}])
def test_nothing_newer_is_covered(desk, bodies, options):
    """Or of another name: the key's later versions do not come either."""
    run = run_of(desk, **options)
    found = versions_of(desk, *bodies)
    if options:
        for row in found:
            row.last_modified = "2090-01-01T00:00:00Z"
    key = options.get("target", ("", ""))[1] + "k"
    desk.fake.put("b", key, b"newer")
    assert put(run, found) == [(CONFLICT, OTHERS + HIDES), (CONFLICT, BROKEN)]
    assert there(run, key) == [b"newer"] and run.putting.status() == 1
    assert put(run, versions_of(desk, b"other", key="l")) == [(STORED, "")]


@pytest.mark.parametrize("late", [b"second", None])
def test_what_comes_meanwhile_is_not_covered(desk, late):
    """By an older version, or a delete marker that is made again: neither where the request is
    answered, nor where the answer was lost.
    """
    run = run_of(desk)
    first = versions_of(desk, b"first", late)
    put(run, first[:1])
    desk.fake.put("b", "k", b"another's")
    again = run_of(desk)
    assert put(again, versions_of(desk, b"first", late)) == [
        (STORED, ""), (CONFLICT, OTHERS + HIDES)]
    assert there(run) == [b"first", b"another's"]


@pytest.mark.parametrize("late", [b"second", None])
def test_an_answer_that_is_lost(desk, late):
    """What was made is found, and not made again."""
    run = run_of(desk)
    found = versions_of(desk, b"first", late)
    put(run, found[:1])
    desk.fake.fault("lost", method="PUT" if late else "DELETE", key="k")
    put(run, found[1:])
    assert there(run) == [b"first", late] and run.stage.retried


def test_a_row_that_fails_stops_its_key(desk):
    """What is older must come first: it can be mended, and the same command goes on."""
    run = run_of(desk)
    found = versions_of(desk, b"1", b"2", b"3")
    (desk.folder / "k.2").unlink()
    states = put(run, found)
    assert [state for state, _ in states] == [STORED, FAILED, CONFLICT] and states[2][1] == BROKEN
    again = run_of(desk)
    assert [state for state, _ in put(again, versions_of(desk, b"1", b"2", b"3"))] == [STORED] * 3
    assert there(again) == [b"1", b"2", b"3"]


def test_a_copy_that_is_gone(desk):
    """It is stored again where nothing has come on top."""
    first = run_of(desk)
    put(first, versions_of(desk, b"1"))
    desk.fake.delete("b", "k", desk.fake.versions("b")[0].id)
    run = run_of(desk)
    assert put(run, versions_of(desk, b"1", b"2")) == [(STORED, "")] * 2
    assert there(run) == [b"1", b"2"]


def test_a_row_that_is_named_twice(desk):
    """As in the file of an s3-prune that was killed: it is stored once."""
    run = run_of(desk)
    found = [row for pair in zip(versions_of(desk, b"1", None), versions_of(desk, b"1", None))
             for row in pair]
    put(run, found)
    assert there(run) == [b"1", None]
    assert copy_of(found[0]) == copy_of(found[1]) and copy_of(found[2]) == copy_of(found[3])
    assert [row.state for row in found] == [STORED, STORED, LISTED, LISTED]


def test_two_buckets_have_no_history_together(desk):
    """Their versions would be mixed."""
    run = run_of(desk)
    found = versions_of(desk, b"1") + versions_of(desk, b"1", bucket="c")
    states = put(run, found)
    assert states[0][0] == STORED and states[1][0] == CONFLICT and "another row" in states[1][1]
    assert there(run) == [b"1"]


def test_a_bucket_that_keeps_versions_no_more(desk):
    """The first one is there; another would take its place."""
    run = run_of(desk)
    desk.fake.buckets["b"].versioning = "Suspended"
    assert put(run, versions_of(desk, b"1", b"2")) == [(STORED, ""), (CONFLICT, UNKEPT)]
    assert there(run) == [b"1"]


def test_a_key_without_a_target(desk):
    """It stops no other."""
    run = run_of(desk, strip="a/")
    states = put(run, [*versions_of(desk, b"1"), *versions_of(desk, b"2", key="a/k")])
    assert [state for state, _ in states] == [FAILED, STORED] and "--strip" in states[0][1]


def test_who_may_not_look(desk):
    """Covers nothing."""
    run = run_of(desk)
    desk.fake.fault("status", method="HEAD", status=403, code="AccessDenied", times=None)
    states = put(run, versions_of(desk, b"1", b"2"))
    assert [state for state, _ in states] == [FAILED, CONFLICT] and there(run) == []


# --- rows


@pytest.mark.parametrize("columns, is_one", [
    ({}, False), ({"is_delete_marker": "true"}, True),
    ({"is_delete_marker": "true", "state": PRUNED}, True),
    ({"is_delete_marker": "true", "state": FAILED}, False),
    ({"is_delete_marker": "true", "verbatim": {}}, False)])
def test_which_markers_are_made(columns, is_one):
    assert is_marker_to_make(Row("b", "k", **columns)) is is_one


@pytest.mark.parametrize("row_at, there_at, target, is_so", [
    (DAY.format(2), DAY.format(1), ("b", "k"), True),
    (DAY.format(1), DAY.format(2), ("b", "k"), False),
    (DAY.format(2), DAY.format(1), ("b", "l"), False),
    ("2026-01-01T00:00:01.9Z", "2026-01-01T00:00:01Z", ("b", "k"), False),
    ("2026-01-01T00:00:02Z", "2026-01-01T00:00:01Z", ("b", "k"), True),
    ("", DAY.format(1), ("b", "k"), False), (DAY.format(1), "", ("b", "k"), False)])
def test_what_lay_below_before(row_at, there_at, target, is_so):
    """By the seconds in which S3 tells times; what is as old may be newer."""
    row = Row("b", "k", last_modified=row_at)
    assert is_below(row, target, SimpleNamespace(last_modified=there_at)) is is_so


def test_the_order_of_rows():
    """By key, the oldest first; of two as old the latest is the newer, else the one that comes
    first.
    """
    def row(key, version, at, latest="false"):
        return Row("b", key, version, last_modified=at, is_latest=latest)

    given = [row("l", "2", DAY.format(2), "true"), row("l", "1", DAY.format(1)),
             row("k", "4", DAY.format(3)), row("k", "3", DAY.format(3)),
             row("k", "5", DAY.format(3), "true"), row("k", "1", ""), row("k", "2", DAY.format(2))]
    found = [row for batch in oldest_first([given[:3], given[3:]]) for row in batch]
    assert [(row.key, row.version_id) for row in found] == [
        ("k", "1"), ("k", "2"), ("k", "3"), ("k", "4"), ("k", "5"), ("l", "1"), ("l", "2")]


def test_an_input_that_was_cut():
    """Nobody knows which versions are lacking: nothing is stored."""
    def batches():
        yield [Row("b", "k")]
        raise Cut("cut")

    with pytest.raises(Cut):
        next(oldest_first(batches()))
