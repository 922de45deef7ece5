"""What a process says of itself."""

import os
import time
from types import SimpleNamespace

import pytest

from s3kit.cli import ourselves
from s3kit.cli.ourselves import Ourselves
from s3kit.cli.progress import Progress
from s3kit.cli.tally import Tally
from s3kit.runs.snapshot import snapshot_of

ARGS = SimpleNamespace(prog="s3-fetch", quiet=False, verbose=False, dest="x", run="move")


@pytest.fixture
def clean(monkeypatch):
    """No command of this process has counted anything."""
    monkeypatch.setattr(Progress, "current", None)
    monkeypatch.setattr(Tally, "current", None)


@pytest.mark.usefixtures("clean")
def test_a_process_that_counts_nothing():
    said = Ourselves(ARGS, 5.0).snapshot()
    assert snapshot_of(said.to_json()) == said
    assert (said.command, said.run, said.pid, said.began) == ("s3-fetch", "move", os.getpid(), 5.0)
    assert said.dest == os.path.abspath("x") and said.state() == "running" and not said.terminal


@pytest.mark.usefixtures("clean")
def test_what_is_counted_is_said(monkeypatch, capsys):
    """Rows, amounts, causes, workers; it all can be read back, whatever the names."""
    made, tally = Ourselves(ARGS, time.time()), Tally(ARGS)
    progress = Progress(ARGS)
    tally.count(SimpleNamespace(state="failed", error="S3 says X 12", name="s3://b/\udcffk"), True)
    tally.count(SimpleNamespace(state="failed", error="S3 says X 7", name="s3://b/l"), True)
    tally.count(SimpleNamespace(state="fetched", error="", name="s3://b/m"))
    tally.add("tried again")
    tally.add("slowed down", 3)
    tally.at_work = lambda: [(7, 64, (3, "k\udcff", 5, 10, 2.0, 0)), ("far:8", 0, None)]
    progress.expect(100)
    progress.move(30)
    said = made.snapshot(status=1, ended=9.0)
    assert snapshot_of(said.to_json()) == said
    assert said.rows == {"failed": 2, "fetched": 1} and (said.tried_again, said.slowed_down) == (
        1, 3)
    [(cause, number, example)] = said.causes
    assert (cause, number) == ("S3 says X N", 2) and example.startswith("s3://b/\\udcffk: S3 says")
    assert [(each["host"], each["pid"], each["jobs"], each["name"]) for each in said.workers] == [
        ("", 7, 64, "k\\udcff"), ("far", 8, 0, "")]
    assert (said.unit, said.done, said.expected, said.total, said.status) == ("B", 30, 100, 0, 1)
    assert "S3 says" in capsys.readouterr().err


@pytest.mark.usefixtures("clean")
def test_speeds_are_of_what_came_since(monkeypatch):
    """Of the whole, and of each worker."""
    clock = [1000.0]
    monkeypatch.setattr(ourselves.time, "monotonic", lambda: clock[0])
    made, tally, progress = Ourselves(ARGS, time.time()), Tally(ARGS), Progress(ARGS)
    total = [0]
    tally.at_work = lambda: [(7, 1, (1, "k", 0, 0, 0.0, total[0]))]
    for _ in range(8):
        said = made.snapshot()
        clock[0] += 1
        total[0] += 500
        progress.move(100)
    assert said.speed == 100 and said.workers[0]["speed"] == 500 and said.left == -1
    progress.read(None, True)
    progress.expect(1600)
    said = made.snapshot()
    assert 7 < said.left < 9 and said.total == 1600


@pytest.mark.usefixtures("clean")
def test_when_something_last_went_on():
    made, tally = Ourselves(ARGS, 5.0), Tally(ARGS)
    assert made.snapshot().moved > 5
    first = made.snapshot().moved
    assert made.snapshot().moved == first
    tally.count(SimpleNamespace(state="fetched", error="", name="k"))
    assert made.snapshot().moved > first


def test_a_directory_that_is_gone(tmp_path, monkeypatch):
    there = tmp_path / "there"
    there.mkdir()
    monkeypatch.chdir(there)
    assert ourselves.directory() == str(there)
    there.rmdir()
    assert ourselves.directory() == ""
