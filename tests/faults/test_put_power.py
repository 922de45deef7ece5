"""Power cuts below s3-put: when a file is gone its copy is known, and an upload that has parts is
never forgotten, whatever happens in the next instant.

The files lie on a file system in an image (see test_power). It is copied, as a power cut leaves it,
while the server holds back its answer: nothing is done meanwhile that the copy does not show.
"""

import os
import random
import sqlite3
from contextlib import closing

import pytest
from fakes3.operations import step_of

from faults.images import XFS, make_image
from faults.inject import injected, strace
from faults.put_oracle import PREFIX, PutWorld, small_and_large
from faults.test_power import HOST, LIES, Guest

pytestmark = pytest.mark.system("mkfs.ext4", "mkfs.xfs", "mkfs.btrfs", "strace", "root")

STEPS = ("PutObject", "UploadPart", "CompleteMultipartUpload")
MOST = 14               # cuts of one run


@pytest.fixture
def host(mounts, tmp_path):
    """A file system that can copy an image at once."""
    return mounts.mount("host", make_image(tmp_path / "host.img", HOST, XFS))


class Cutting:
    """Cuts the power of a Guest as requests of a PutWorld arrive, and keeps what S3 had then."""

    def __init__(self, guest, world, seed):
        self.guest, self.world, self.chance, self.then = guest, world, random.Random(seed), []
        world.fake.hook = self.before

    def before(self, request):
        """Cut the power, perhaps, before a request is carried out."""
        step = step_of(request)
        often = {"PutObject": 0.05, "UploadPart": 0.5, "CompleteMultipartUpload": 1.0}.get(step, 0)
        if self.chance.random() < often and len(self.then) < MOST:
            self.then.append(({name for name, upload in self.world.uploads().items()
                               if upload.parts},
                              {version.key for version in self.world.fake.objects(
                                  self.world.bucket)}))
            self.guest.cut(b"")


def known(dest):
    """Return (upload ids under way, keys of what is stored) of the ledger that a power cut left."""
    path = dest / ".s3kit" / "ledger.sqlite3"
    if not path.exists():
        return set(), set()
    with closing(sqlite3.connect(path)) as base:
        tables = {name for name, in base.execute("SELECT name FROM sqlite_master")}
        return [{found for found, in base.execute(f"SELECT {column} FROM {table}")}
                if table in tables else set()
                for table, column in (("sending", "upload_id"), ("upload", "to_key"))]


def faults_in(dest, names, there, with_parts):
    """Return what is wrong with what a power cut left: file names that there were, what S3 had."""
    sending, stored = known(dest)
    gone = [name for name in names if not os.path.lexists(dest / name)]
    return ([f"the upload {name} has parts, and is forgotten" for name in with_parts - sending]
            + [f"{name} is gone, and S3 does not have it" for name in gone
               if PREFIX + name not in there]
            + [f"{name} is gone, and its copy is not known" for name in gone
               if PREFIX + name not in stored])


def put_and_cut(mounts, host, folder, kind, wrap=()):
    """Run s3-put --remove-local on a Guest, the power cut again and again; return (Guest, PutWorld,
    Cutting, file names).
    """
    guest = Guest(mounts, host, kind, kind)
    bodies = small_and_large(5, small=150, large=3)
    world = PutWorld(folder / "world", bodies, removes=True, dest=guest.dest)
    os.sync()
    cutting = Cutting(guest, world, 5)
    ran = world.put("-q", "--limit-rate", 12_000_000, "-c", 4, wrap=wrap)
    world.fake.hook = None
    assert ran.status == 0, ran.err
    assert len(cutting.then) >= 8, f"only {len(cutting.then)} cuts"
    guest.stop()
    return guest, world, cutting, list(bodies)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs"])
def test_power_cuts(cases, mounts, host, tmp_path, kind):
    count = cases("power cut below s3-put --remove-local")
    guest, world, cutting, names = put_and_cut(mounts, host, tmp_path, kind)
    with world:
        for number, dest, _ in guest.copies():
            with_parts, there = cutting.then[number]
            with count.case(f"{kind}, cut {number} of {len(cutting.then)}"):
                wrong = faults_in(dest, names, there, with_parts)
                assert not wrong, f"{len(wrong)} faults: {wrong[:3]}"
                if number % 3 == 0:
                    world.at(dest).resume()
    world.remove()


def test_a_lying_sync_is_seen(cases, mounts, host, tmp_path):
    """The control: what flushes nothing but says so must be caught, or the cuts show nothing."""
    trace = tmp_path / "trace"
    with cases("control: power cut below a sync that lies to s3-put").case("ext4"):
        guest, world, cutting, names = put_and_cut(mounts, host, tmp_path, "ext4",
                                                   strace(trace, LIES, quick=True))
        with world:
            assert injected(trace), "no sync was lied about"
            wrong = [fault for number, dest, _ in guest.copies()
                     for fault in faults_in(dest, names, *reversed(cutting.then[number]))]
            assert wrong, "nothing was lost"
        world.remove()
