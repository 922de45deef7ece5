"""make bench: s3kit beside s5cmd, rclone, aws and obstore, on the same objects from the same
server, in one run.

Each round runs every tool once, in turn, into an empty directory. Printed are medians: wall time,
CPU of all processes of the client, memory (of all, shared pages once; and of the largest process),
requests and connections. Only ratios taken in one run mean anything: machines share their
processors.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent / "support"), str(ROOT)]

import measure  # noqa: E402
import report  # noqa: E402
import servers  # noqa: E402
from cases import CASES, ONLY_LIGHT  # noqa: E402
from light import Light  # noqa: E402
from peers import CONNECTIONS, CORES, Peers  # noqa: E402

MUCH = 900 << 20        # bytes of a run that are removed at once
ENOUGH = 60  # seconds of a table after which no more rounds are begun, if nobody asked for them
MANY = 512              # requests at once that the floor of a late server is reckoned with
MOST_SIGNED = 3000      # URLs that the bare loop asks SeaweedFS for


class Seaweed(servers.Seaweed):
    """SeaweedFS with buckets in it, put there by s5cmd in parts of 16 MiB."""

    def __init__(self, buckets, env):
        super().__init__()
        self.buckets, self.more = buckets, env

    def __enter__(self):
        self.start()
        try:
            for bucket in self.buckets:
                self.client().create_bucket(Bucket=bucket.name)
                with tempfile.TemporaryDirectory(dir=self.folder) as folder:
                    bucket.write(Path(folder))
                    subprocess.run(["s5cmd", "--log", "error", "cp", "-p", "16",
                                    f"{folder}/{bucket.name}/", f"s3://{bucket.name}/"],
                                   env=self.more(self), check=True)
        except BaseException:
            self.stop()
            raise
        return self

    def urls(self, bucket):
        """Return URLs of a bucket's objects, signed."""
        client = self.client()
        return [client.generate_presigned_url("get_object",
                                              {"Bucket": bucket.name, "Key": entry.key})
                for entry in bucket.entries[:MOST_SIGNED]]

    def counts(self):
        """It does not count."""


