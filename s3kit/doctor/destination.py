"""A destination before it is used: space, inodes, its file system, and what that can hold.

What a file system is called says little of what it can hold: names, case and locks are tried.
"""

import os

from s3kit.disk.mounts import Mount
from s3kit.disk.tree import Tree, is_root
from s3kit.doctor import limits
from s3kit.doctor.finding import FAULT, NOTE, OK, WARNING, Finding
from s3kit.doctor.trial import locks, names, try_out
from s3kit.errors import Fault
from s3kit.text import count
from s3kit.units import show_size

MIB, GIB = 1 << 20, 1 << 30
LOW_SPACE, LOW_INODES = GIB, 10_000
FILE_BYTES = 4 * GIB            # that FAT's files stay below
FLEETING = {"tmpfs": "what lies there is in memory and gone with the next start",
            "ramfs": "what lies there is in memory and never counted",
            "overlay": "what lies there is gone with the container"}


def findings(path, connections):
    """Return the Findings of a destination, and of what this process may hold open."""
    return [*destination(path), *limits.findings(connections)]


def existing(path):
    """Return the directory that a path is, or the one above it in which it would be made."""
    there = os.path.abspath(path)
    while not os.path.lexists(there):
        there = os.path.dirname(there)
    return there


def destination(path):
    """Return the Findings of a directory, or of the one above it where it would be made."""
    if is_root(path):
        return [Finding("destination", FAULT, "it must not be '/'", "choose another with -d")]
    there, found = existing(path), []
    if there != os.path.abspath(path):
        found.append(Finding("destination", NOTE, f"'{path}' is not there yet",
                             "s3-fetch makes it"))
    if not os.path.isdir(there):
        return [*found, Finding("destination", FAULT, f"'{there}' is not a directory",
                                "choose another with -d")]
    mount = Mount(there)
    space = os.statvfs(there)
    found += [*system(there, mount), *room(space)]
    trial, fault = try_out(there)
    on = {"path": there, "file_system": mount.kind, "source": mount.source,
          "mount_point": mount.point}
    where = f"'{there}', {mount.kind or 'unknown'} of {mount.source or 'nobody knows what'}"
    if fault:
        return [Finding("destination", FAULT, f"{where}: {fault[0]}", fault[1], on), *found]
    return [Finding("destination", OK, f"{where}, can be written to", "", on), *found,
            *names(trial, space), locks(trial)]


def system(path, mount):
    """Yield what is special about a file system."""
    try:
        tree = Tree(path, make=False)
        network = tree.network()
        os.close(tree.fd)
    except Fault:
        network = ""            # cannot be entered: said by whoever tries to write
    if network or mount.kind.startswith(("nfs", "cifs", "smb", "9p", "ceph", "lustre",
                                         "fuse.sshfs")):
        yield Finding("file system", WARNING,
                      f"{network or mount.kind}: locks between machines cannot be trusted",
                      "one s3-fetch at a time writes there: it holds a lease, a second one ends "
                      "with status 4")
    elif mount.kind in FLEETING:
        yield Finding("file system", WARNING, f"{mount.kind}: {FLEETING[mount.kind]}",
                      "choose a disk with -d")
    elif mount.kind in ("vfat", "msdos"):
        yield Finding("file system", WARNING,
                      f"{mount.kind} holds no file of {show_size(FILE_BYTES)}",
                      "use another, like ext4 or XFS")


def room(space):
    """Yield what an os.statvfs_result says of bytes and inodes."""
    free, whole = space.f_bavail * space.f_frsize, space.f_blocks * space.f_frsize
    facts = {"free_bytes": free, "bytes": whole}
    text = f"{show_size(free)} free of {show_size(whole)}"
    if free < MIB:
        yield Finding("space", FAULT, f"full: {text}", "make room, or choose another disk with -d",
                      facts)
    elif free < LOW_SPACE:
        yield Finding("space", WARNING, text,
                      "s3-fetch stops when it is used up: make room, or choose another with -d",
                      facts)
    else:
        yield Finding("space", OK, text, "", facts)
    free, facts = space.f_favail, {"free_inodes": space.f_favail, "inodes": space.f_files}
    if not space.f_files:
        yield Finding("inodes", OK, "no fixed number")
    elif free < 100:
        yield Finding("inodes", FAULT, f"used up: {count(free, 'file')} more",
                      "remove files, or choose another with -d", facts)
    else:
        yield Finding("inodes", WARNING if free < LOW_INODES else OK,
                      f"{count(free, 'file')} more of {space.f_files:,}",
                      "one is needed for each object" if free < LOW_INODES else "", facts)


def late(path):
    """Return the Findings of a destination that does not answer."""
    return [Finding("destination", FAULT, f"'{path}' does not answer",
                    "is it on a server that is gone? look at mount")]
