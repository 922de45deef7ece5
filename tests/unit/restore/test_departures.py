"""How rows leave."""

import pytest

from s3kit.manifest.row import Row
from s3kit.restore.departures import Departures
from s3kit.restore.version import Version


def version(key="k", **fields):
    """Return a Version of 5 bytes."""
    return Version(Row("b", key, size="5", storage_class="GLACIER", **fields), "Standard")


def test_what_leaves_and_what_is_said(made, capsys):
    """In its state, counted; what can be read keeps its place until it is written."""
    stage = made()
    departures, back = Departures(stage), version("back", error="old")
    back.is_held = True
    departures.restore(back, "ready until then")
    departures.restore(version("free"), "")
    departures.ask(version("asked", error="old"))
    departures.pass_on(version("needless", state="listed"))
    departures.put_off(version("late", state="restoring", restore="ongoing"))
    departures.fail(version("wrong"), "S3 will not")
    assert stage.left == [
        ("back", "restored", (("b", "back", ""), 5)), ("free", "restored", None),
        ("asked", "restoring", None), ("needless", "listed", None), ("late", "listed", None),
        ("wrong", "failed", None)]
    assert (back.row.restore, back.row.error) == ("ready until then", "")
    assert departures.summary() == ["2 rows restored (10)", "1 row asked for",
                                    "1 row not asked for", "1 row failed"]
    assert departures.status() == 1 and "S3 will not" in capsys.readouterr().err


@pytest.mark.parametrize("state", ["restoring", "restored", "failed"])
def test_what_there_is_no_room_for(made, state):
    """It leaves as if it had never been asked for, and the status says that more is to do."""
    stage = made()
    departures, late = Departures(stage), version(state=state, restore="ongoing", error="why")
    departures.put_off(late)
    assert late.row.restore == ""
    assert late.row.state == ("failed" if state == "failed" else "listed")
    assert departures.status() == 1


def test_a_dry_run(made, capsys):
    """Only what S3 would be asked for leaves, unchanged; what is wrong is said."""
    stage = made(dry_run=True)
    departures, back = Departures(stage), version("back")
    departures.plan(version("planned", state="listed"))
    departures.restore(back, "ready until then")
    departures.pass_on(version("needless"))
    assert stage.left == [("planned", "listed", None)] and back.row.state == ""
    assert departures.summary() == ["1 row to ask for (5)"] and departures.status() == 0
    departures.fail(version("wrong"), "S3 will not")
    assert len(stage.left) == 1 and departures.status() == 1
    assert "S3 will not" in capsys.readouterr().err
