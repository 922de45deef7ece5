"""The run directory, and what in it is believed."""

import os
import time

import pytest

from s3kit.runs import folder


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return the run directory, which is there."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return folder.made()


def test_it_is_ours_alone(home, tmp_path, monkeypatch):
    assert home == str(tmp_path / "s3kit") and folder.is_ours(home) and folder.made() == home
    os.chmod(home, 0o755)
    assert folder.made() is None
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "not there"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert folder.made() == str(tmp_path / f"s3kit-{os.geteuid()}")


@pytest.mark.parametrize("there", ["file", "link", "another's"])
def test_what_somebody_else_put_there_is_not_used(tmp_path, monkeypatch, there):
    """A link to a directory of ours would have us write where another says."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "elsewhere").mkdir(0o700)
    if there == "file":
        (tmp_path / "s3kit").touch()
    elif there == "link":
        (tmp_path / "s3kit").symlink_to(tmp_path / "elsewhere")
    else:
        (tmp_path / "s3kit").mkdir(0o700)
        monkeypatch.setattr("os.geteuid", lambda: 4711)
    assert folder.made() is None and not os.listdir(tmp_path / "elsewhere")


def test_a_file_is_written_at_once_for_us_alone(home):
    path = os.path.join(home, "1-2.json")
    for data in (b"one", b"two"):
        folder.write(path, data)
        assert folder.contents(path) == data
    assert os.stat(path).st_mode & 0o777 == 0o600 and os.listdir(home) == ["1-2.json"]


@pytest.mark.parametrize("kind", ["link", "fifo", "directory", "large", "another's", "gone"])
def test_what_is_no_file_of_ours_is_not_read(home, tmp_path, monkeypatch, kind):
    """And nobody waits for it."""
    path = os.path.join(home, "1-2.json")
    if kind == "link":
        (tmp_path / "file").write_bytes(b"{}")
        os.symlink(tmp_path / "file", path)
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        os.mkdir(path)
    elif kind != "gone":
        folder.write(path, b"x" * (folder.LARGEST + 1 if kind == "large" else 1))
    if kind == "another's":
        monkeypatch.setattr("os.geteuid", lambda: 4711)
    assert folder.contents(path) is None


def test_only_run_files_are_looked_at(home):
    """The oldest first; one that is just being written is none yet."""
    for age, name in enumerate(("b.json", "a.json", ".c.json", "d.txt")):
        path = os.path.join(home, name)
        folder.write(path, b"{}")
        os.utime(path, (1000 - age, 1000 - age))
    assert [os.path.basename(path) for _, path in folder.entries(home)] == ["a.json", "b.json"]
    assert folder.entries(os.path.join(home, "nowhere")) == []


def test_ended_runs_are_kept_for_a_day(home, monkeypatch):
    """And not too many; never one that has just been written."""
    monkeypatch.setattr(folder, "KEPT", 2)
    for name, age in (("old", 2 * 86400), ("a", 300), ("b", 200), ("c", 100), ("fresh", 0)):
        path = os.path.join(home, f"{name}.json")
        folder.write(path, b"{}")
        os.utime(path, (time.time() - age,) * 2)
    folder.sweep(home)
    assert sorted(os.listdir(home)) == ["b.json", "c.json", "fresh.json"]
