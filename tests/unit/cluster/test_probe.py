import os
import time

import pytest

from s3kit.cluster import probe
from s3kit.errors import Usage


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(probe, "SECONDS", 0.0)


def test_a_probe_is_found_until_it_is_removed(tmp_path):
    written = probe.write(str(tmp_path))
    assert probe.trouble(str(tmp_path), written) == ""
    assert (tmp_path / ".s3kit" / written.name).stat().st_mode & 0o777 == 0o600
    probe.remove(str(tmp_path), written)
    assert probe.trouble(str(tmp_path), written) == f"'{tmp_path}' is another directory there"
    probe.remove(str(tmp_path), written)


def test_another_place_of_the_same_name(tmp_path):
    written = probe.write(str(tmp_path))
    (tmp_path / ".s3kit" / written.name).write_text("somebody else's")
    assert probe.trouble(str(tmp_path), written) == f"'{tmp_path}' is another there"
    assert probe.trouble(str(tmp_path / "no"), written) == f"'{tmp_path}/no' is not there"


def test_a_file_that_comes_late_is_found(tmp_path, monkeypatch):
    written = probe.write(str(tmp_path))
    file = tmp_path / ".s3kit" / written.name
    file.rename(tmp_path / "later")
    monkeypatch.setattr(time, "sleep", lambda _: (tmp_path / "later").rename(file))
    assert probe.trouble(str(tmp_path), written) == ""


def test_nothing_can_be_written(tmp_path):
    (tmp_path / ".s3kit").write_text("in the way")
    with pytest.raises(Usage, match="--scheduler needs to write a file into '.*/.s3kit': "):
        probe.write(str(tmp_path))


def test_what_was_left_long_ago_is_swept(tmp_path):
    old, new = probe.write(str(tmp_path)), probe.write(str(tmp_path))
    then = time.time() - probe.STALE_SECONDS - 60
    os.utime(tmp_path / ".s3kit" / old.name, (then, then))
    probe.write(str(tmp_path))
    assert probe.trouble(str(tmp_path), old) and not probe.trouble(str(tmp_path), new)
