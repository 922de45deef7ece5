"""The disks of this machine, and how the empty ones would be laid out: as commands for a person to
read, none of them run.

Each disk gets a file system of its own: one that dies takes its own files only, and each is written
to at its own speed. A disk counts as empty only if everything that could speak against it was
looked at and did not.
"""

import os
import shutil
from typing import NamedTuple

from s3kit.disk.mounts import mounts
from s3kit.text import visible
from s3kit.units import number, show_size

SECTOR = 512                # bytes, of /sys's sizes whatever the disk's own are
LEAST = 1 << 30             # bytes of a disk worth a volume
LOOK = 1 << 20              # bytes at both ends of a disk that must be zero
NO_DISKS = ("loop", "ram", "zram", "sr", "fd", "nbd")
MADE_OF_OTHERS = ("dm-", "md", "drbd", "bcache")
WHERE, LABEL = "/volumes", "s3kit-"
MAGIC = ((0, b"XFSB", "XFS"), (1080, b"\x53\xef", "ext"), (65600, b"_BHRfS_M", "btrfs"),
         (512, b"LABELONE", "LVM"), (0, b"LUKS\xba\xbe", "LUKS"),
         (512, b"EFI PART", "GPT partitions"), (4086, b"SWAPSPACE2", "swap"), (3, b"NTFS", "NTFS"),
         (4096, b"\xfc\x4e\x2b\xa9", "RAID"), (510, b"\x55\xaa", "partitions"))
EMPTY, UNKNOWN = "", "unknown"


class Disk(NamedTuple):
    """A block device: its `content` is EMPTY, UNKNOWN (it may not be read) or what was found;
    `uses` keep it from us.
    """

    name: str
    size: int
    kind: str
    model: str
    content: str
    label: str
    uses: tuple

    @property
    def is_free(self):
        """Whether a file system may be made on it without anybody losing anything."""
        return self.content == EMPTY and not self.uses and self.size >= LEAST

    def told(self):
        """Return what it is, for people."""
        known = {EMPTY: "empty" if self.is_free else "empty, but small",
                 UNKNOWN: "may not be read: look as root"}
        state = visible("; ".join(self.uses) or known.get(self.content, f"holds {self.content}"))
        return (f"/dev/{self.name:<12} {show_size(self.size):>6}  {self.kind:<9} "
                f"{visible(self.model or '-'):<20} {state}")


def disks(root="/"):
    """Return the Disks of the machine whose /sys, /proc, /run and /dev lie below `root`."""
    found = []
    for name in sorted(listed(f"{root}/sys/block")):
        if not name.startswith(NO_DISKS) and size_of(root, name):
            found.append(disk(root, name))
    return found


def disk(root, name):
    """Return one Disk."""
    folder = f"{root}/sys/block/{name}"
    known = udev(root, text(f"{folder}/dev"))
    kind = ("made of" if name.startswith(MADE_OF_OTHERS) else "removable"
            if text(f"{folder}/removable") == "1" else "rotating"
            if text(f"{folder}/queue/rotational") == "1" else "solid")
    content = (known.get("ID_FS_TYPE") or known.get("ID_PART_TABLE_TYPE")
               or signature(f"{root}/dev/{name}", size_of(root, name)))
    return Disk(name, size_of(root, name), kind, text(f"{folder}/device/model"), content,
                known.get("ID_FS_LABEL", ""), tuple(uses(root, name, kind)))


def uses(root, name, kind):
    """Yield why a disk is not ours to format."""
    folder = f"{root}/sys/block/{name}"
    parts = [part for part in listed(folder) if os.path.exists(f"{folder}/{part}/partition")]
    inside = {text(f"{folder}/{part}/dev"): part for part in parts} | {text(f"{folder}/dev"): name}
    for device, point, type_, _, _ in mounts(f"{root}/proc/self/mountinfo"):
        if device in inside:
            yield f"{inside[device]} is mounted at {point} ({type_})"
    swaps = {line.split()[0].removeprefix("/dev/")
             for line in lines(f"{root}/proc/swaps")[1:] if line.split()}
    for part in {name, *parts} & swaps:
        yield f"{part} is swap"
    for part in (name, *parts):
        held = listed(f"{folder}/holders" if part == name else f"{folder}/{part}/holders")
        if held:
            yield f"{part} is used by {', '.join(sorted(held))}"
    if parts:
        yield f"has {len(parts)} partition{'s' * (len(parts) > 1)}"
    if text(f"{folder}/ro") == "1":
        yield "read-only"
    if kind in ("made of", "removable"):
        yield {"made of": "made of other disks", "removable": "can be taken out"}[kind]


def signature(path, size):
    """Return what lies on a device by its first and last bytes: EMPTY only if they are all zero;
    UNKNOWN if nobody lets us look.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return UNKNOWN
    try:
        head, tail = os.pread(fd, LOOK, 0), os.pread(fd, LOOK, max(0, size - LOOK))
    except OSError:
        return UNKNOWN
    finally:
        os.close(fd)
    for at, magic, what in MAGIC:
        if head[at:at + len(magic)] == magic:
            return what
    if len(head) < min(LOOK, size):
        return UNKNOWN
    return "something" if any(head) or any(tail) else EMPTY


def udev(root, device):
    """Return what udev knows of a device by its numbers (`8:0`)."""
    told = lines(f"{root}/run/udev/data/b{device}")
    return dict(line[2:].split("=", 1) for line in told if line.startswith("E:") and "=" in line)


def layout(found, root="/"):
    """Return {disk's name: the commands that make a volume of it}, for those that are free."""
    taken = {point for _, point, _, _, _ in mounts(f"{root}/proc/self/mountinfo")}
    labels = {each.label for each in found}
    kind = "xfs" if shutil.which("mkfs.xfs",
                                 path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") else "ext4"
    made, number = {}, 0
    for each in found:
        if each.is_free:
            number += 1
            while f"{WHERE}/{number}" in taken or f"{LABEL}{number}" in labels:
                number += 1
            label, place = f"{LABEL}{number}", f"{WHERE}/{number}"
            made[each.name] = [f"mkfs.{kind} -L {label} /dev/{each.name}", f"mkdir -p {place}",
                               f"echo 'LABEL={label} {place} {kind} noatime,nofail 0 2' >> "
                               "/etc/fstab", f"mount {place}"]
    return made


def script(found, commands):
    """Yield the lines of a shell script: what is there as comments, then the commands."""
    for each in found:
        yield f"# {each.told()}".rstrip()
    if not found:
        yield "# no disk is to be seen in /sys/block"
    if not commands:
        yield "# No disk is empty and unused: nothing to lay out."
        return
    (yield "# Nothing of this was run. mkfs destroys what is on a disk: compare the names with "
     "your own list first.")
    for each in found:
        if each.name in commands:
            yield ""
            yield from commands[each.name]
    yield ""
    yield "# Then one s3-fetch -d DIR for each volume."


def size_of(root, name):
    """Return a disk's size in bytes."""
    return (number(text(f"{root}/sys/block/{name}/size")) or 0) * SECTOR


def listed(folder):
    """Return the names in a directory of the kernel's; none where it is not."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def lines(path):
    """Return the lines of a file of the kernel's; none where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read().splitlines()
    except OSError:
        return []


def text(path):
    """Return the first line of a file of the kernel's, stripped."""
    return (lines(path) or [""])[0].strip()
