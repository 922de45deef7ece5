"""File systems in files: make an image, mount it, cut its power by an instant copy of it.

Needs root and loop devices.
"""

import fcntl
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

FICLONE = 0x40049409            # what `cp --reflink=always` asks of the file system: <linux/fs.h>
XFS = ("mkfs.xfs", "-q", "-m", "reflink=1")


def do(*words):
    """Run a tool, or fail the test with what it said."""
    tool = shutil.which(words[0], path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if not tool:
        pytest.fail(f"these tests need '{words[0]}' (see .ci/run for its package)", pytrace=False)
    done = subprocess.run([tool, *map(str, words[1:])], capture_output=True, text=True)
    if done.returncode:
        hint = "" if os.geteuid() == 0 else " (these tests mount file systems: they need root)"
        pytest.fail(f"{' '.join(map(str, words))}: {done.stderr.strip()}{hint}", pytrace=False)
    return done.stdout


def make_image(path, size, mkfs):
    """Make a sparse file of `size` bytes and a file system in it by the words of `mkfs`; return the
    path.
    """
    with open(path, "xb") as file:
        file.truncate(size)
    do(*mkfs, path)
    return path


def cut_power(image, copy):
    """Make `copy` what is in `image` at this instant: what a disk would have after a power cut now.

    Both lie on one file system that can share blocks (a mounted XFS image, see `XFS`).
    """
    with open(image, "rb") as source, open(copy, "xb") as target:
        fcntl.ioctl(target, FICLONE, source.fileno())
    return copy


class Mounts:
    """What is mounted below a folder; `close` unmounts all of it, the last first."""

    def __init__(self, folder):
        self.folder, self.mounted = Path(folder), []

    def mount(self, name, image, options="", kind=None):
        """Mount an image (or `kind`, as tmpfs, with `image` its label) at a directory `name`, made
        here; return it.
        """
        place = self.folder / name
        place.mkdir(parents=True, exist_ok=True)
        loop = ["loop"] if kind != "tmpfs" else []
        words = ["-o", ",".join([*loop, *filter(None, [options])])] if loop or options else []
        do("mount", *(["-t", kind] if kind else []), *words, image, place)
        self.mounted.append(place)
        return place

    def remount(self, place, options):
        """Mount again with other options."""
        do("mount", "-o", f"remount,{options}", place)

    def unmount(self, place):
        """Unmount; its loop device goes with it."""
        do("umount", place)
        self.mounted.remove(place)

    @contextmanager
    def mounting(self, name, image, options="", kind=None):
        """Have an image mounted for a while; the directory goes as well."""
        place = self.mount(name, image, options, kind)
        try:
            yield place
        finally:
            self.unmount(place)
            place.rmdir()

    def close(self):
        """Unmount everything; what is still in use is taken out of sight, and goes when its last
        user does.
        """
        left = []
        for place in reversed(self.mounted):
            if subprocess.run(["umount", place], capture_output=True).returncode:
                left.append(place)
                subprocess.run(["umount", "-l", place], capture_output=True)
        self.mounted = []
        assert not left, f"still in use when the test ended: {', '.join(map(str, left))}"
