"""This machine's disk and cores, by themselves."""

import os

from s3kit.doctor import machine
from s3kit.doctor.machine import hash_rate, try_disk


def test_hashing(monkeypatch):
    """A rate, for checksums that are known and those that are not."""
    monkeypatch.setattr(machine, "HASH_BYTES", 1 << 20)
    for algorithms in ("", "SHA256", "CRC32 SHA1", "UNKNOWN"):
        assert hash_rate(algorithms) > 1 << 20


def test_the_disk(tmp_path):
    """Written and flushed below what is there, for no longer than given, and nothing is left."""
    checked = []
    found = try_disk(str(tmp_path / "not" / "there"), 0.0, lambda: checked.append(1))
    assert found.folder == str(tmp_path) and found.rate > 0 and found.flush > 0 and not found.why
    assert len(checked) == 1 and os.listdir(tmp_path) == []


def test_a_disk_that_does_not_take_it(tmp_path, monkeypatch):
    """Why is said; nothing is left."""
    def refuse(fd):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(machine, "sync_data", refuse)
    found = try_disk(str(tmp_path), 0.0, lambda: None)
    assert (found.rate, found.why) == (
        0.0, f"'{tmp_path}' cannot be written to: No space left on device")
    assert os.listdir(tmp_path) == []
