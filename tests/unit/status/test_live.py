"""Runs as text and as data."""

import json
import time

from unit.status.live_runs import five, snapshot

from s3kit.status import live


def test_a_pipeline_stage_by_stage():
    """How each stands, what is wrong, and how long it takes."""
    first, *stages = live.lines([five()])
    assert ": running, 1 min 1 s left (s3-fetch), 1 min 30 s, begun 20" in first
    text = "\n".join(stages)
    assert "s3-manifest done, 20,000 rows in 3.0 s" in text
    assert "s3-fetch    running, 1.0G of 4.0G, 1 min 1 s left, 50M/s, 5,002 rows, 2 wrong" in text
    assert "7 tried again" in text and "2 rows: S3 says NoSuchKey, like s3://b/k" in text
    assert "s3-verify   running, 512M of at least 1.0G" in text and "%" not in text


def test_one_that_died_says_how_to_go_on():
    """With what was typed, where it was."""
    dead = snapshot("s3-fetch", start="1", run="night", written=time.time() - 60)
    found = list(live.lines([[dead]], unread=2))
    assert found[0].startswith("night: dead") and "dead since 20" in found[1]
    assert ", 30.0 s, begun 20" in found[0]     # until it was heard of last
    assert found[2] == "  to go on: cd /data && s3-fetch -d 'my data'"
    assert found[3].startswith("2 files")


def test_the_worst_stage_is_how_the_pipeline_stands():
    done = snapshot("s3-list", ended=time.time())
    failed = done._replace(status=3)
    assert live.state_of([done]) == "done" and live.state_of([done, failed]) == "failed"
    assert live.says(failed) == "ended with status 3"
    assert live.state_of([done, done._replace(ended=0.0, written=1.0)]) == "stalled"


def test_as_data():
    """The same, with names that stay."""
    found = json.loads(json.dumps(live.facts([five()], 3)))
    [run] = found["runs"]
    assert (found["unread"], run["state"], run["left"]) == (3, "running", 61.4)
    assert [stage["state"] for stage in run["stages"]] == ["done"] + ["running"] * 4
    assert run["stages"][2]["rows"] == {"fetched": 5000, "failed": 2}
    assert list(live.lines([])) == ["nothing runs, and nothing ended within a day"]


def test_what_works_in_a_destination():
    at_work = [snapshot("s3-fetch", dest="/data")]
    over = [snapshot("s3-fetch", dest="/data", ended=1.0)]
    assert live.at("/data", [at_work, over, [snapshot("s3-list")]]) == [at_work]
