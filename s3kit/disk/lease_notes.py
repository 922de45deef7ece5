"""What the leases on a destination say that several hosts reach: files `lease.N` in DEST/.s3kit, of
which the newest counts (see fetch.lease, which writes them).
"""

import json
import os
import re
import time

from s3kit import process
from s3kit.disk import durable
from s3kit.disk.mounts import network_of
from s3kit.errors import Held, of_file

SPARE = 1.3             # times as long others wait: caches of network file systems are behind
LOOK = 0.2              # seconds between two looks at another's lease
LONGEST = 3600          # seconds that a lease may say that it holds
NOTE_BYTES = 1024       # of a note: always as many, so that one write replaces it
NAME = re.compile("lease[.]([1-9][0-9]{0,17})")


def check_host(folder):
    """Raise Held where an s3-fetch of another host has the destination whose folder of ours this
    is, or has not said that it ended; Fault where nobody can say.

    SQLite's log is of the processes of one host alone: "WAL does not work over a network
    filesystem" (https://sqlite.org/wal.html).
    """
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return          # who opens the ledger in it says why
    try:
        kind = network_of(fd, folder)
        number = newest(fd) if kind else 0
        note = read(fd, number)
        is_free = not note or note.has_ended() or note.is_of_this_host() or (
            note.seconds and note.is_of_our_name() and is_silent(fd, number, note))
    except OSError as error:
        raise of_file("look for a lease in", folder, error) from None
    finally:
        os.close(fd)
    if not is_free:
        raise Held(f"an s3-fetch of another machine ({note.holder}) writes to "
                   f"'{os.path.dirname(folder)}', which is on {kind}, or was killed: run this "
                   "there, or when it has ended (s3-fetch takes over from one that is gone)")


def is_silent(fd, number, seen):
    """Return whether the lease of a number, whose Note we have seen, ends or runs out; False as
    soon as it is renewed. Raises OSError.

    So who has our name and not our boot is told from ourselves, before the machine was started
    anew.
    """
    until = time.monotonic() + seen.seconds * SPARE
    while time.monotonic() < until:
        time.sleep(LOOK)
        now = read(fd, number)
        if now is None or now.has_ended():
            break
        if now.data != seen.data:
            return False
    return True


class Note:
    """What a lease says: `data` as it came, `seconds` that it holds (0: it does not say), `holder`
    for people.

    What was not written to its end yet says nothing.
    """

    def __init__(self, data):
        self.data, said = data, {}
        try:
            said = json.loads(data)
        except ValueError:
            pass
        said = said if isinstance(said, dict) else {}
        seconds = said.get("seconds")
        is_span = isinstance(seconds, (int, float)) and 0 < seconds < LONGEST
        self.seconds, self.said = seconds if is_span else 0, said
        self.holder = (f"process {said.get('pid')} on {said.get('host')}" if said
                       else "nobody says whose")

    def has_ended(self):
        """Return whether its holder said that it ended, or is a process of this host that is gone.
        """
        said, pid = self.said, self.said.get("pid")
        if said.get("ended") is True:
            return True
        return bool(self.is_of_this_host() and said["world"] and isinstance(pid, int)
                    and not process.is_alive(pid, said.get("start")))

    def is_of_our_name(self):
        """Return whether its holder's host has the name of this one."""
        return self.said.get("host") == os.uname().nodename

    def is_of_this_host(self):
        """Return whether its holder is, or was, a process of this host since it has started."""
        return self.is_of_our_name() and self.said.get("world") == process.world()


def read(folder, number):
    """Return the Note of a lease, None where it is not there. Raises OSError.

    It is opened each time: that is when NFS asks its server (nfs(5), "close-to-open").
    """
    if not number:
        return None
    try:
        fd = os.open(f"lease.{number}", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=folder)
    except FileNotFoundError:
        return None
    try:
        return Note(os.pread(fd, NOTE_BYTES, 0))
    finally:
        os.close(fd)


def is_there(folder, number):
    """Return whether a lease is there. Raises OSError where nobody says."""
    try:
        os.stat(f"lease.{number}", dir_fd=folder, follow_symlinks=False)
        return True
    except FileNotFoundError:
        return False


def remove(folder, number):
    """Remove a lease that a newer one has made say nothing."""
    try:
        durable.unlink(f"lease.{number}", folder)
    except OSError:
        pass


def numbers(folder):
    """Return the numbers of all leases in a directory, given by a descriptor of it."""
    found = (NAME.fullmatch(name) for name in os.listdir(folder))
    return [int(match[1]) for match in found if match]


def newest(folder):
    """Return the number of the newest lease, 0 where there is none."""
    return max(numbers(folder), default=0)
