"""Who belongs together."""

import os
import time

import pytest

from s3kit import process
from s3kit.runs import folder, pipelines
from s3kit.runs.snapshot import Snapshot


def run(pid, source="", target="", **more):
    """Return a Snapshot of a process."""
    return Snapshot(pid=pid, start=str(pid), source=source, target=target,
                    **{"began": float(pid), "world": "w"} | more)


def pids(groups):
    """Return the process ids of groups."""
    return [[each.pid for each in group] for group in groups]


def test_stages_of_a_pipe_in_its_order():
    """Whoever began first."""
    stages = [run(5, source="a", target="b"), run(4, source="b"), run(9, target="a"), run(7)]
    assert pids(pipelines.pipelines(stages)) == [[9, 5, 4], [7]]
    assert [each.pid for each in pipelines.in_order(stages)] == [7, 9, 5, 4]


def test_what_a_command_has_started_is_with_it():
    """As s3-relay's commands, each of which is at a pipe of its own."""
    stages = [run(3), run(4, "x", "y", parent=3), run(5, "z", parent=3), run(6, parent=1)]
    assert pids(pipelines.pipelines(stages)) == [[3, 4, 5], [6]]


def test_a_number_of_another_boot_is_another_pipe():
    stages = [run(3, target="a"), run(4, source="a", world="v")]
    assert pids(pipelines.pipelines(stages)) == [[3], [4]]


@pytest.mark.parametrize("stages", [
    [run(3, "a", "a")], [run(3, "a", "b"), run(4, "b", "a")], [run(3, parent=3)],
    [run(3, parent=4), run(4, parent=3)]])
def test_circles_end(stages):
    """No shell makes one, but a file can say so."""
    groups = pipelines.pipelines(stages)
    assert sorted(each.pid for group in groups for each in group) == [
        each.pid for each in stages]


def test_the_slowest_stage_is_what_one_waits_for():
    assert pipelines.left_of([run(1, left=5.0), run(2, left=70.0), run(3, left=900.0, ended=1.0)]
                             ) == 70.0
    assert pipelines.left_of([run(1)]) == -1.0 == pipelines.left_of([])


def test_what_a_directory_has(tmp_path, monkeypatch):
    """Live ones are those that have just written; what is none is counted."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert pipelines.all_runs() == ([], 0)
    home = folder.made()
    ours = Snapshot(pid=os.getpid(), start=process.start_of(os.getpid()), world=process.world(),
                    written=time.time())
    for name, data in (("1.json", ours.to_json()), ("2.json", b"{"),
                       ("3.json", ours._replace(ended=1.0, pid=8).to_json())):
        folder.write(os.path.join(home, name), data)
    found, rubbish = pipelines.all_runs()
    assert (sorted(each.pid for each in found), rubbish) == (sorted([8, os.getpid()]), 1)
    assert pipelines.live_runs(home) == [ours]
    os.utime(os.path.join(home, "1.json"), (1, 1))
    assert pipelines.live_runs(home) == []
    assert pipelines.is_at_work([ours]) and not pipelines.is_at_work([found[0]._replace(ended=1.)])
