"""What is found of a destination where no test can mount it."""

import errno
import os
from types import SimpleNamespace

import pytest

from s3kit.disk import mounts
from s3kit.doctor import destination, trial
from s3kit.doctor.finding import FAULT, OK, WARNING


@pytest.mark.parametrize("kind, says", (("nfs4", "locks between machines"),
                                        ("cifs", "locks between machines"),
                                        ("fuse.sshfs", "locks between"),
                                        ("overlay", "gone with the container"),
                                        ("tmpfs", "in memory"), ("vfat", "no file of 4.0G"),
                                        ("ext4", "")))
def test_file_systems(tmp_path, kind, says):
    """What is special about them."""
    found = list(destination.system(str(tmp_path), SimpleNamespace(kind=kind)))
    on_tmpfs = mounts.Mount(str(tmp_path)).kind in destination.FLEETING
    assert [finding.state for finding in found] == ([WARNING] if says else []) or on_tmpfs
    assert says in " ".join(finding.seen for finding in found)


def space(bytes_free=1 << 40, inodes=1 << 20, inodes_free=1 << 19):
    """Return what os.statvfs would."""
    return SimpleNamespace(f_bavail=bytes_free >> 12, f_frsize=4096, f_blocks=1 << 28,
                           f_files=inodes, f_favail=inodes_free, f_namemax=255)


@pytest.mark.parametrize("given, states", ((space(), [OK, OK]),
                                           (space(bytes_free=1 << 29), [WARNING, OK]),
                                           (space(bytes_free=0), [FAULT, OK]),
                                           (space(inodes_free=5000), [OK, WARNING]),
                                           (space(inodes_free=0), [OK, FAULT]),
                                           # btrfs has no fixed number
                                           (space(inodes=0, inodes_free=0), [OK, OK])))
def test_room(given, states):
    """Space and inodes: enough, little, none."""
    assert [finding.state for finding in destination.room(given)] == states


@pytest.mark.parametrize("code, says", ((errno.EDQUOT, "quota"), (errno.EIO, "dmesg"),
                                        (errno.ENOSPC, "make room"), (errno.EXDEV, "another")))
def test_a_flush_that_fails(tmp_path, monkeypatch, code, says):
    """What only shows when bytes go to the disk; nothing is left behind."""
    def fail(fd):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(trial.durable, "sync_data", fail)
    found = destination.destination(str(tmp_path))[0]
    assert (found.what, found.state) == ("destination", FAULT) and says in found.advice
    assert os.listdir(tmp_path) == []
