"""The work directory of a relay: one run at a time, and its ledger."""

import os
import secrets
from contextlib import contextmanager

from s3kit.disk import durable, lock
from s3kit.disk.tree import OURS
from s3kit.errors import Fault, Held, Usage
from s3kit.relay.deliveries import Deliveries
from s3kit.relay.volumes import unmark

FILE, LOCK = "relay.sqlite3", ".lock"


def work_of(work, volumes):
    """Return the work directory that a command line means, by default within the first volume.

    Raises Usage.
    """
    if not work and not volumes:
        raise Usage("which relay: --work DIR, or the first --volume DIR of it")
    return work or os.path.join(volumes[0], OURS, "relay")


def check_mounted(work, volumes):
    """Raise Fault where one of the Volumes is a relay's already, and the work directory has no
    ledger: its file system is not mounted, and all would begin anew in what is in its place.
    """
    if os.path.exists(os.path.join(work, FILE)):
        return
    for volume in volumes:
        if os.path.lexists(volume.mark):
            raise Fault(f"'{volume.path}' is a volume of a relay whose ledger is not in '{work}': "
                        "is its file system mounted? (if that relay is no more, remove "
                        f"'{volume.mark}')")


@contextmanager
def held(work):
    """Make the work directory and hold it. Raises Held where another run has it."""
    fd = lock.hold_made(work, LOCK)
    if fd is None:
        raise Held(f"another s3-relay works in '{work}'")
    try:
        yield
    finally:
        os.close(fd)


@contextmanager
def opened(work, route, bucket, volumes):
    """Give the Deliveries of a work directory that is held; `route` is the two addresses, `bucket`
    the source's. The Volumes are begun with. Raises Usage where the ledger is another relay's, and
    Fault where one that is new cannot be used.
    """
    deliveries = Deliveries(os.path.join(work, FILE), bucket)
    try:
        relay_id = deliveries.take_route(*route, secrets.token_hex(16))
        known = deliveries.volumes()
        for volume in volumes:
            volume.begin(relay_id, volume.path in known)
            deliveries.add_volume(volume.path)
        yield deliveries
    finally:
        deliveries.close()


def ledger_of(work):
    """Return the path of a relay's ledger. Raises Usage where there is none."""
    path = os.path.join(work, FILE)
    if not os.path.exists(path):
        raise Usage(f"no relay works in '{work}' (see --work)")
    return path


def lose(path, volume):
    """Have the ledger at a path take what it has on a volume for listed again; the volume itself is
    not looked at. Raises Fault.
    """
    deliveries = Deliveries(path)
    try:
        deliveries.lose(volume)
    finally:
        deliveries.close()


def forget(path):
    """Remove the ledger at a path, and the marks of its volumes. Raises Fault."""
    deliveries = Deliveries(path)
    try:
        found, volumes = deliveries.one("SELECT id FROM route"), deliveries.volumes()
    finally:
        deliveries.close()
    for volume in volumes if found else ():
        unmark(volume, found[0])
    for suffix in ("-wal", "-shm", ""):
        durable.unlink(path + suffix, None)
