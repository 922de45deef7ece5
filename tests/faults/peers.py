"""make compare: the same spoilt bodies and hostile buckets for s3kit, s5cmd, rclone and aws, and
what became of each.

Every run has a strict fake, a destination and a neighbourhood of its own (the oracle's World).
Judged is what a script would see: the exit status, the bytes under the final names, and what
changed beside the destination.
"""

import argparse
import json
import logging
import os
import platform
import pty
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

TESTS = Path(__file__).resolve().parents[1]
if not __package__:
    sys.path[:1] = [str(TESTS), str(TESTS / "support")]

import conftest  # noqa: E402
from bench import peers as bench  # noqa: E402

import s3kit  # noqa: E402
from faults.images import XFS, Mounts, cut_power, make_image  # noqa: E402
from faults.oracle import World, files_below  # noqa: E402

LIMIT = 60                  # seconds after which a run counts as hung, and is cut
TRIES = 3                   # of every request, for all tools
IDLE = 10  # seconds without a byte after which a tool that has such an option gives up
# bytes; the large object is fetched in ranges by all
SMALL, PART, LARGE = 1 << 20, 5 << 20, 66 << 20
KEY = "object"
REFUSAL = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code><Message>Please try '
    b'again.</Message></Error>')

RIGHT, ERROR, FALSE, BAD, HANG, OUTSIDE, PARTIAL, RAW, LOST, UNTRIED = (
    "right", "error", "FALSE SUCCESS", "BAD FILE", "HANG", "OUTSIDE", "PARTIAL FILE", "RAW", "LOST",
    "NOT TRIED")
HARMLESS = {RIGHT, ERROR}
EXPLAINED = f"""\
right: the right bytes, exit 0; error: exit not 0, nothing wrong under the final name
FALSE SUCCESS: exit 0, but wrong or missing bytes; BAD FILE: exit not 0, but wrong bytes under the final name
HANG: no end within {LIMIT} s; OUTSIDE: something outside the destination was written; PARTIAL FILE: a part of an object
under the final name; RAW: an object's name sent an escape sequence to the terminal; LOST: gone after the power cut"""  # noqa: E501


@dataclass(frozen=True)
class Tool:
    """A way to copy a bucket.

    In its lines: {bucket}, {dest}, {out} (a file), {url}, {tries}, {retries} and {idle}.
    """

    name: str
    copy: str
    show: tuple = ()            # lines that list the bucket, or copy it and say so, on a terminal
    needs: str = ""
    below: str = ""             # where in the destination a bucket's files come


MAKE = "s3-manifest -q s3://{bucket}/ | s3-fetch"
AWS = ("AWS_MAX_ATTEMPTS={tries} AWS_RETRY_MODE=standard AWS_CONFIG_FILE=$S3KIT_BENCH_AWS aws "
       "--cli-read-timeout {idle} s3")
RCLONE = (
    "rclone --retries {tries} --low-level-retries {tries} --timeout {idle}s --multi-thread-cutoff "
    "32Mi")
S5CMD = "s5cmd --retry-count {retries}"
TOOLS = (
    Tool("s3kit", MAKE + " -q --retries {retries} -d {dest} -o {out}", below="b",
         show=("s3-list -R s3://{bucket}/", MAKE + " -v -d {dest}")),
    Tool("s5cmd", S5CMD + " --log error cp -c 4 -p 16 's3://{bucket}/*' {dest}/", needs="s5cmd",
         show=(S5CMD + " ls 's3://{bucket}/*'", S5CMD + " cp 's3://{bucket}/*' {dest}/")),
    Tool("rclone", RCLONE + " copy b:{bucket} {dest}", needs="rclone",
         show=(RCLONE + " ls b:{bucket}", RCLONE + " copy -v b:{bucket} {dest}")),
    Tool("aws", AWS + " cp --only-show-errors --recursive s3://{bucket} {dest}", needs="aws",
         show=(AWS + " ls --recursive s3://{bucket}",
               AWS + " cp --recursive s3://{bucket} {dest}")))


