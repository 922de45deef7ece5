"""A file by which every node of a cluster finds out that a destination is the parent's."""

import os
import time
from typing import NamedTuple

from s3kit.disk import durable
from s3kit.disk.tree import OURS
from s3kit.errors import Usage, reason

PREFIX = "probe-"
LOOKS, SECONDS = 5, 0.3             # a network file system may be late to show a new file
STALE_SECONDS = 30 * 86400          # after which nobody waits for one that was left behind


class Probe(NamedTuple):
    """Its name in our folder of the destination, and what is in it."""

    name: str
    content: str


def write(destination):
    """Write a Probe into a destination; return it. Raises Usage where that cannot be."""
    probe = Probe(PREFIX + os.urandom(8).hex(), os.urandom(16).hex())
    folder = os.path.join(destination, OURS)
    try:
        os.makedirs(folder, 0o700, exist_ok=True)
        sweep(folder)
        with open(os.path.join(folder, probe.name), "x", encoding="ascii",
                  opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(probe.content)
            file.flush()
            durable.sync_data(file.fileno())
        durable.sync_name(os.path.join(folder, probe.name))
    except OSError as error:
        raise Usage(f"--scheduler needs to write a file into '{folder}': {reason(error)}") from None
    return probe


def sweep(folder):
    """Remove the probes of runs that were killed long ago."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name.startswith(PREFIX) and os.stat(path).st_mtime < time.time() - STALE_SECONDS:
            durable.unlink(path, None)


def remove(destination, probe):
    """Remove a Probe."""
    try:
        durable.unlink(os.path.join(destination, OURS, probe.name), None)
    except OSError:
        pass            # it is swept one day


def trouble(destination, probe):
    """Return why a destination is not where a Probe was written, for people; '' where it is."""
    for look in range(LOOKS):
        if look:
            time.sleep(SECONDS)
        try:
            with open(os.path.join(destination, OURS, probe.name), encoding="ascii") as file:
                return "" if file.read() == probe.content else f"'{destination}' is another there"
        except FileNotFoundError:
            there = os.path.isdir(destination)
            why = f"'{destination}' is {'another directory' if there else 'not'} there"
        except (OSError, ValueError) as error:
            why = f"'{destination}' cannot be read there: {reason(error)}"
    return why
