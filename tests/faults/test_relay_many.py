"""Many objects through s3-relay: a million that are delivered already, and twenty thousand between
two real servers.
"""

import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
import servers

from faults.images import make_image
from faults.relay_oracle import FAR, NEAR, PREFIX, RelayWorld, Samples
from faults.test_relay_volumes import EXT4, MIB

STORED = ("UPDATE delivery SET state = 'stored', volume = ?, proof = 'etag-md5:', digest = 'd', "
          "far_proof = 'etag-md5:', stored_at = 's3://' || ? || key")


def peak_of(process):
    """Return the most memory that a process has had so far, in MiB."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def listed(world):
    """Have a relay list all while next to nothing is dealt, then take all for delivered."""
    process, path = world.begin("--round-size", "1", "--every", "10000s"), world.work
    while number_in(path / "relay.sqlite3") < len(world.bodies):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(1)
    world.stop(process)
    with closing(sqlite3.connect(path / "relay.sqlite3")) as base, base:
        base.execute(STORED, (str(world.volumes[0]), f"{FAR}/{PREFIX}"))


def number_in(path):
    """Return how many rows a ledger has."""
    if not path.exists():
        return 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
        try:
            return base.execute("SELECT count(*) FROM delivery").fetchone()[0]
        except sqlite3.OperationalError:        # it is being made
            return 0


def second_run(world):
    """Run once where all is delivered; return (Ran, the peak of its memory in MiB, requests for
    anything but listings).
    """
    near, far = len(world.near.log), len(world.far.log)
    process, peak = world.begin("--once"), 0.0
    while process.poll() is None:
        try:
            peak = max(peak, peak_of(process))
        except OSError:
            pass
        time.sleep(0.05)
    ran = world.end(process)
    return ran, peak, [request for request in (*world.near.log[near:], *world.far.log[far:])
                       if request.key]


@pytest.mark.system("minutes")
@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("count", [20_000, 1_000_000])
def test_what_is_delivered_is_only_listed(cases, tmp_path, count):
    """Memory does not grow with the rows."""
    with cases("all is delivered already").case(f"{count:,} rows"), RelayWorld(
            tmp_path, {f"{n % 100:02}/{n:07}": b"x" for n in range(count)}, 1,
            versioning=None) as world:
        listed(world)
        began = time.monotonic()
        ran, peak, asked = second_run(world)
        print(f"{count:,} rows: {time.monotonic() - began:.1f} s, {peak:.0f} MiB")
        assert ran.status == 0 and "nothing to deliver" in ran.err, ran.err
        assert not asked, f"more than a listing was asked: {asked[0]}"
        assert peak < 120, f"{peak:.0f} MiB"


# --- two real servers


def filled(client, bucket, sizes, small):
    """Put objects of these sizes and small ones into a new bucket; return {key: bytes}."""
    from concurrent.futures import ThreadPoolExecutor
    client.create_bucket(Bucket=bucket)
    chance = random.Random(small)
    bodies = {f"sized{n}": chance.randbytes(size) for n, size in enumerate(sizes)}
    bodies |= {f"dir{n % 50}/{n}": chance.randbytes(chance.randrange(6000)) for n in range(small)}
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda each: client.put_object(Bucket=bucket, Key=each[0], Body=each[1]),
                      bodies.items()))
    return bodies


@pytest.mark.system("mkfs.ext4", "root")
@pytest.mark.timeout(3600)
@pytest.mark.long
@pytest.mark.parametrize("small", [1000, 20_000])
def test_two_servers_and_three_volumes(cases, mounts, run, tmp_path, small):
    """What boto3 finds at the far server is what was put into the near one; an object that is
    larger than the smallest volume arrives, one that is larger than all is named.
    """
    sizes, least, budget = [24 * MIB, 40 * MIB, 80 * MIB], 4 * MIB, 64 * MIB
    volumes = [mounts.mount(f"vol{n}", make_image(tmp_path / f"{n}.img", size, EXT4[:-2]),
                            "" if n else "sync") for n, size in enumerate(sizes)]
    with servers.Seaweed() as near, servers.Seaweed(more={"far": ("FARKEY", "far-secret")}) as far:
        client = far.client("FARKEY", "far-secret")
        bodies = filled(near.client(), NEAR, [30 * MIB, 45 * MIB, 100 * MIB], small)
        client.create_bucket(Bucket=FAR)
        (tmp_path / "credentials").write_text(
            f"[near]\naws_access_key_id={near.access_key}\naws_secret_access_key="
            f"{near.secret_key}\n[far]\naws_access_key_id=FARKEY\n"
            "aws_secret_access_key=far-secret\n")
        with cases("two servers and three volumes").case(f"{small:,} objects"):
            with Samples(volumes, tmp_path / "work") as samples:
                done = run("s3-relay", "--once", "-w", tmp_path / "work",
                           *(f"--volume={volume}" for volume in volumes), "--min-free", least,
                           "--budget", budget, "--source-profile=near",
                           f"--source-endpoint-url={near.url}", "--source-region=us-east-1",
                           "--target-profile=far", f"--target-endpoint-url={far.url}",
                           "--target-region=us-east-1", f"s3://{NEAR}/", f"s3://{FAR}/{PREFIX}",
                           env={"AWS_SHARED_CREDENTIALS_FILE": tmp_path / "credentials"},
                           timeout=3000)
            samples.check(least, budget)
            assert done.status == 1 and "sized2" in done.err, done.err
            del bodies["sized2"]
            assert arrived(client) == bodies


def arrived(client):
    """Return {key without the prefix: bytes} of what boto3 finds at the far server."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=FAR, Prefix=PREFIX)
    return {each["Key"].removeprefix(PREFIX): client.get_object(
        Bucket=FAR, Key=each["Key"])["Body"].read()
        for page in pages for each in page.get("Contents", [])}
