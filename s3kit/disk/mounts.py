"""What is mounted where."""

import os
import re


class Mount:
    """The file system that a path is on, as the kernel names it."""

    def __init__(self, path, table="/proc/self/mountinfo"):
        self.point, self.kind, self.source, self.options = "/", "", "", ""
        path = os.path.realpath(path)
        for _, point, kind, source, options in mounts(table):
            # Of two at one place the later hides the earlier.
            if len(point) >= len(self.point) and os.path.commonpath((point, path)) == point:
                self.point, self.kind, self.source, self.options = point, kind, source, options


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
