"""s3-policy rollback: to what was live before, or to a backup."""

import json
from pathlib import Path

import pytest
from policyruns import OLD, ONLY_ME, backups, live

from s3kit.policy.directory import Shelf


@pytest.mark.system("minutes")
def test_rollback(place, run):
    """Step by step to what was live before; to no policy where there was none; then there is
    nothing to do.
    """
    run("plan", "b", "c", "-t", "migrate")
    run("apply", "--all", "--yes")
    first = live(place)
    run("plan", "b", "-t", "read-only")
    run("apply", "b", "--yes")
    assert live(place) != first
    assert run("rollback", "b", "-n")[0] == 0 and live(place) != first
    assert run("rollback", "b", "--yes")[0] == 0 and live(place) == first
    assert run("rollback", "b", "--yes")[0] == 0 and live(place) == OLD
    status, _, err = run("rollback", "b", "--yes")
    assert status == 0 and "nothing to roll back" in err and live(place) == OLD
    assert ("rolled back to no policy" in run("rollback", "c", "--yes")[2]
            and live(place, "c") is None)
    assert len(place.requests(method="DELETE")) == 1


def test_rollback_of_what_changed(place, run):
    """A policy that apply did not put is not thrown away unless told; it is kept."""
    assert "has kept no backup" in run("rollback", "b", "--yes")[2]
    run("plan", "b", *ONLY_ME)
    run("apply", "b", "--yes")
    other = OLD | {"Id": "other"}
    place.bucket("b").policy = json.dumps(other)
    status, _, err = run("rollback", "b", "--yes")
    assert status == 1 and "is not the one that apply put" in err and live(place) == other
    assert run("rollback", "b", "--yes", "--overwrite")[0] == 0 and live(place) == OLD
    assert json.loads(backups()[0].text) == other


def test_rollback_to_a_backup(place, run):
    """Any that was kept, of this bucket; not if it would lock us out."""
    path = run("backup", "b")[1].strip()
    none = run("backup", "c", "--json")[1]
    run("plan", "b", *ONLY_ME)
    run("apply", "b", "--yes")
    run("plan", "b", "-t", "read-only")
    run("apply", "b", "--yes")
    assert "a backup of the bucket 'c'" in run("rollback", "b", "--yes", "--to",
                                               json.loads(none)["path"])[2]
    assert run("rollback", "b", "--yes", "--to", path)[0] == 0 and live(place) == OLD
    for text, said in (("{}", "is not a backup"), ("[]", "is not a backup"),
                       ("{", "is not a backup")):
        Path("bad").write_text(text)
        assert said in run("rollback", "b", "--yes", "--to", "bad")[2]
    assert "cannot open 'none'" in run("rollback", "b", "--yes", "--to", "none")[2]
    locking = Shelf("policies").keep("b", json.dumps({"Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}]})).path
    assert ("would lock us out" in run("rollback", "b", "--yes", "--to", locking)[2]
            and live(place) == OLD)
