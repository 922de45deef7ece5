"""A destination before it is used: space, inodes, its file system, and what that can hold.

What a file system is called says little of what it can hold: names, case and locks are tried, in a
directory made for it and removed at once.
"""
import errno
import fcntl
import os
import resource
import tempfile

from s3kit.disk import durable
from s3kit.disk.mounts import Mount
from s3kit.disk.tree import KEPT, Tree, is_root
from s3kit.doctor.finding import FAULT, NOTE, OK, WARNING, Finding
from s3kit.errors import Fault, reason
from s3kit.text import count
from s3kit.units import show_size

MIB, GIB = 1 << 20, 1 << 30
SCRATCH = ".s3kit-doctor-"
LOW_SPACE, LOW_INODES = GIB, 10_000
NAME_BYTES = 255                # that keys' names are cut to, see address
FILE_BYTES = 4 * GIB            # that FAT's files stay below
FLEETING = {"tmpfs": "what lies there is in memory and gone with the next start",
            "ramfs": "what lies there is in memory and never counted",
            "overlay": "what lies there is gone with the container"}
ODD = {"a:b": ":", "a?b": "?", "a*b": "*", 'a"b': '"', "a<b": "<", "a|b": "|", "a\\b": "\\",
       "dot.": "a dot at the end", "blank ": "a blank at the end"}
COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"


def findings(path, connections):
    """Return the Findings of a destination, and of what this process may hold open."""
    found = [*destination(path), open_files(connections)]
    most = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if most != resource.RLIM_INFINITY:
        found.append(Finding("file size", WARNING,
                             f"no file may have more than {show_size(most)} here",
                             "ulimit -f unlimited"))
    return found


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
                      "run one s3-fetch at a time on it")
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


class Trial:
    """What a file system did with names and locks: `folds` of "case" and "accents", the names it
    refused, its longest.
    """

    def __init__(self):
        self.folds, self.refused, self.longest, self.lock = [], [], NAME_BYTES, ""


def try_out(path):
    """Return (Trial, None) of a directory, or (None, (what is wrong, what to do)) where nothing can
    be written.
    """
    try:
        scratch = tempfile.mkdtemp(prefix=SCRATCH, dir=path)
    except OSError as error:
        return None, refusal(error)
    fd = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    trial = Trial()
    try:
        fill(fd)
        try_names(trial, fd)
        try_lock(trial, fd)
        return trial, None
    except OSError as error:
        return None, refusal(error)
    finally:
        for name in os.listdir(fd):
            durable.unlink(name, fd)
        os.close(fd)
        os.rmdir(scratch)


def refusal(error):
    """Return (what an OSError means, what to do about it)."""
    advice = {errno.EROFS: "mount it writable, or choose another with -d",
              errno.EACCES: "ask its owner, or choose another with -d",
              errno.EPERM: "ask its owner, or choose another with -d",
              errno.EDQUOT: "your quota is used up: make room",
              errno.ENOSPC: "make room (df, df -i), or choose another disk with -d",
              errno.EIO: "the disk fails: look at dmesg, choose another"}
    return (f"cannot be written to: {reason(error)}",
            advice.get(error.errno, "choose another with -d"))


def make(fd, name):
    """Make an empty file and return its descriptor."""
    return os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=fd)


def fill(fd):
    """Write a MiB and flush it: only then has a disk said that it has room. Raises OSError."""
    file = make(fd, "fill")
    try:
        durable.write_all(file, bytes(MIB))
        durable.sync_data(file)
    finally:
        os.close(file)
        durable.unlink("fill", fd)


def try_names(trial, fd):
    """See which names are one, and which are none."""
    for what, first, second in (("case", "name", "NAME"), ("accents", COMPOSED, DECOMPOSED)):
        os.close(make(fd, first))
        if is_there(fd, second):
            trial.folds.append(what)
    for name, what in ODD.items():
        try:
            os.close(make(fd, name))
            if name not in os.listdir(fd):
                trial.refused.append(what)
        except OSError:
            trial.refused.append(what)
    for length in (NAME_BYTES, 143, 100):       # 143: ecryptfs
        trial.longest = length
        try:
            os.close(make(fd, "n" * length))
            return
        except OSError:
            pass


def is_there(fd, name):
    """Return whether a directory has a name, in whatever spelling."""
    try:
        os.stat(name, dir_fd=fd)
        return True
    except OSError:
        return False


def try_lock(trial, fd):
    """Lock a file twice: the second time must fail, or locks mean nothing here."""
    first, second = make(fd, "lock"), os.open("lock", os.O_RDWR | os.O_CLOEXEC, dir_fd=fd)
    try:
        fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
            trial.lock = "two processes can have one lock"
        except BlockingIOError:
            pass
    except OSError as error:
        trial.lock = reason(error)
    finally:
        os.close(first)
        os.close(second)


def names(trial, space):
    """Yield what a file system does to names."""
    facts = {"folds": trial.folds, "refuses": trial.refused,
             "name_bytes": min(trial.longest, space.f_namemax)}
    if facts["name_bytes"] < NAME_BYTES:
        yield Finding("names", WARNING, f"no longer than {facts['name_bytes']} bytes",
                      "rows with longer names will fail", facts)
    if trial.refused:
        yield Finding("names", WARNING, f"none with {' '.join(trial.refused)}",
                      "rows with such keys will fail; ext4 and XFS take all", facts)
    if trial.folds:
        one = {"case": "'A' and 'a'", "accents": "composed and decomposed letters"}
        yield Finding("names", NOTE, f"{' and '.join(one[what] for what in trial.folds)} are one",
                      "s3-fetch gives the second of two such keys a name with %=", facts)
    if not trial.refused and not trial.folds and facts["name_bytes"] >= NAME_BYTES:
        yield Finding("names", OK,
                      f"tells 'A' from 'a', takes {NAME_BYTES} bytes and every character", "",
                      facts)


def locks(trial):
    """Return what came of trying to lock."""
    if trial.lock:
        return Finding("locks", FAULT, f"flock is no use there: {trial.lock}",
                       "choose another file system with -d")
    return Finding("locks", OK, "flock works")


def room_for(connections):
    """Return how many connections, no more than asked for, this process may open beside what it
    has.
    """
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return (connections if soft == resource.RLIM_INFINITY
            else max(1, min(connections, (soft - 24) // 2)))


def open_files(connections):
    """Return whether a worker with so many connections may open what it needs: sockets, part files,
    directories.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * connections + KEPT + 32
    facts = {"soft": soft, "hard": hard, "needed": needed}
    if soft == resource.RLIM_INFINITY:
        return Finding("open files", OK, "no limit", "", facts)
    if soft >= needed:
        return Finding("open files", OK,
                       f"{soft:,} a process; -c {connections} needs about {needed}", "", facts)
    raised = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
    fewer = max(1, (soft - KEPT - 32) // 2)
    advice = (f"ulimit -n {raised}" if raised >= needed
              else f"have the limit raised, or use -c {fewer}")
    return Finding("open files", FAULT if soft < KEPT else WARNING,
                   f"{soft:,} a process; -c {connections} needs about {needed}", advice, facts)


def late(path):
    """Return the Findings of a destination that does not answer."""
    return [Finding("destination", FAULT, f"'{path}' does not answer",
                    "is it on a server that is gone? look at mount")]
