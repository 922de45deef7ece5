"""When S3 is asked, and when it is looked at again."""

import pytest

from s3kit.manifest.row import Row
from s3kit.restore import turns
from s3kit.restore.asking import RestoreRequest, StatusQuery
from s3kit.restore.schedule import Schedule
from s3kit.restore.sending import ASKED, LOOKED
from s3kit.restore.version import Version


def version(key="k"):
    """Return a Version of 5 bytes in an archive."""
    return Version(Row("b", key, size="5", storage_class="GLACIER"), "Standard")


def schedule(stage):
    """Return a Schedule of a bucket whose listing shows restores, and the keys it gave away."""
    joined, late = [], []
    found = Schedule(stage, lambda one: joined.append(one.row.key),
                     lambda one: late.append(one.row.key), None)
    found.probes.shown["b"] = True
    return found, joined, late


def kinds(stage):
    """Return [(key, class of the job)] of what was sent."""
    return [(errand.row.key, type(job)) for errand, job in stage.sent]


@pytest.mark.parametrize("wait", [True, False])
def test_versions_are_asked_for_below_the_cap(made, wait):
    """The others wait for a place, or leave."""
    stage = made(max_pending=2, wait=wait)
    found, joined, late = schedule(stage)
    versions = [version(key) for key in "aabc"]
    for one in versions:
        found.turns.add(one)
    found.go_on()
    assert kinds(stage) == [("a", RestoreRequest), ("b", RestoreRequest)]
    assert joined == ["a"] and late == ([] if wait else ["c"])
    if wait:
        assert [(seconds, call) for seconds, call, _ in stage.calls] == [(turns.PAUSE,
                                                                          found.rested)]
        found.go_on()
        assert len(stage.calls) == 1, "it rests already"
        found.release(versions[0])
        stage.wake()
        assert kinds(stage)[-1] == ("c", RestoreRequest) and len(found.turns) == 0


def test_asking_is_a_new_matter(made):
    """What failed before, while it was looked at, is forgotten; but not from one try to the next.
    """
    found, _, _ = schedule(made())
    one = version()
    one.patience.tries = 5
    found.ask_for(one)
    assert one.patience.tries == 0
    one.patience.tries = 3
    found.ask_for(one)
    assert one.patience.tries == 3 and found.requests.under_way[ASKED] == 2


def test_pending_versions_are_looked_at_from_time_to_time(made):
    """One round after the other, as --poll says."""
    stage = made(poll=7.0)
    found, _, _ = schedule(stage)
    for key in "ba":
        found.pend(version(key))
    found.go_on()
    found.go_on()
    [(seconds, call, _)] = stage.calls
    assert seconds == 7.0 and not stage.sent
    stage.wake()
    assert kinds(stage) == [("a", StatusQuery), ("b", StatusQuery)]
    found.go_on()
    assert not stage.calls, "the answers come first"
    for errand, _ in stage.sent:
        found.requests.answered(errand)
    found.go_on()
    assert [seconds for seconds, _, _ in stage.calls] == [7.0]


def test_more_than_can_be_watched(made):
    """They wait for their turn, without a place."""
    found, _, _ = schedule(made())
    found.watching.most = 1
    one, other = version("a"), version("b")
    for each in (one, other):
        found.turns.hold(each)
        found.pend(each)
    assert one in found.watching and one.is_held
    assert other not in found.watching and not other.is_held and len(found.turns) == 1
    found.release(one)
    assert one not in found.watching and not found.turns.cap.held


def test_how_it_stands(made):
    """What is pending, what waits, and since when."""
    found, _, _ = schedule(made())
    assert found.standing() == ["0 pending", 0, False]
    one = version("a")
    one.began -= 7200
    found.pend(one)
    found.turns.add(version("b"))
    assert found.standing() == ["1 pending", "1 to ask for", "oldest wait 2 h 0 min"]


def test_nothing_is_asked_for_while_rows_are_looked_at(made):
    """What an earlier run asked for counts below the cap."""
    stage = made()
    found, _, _ = schedule(stage)
    found.requests.look_at(version("a"))
    found.turns.add(version("b"))
    found.go_on()
    assert kinds(stage) == [("a", StatusQuery)] and found.requests.under_way[LOOKED] == 1
