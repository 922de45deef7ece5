"""What a process says of its run, and what is believed."""

import json
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit import process
from s3kit.runs.snapshot import Snapshot, as_text, read, shown_argv, snapshot_of

WORKER = {"pid": 7, "jobs": 64, "requests": 3, "name": "k\u00e9y", "moved": 5, "size": 10,
          "since": 1.5, "speed": 2.5}
FULL = Snapshot(command="s3-fetch", argv=["s3-fetch", "-d", "x"], pid=12, start="77", total=100,
                done=40, rows={"fetched": 3, "failed": 1}, workers=[WORKER],
                causes=[["S3 says NoSuchKey", 1, "s3://b/k: S3 says NoSuchKey"]], speed=1.5)


def test_it_comes_back_as_it_was():
    assert snapshot_of(FULL.to_json()) == FULL
    assert (FULL.count, FULL.share, Snapshot(done=5).share) == (4, 0.4, None)
    assert Snapshot(done=200, total=100).share == 1.0


def test_workers_of_other_machines():
    """Runs of before there were any do not say where."""
    told = FULL._replace(workers=[WORKER | {"host": "far"}])
    assert snapshot_of(told.to_json()).workers[0]["host"] == "far"


@pytest.mark.parametrize("wrong", [
    {"done": -1}, {"done": 1.5}, {"done": True}, {"done": 1 << 64}, {"speed": "1"},
    {"speed": float("nan")}, {"left": float("inf")}, {"argv": "x"}, {"argv": [1]},
    {"rows": {"failed": -1}}, {"rows": []}, {"workers": [WORKER | {"pid": "7"}]},
    {"workers": [WORKER | {"host": 7}]}, {"workers": [{}]},
    {"workers": {}}, {"causes": [["x", 1]]}, {"command": None},
    {"command": "\ud800"}, {"s3kit": 2}, {"is_about": 1}])
def test_what_is_not_as_it_should_be_is_none(wrong):
    assert snapshot_of(json.dumps(json.loads(FULL.to_json()) | wrong)) is None


@given(st.binary(max_size=60) | st.recursive(
    st.none() | st.integers() | st.text(max_size=4), lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["s3kit", "pid", "rows", "workers"]), inner)).map(
        lambda value: json.dumps(value).encode()))
def test_rubbish_is_no_snapshot(data):
    found = snapshot_of(data)
    assert found is None or isinstance(found, Snapshot)


def test_half_a_file_is_none(tmp_path):
    path = tmp_path / "1.json"
    path.write_bytes(FULL.to_json())
    assert read(path) == FULL
    path.write_bytes(FULL.to_json()[:-9])
    assert read(path) is None and snapshot_of(b"[" * 100_000) is None


def test_the_state_of_a_run():
    """By what it said last, and by whether the process is still there."""
    now = time.time()
    ours = Snapshot(pid=os.getpid(), start=process.start_of(os.getpid()), world=process.world(),
                    written=now)
    assert ours.state() == "running" and ours._replace(written=now - 60).state() == "stalled"
    assert ours._replace(start="1").state() == "dead"
    assert ours._replace(ended=now).state() == "done"
    assert ours._replace(ended=now, status=1).state() == "failed"
    elsewhere = ours._replace(world="another boot")
    assert elsewhere.state() == "running" and elsewhere._replace(written=1).state() == "dead"


def test_a_command_line_has_no_secrets():
    assert shown_argv(["s3-fetch", "--endpoint-url", "https://me:word@host/x", "a\udcff",
                       "https://h/k?X-Amz-Signature=abc&x"]) == [
        "s3-fetch", "--endpoint-url", "https://host/x", "a\\udcff", "https://h/k?"]
    assert as_text("plain \u00e9") == "plain \u00e9"
