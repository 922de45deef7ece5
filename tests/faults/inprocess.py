"""s3kit's commands inside the test process: no worker, no socket, no waiting; what a command does
is real but for that.

A process of a third of a second becomes a call of some milliseconds. `Box` is the machine that runs
them: it counts the calls that change anything, and can die at any of them, as by kill -9 or by a
power cut that loses unsynced renames.
"""

import io
import os
import random
import sys
import threading
import time
from concurrent.futures import Future
from urllib.parse import urlsplit

from conftest import set_aws
from fakes3 import Request, aim

from s3kit.cli.signals import Signals
from s3kit.cluster import workers
from s3kit.commands import fetch, verify
from s3kit.commands import manifest as make_manifest
from s3kit.disk import direct_io, durable, ledger, lock, tree
from s3kit.errors import Fault
from s3kit.fetch import deciding, rehearsal
from s3kit.listing import listing
from s3kit.manifest import streams
from s3kit.pipeline import stage
from s3kit.pipeline.flow import Flow
from s3kit.proof import digest
from s3kit.s3 import patience, wire
from s3kit.transfer import engine, large, ranges, sizes, whole

WORK = {"s3-fetch": (fetch.build_parser, fetch.fetch),
        "s3-verify": (verify.build_parser, verify.verify),
        "s3-manifest": (make_manifest.build_parser, make_manifest.manifest)}
# in place of every wait: not nothing, or what waits for an answer would wait in a circle
MOMENT = 0.0005
SMALL, LARGE, LEAF = 1024, 8192, 4096       # so that a few kilobytes take the way of gigabytes


class Crash(BaseException):
    """The process is gone: nothing of it runs any more."""


class Descriptors:
    """The descriptors that modules of s3kit have opened by os.open and os.pipe and not closed yet.

    A process that dies loses them; here nobody else would close them. What other threads of the
    tests' process and what Python's files and SQLite have open is theirs: to close it by its number
    means that its owner closes the number again, when it is somebody else's.
    """

    def __init__(self):
        self.ours, self.lock = set(), threading.Lock()
        self.open, self.pipe, self.close, self.fdopen = os.open, os.pipe, os.close, os.fdopen

    def move_in(self, patch):
        """See what is opened and closed from now on; `patch` is pytest's."""
        for name in ("open", "pipe"):
            patch.setattr(os, name, self.noting(getattr(self, name)))
        for name in ("close", "fdopen"):        # a file closes its descriptor itself
            patch.setattr(os, name, self.forgetting(getattr(self, name)))

    def noting(self, real):
        """Return a function that does the same, and keeps what a module of ours got."""
        def noted(*args, **options):
            got = real(*args, **options)
            if sys._getframe(1).f_globals.get("__name__", "").startswith("s3kit."):
                with self.lock:
                    self.ours.update(got if isinstance(got, tuple) else (got,))
            return got
        return noted

    def forgetting(self, real):
        """Return a function that does the same, with a descriptor that is forgotten."""
        def forgotten(fd, *args, **options):
            with self.lock:
                self.ours.discard(fd)
            return real(fd, *args, **options)
        return forgotten

    def close_all(self):
        """Close what is still open."""
        with self.lock:
            while self.ours:
                self.close(self.ours.pop())


class Box:
    """Where commands run.

    `fuse`: at which call the process dies; `unsynced`: what a power cut may take back; `dirty`: the
    inodes whose bytes may not be on the disk.
    """

    def __init__(self):
        self.fake, self.fuse, self.dead, self.ticks = None, None, False, 0
        self.unsynced, self.dirty, self.ledgers, self.flush_fails = [], set(), [], 0
        self.chance, self.descriptors = random.Random(0), Descriptors()
        self.parsers = {name: build() for name, (build, _) in WORK.items()}

    def tick(self):
        """Count a call; die there if it is time, and let the dead do nothing."""
        self.ticks += 1
        if self.fuse is not None and self.ticks >= self.fuse:
            self.dead = True
        if self.dead:
            raise Crash

    def run(self, name, *argv, fuse=None):
        """Run a command; return (status, what it wrote, what it said); status None: it died."""
        self.ran = f"{name} {' '.join(map(str, argv))} (fuse {fuse})"
        self.fuse, self.dead, self.ticks, self.unsynced, self.written = (
            fuse, False, 0, [], bytearray())
        Signals.graceful, Signals.number = False, 0
        stderr, sys.stderr = sys.stderr, io.StringIO()
        try:
            status = WORK[name][1](self.parsers[name].parse_args([str(word) for word in argv]))
        except Crash:
            status = None
        except Fault as fault:
            status = fault.status
            print(fault, file=sys.stderr)
        finally:
            said, sys.stderr = sys.stderr.getvalue(), stderr
            self.bury()
        return (None if self.dead else status), bytes(self.written), said

    def bury(self):
        """Let go of all that the process held, as the kernel does."""
        for thread in threading.enumerate():
            if thread.name in ("read", "outbox", "group commit"):
                thread.join(10)
                assert not thread.is_alive(), f"the thread '{thread.name}' does not end"
        while self.ledgers:
            self.ledgers.pop().close()
        self.descriptors.close_all()

    def lose(self):
        """Take back renames that nothing had synced, the last ones first, as a power cut may."""
        for path, before in reversed(self.unsynced[self.chance.randrange(len(self.unsynced) + 1):]):
            if before is None:
                os.unlink(path)
            else:
                with open(path, "wb") as file:
                    file.write(before)
        self.unsynced = []