@dataclass(frozen=True)
class Body:
    """How an answer is spoilt: a kind of the fake's, its options, and the object that it happens
    to.
    """

    kind: str
    options: dict = field(default_factory=dict)
    size: int = SMALL
    parts: bool = False         # it was uploaded in parts, so its ETag is no MD5
    checksum: str = "CRC32"     # that S3 has of it, and sends to whoever asks
    is_slow: bool = False       # nothing tells but time


BODIES = {
    "short, its length announced": Body("short"),
    "short, no length announced, CRC32 sent": Body("short-nolength"),
    "short, no length announced, no checksum": Body("short-nolength", checksum=None),
    "longer than announced": Body("long"),
    "connection reset half-way": Body("reset"),
    "no body": Body("empty"),
    "two lengths that differ": Body("double-length"),
    "chunks that end in garbage": Body("bad-chunks"),
    "one bit flipped, CRC32 sent": Body("flip"),
    "one bit flipped, ETag is the MD5": Body("flip", checksum=None),
    "one bit flipped, uploaded in parts":
    Body("flip", size=PART + SMALL, parts=True, checksum=None),
    "another object's bytes": Body("other", checksum=None),
    "200 with an error document": Body("error200"),
    "the same, the object's headers": Body("other", {"body": REFUSAL}),
    "200 with an HTML page": Body("html"),
    "gzip, unasked": Body("gzip"),
    "another ETag": Body("wrong-etag"),
    "another range than asked for": Body("wrong-range", {"shift": 4096}, LARGE),
    "all of it where a range was asked": Body("ignore-range", size=LARGE),
    "overwritten between two ranges": Body("swap", size=LARGE),
    "stalls half-way": Body("stall", is_slow=True),
    "10 bytes a second": Body("trickle", is_slow=True),
}
WAYS = {"once": 1, "ever": None}


@dataclass
class Result:
    """What became of one case with one tool."""

    tool: str
    group: str
    case: str
    verdict: str
    said: str
    seconds: float
    counts: tuple = ()  # of kill -9: partial files, left-overs; of power cuts: files lost, files

    @property
    def is_harmless(self):
        """Whether a script that looks at the exit status would have been told the truth."""
        return self.verdict in HARMLESS


@dataclass
class Run:
    """How a tool's run ended: `status` is None if it had to be cut."""

    status: int
    out: bytes
    seconds: float

    @property
    def exit(self):
        """Say the status in words."""
        return "cut" if self.status is None else f"exit {self.status}"


# --- running tools


