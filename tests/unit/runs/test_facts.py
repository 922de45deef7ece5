"""What a Snapshot says, in words."""

import pytest

from s3kit.runs.facts import facts_of
from s3kit.runs.snapshot import Snapshot

FETCH = Snapshot(command="s3-fetch", unit="B", done=512 << 20, total=1 << 30, expected=1 << 30,
                 speed=10 << 20, left=51.2, rows={"fetched": 2000, "failed": 48})
LIST = Snapshot(command="s3-manifest", done=20000, speed=4000.0)


@pytest.mark.parametrize("snapshot, facts", [
    (FETCH, "512M of 1.0G, 51 s left, 10M/s, 2,048 rows"),
    (FETCH._replace(is_about=True), "512M of about 1.0G, 51 s left, 10M/s, 2,048 rows"),
    (FETCH._replace(total=0, left=-1.0), "512M of at least 1.0G, 10M/s, 2,048 rows"),
    (FETCH._replace(total=0, expected=0, speed=0.0, left=-1.0), "512M, 2,048 rows"),
    (FETCH._replace(text="3 ready"), "512M of 1.0G, 51 s left, 10M/s, 3 ready"),
    (LIST, "20,000 rows, 4,000/s"),
    (LIST._replace(speed=0.25, unit=" answer"), "20,000 answers, 0.2/s")])
def test_what_is_known_is_said_and_no_more(snapshot, facts):
    """No percent and no time of what nobody knows."""
    assert ", ".join(facts_of(snapshot, snapshot.left)) == facts