BOX = Box()


class Here:
    """The pool's face, and one engine that works when it is asked to."""

    def __init__(self, jobs, on_note=None):
        self.on_note, self.engine, self.lately = on_note or (lambda note: None), None, []

    def submit(self, work, value, holder=0):
        """Do a batch now."""
        if self.engine is None:
            self.engine = work.engine()
            for message in self.lately:
                self.engine.hear(message)
        self.engine.add(0, value)
        done = []
        while not done:
            done = self.engine.turn(0)
            for note in self.engine.notes():
                self.on_note(note)
        future = Future()
        future.set_result(done[0][1])
        return future

    def warm(self, work):
        """Nothing to start."""

    def tell(self, message, keep=False):
        """Let the engine hear."""
        self.lately += [message] if keep else []
        if self.engine:
            self.engine.hear(message)

    def shutdown(self, wait=True, cancel_futures=False):
        """Break off what is under way."""
        if self.engine and not BOX.dead:
            self.engine.close()


class Direct(wire.Wire):
    """The wire without a network: requests are answered by BOX.fake, in any order, as libcurl would
    have them.
    """

    def __init__(self, connections):
        self.busy, self.opened = {}, 0

    def watch(self, fd):
        """There is nothing to watch."""

    def start(self, owner, endpoint, url, *, method="GET", headers=(), sink=None, most=None,
              body=b""):
        """Take a request."""
        made = wire.Transfer(owner, endpoint, sink)
        made.curl = (object(), method, url, tuple(headers), most)
        self.busy[made.curl] = made
        return made

    def turn(self, seconds):
        """Answer one request."""
        if not self.busy:
            return []
        made = self.busy.pop(BOX.chance.choice(list(self.busy)))
        BOX.tick()
        self.answer(made, *made.curl[1:])
        return [made]

    def answer(self, made, method, url, headers, most):
        """Ask the fake, and give its answer to the transfer."""
        parts = urlsplit(url)
        asked = Request(0, time.time(), 0, method, parts.path, parts.query, {
            name.lower(): value.strip() for name, _,
            value in (line.partition(":") for line in headers)})
        aim(asked)
        BOX.fake.enter(asked)
        said = BOX.fake.respond(asked)
        if said.refuse:
            made.headers, made.errno, made.failure = {}, 52, "Empty reply from server"
            return
        body = b"" if method == "HEAD" else bytes(said.body)
        promised = len(said.body) if said.length is True else said.length
        made.status = said.status
        made.headers = {name.lower(): str(value) for name, value in said.headers.items()}
        if promised is not None:
            made.headers["content-length"] = str(promised)
            body = body[:promised]
        if most is not None and promised is not None and promised > max(most, wire.ERROR_BYTES):
            made.errno, made.failure = 63, "Maximum file size exceeded"
        else:
            self.give(made, said, body)
            if not made.errno and method != "HEAD" and promised is not None and len(
                    body) < promised:
                made.errno, made.failure = ((56, "Recv failure") if said.end == "reset"
                                            else (18, "transfer closed early"))
        if made.status >= 300 or (made.sink is None and made.is_error_document()):
            made.read_error()
            made.code = made.code or (f"HTTP{made.status}" if made.status >= 300
                                      else "ErrorDocument")

    def give(self, made, said, body):
        """Give a body in two pieces; what the server does meanwhile it does between them."""
        at = len(body) // 2 if said.at is None else min(said.at, len(body))
        for piece in (body[:at], body[at:]):
            BOX.tick()
            if piece and made.take(piece) == -1:
                made.errno, made.failure = 23, "Failure writing output"
                return
            if said.action:
                said.action()
                said.action = None

    def pause(self, made):
        """Nothing waits."""

    def stop(self):
        """Break off everything."""
        self.busy.clear()


