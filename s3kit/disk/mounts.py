"""What is mounted where."""

import ctypes
import os
import re
import sys

from s3kit.disk.durable import libc

NETWORK = {0x6969: "NFS", 0xFF534D42: "CIFS", 0xFE534D42: "SMB", 0x517B: "SMB", 0x01021997: "9p",
           0x00C36400: "Ceph", 0x0BD00BD0: "Lustre", 0x47504653: "GPFS", 0x65735546: "FUSE",
           0x19830326: "BeeGFS", 0xAAD7AAEA: "PanFS", 0x5346414F: "AFS", 0x6B414653: "AFS",
           0x73757245: "Coda", 0x786F4256: "vboxsf", 0xBACBACBC: "vmhgfs"}
# statfs(2) and linux/magic.h have these; GPFS's, Lustre's, BeeGFS's and PanFS's are in headers of
# their own. What virtual machines share with their host is among them.
# Of FUSE: the file system of a device, like ntfs-3g, which one host has mounted
OF_A_DEVICE = "fuseblk"


class Mount:
    """The file system that a path is on, as the kernel names it."""

    def __init__(self, path, table="/proc/self/mountinfo"):
        self.point, self.kind, self.source, self.options = "/", "", "", ""
        path = os.path.realpath(path)
        for _, point, kind, source, options in mounts(table):
            # Of two at one place the later hides the earlier.
            if len(point) >= len(self.point) and os.path.commonpath((point, path)) == point:
                self.point, self.kind, self.source, self.options = point, kind, source, options


def network_of(fd, path):
    """Return the name of the file system that an open file or directory at `path` is on where other
    hosts may reach it, too, and flock may say nothing of them; else an empty text.
    """
    if sys.platform != "linux":
        return ""
    space = ctypes.create_string_buffer(256)
    libc().fstatfs(fd, space)
    name = NETWORK.get(ctypes.c_ulong.from_buffer(space).value & 0xFFFFFFFF, "")
    return "" if name == "FUSE" and Mount(path).kind == OF_A_DEVICE else name


def mounts(table="/proc/self/mountinfo"):
    """Yield (device's numbers, mount point, type, source, options) of all mounts, in order; none
    where nobody tells.
    """
    try:
        with open(table, encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                head, _, tail = line.partition(" - ")
                if tail:
                    device, _, point, options = head.split(" ")[2:6]
                    kind, source = tail.split(" ")[:2]
                    yield device, unescaped(point), kind, unescaped(source), options.strip()
    except OSError:
        return


def unescaped(text):
    """Return a path of the kernel's tables as it is: they write blanks and the like in octal."""
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), text)
