"""What is mounted where."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.disk import mounts

TABLE = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:40 / /data rw - xfs /dev/old rw
24 23 0:41 / /data rw - nfs4 server:/export rw
25 22 8:1 / /mnt/with\\040blank ro - vfat /dev/sda1 ro
26 22 0:5 / /database rw - tmpfs tmpfs rw
"""


@pytest.fixture
def table(tmp_path):
    """A table of mounts."""
    path = tmp_path / "mountinfo"
    path.write_text(TABLE)
    return str(path)


@pytest.mark.parametrize("path, kind, source", (("/data/x", "nfs4", "server:/export"),
                                                ("/database", "tmpfs", "tmpfs"),
                                                ("/", "ext4", "/dev/vda"),
                                                ("/mnt/with blank/a", "vfat", "/dev/sda1"),
                                                ("/dat", "ext4", "/dev/vda")))
def test_mounts(table, path, kind, source):
    """The longest mount point above a path; of two in one place the later."""
    found = mounts.Mount(path, table)
    assert (found.kind, found.source) == (kind, source)


def test_no_table(tmp_path):
    """Where the kernel tells nothing, nothing is known."""
    assert mounts.Mount("/", str(tmp_path / "none")).kind == ""


# as seq_path of the kernel writes them
ESCAPED = {" ": "\\040", "\t": "\\011", "\n": "\\012", "\\": "\\134", "#": "\\043"}


@given(st.text(st.sampled_from("ab/ \t\n\\#0é\udcff"), max_size=8))
def test_paths_come_back_as_they_are(path):
    """Whatever the kernel writes in octal, and bytes that are not UTF-8."""
    written = "".join(ESCAPED.get(character, character) for character in path)
    assert mounts.unescaped(written) == path


def test_all_mounts_in_order(table):
    """With the device's numbers and the options of the mount, those of the file system left out."""
    assert list(mounts.mounts(table))[:4:3] == [
        ("254:0", "/", "ext4", "/dev/vda", "rw,relatime"),
        ("8:1", "/mnt/with blank", "vfat", "/dev/sda1", "ro")]


def test_a_path_through_a_link_is_where_the_link_leads(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    table = tmp_path / "mountinfo"
    table.write_text(f"22 1 8:0 / / rw - ext4 /dev/a rw\n"
                     f"23 22 8:1 / {tmp_path}/there rw - xfs /dev/b rw\n")
    assert mounts.Mount(str(tmp_path / "link"), str(table)).kind == "xfs"


def test_the_machine_s_own_table():
    """Where there is one, it says something of every path."""
    found = mounts.Mount("/")
    assert found.point == "/" and bool(found.kind) == bool(list(mounts.mounts()))


def test_the_name_of_a_network_file_system(tmp_path, monkeypatch):
    """Told by the kernel's number of it; a device that FUSE serves is this host's alone."""
    fd = os.open(tmp_path, os.O_RDONLY)
    assert mounts.network_of(fd, tmp_path) == ""
    kind = int(os.popen(f"stat -f -c %t '{tmp_path}'").read(), 16)
    for name in ("NFS", "FUSE"):
        monkeypatch.setattr(mounts, "NETWORK", {kind: name})
        assert mounts.network_of(fd, tmp_path) == name
    monkeypatch.setattr(mounts, "OF_A_DEVICE", mounts.Mount(tmp_path).kind)
    assert mounts.network_of(fd, tmp_path) == ""
    os.close(fd)