class Place:
    """One tool with a World of its own: where it copies to, and how it is run."""

    def __init__(self, tool, peers, world, limit=LIMIT):
        self.tool, self.peers, self.world, self.limit = tool, peers, world, limit
        self.target = world.dest / tool.below
        world.dest.mkdir(exist_ok=True)
        world.calm = world.outside()

    def line(self, line, retries=TRIES - 1):
        """Return the words that run one of a tool's lines."""
        world = self.world
        words = {"dest": world.dest, "out": world.folder / "out", "url": world.fake.url,
                 "bucket": world.bucket}
        words = {name: shlex.quote(str(word)) for name, word in words.items()}
        return ["bash", "-c", "set -o pipefail\n"
                + line.format(tries=retries + 1, retries=retries, idle=IDLE, **words)]

    def env(self):
        """Return the environment of all tools, which is the bench's."""
        fake = self.world.fake
        return self.peers.env(SimpleNamespace(url=fake.url, env=conftest.env_of(fake)))

    def start(self, line, retries=TRIES - 1, **options):
        """Start a line of bash in a process group of its own."""
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                   "stderr": subprocess.STDOUT} | options
        return subprocess.Popen(self.line(line, retries), env=self.env(), cwd=self.world.folder,
                                start_new_session=True, **options)

    def copy(self, retries=TRIES - 1):
        """Copy the bucket; return Run."""
        return self.finish(self.start(self.tool.copy, retries))

    def finish(self, process):
        """Wait for a started line; return Run."""
        began = time.monotonic()
        try:
            out, _ = conftest.finish(process, None, self.limit)
            return Run(process.returncode, out, time.monotonic() - began)
        except subprocess.TimeoutExpired:
            return Run(None, b"", time.monotonic() - began)

    def on_terminal(self, line):
        """Run a line with a terminal for all its descriptors; return Run, with what the terminal
        got.
        """
        master, slave = pty.openpty()
        process = self.start(line, stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        came = bytearray()

        def read():
            try:
                while data := os.read(master, 65536):
                    came.extend(data)
            except OSError:             # EIO: nobody has the other end any more
                pass

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        run = self.finish(process)
        reader.join(5)
        os.close(master)
        return Run(run.status, bytes(came), run.seconds)

    # --- what is there afterwards

    def files(self):
        """Return {path below the target: bytes} of the files there."""
        return files_below(self.target) if self.target.is_dir() else {}

    def escaped(self):
        """Return how many files are outside the target that were not there, or are not as they
        were.
        """
        now, calm = self.world.outside(), self.world.calm
        inside = {os.path.join(self.tool.below, path) for path in self.files()}
        return (sum(now.get(path) != calm.get(path) and not os.path.isdir(path)
                    for path in now.keys() | calm.keys())
                + len(files_below(self.world.dest).keys() - inside))


def verdict(status, found, right):
    """Return what an exit status and the bytes under the final name (None: no file) amount to."""
    if status is None:
        return HANG
    if status == 0:
        return RIGHT if found in right else FALSE
    return ERROR if found is None or found in right else BAD


def judge_bucket(place, run, bodies):
    """Return (verdict, words) on a copy of {key: body}, each body another: did all come, and
    nothing anywhere else?
    """
    files, outside = place.files(), place.escaped()
    came = set(bodies.values()) & set(files.values())
    strays = sum(body not in came for body in files.values())
    said = f"{len(came)} of {len(bodies)}, {run.exit}" + f", {outside} outside" * bool(outside)
    said += f", {strays} stray" * bool(strays)
    wrong = any(path in bodies and body not in came for path, body in files.items())
    if outside:
        return OUTSIDE, said
    if run.status == 0:
        return RIGHT if len(came) == len(bodies) and not strays else FALSE, said
    return HANG if run.status is None else BAD if wrong else ERROR, said


# --- spoilt bodies


def judge_body(place, body, times):
    """Return (verdict, words, seconds) on one object whose answers are spoilt."""
    chance = random.Random(1)
    fake, data = place.world.fake, chance.randbytes(body.size)
    fake.put(place.world.bucket, KEY, data, checksum=body.checksum,
             parts=[PART, body.size - PART] if body.parts else None)
    fault = fake.fault(body.kind, key=KEY, times=times, **body.options)
    # What takes its time for ever must be noticed once only; that a second try takes as long proves
    # nothing more.
    run = place.copy(retries=0 if body.is_slow and times is None else TRIES - 1)
    assert fault.hits, (
        f"{body.kind} never happened to {place.tool.name}: {run.exit}, {run.out[-2000:]!r}")
    right = [data, fake.get(place.world.bucket, KEY).body]  # old or new, if it was overwritten
    found = place.files().get(KEY)
    judged = verdict(run.status, found, right)
    return judged, f"{run.exit}, {'no file' if found is None else f'{len(found):,} B'}", run.seconds


# --- hostile buckets


def keys(*names):
    """Return {key: body}, each body another."""
    return {name: f"the body of key number {at}".encode() for at, name in enumerate(names)}


UP = keys("../x", "../../sentinel/file", "a/../../y", "a/b/../../../../sentinel/dir/file", "./../z",
          "a/../b")
COLLIDING = keys("a", "a/b", "d/x", "d//x", "Case", "case", "\xe9", "e\u0301")
ESCAPE = b"\x1b]0;owned"
CUTS, CUT_FILES = 3, 50


def copy_all(place, bodies):
    """Copy a bucket of these objects; return (verdict, words, seconds)."""
    for key, body in bodies.items():
        place.world.fake.put(place.world.bucket, key, body)
    run = place.copy()
    return *judge_bucket(place, run, bodies), run.seconds


def up(place, chance):
    """Keys with `../` in them."""
    return copy_all(place, UP)


def colliding(place, chance):
    """Keys that want the same names, on the file system of the temporary directory."""
    return copy_all(place, COLLIDING)


def linked_directory(place, chance):
    """A symbolic link to a directory elsewhere is in the destination, and keys lead below its name.
    """
    place.target.mkdir(exist_ok=True)
    (place.target / "link").symlink_to(place.world.beside / "dir")
    return copy_all(place, keys("link/file", "link/new", "beside"))


def linked_file(place, chance):
    """A symbolic link to a file elsewhere has the name of a key."""
    place.target.mkdir(exist_ok=True)
    (place.target / "link").symlink_to(place.world.beside / "file")
    return copy_all(place, keys("link", "beside"))


def terminal(place, chance):
    """Names with escape sequences, listed and copied on a terminal."""
    for key in ("\x1b]0;owned\x07", "plain"):
        place.world.fake.put(place.world.bucket, key, key.encode())
    runs = [place.on_terminal(line) for line in place.tool.show]
    ways = ["raw" if ESCAPE in run.out else "escaped" if b"owned" in run.out else "not shown"
            for run in runs]
    said = "; ".join(dict.fromkeys(f"{way}, {run.exit}" for way, run in zip(ways, runs)))
    hung = any(run.status is None for run in runs)
    judged = (RAW if "raw" in ways else HANG if hung else ERROR if any(run.status for run in runs)
              else RIGHT)
    return judged, said, sum(run.seconds for run in runs)


def changed(place, chance):
    """An object is overwritten after it was listed, when the first request for it comes."""
    fake, old, new = place.world.fake, chance.randbytes(SMALL), chance.randbytes(SMALL // 3)
    fake.put(place.world.bucket, KEY, old)

    def overwrite(request):
        if request.key == KEY and fake.get(place.world.bucket, KEY).body == old:
            fake.put(place.world.bucket, KEY, new)

    fake.hook = overwrite
    run = place.copy()
    assert fake.get(place.world.bucket,
                    KEY).body == new, f"{place.tool.name} never asked for the object"
    found = place.files().get(KEY)
    which = ("no file" if found is None else "the old one" if found == old else "the new one"
             if found == new else "neither")
    return verdict(run.status, found, [old, new]), f"{which}, {run.exit}", run.seconds


def kill(place, chance, objects=12, rate=2 << 20):
    """kill -9 of all its processes when a random share of the bytes has come; then the same command
    again.
    """
    bodies = {f"object{n}": chance.randbytes(SMALL) for n in range(objects)}
    for key, body in bodies.items():
        place.world.fake.put(place.world.bucket, key, body)
    place.world.fake.fault("trickle", key=bool, times=None, rate=rate)
    share = chance.uniform(0.05, 0.9) * objects * SMALL
    began = time.monotonic()
    process = place.start(place.tool.copy, stdout=subprocess.DEVNULL)
    while sum(request.bytes_sent for request
              in place.world.fake.requests("GET", where=lambda request: request.key)) < share:
        assert (process.poll() is None
                and time.monotonic() < began + LIMIT), f"{place.tool.name} was not killed: it ended"
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    partial = sum(body != bodies.get(path, body) for path, body in place.files().items())
    place.world.fake.faults.clear()
    run = place.copy()
    judged, said = judge_bucket(place, run, bodies)
    left = (sum(path not in bodies for path in place.files())
            + len(list((place.world.dest / ".s3kit" / "parts").glob("*"))))
    if judged == FALSE and all(place.files().get(key) == body for key, body in bodies.items()):
        judged = RIGHT                      # a left-over is no wrong object
    said = f"{partial} partial, {left} left over, {said}"
    return PARTIAL if partial else judged, said, time.monotonic() - began, (partial, left)


HOSTILE = {"6 keys with ../": up, "8 keys that want the same names": colliding,
           "a linked directory in the destination": linked_directory,
           "a link in place of the file": linked_file,
           "escape sequences in a name, on a terminal": terminal,
           "overwritten between list and get": changed}


# --- power cuts


def cut(tool, peers, work):
    """Yield (verdict, words, seconds, counts) of power cuts right after success, on ext4 as it is
    mounted by default.
    """
    mounts = Mounts(work / "mnt")
    try:
        host = mounts.mount("host", make_image(work / "host.img", 4 << 30, XFS))
        for at in range(CUTS):
            image = make_image(host / f"{at}", 256 << 20, ("mkfs.ext4", "-q", "-F"))
            bodies = {f"dir{n % 5}/file{n}": random.Random(n).randbytes(100_000)
                      for n in range(CUT_FILES)}
            guest = mounts.mount(f"guest{at}", image)
            with World(work / f"{at}", bodies, versioning="", dest=guest / "dest") as world:
                place = Place(tool, peers, world)
                run = place.copy()
                copy = cut_power(image, host / f"{at}.cut")
            mounts.unmount(guest)
            assert run.status == 0, f"{tool.name}: {run.exit}: {run.out[-2000:]!r}"
            with mounts.mounting(f"cut{at}", copy) as mounted:
                there = mounted / "dest" / tool.below
                files = files_below(there) if there.is_dir() else {}
            lost = sum(files.get(key) != body for key, body in bodies.items())
            (yield LOST if lost else RIGHT, f"{lost} of {CUT_FILES} lost", run.seconds,
             (lost, CUT_FILES))
    finally:
        mounts.close()


# --- all of it


def tasks(tools, slow=True, kills=10, cuts=True):
    """Return [(tool, group, case, function of (peers, folder) that yields what a Result has from
    `verdict` on)].
    """
    def once(tool, judge, *arguments):
        def run(peers, folder):
            with World(folder, {}, versioning="", dest=folder / "near" / "deep" / "dest") as world:
                yield judge(Place(tool, peers, world), *arguments)
        return run

    return ([(tool, "body", f"{name}, {way}", once(tool, judge_body, body, times)) for name,
             body in BODIES.items() if slow or not body.is_slow for way,
             times in WAYS.items() for tool in tools] + [(tool, "bucket", name,
                                                          once(tool, judge, random.Random(1)))
                                                         for name,
                                                         judge in HOSTILE.items() for tool in tools]
            + [(tool, "kill", f"kill -9, seed {seed}", once(tool, kill, random.Random(seed)))
               for seed in range(kills) for tool in tools] + [
                   (tool, "power", "power cut after success",
                    lambda peers, folder, tool=tool: cut(tool, peers, folder))
                   for tool in tools if cuts])


def compare(chosen, peers, work, jobs=2, said=lambda result: None):
    """Run tasks, some at a time; return their Results."""
    def run(task, number):
        tool, group, case, judge = task
        folder = work / f"{number}"
        folder.mkdir(parents=True)
        try:
            found = [Result(tool.name, group, case, *judged) for judged in judge(peers, folder)]
        except (AssertionError, pytest.fail.Exception) as error:
            found = [Result(tool.name, group, case, UNTRIED, str(error), 0.0)]
        shutil.rmtree(folder)
        for result in found:
            said(result)
        return found

    with ThreadPoolExecutor(jobs) as threads:
        waiting = [threads.submit(run, task, number) for number, task in enumerate(chosen)]
        try:
            return [result for one in waiting for result in one.result()]
        finally:
            threads.shutdown(wait=False, cancel_futures=True)


def cells(results):
    """Return {row: {tool: what is said of it}}, in the order of the results."""
    rows = {}
    for result in results:
        if result.group == "body":
            name, _, _ = result.case.rpartition(", ")
            row = rows.setdefault(name, {})
            row[result.tool] = " / ".join(filter(None, [row.get(result.tool), result.verdict]))
        elif result.group == "bucket":
            mark = f"{result.verdict}: " if not result.is_harmless else ""
            rows.setdefault(result.case, {})[result.tool] = mark + result.said
    for group, name, words in (("kill", "kill -9 at random times",
                                "{} partial, {} left over in {} kills"), (
                                    "power", "power cut after success",
                                    "{} of {} files lost in {} cuts")):
        for tool in dict.fromkeys(result.tool for result in results if result.group == group):
            mine = [result for result in results if (result.group, result.tool) == (group, tool)]
            worst = next((f"{result.verdict}: " for result in mine if not result.is_harmless), "")
            sums = ([sum(column)
                     for column in zip(*(result.counts for result in mine if result.counts))]
                    or ["?", "?"])
            rows.setdefault(name, {})[tool] = worst + words.format(*sums, len(mine))
    return rows


def table(results):
    """Return the lines of the table; of a body that is spoilt once and for ever, both."""
    rows = cells(results)
    names = list(dict.fromkeys(result.tool for result in results))
    wide = max(map(len, rows))
    tools = {tool: max([len(tool)] + [len(row.get(tool, "")) for row in rows.values()])
             for tool in names}
    lines = ["  ".join(["spoilt once / for ever".ljust(wide)]
                       + [tool.ljust(width) for tool, width in tools.items()]).rstrip()]
    lines += ["  ".join([name.ljust(wide)]
                        + [row.get(tool, "").ljust(width) for tool, width in tools.items()])
              .rstrip() for name, row in rows.items()]
    harm = {tool: sum(result.tool == tool and not result.is_harmless for result in results)
            for tool in names}
    runs = {tool: sum(result.tool == tool for result in results) for tool in names}
    return [*lines, "", "runs that ended badly: "
            + ", ".join(f"{tool} {harm[tool]} of {runs[tool]}" for tool in names)]


def tell(result):
    """Say on stderr what became of one run."""
    said = (f"{result.tool:7} {result.seconds:5.1f} s  {result.case}: {result.verdict} "
            f"({result.said})")
    print(said, file=sys.stderr, flush=True)


def arguments():
    """Return the options."""
    made = argparse.ArgumentParser(description=__doc__,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--peers", default=TESTS.parent / ".bench-venv", metavar="DIR",
                      help="the environment with the peers")
    made.add_argument("--tool", action="append", choices=[tool.name for tool in TOOLS],
                      help="only this one; again for more")
    made.add_argument("--case", metavar="TEXT", default="",
                      help="only cases whose name has TEXT in it")
    made.add_argument("--jobs", type=int, default=4, metavar="N",
                      help="runs at a time, most of which wait (4)")
    made.add_argument("--json", type=Path, metavar="FILE",
                      default=Path(tempfile.gettempdir(), "s3kit-compare.json"))
    return made.parse_args()


def main():
    """Run all cases; the exit status says whether s3kit did any harm."""
    args = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # a fake notes each client that hangs up
    work = Path(tempfile.mkdtemp(prefix="s3kit-compare-"))
    try:
        conftest.SHIMS = conftest.make_shims(work / "bin")
        peers = bench.Peers(Path(args.peers).absolute(), work, conftest.SHIMS)
        tools = [tool
                 for tool in TOOLS if (not args.tool or tool.name in args.tool) and peers.has(tool)]
        is_root = os.geteuid() == 0
        chosen = [task for task in tasks(tools, cuts=is_root) if args.case in task[2]]
        results = compare(chosen, peers, work, args.jobs, tell)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    versions = {"s3kit": s3kit.__version__} | {name: version for name, version
                                               in peers.versions().items() if name != "obstore"}
    facts = {"date": time.strftime("%Y-%m-%d"), "versions": versions, "system": platform.platform(),
             "tries": TRIES, "lines": {tool.name: tool.copy for tool in tools}}
    print("\n".join([*table(results), "", EXPLAINED, ""]))
    for name, line in facts["lines"].items():
        words = line.format(bucket="b", dest="DIR", out="FILE", url="URL", tries=TRIES,
                            retries=TRIES - 1, idle=IDLE)
        print(f"{name}: {words}")
    if not is_root:
        print("power cuts are left out: they mount file systems, which needs root")
    print(f"\n{facts['date']}: "
          + ", ".join(f"{name} {version}" for name, version in versions.items()))
    args.json.write_text(json.dumps({**facts, "results": [vars(result) for result in results]},
                                    indent=1))
    print(f"written: {args.json}")
    return int(any(result.tool == "s3kit" and not result.is_harmless for result in results))


if __name__ == "__main__":
    sys.exit(main())
