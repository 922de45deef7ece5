"""Tools run in turn on the same bucket, and what came of each."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measure
import report
import servers
from light import Light
from peers import CONNECTIONS, Peers, make_commands

from s3kit.s3.window import MANY

HERE = Path(__file__).resolve().parent
MUCH = 900 << 20        # bytes of a run that are removed at once
# seconds of a table, without those that run once, after which no round is begun if nobody asked
ENOUGH = 60
MOST_SIGNED = 3000      # URLs that the bare loop asks SeaweedFS for


class Seaweed(servers.Seaweed):
    """SeaweedFS with buckets in it, put there by s5cmd in parts of 16 MiB."""

    def __init__(self, buckets, env, tls=False):
        super().__init__(tls=tls)
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
        folder = Path(args.peers).absolute()
        python = folder / "bin/python"
        ours = make_commands(work / "commands", args.checkout,
                             python if python.exists() else sys.executable)
        self.peers = Peers(folder, work, ours)
        self.seconds = 0 if args.rounds else ENOUGH
        self.tables, self.start_up, self.shown = [], {}, set()

    def less(self, amount, divisor=10):
        """Return an amount, less of it in a quick run."""
        return amount // divisor if self.quick else amount

    def server(self, buckets, latency=0.0, kind=None, rate=0):
        """Return a server with buckets, to be entered."""
        kind = kind or self.kind
        if kind in ("seaweed", "tls"):
            return Seaweed(buckets, self.peers.env, tls=kind == "tls")
        return Light(buckets, latency, rate)

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

    def compare(self, title, server, bucket, tools, about, dest=None, unit="object", rows=False,
                rounds=None, objects=None, growth=False, fills=True, uploads=None):
        """Run tools alternately and report on them. `dest` is full already; else each run has an
        empty one. `about` is the work, in words.

        Where `rows`, the rows of the output are counted; with `uploads` (see upload_runs) the
        objects that are there, else the files that came, where the tool `fills` a directory.
        """
        tools = [tool for tool in tools if self.peers.has(tool)]
        objects = objects or len(bucket.entries)
        table = {"title": title, "about": about, "unit": unit, "objects": objects,
                 "growth": growth, "quick": self.quick, "floor": floor(server, bucket),
                 "server": self.alone(server, bucket) if not dest and not rounds else "",
                 "tools": [self.entry(tool) for tool in tools]}
        order = list(zip(tools, table["tools"]))
        server.counts()         # from here on
        spent = 0               # by those that run again
        for number in range(rounds or self.rounds):
            if self.seconds and spent > self.seconds:
                break
            for tool, told in order[number % len(order):] + order[:number % len(order)]:
                failed = any(run["status"] for run in told["runs"])
                if not failed and not (told["runs"] and tool.once):
                    began = time.monotonic()
                    told["runs"].append(
                        self.upload(tool, uploads, objects) if uploads
                        else self.once(tool, server, bucket, dest, objects, rows, fills))
                    spent += (time.monotonic() - began) * (not tool.once)
        self.tell(table)

    def tell(self, table):
        """Keep a table and print it; below it the lines of those tools that were in none yet."""
        self.tables.append(table)
        lines = [f"    {tool['name']}: {tool['line']}" for tool in table["tools"]]
        print("", report.show(table), *[line for line in lines if line not in self.shown],
              sep="\n", flush=True)
        self.shown.update(lines)

    def entry(self, tool):
        """Return a tool as a table has it, its line as a reader needs it."""
        line = tool.line.format(bucket="BUCKET", dest="DIR", out="FILE", n=CONNECTIONS, prefix="",
                                url="URL", python="python")
        return {"name": tool.name, "ours": tool.ours, "rival": tool.is_rival, "note": tool.note,
                "needs": tool.needs, "runs": [],
                "line": line.replace(f"{HERE}/", "").replace(f"{self.work}/", "")}

    def once(self, tool, server, bucket, dest, objects, rows, fills):
        """Run a tool one time; return its figures, scaled where it did a share."""
        with contextlib.ExitStack() as stack:
            place = dest or stack.enter_context(self.folder())
            out = self.work / "out"
            if tool.before:
                tool.before()
            env = self.peers.env(server)
            figures = measure.run(self.line(tool, server, bucket, place, out), env)
            if fills and not dest:
                figures["sync"] = measure.sync(place)
            self.count(tool, server, figures, objects)
            figures["lacks"] = lacking(out, bucket, place, objects, tool) if rows else \
                missing(bucket, place, tool) if fills else ""
        return figures

    def upload(self, tool, uploads, objects):
        """Have a tool upload a tree to a bucket of its own, one time; return its figures."""
        out = self.work / "out"
        with uploads.fresh() as bucket:
            line = self.line(tool, uploads.server, bucket, uploads.place, out)
            figures = measure.run(line, self.peers.env(uploads.server))
            self.count(tool, uploads.server, figures, objects)
            figures["lacks"] = "" if figures["status"] else uploads.lacks(bucket, tool, out)
        return figures

    def count(self, tool, server, figures, objects):
        """Add to the figures of a run what the server has counted; scale them where the tool did a
        share.
        """
        counted = server.counts()
        if tool.share > 1:
            self.scale(tool, figures, self.peers.env(server))
        if counted:
            figures["requests"], figures["connections"] = (
                count * tool.share / objects for count in counted[:2])

    def scale(self, tool, figures, env):
        """Make the figures of a share those of the whole; what starting costs is there once."""
        if tool.needs not in self.start_up:
            self.start_up[tool.needs] = measure.run(f"{tool.needs} --version", env)
        for name in ("wall", "cpu"):
            once = min(self.start_up[tool.needs][name], figures[name])
            figures[name] = once + (figures[name] - once) * tool.share
        if "sync" in figures:
            figures["sync"] *= tool.share

    def alone(self, server, bucket):
        """Return what a bare loop of requests gets of the server, in words."""
        if getattr(server, "latency", 0):
            late = f"every answer {server.latency * 1000:.0f} ms late"
            least = floor(server, bucket)
            return late + (f"; the floor is {least / server.latency:.0f} rounds of at most {MANY} "
                           f"requests, {least:.2f} s" if least else "")
        answers, size = measure.ceiling(server.urls(bucket))
        what = "objects" if bucket.sizes else "pages of 1,000"
        return f"{answers:,.{0 if answers > 10 else 1}f} {what}/s, {size / 2**20:,.0f} MiB/s"


def floor(server, bucket):
    """Return the seconds that latency alone takes, where the server has any: one list page, then
    all objects, MANY at once.
    """
    return (1 + -(-len(bucket.sizes) // MANY)) * getattr(server, "latency", 0) \
        if bucket.sizes else 0


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