class Out:
    """Standard output: what was written before a crash was written."""

    def write(self, data):
        """Take bytes."""
        BOX.tick()
        BOX.written += data
        return len(data)

    def flush(self):
        """Nothing is kept back."""

    close = flush


class Jumping:
    """A clock by which every look is a second later; for throttles."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        """Return the time."""
        self.now += 1
        return self.now


def counted(function):
    """Return a function that counts, and may die, before and after."""
    def wrapped(*args, **options):
        BOX.tick()
        result = function(*args, **options)
        BOX.tick()
        return result
    return wrapped


def torn_write(fd, data, at=None, whole=durable.write_all):
    """Write; who dies here has written the half of it."""
    try:
        BOX.tick()
    except Crash:
        whole(fd, data[:len(data) // 2], at)
        raise
    BOX.dirty.add(os.fstat(fd).st_ino)
    whole(fd, data, at)


def rename(source, target, source_dir, target_dir, real=durable.rename):
    """Rename, and note what a power cut would bring back; a name must not come before its bytes."""
    BOX.tick()
    named = os.stat(source, dir_fd=source_dir, follow_symlinks=False)
    assert named.st_ino not in BOX.dirty, f"'{target}' is named before its bytes are on the disk"
    path = f"{os.readlink(f'/proc/self/fd/{target_dir}')}/{target}"
    before = None
    if os.path.isfile(path) and not os.path.islink(path):
        with open(path, "rb") as file:
            before = file.read()
    real(source, target, source_dir, target_dir)
    BOX.unsynced.append((path, before))
    BOX.tick()


def sync_tree(fd):
    """Make all renames last; or fail, as a disk does."""
    BOX.tick()
    if BOX.flush_fails:
        BOX.flush_fails -= 1
        raise OSError(5, "Input/output error")
    BOX.unsynced.clear()
    BOX.dirty.clear()
    BOX.tick()


def sync_data(fd, real=durable.sync_data):
    """Make one file's bytes last."""
    real(fd)
    BOX.dirty.discard(os.fstat(fd).st_ino)


class Noted(ledger.Ledger):
    """A ledger whose connection the Box closes."""

    def __init__(self, folder):
        super().__init__(folder)
        BOX.ledgers.append(self)

    record = counted(ledger.Ledger.record)


def output(self, form="csv", path=None, fd=1):
    """Make an Output that writes to Out."""
    self.form, self.count, self.begun, self.lost = form, 0, False, set()
    self.place, self.file, self.writer = None, Out(), None
    self.held, self.shard = None, ""


def move_in(patch, fake_url="http://fake"):
    """Put everything in its place; `patch` is pytest's."""
    BOX.descriptors.move_in(patch)
    later = Flow.later
    for place, name, value in (
            (wire, "Wire", Direct), (listing, "Wire", Direct), (workers, "Pool", Here),
            (stage, "Ledger", Noted), (rehearsal, "Ledger", Noted),
            (streams.Output, "__init__", output),
            (engine, "time", Jumping()), (patience, "delay", lambda *_, **__: 0.0),
            (Flow, "later",
             lambda flow, seconds, call, *values: later(flow, MOMENT, call, *values)),
            (durable, "rename", rename), (durable, "sync_tree", sync_tree),
            (durable, "sync_data", sync_data),
            (durable, "unlink", counted(durable.unlink)),
            (whole, "write_all", torn_write), (direct_io, "write_all", torn_write),
            (lock, "hold", counted(lock.hold)),
            (tree.Tree, "enter", counted(tree.Tree.enter)),
            (large.Large, "note", counted(large.Large.note)),
            (whole, "SMALL", SMALL), (whole, "LARGE", LARGE), (deciding, "LARGE", LARGE),
            (digest, "LEAF", LEAF),
            (ranges, "LEAF", LEAF), (large, "LEAF", LEAF), (sizes, "LEAF", LEAF),
            (sizes, "RANGE_LEAST", LEAF),
            (sizes, "RANGE_MOST", 2 * LEAF), (large, "RANGE_LEAST", LEAF)):
        patch.setattr(place, name, value)
    set_aws(patch, {"AWS_ENDPOINT_URL_S3": fake_url, "AWS_ACCESS_KEY_ID": "a",
                    "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "us-east-1",
                    "AWS_CONFIG_FILE": "/nonexistent",
                    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"})
    patch.setattr(threading, "excepthook", lambda raised: None if raised.exc_type is Crash
                  else threading.__excepthook__(raised))
