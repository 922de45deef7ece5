"""A bucket that is moved by one pipeline, killed as a whole at random moments and run again: at no
moment is an object neither in its bucket nor, with all its bytes, in the other.
"""

import contextlib
import os
import random
import re
import signal
import subprocess
import time
from html import unescape

import conftest
import pytest

from faults.oracle import BUCKET, World, mixed, rows_of
from faults.test_kill import wait_until

KILLS = 10
FAR = "far"
LINE = ("s3-manifest s3://b/ | s3-fetch -j 2 -d near/dest | "
        "s3-put -j 2 -d near/dest {options} --to s3://far/p/ | "
        "s3-prune -d near/dest --yes -o pruned.csv")


def begin(line, env, shims, folder):
    """Start a pipeline in a process group of its own."""
    env = conftest.clean_env(env)
    env["PATH"] = f"{shims}:{env['PATH']}"
    return subprocess.Popen(
        ["bash", "-c", line + '; echo "${PIPESTATUS[@]}"'], env=env, cwd=folder,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True)


def kill(process):
    """Kill all of a pipeline; return (whether it was still running, what it said)."""
    was_running = process.poll() is None
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return was_running, process.communicate()[1].decode()


class Move(World):
    """A World with another bucket, where all objects go; `lost` are those that S3 was asked to
    delete while their copy was not there.
    """

    def __init__(self, folder, bodies, versioning, options):
        super().__init__(folder, bodies, versioning=versioning)
        self.bodies, self.line, self.lost = bodies, LINE.format(options=options), []
        self.said = ""
        self.fake.bucket(FAR, versioning=versioning)
        self.fake.hook = self.watch
        self.shims = conftest.make_shims(self.folder / "bin")

    def copies(self):
        """Return {key of its source: bytes} of what the other bucket has."""
        return {version.key.removeprefix("p/"): version.body for version in self.fake.objects(FAR)}

    def watch(self, request):
        """Look whether the copy is there of each object that is about to be deleted."""
        keys = [request.key] if request.method == "DELETE" else [
            unescape(key) for key in re.findall("<Key>(.*?)</Key>", request.body.decode())
        ] if request.method == "POST" and "delete" in request.query else []
        if keys and "uploadId" not in request.query:
            copies = self.copies() if request.bucket == BUCKET else {}
            self.lost += [key for key in keys if key in self.bodies
                          and copies.get(key) != self.bodies[key]]

    def begin(self):
        """Start the pipeline, in a process group of its own."""
        return begin(self.line, self.env, self.shims, self.folder)

    def kill(self, chance, most):
        """Start the pipeline and kill all of it after at most so many requests; return whether it
        was still running.
        """
        process, before = self.begin(), len(self.fake.log)
        asked = chance.randrange(most)
        wait_until(lambda: len(self.fake.log) - before >= asked or process.poll() is not None, 60)
        time.sleep(chance.random() * 0.05)
        was_running, said = kill(process)
        self.said += said
        return was_running

    def all_is_somewhere(self):
        """Check that nothing is lost, and that nothing wrong was stored."""
        here = {version.key: version.body for version in self.fake.objects(BUCKET)}
        copies = self.copies()
        assert not self.lost, f"deleted before the copy was there: {self.lost}"
        for key, body in self.bodies.items():
            assert here.get(key) == body or copies.get(key) == body, f"{key!r} is lost"
            assert copies.get(key, body) == body, f"wrong bytes in the copy of {key!r}"

    def end(self):
        """Run the pipeline to its end, and check that all has moved."""
        process = self.begin()
        out, err = process.communicate(timeout=300)
        assert out.split() == [b"0"] * 4, f"{out} {err.decode()}"
        self.all_is_somewhere()
        assert not self.fake.versions(BUCKET), "something was left behind"
        assert self.copies() == self.bodies
        self.said += err.decode()
        left = self.fake.buckets[FAR].uploads.values()
        assert not any(upload.parts for upload in left), "an upload was forgotten"
        assert len(left) <= self.said.count("S3 may have an empty one"), "nobody told of an upload"
        rows = rows_of((self.folder / "pruned.csv").read_text())
        assert {row["state"] for row in rows} <= {"pruned"}


@pytest.mark.system("minutes")
@pytest.mark.parametrize("versioning, options", [
    ("Enabled", ""), ("Enabled", "--remove-local"), (None, "--remove-local")])
def test_a_bucket_is_moved(cases, tmp_path, versioning, options):
    count, chance = cases("kill -9 of a pipeline that moves a bucket"), random.Random(15)
    bodies = mixed(15, small=60, middle=5) | {"large": chance.randbytes(20 << 20)}
    killed = 0
    with Move(tmp_path, bodies, versioning, options) as world:
        world.fake.latency = 0.01
        for n in range(KILLS):
            with count.case(f"kill {n}"):
                killed += world.kill(chance, 60)
                world.all_is_somewhere()
        with count.case("the end"):
            world.end()
    assert killed >= KILLS - 3, f"only {killed} of {KILLS} kills happened"


@pytest.mark.system("minutes")
def test_a_bucket_is_moved_on_a_real_server(cases, seaweed, shims, tmp_path):
    """SeaweedFS, whose client is boto3."""
    count, chance = cases("kill -9 of a pipeline that moves a bucket"), random.Random(16)
    bodies = mixed(16, small=60, middle=5) | {"large": chance.randbytes(20 << 20)}
    client, killed = seaweed.client(), 0
    for bucket in ("move-b", "move-far"):
        client.create_bucket(Bucket=bucket)
    for key, body in bodies.items():
        client.put_object(Bucket="move-b", Key=key, Body=body)
    line = LINE.format(options="--remove-local --limit-rate 6M").replace(
        "s3://b/", "s3://move-b/").replace("s3://far/", "s3://move-far/").replace("near/dest", "d")
    for n in range(KILLS):
        with count.case(f"kill {n}"):
            process = begin(line, seaweed.env, shims, tmp_path)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.5 + chance.random() * 2)
            killed += kill(process)[0]
            here, far = bodies_in(client, "move-b", ""), bodies_in(client, "move-far", "p/")
            lost = [key for key in bodies if bodies[key] not in (here.get(key), far.get(key))]
            assert not lost, f"lost: {lost}"
    process = begin(line, seaweed.env, shims, tmp_path)
    out, err = process.communicate(timeout=300)
    assert out.split() == [b"0"] * 4, err.decode()
    assert not bodies_in(client, "move-b", "") and bodies_in(client, "move-far", "p/") == bodies
    for upload in client.list_multipart_uploads(Bucket="move-far").get("Uploads", []):
        assert not client.list_parts(Bucket="move-far", Key=upload["Key"],
                                     UploadId=upload["UploadId"]).get("Parts")
    assert killed, "no kill happened"


def bodies_in(client, bucket, prefix):
    """Return {key without the prefix: bytes} of a bucket."""
    found = client.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {each["Key"].removeprefix(prefix): client.get_object(
        Bucket=bucket, Key=each["Key"])["Body"].read() for each in found}