class Bench:
    """What the cases are run with: how much, how often, where; `tables` is what came of it."""

    def __init__(self, args, work):
        self.quick, self.kind, self.work = args.quick, args.server, work
        self.rounds = args.rounds or (1 if args.quick else 3)
        self.peers = Peers(Path(args.peers).absolute(), work, Path(sys.executable).parent)
        self.seconds = 0 if args.rounds else ENOUGH
        self.tables, self.about, self.start_up = [], "", {}

    def less(self, amount, divisor=10):
        """Return an amount, less of it in a quick run."""
        return amount // divisor if self.quick else amount

    def server(self, buckets, latency=0.0, kind=None):
        """Return a server with buckets, to be entered."""
        if (kind or self.kind) == "seaweed":
            return Seaweed(buckets, self.peers.env)
        return Light(buckets, latency)

    @contextlib.contextmanager
    def folder(self):
        """Lend an empty directory; what earlier runs left to be written is written first.

        Small files stay until the end: ext4 looks at every inode that was deleted in the last
        minutes before it gives out a new one, and creating files after an `rm -r` then costs all
        tools several times as much.
        """
        folder = Path(tempfile.mkdtemp(dir=self.work))
        os.sync()
        try:
            yield folder
        finally:
            if measure.arrived(folder)[1] > MUCH:
                shutil.rmtree(folder)

    def prepare(self, tool, server, bucket, dest):
        """Run a tool once, untimed.

        Raises RuntimeError where it fails: nothing could be measured after it.
        """
        line = self.line(tool, server, bucket, dest, self.manifest(dest))
        done = measure.run(line, self.peers.env(server))
        if done["status"]:
            raise RuntimeError(f"status {done['status']} of: {line}\n{done['error']}")
        os.sync()

    def manifest(self, dest):
        """Return the manifest that `prepare` leaves."""
        return f"{dest}.csv"

    def line(self, tool, server, bucket, dest, out):
        """Return the line of bash that runs a tool."""
        prefix = "0/" if tool.share > 1 else ""
        return tool.line.format(bucket=bucket.name, dest=dest, out=out, n=CONNECTIONS,
                                prefix=prefix, url=server.url, python=self.peers.python)

    def compare(self, title, server, bucket, tools, dest=None, unit="object", rows=False,
                rounds=None, objects=None, growth=False, fills=True):
        """Run tools alternately and report on them. `dest` is full already; else each run has an
        empty one.

        Where `rows`, the rows of the output are counted; else the files that came, where the tool
        `fills` a directory.
        """
        tools = [tool for tool in tools if self.peers.has(tool)]
        objects = objects or len(bucket.entries)
        table = ({"title": title, "about": self.about, "unit": unit, "objects": objects,
                  "growth": growth, "quick": self.quick,
                  "server": self.alone(server, bucket) if not dest and not rounds else "", "tools":
                  [{"name": tool.name, "ours": tool.ours, "rival": tool.is_rival, "note": tool.note,
                    "line": tool.line, "runs": []} for tool in tools]})
        order = list(zip(tools, table["tools"]))
        server.counts()         # from here on
        began = time.monotonic()
        for number in range(rounds or self.rounds):
            if self.seconds and number and time.monotonic() - began > self.seconds:
                break
            for tool, told in order[number % len(order):] + order[:number % len(order)]:
                failed = any(run["status"] for run in told["runs"])
                if not failed and not (told["runs"] and tool.once):
                    told["runs"].append(self.once(tool, server, bucket, dest, objects, rows, fills))
        self.tables.append(table)
        print(f"\n{report.show(table)}", flush=True)

    def once(self, tool, server, bucket, dest, objects, rows, fills):
        """Run a tool one time; return its figures, scaled where it did a share."""
        with contextlib.ExitStack() as stack:
            place = dest or stack.enter_context(self.folder())
            out = self.work / "out"
            if tool.before:
                tool.before()
            env = self.peers.env(server)
            figures = measure.run(self.line(tool, server, bucket, place, out), env)
            counted = server.counts()
            if tool.share > 1:
                self.scale(tool, figures, env)
            if counted:
                figures["requests"], figures["connections"] = (
                    count * tool.share / objects for count in counted[:2])
            figures["lacks"] = lacking(out, bucket, place, objects, tool) if rows else \
                missing(bucket, place, tool) if fills else ""
        return figures

    def scale(self, tool, figures, env):
        """Make the figures of a share those of the whole; what starting costs is there once."""
        if tool.needs not in self.start_up:
            self.start_up[tool.needs] = measure.run(f"{tool.needs} --version", env)
        for name in ("wall", "cpu"):
            once = min(self.start_up[tool.needs][name], figures[name])
            figures[name] = once + (figures[name] - once) * tool.share

    def alone(self, server, bucket):
        """Return what a bare loop of requests gets of the server, in words."""
        if getattr(server, "latency", 0):
            late = f"every answer {server.latency * 1000:.0f} ms late"
            rounds = 1 + -(-len(bucket.sizes) // MANY)
            return late + (f"; the floor is {rounds} rounds of {MANY} requests, "
                           f"{rounds * server.latency:.2f} s" if bucket.sizes else "")
        answers, size = measure.ceiling(server.urls(bucket))
        what = "objects" if bucket.sizes else "pages of 1,000"
        return f"{answers:,.{0 if answers > 10 else 1}f} {what}/s, {size / 2**20:,.0f} MiB/s"


def missing(bucket, place, tool):
    """Return what is wrong with the files that came, in words."""
    wanted = bucket.expected("0/" if tool.share > 1 else "")
    came = measure.arrived(place)
    return ("" if came == wanted
            else f"{came[0]:,} files of {wanted[0]:,}, {came[1]:,} bytes of {wanted[1]:,}")


def lacking(out, bucket, place, objects, tool):
    """Return what is wrong with the rows that were written; headers are none, a tool that says so
    may leave out markers.
    """
    with open(out, "rb") as file:
        came = sum(1
                   for line in file if not line.startswith((b"#", b"bucket,", b"state,", b"key,")))
    markers = sum(entry.size is None for entry in bucket.entries)
    wanted = (objects - markers, objects) if tool.note else (objects,)
    return "" if came in wanted else f"{came:,} rows of {objects:,}"


def arguments():
    """Return the options."""
    made = argparse.ArgumentParser(description=__doc__,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rounds", type=int,
                      help=f"runs of each tool (3, but none begun after {ENOUGH} s of a table)")
    made.add_argument("--quick", action="store_true", help="the same cases, smaller, one round")
    made.add_argument("--case", action="append", choices=CASES, metavar="NAME",
                      help="only this one; again for more")
    made.add_argument("--list-cases", action="store_true", help="say what they are")
    made.add_argument("--server", choices=("light", "seaweed"), default="light",
                      help="for cases that do not choose their own")
    made.add_argument("--peers", default=ROOT / ".bench-venv", metavar="DIR",
                      help="the environment with the peers")
    made.add_argument("--json", type=Path, metavar="FILE",
                      default=Path(tempfile.gettempdir(), "s3kit-bench.json"))
    made.add_argument("--svg", type=Path, metavar="FILE",
                      default=Path(tempfile.gettempdir(), "s3kit-bench.svg"))
    return made.parse_args()


def main():
    """Run the cases; the exit status says whether s3kit did all of them right."""
    args = arguments()
    if args.list_cases:
        for name, case in CASES.items():
            print(f"{name:16}{case.__doc__}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))     # so that servers end with us
    names = args.case or list(CASES)
    left = [name for name in names if args.server != "light" and name in ONLY_LIGHT]
    broken = []
    work = Path(tempfile.mkdtemp(prefix="s3kit-bench-", dir=os.environ.get("S3KIT_BENCH_DIR")))
    try:
        bench = Bench(args, work)
        facts = {"cores": CORES, "connections": CONNECTIONS, "load before": measure.load(),
                 "rounds": bench.rounds, "quick": args.quick,
                 "file system": measure.file_system(work), "peers": bench.peers.versions()}
        print("; ".join(f"{name}: {json.dumps(fact)}" for name, fact in facts.items())
              .replace('"', ""))
        print("wall x, CPU x: as a multiple of the first s3kit line of a table"
              + "; a quick run shows that all of it works, not how fast it is: starting takes most "
              "of the time" * args.quick)
        for name in names:
            if name not in left:
                bench.about = CASES[name].__doc__
                try:
                    CASES[name](bench)
                except RuntimeError as error:
                    broken.append(name)
                    print(f"\n{name}: {error}", flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for name in left:
        print(f"\n{name}: left out, it needs the light server")
    print(f"\n{report.summary(bench.tables)}\n")
    args.json.write_text(json.dumps({**facts, "tables": bench.tables}, indent=1))
    args.svg.write_text(report.svg(bench.tables,
                                   f"s3kit and its peers on {CORES} cores, longer is slower"))
    print(f"written: {args.json}, {args.svg}")
    ours = [(table, tool) for table in bench.tables for tool in table["tools"] if tool["ours"]]
    return int(bool(broken) or any(report.fault(table, tool) for table, tool in ours))


if __name__ == "__main__":
    sys.exit(main())
