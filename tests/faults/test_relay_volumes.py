"""Volumes that are small, slow, filled by others, read-only or gone: s3-relay keeps to its limits,
waits for what comes back, and goes on with the others.
"""

import random
import time

import pytest

from faults.images import do, make_image
from faults.relay_oracle import MANY, RelayWorld, Samples, bodies_of
from faults.test_kill import wait_until

pytestmark = pytest.mark.system("mkfs.ext4", "mount", "umount", "losetup", "root")

EXT4 = ("mkfs.ext4", "-q", "-F", "-m", "0", "-N", "4096")
MIB = 1 << 20


def volumes_of(mounts, folder, sizes):
    """Return mounted file systems of so many bytes each; the first writes through, and is slow."""
    folder.mkdir(exist_ok=True)
    return [mounts.mount(f"vol{n}", make_image(folder / f"vol{n}.img", size, EXT4),
                         "" if n else "sync") for n, size in enumerate(sizes)]


def sized(seed, sizes, small):
    """Return {key: body} of objects of these sizes, and of small ones."""
    chance = random.Random(seed)
    return {f"sized{n}": chance.randbytes(size) for n, size in enumerate(sizes)} | bodies_of(
        seed, small, small // 10, 1)


@pytest.mark.parametrize("small", [
    pytest.param(40, marks=pytest.mark.timeout(600)),
    pytest.param(20_000, marks=[
        pytest.mark.long, pytest.mark.timeout(3600)])])
def test_the_limits_are_kept(cases, mounts, tmp_path, small):
    """Three volumes of different size and speed; some objects are larger than the smallest, one is
    larger than all.
    """
    count, budget, least = cases("limits of s3-relay's volumes"), 40 * MIB, 6 * MIB
    volumes = volumes_of(mounts, tmp_path / "images", [24 * MIB, 40 * MIB, 64 * MIB])
    bodies = sized(1, [30 * MIB, 25 * MIB, *[3 * MIB] * 12, 9 * MIB], small)
    with count.case("sampled"), RelayWorld(tmp_path / "world", bodies, volumes, [
            "--budget", budget, "--min-free", least]) as world:
        world.add({"larger than all": bytes(41 * MIB)})
        with Samples(volumes, world.work) as samples:
            ran = world.once(timeout=1800)
        assert ran.status == 1 and "does not fit on any volume" in ran.err, ran.err
        world.settle(but=["larger than all"])
        samples.check(least, budget)
        assert all(samples.reserved.values()), f"a volume was not used: {samples.reserved}"
        assert any(0 < delivered and came < len(bodies) for came, delivered in samples.moments), (
            "nothing was delivered while more was to come")


def begin(world):
    """Start a relay, slow where there is little to do, and wait until something has arrived."""
    is_little = len(world.bodies) < MANY
    world.near.latency = world.far.latency = 0.05 if is_little else 0.01
    process = world.begin("--once", "--retries", 1, *["-c", 4] * is_little)
    assert wait_until(lambda: world.far.versions("far"), 60), "nothing arrives"
    return process


def fill(mounts, volume, image, world):
    """Others fill the volume, and leave it again."""
    path, end = volume / "of others", time.monotonic() + 4
    with open(path, "wb", buffering=0) as file:
        while time.monotonic() < end:
            try:
                file.write(bytes(MIB))
            except OSError:
                time.sleep(0.05)
    path.unlink()


def turn_read_only(mounts, volume, image, world):
    """Its file system has found a fault; it is mounted anew."""
    mounts.remount(volume, "abort")
    time.sleep(4)
    world.is_away = True
    do("umount", "-l", volume)
    assert wait_until(lambda: not do("losetup", "-j", image), 20), "it is still in use"
    do("mount", "-o", "loop", image, volume)
    world.is_away = False


def unmount(mounts, volume, image, world):
    """It is taken away, whoever uses it; nothing is written where it was."""
    world.is_away = True
    do("umount", "-l", volume)
    time.sleep(4)
    left = sorted(volume.rglob("*"))
    do("mount", "-o", "loop", image, volume)
    world.is_away = False
    assert not left, f"written below the mount point: {left[:5]}"


@pytest.mark.parametrize("what, said", [
    (fill, ""), (unmount, "is it mounted?"), pytest.param(
        turn_read_only, "ead-only", marks=pytest.mark.long)],
                         ids=lambda what: getattr(what, "__name__", "").replace("_", " "))
@pytest.mark.parametrize("small", [
    pytest.param(40, marks=pytest.mark.timeout(600)),
    pytest.param(20_000, marks=[
        pytest.mark.long, pytest.mark.timeout(3600)])])
def test_a_volume_is_lost_for_a_while(cases, mounts, tmp_path, what, said, small):
    count = cases("a volume of s3-relay cannot be used for a while")
    volumes = volumes_of(mounts, tmp_path / "images", [64 * MIB, 64 * MIB])
    bodies = sized(2, [4 * MIB] * 20, small)
    with count.case(what.__name__), RelayWorld(tmp_path / "world", bodies, volumes, [
            "--min-free", 0]) as world:
        with Samples(volumes[:1], world.work) as samples:
            process = begin(world)
            what(mounts, volumes[1], tmp_path / "images" / "vol1.img", world)
            ran = world.end(process, 1800)
        samples.check()
        assert ran.status == 0 and said in ran.err, f"{ran.err} {world.census()}"
        world.settle()
