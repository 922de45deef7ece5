"""Disks as /sys, /proc and /run tell of them, and which of them are laid out."""

import pytest

from s3kit.doctor import volumes

GIB = 1 << 30


@pytest.fixture
def machine(tmp_path):
    """Return machine(name, gib, content=bytes, udev=, parts=, holders=, removable=, ro=) that adds
    a disk; `machine.root`.
    """
    for folder in ("sys/block", "proc/self", "run/udev/data", "dev"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text("")
    (tmp_path / "proc/swaps").write_text("Filename Type Size Used Priority\n")
    numbers = iter(range(100))

    def add(name, gib, content=b"", udev="", parts=(), holders=(), removable=0, ro=0, rotational=0,
            unreadable=False):
        folder = tmp_path / "sys/block" / name
        for where in ("queue", "device", "holders"):
            (folder / where).mkdir(parents=True)
        device = f"8:{next(numbers)}"
        for file, text in (("size", gib * GIB // 512), ("dev", device), ("removable", removable),
                           ("ro", ro), ("queue/rotational", rotational),
                           ("device/model", f"Model of {name}  ")):
            (folder / file).write_text(f"{text}\n")
        for holder in holders:
            (folder / "holders" / holder).mkdir()
        for part in parts:
            (folder / part).mkdir()
            (folder / part / "partition").write_text("1\n")
            (folder / part / "dev").write_text(f"8:{next(numbers)}\n")
        if udev:
            (tmp_path / "run/udev/data" / f"b{device}").write_text(udev)
        if not unreadable:
            with open(tmp_path / "dev" / name, "wb") as file:
                file.write(content)
                file.truncate(gib * GIB)
        return device

    add.root = str(tmp_path)
    add.path = tmp_path
    return add


def free(machine):
    """Return the names of the disks that would be laid out."""
    return [disk.name for disk in volumes.disks(machine.root) if disk.is_free]


@pytest.mark.parametrize("how, says", (({"content": b"XFSB"}, "holds XFS"),
                                       ({"content": bytes(1080) + b"\x53\xef"}, "holds ext"),
                                       ({"content": bytes(512) + b"EFI PART"}, "holds GPT"),
                                       ({"content": bytes(900) + b"!"}, "holds something"),
                                       ({"udev": "E:ID_FS_TYPE=zfs_member\n"}, "holds zfs_member"),
                                       ({"udev": "E:ID_PART_TABLE_TYPE=gpt\n"}, "holds gpt"),
                                       ({"parts": ["sda1", "sda2"]}, "has 2 partitions"),
                                       ({"holders": ["md0"]}, "used by md0"),
                                       ({"removable": 1}, "can be taken out"),
                                       ({"ro": 1}, "read-only"),
                                       ({"unreadable": True}, "look as root"),))
def test_what_is_left_alone(machine, how, says):
    """Anything that speaks against a disk keeps it; an empty one beside it is laid out."""
    machine("sda", 10, **how)
    machine("sdb", 10)
    assert free(machine) == ["sdb"]
    first, second = volumes.disks(machine.root)
    assert says in first.told() and "empty" in second.told()
    assert list(volumes.layout(volumes.disks(machine.root), machine.root)) == ["sdb"]


def test_the_last_bytes_count(machine):
    """RAID and GPT keep copies there."""
    machine("sda", 2)
    with open(machine.path / "dev/sda", "r+b") as file:
        file.seek(-512, 2)
        file.write(b"EFI PART")
    assert free(machine) == []


def test_mounted_and_swap(machine):
    """Disks, and partitions, that are in use right now."""
    whole = machine("sda", 2)
    machine("sdb", 2, parts=["sdb1"])
    part = (machine.path / "sys/block/sdb/sdb1/dev").read_text().strip()
    machine("sdc", 2)
    (machine.path / "proc/self/mountinfo").write_text(
        f"1 0 {whole} / /data rw - zzz /dev/sda rw\n2 0 {part} / /b rw - ext4 /dev/sdb1 rw\n")
    ((machine.path / "proc/swaps")
     .write_text("Filename Type Size Used Priority\n/dev/sdc partition 1 0 -2\n"))
    told = {disk.name: disk.told() for disk in volumes.disks(machine.root)}
    assert free(machine) == []
    assert ("sda is mounted at /data (zzz)" in told["sda"]
            and "sdb1 is mounted at /b (ext4)" in told["sdb"] and "sdc is swap" in told["sdc"])


def test_what_is_no_disk(machine):
    """Loops, memory, optical drives, disks of no size; small ones are shown but not used; what is
    made of others, too.
    """
    for name in ("loop0", "zram0", "ram1", "sr0", "fd0"):
        machine(name, 5)
    machine("sda", 0)
    machine("dm-0", 5)
    (machine.path / "sys/block/sda/size").write_text("100\n")
    told = {disk.name: disk.told() for disk in volumes.disks(machine.root)}
    assert sorted(told) == ["dm-0", "sda"] and free(machine) == []
    assert "small" in told["sda"] or "root" in told["sda"]


def test_the_script(machine, monkeypatch):
    """A file system for each empty disk, under labels and places that nobody has; what is there as
    comments; nothing is run.
    """
    monkeypatch.setenv("PATH", "/nowhere")
    machine("nvme0n1", 20, udev="E:ID_FS_TYPE=ext4\nE:ID_FS_LABEL=s3kit-2\n")
    machine("nvme1n1", 20)
    machine("nvme2n1", 20, rotational=1)
    ((machine.path / "proc/self/mountinfo")
     .write_text("1 0 9:9 / /volumes/1 rw - ext4 /dev/other rw\n"))
    found = volumes.disks(machine.root)
    commands = volumes.layout(found, machine.root)
    kind = commands["nvme1n1"][0].split()[0].partition(".")[2]
    assert commands["nvme1n1"] == [f"mkfs.{kind} -L s3kit-3 /dev/nvme1n1", "mkdir -p /volumes/3",
                                   f"echo 'LABEL=s3kit-3 /volumes/3 {kind} noatime,nofail 0 2' >> "
                                   "/etc/fstab", "mount /volumes/3"]
    assert commands["nvme2n1"][0].endswith("s3kit-4 /dev/nvme2n1")
    lines = list(volumes.script(found, commands))
    assert ([line for line in lines if line and not line.startswith("#")]
            == commands["nvme1n1"] + commands["nvme2n1"])
    assert (lines[0].startswith("# /dev/nvme0n1") and "holds ext4" in lines[0]
            and "rotating" in lines[2] and "Model of nvme1n1" in lines[1])


def test_nothing_to_lay_out(machine):
    """Said as a comment."""
    assert list(volumes.script([], {}))[-1].startswith("# No disk is empty")
