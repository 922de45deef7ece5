"""kill -9 at every system call that matters, of the parent and of workers, and at random times."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from faults.inject import check_hits, injected, points, strace
from faults.oracle import BUCKET, World, mixed, rows_of

CALLS = ("openat", "mkdir", "mkdirat", "write", "pwrite64", "rename", "renameat", "renameat2",
         "linkat", "unlink", "unlinkat", "ftruncate", "utimensat", "fsync", "fdatasync", "syncfs",
         "fallocate", "flock", "sendto", "close")
OURS = "/near/dest"  # in the arguments of calls that touch the destination, as strace -y shows them


def bodies_of(kind):
    """Return {key: body} of one kind of bucket."""
    if kind == "mixed":
        return mixed()
    if kind == "large":
        return {"large": random.Random(1).randbytes(66 << 20), "small": b"small"}
    return mixed(2, small=14, middle=5)


def record(world, tmp_path, command="fetch"):
    """Return [(call, n)] of a command's calls that touch the destination."""
    trace = tmp_path / "recorded"
    ran = getattr(world, command)(wrap=strace(trace, calls=CALLS))
    assert ran.status == 0, ran.err
    return [(call, n) for call, numbers in points(trace, OURS).items() for n in numbers]


def kill_at(do, call, n, tmp_path):
    """Do something below strace, where whatever process comes to its n-th such call dies; return
    (Ran, whether one did).
    """
    trace = tmp_path / "trace"
    ran = do(wrap=strace(trace, [f"{call}:signal=KILL:when={n}"]))
    return ran, bool(injected(trace))


def spread(found, most, seed):
    """Return at most so many of the points: of each call its first and last, then a random choice.
    """
    ends = {}
    for call, n in found:
        ends.setdefault(call, [(call, n), (call, n)])[1] = (call, n)
    chosen = {point for pair in ends.values() for point in pair}
    rest = [point for point in found if point not in chosen]
    random.Random(seed).shuffle(rest)
    return sorted(chosen) + sorted(rest[:max(0, most - len(chosen))])


def kill_fetches(cases, tmp_path, kind, most, share=0, shares=1):
    """Kill fetches at points of a recorded one, each in a World of its own, and resume them."""
    bodies, count, hit = bodies_of(kind), cases(f"kill -9 at a call of s3-fetch ({kind})"), 0
    with World(tmp_path / "first", bodies) as world:
        found = spread(record(world, tmp_path), most, seed=3)
    for at, (call, n) in enumerate(found):
        if at % shares == share:
            with count.case(f"{call} {n}"), World(tmp_path / f"{at}", bodies) as world:
                ran, died = kill_at(world.fetch, call, n, tmp_path)
                hit += died
                world.look()
                world.tell_truth(ran)
                world.resume()
            world.remove()
    check_hits(hit, count.run)


@pytest.mark.system("strace")
@pytest.mark.parametrize("share", [0, *(pytest.param(share, marks=pytest.mark.long)
                                        for share in (1, 2, 3))])
def test_kill_points(cases, tmp_path, share):
    kill_fetches(cases, tmp_path, "mixed", 70, share, 4)


@pytest.mark.system("strace")
@pytest.mark.parametrize("share", [0, pytest.param(1, marks=pytest.mark.long)])
def test_kill_points_of_a_large_object(cases, tmp_path, share):
    kill_fetches(cases, tmp_path, "large", 14, share, 2)


@pytest.mark.system("strace")
@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("kind", ["large", "many", "mixed"])
def test_all_kill_points(cases, tmp_path, kind):
    kill_fetches(cases, tmp_path, kind, 3000)


@pytest.mark.system("strace")
@pytest.mark.parametrize("seed, times", [(8, 4), pytest.param(9, 40, marks=pytest.mark.long)])
def test_killed_while_resuming(cases, tmp_path, seed, times):
    """The fault within the recovery from a fault."""
    count, bodies, chance = cases("kill -9, and again in the resume"), mixed(), random.Random(seed)
    with World(tmp_path / "first", bodies) as world:
        found = record(world, tmp_path)
    for at in range(times):
        first, second = chance.sample(found, 2)
        with count.case(f"{first}, then {second}"), World(tmp_path / f"{at}", bodies) as world:
            for call, n in (first, second):
                ran, _ = kill_at(world.fetch, call, n, tmp_path)
                world.look()
                world.tell_truth(ran)
            world.resume()


@pytest.mark.system("strace")
@pytest.mark.parametrize("most", [8, pytest.param(200, marks=[
    pytest.mark.long, pytest.mark.timeout(7200)])])
def test_kill_points_of_verify(cases, tmp_path, most):
    """s3-verify says nothing that it has not read, and its next run ends as the first should have.
    """
    count, bodies, hit = cases("kill -9 at a call of s3-verify"), mixed(), 0
    with World(tmp_path / "first", bodies) as world:
        world.fetch()
        found = spread(record(world, tmp_path, "verify"), most, seed=4)
    for at, (call, n) in enumerate(found):
        with count.case(f"{call} {n}"), World(tmp_path / f"{at}", bodies) as world:
            world.fetch()
            ran, died = kill_at(world.verify, call, n, tmp_path)
            hit += died
            world.look()
            world.tell_truth(ran)
            world.settle(world.verify())
    check_hits(hit, count.run)


@pytest.mark.system("strace")
@pytest.mark.parametrize("most", [8, pytest.param(200, marks=[
    pytest.mark.long, pytest.mark.timeout(7200)])])
def test_kill_points_of_a_manifest(cases, tmp_path, most):
    """A manifest that is rewritten (-o, -i) is whole, the old one or the new one, at every instant.
    """
    count = cases("kill -9 while a manifest is rewritten")
    with World(tmp_path / "first", mixed()) as world:
        world.fetch()
        trace = tmp_path / "recorded"
        ran = world.run("s3-verify", "-d", world.dest, "-i", world.list,
                        wrap=strace(trace, calls=CALLS))
        assert ran.status == 0, ran.err
        found = [(call, n) for call,
                 numbers in points(trace, str(world.folder)).items() for n in numbers]
    found = spread([point for point in found if point[0] not in ("openat", "close")], most, seed=5)
    for at, (call, n) in enumerate(found):
        with count.case(f"{call} {n}"), World(tmp_path / f"{at}", mixed()) as world:
            world.fetch()
            before = world.list.read_text()
            wanted = len(rows_of(before))
            kill_at(lambda wrap, world=world: world.run("s3-verify", "-d", world.dest, "-i",
                                                        world.list, wrap=wrap), call, n, tmp_path)
            after = world.list.read_text()
            rows = rows_of(after)
            assert after == before or (len(rows) == wanted and f"#end rows={wanted}"
                                       in after), "the manifest was left in pieces"
            world.believe(rows)
            ran = world.run("s3-verify", "-d", world.dest, "-i", world.list)
            assert ran.status == 0, ran.err
            left = [path.name for path in world.folder.iterdir() if path.name.endswith(".new")]
            assert len(left) <= 1, f"more than the one file that the kill left: {left}"


# --- s3-restore

# What it tells S3 and hears, and what it writes: the rows that wait, in TMPDIR, and its output.
RESTORE_CALLS = ("openat", "write", "sendto", "recvfrom", "ftruncate", "fsync", "fdatasync",
                 "rename", "renameat", "unlink", "unlinkat")
CLASSES = ("GLACIER", "DEEP_ARCHIVE", "INTELLIGENT_TIERING", "STANDARD", "GLACIER", "GLACIER_IR")
CAP = 3


class Archive(World):
    """A World most of whose objects are in archives, from which they come in a moment; `most` is
    how many were pending at once.
    """

    def __init__(self, folder):
        super().__init__(folder, {f"k{n:02}": b"body %d" % n for n in range(12)})
        for n, version in enumerate(self.fake.versions(BUCKET)):
            version.storage_class = CLASSES[n % len(CLASSES)]
            version.tier = ("ARCHIVE_ACCESS" if version.storage_class == "INTELLIGENT_TIERING"
                            else None)
        self.fake.restore_seconds = dict.fromkeys(self.fake.restore_seconds, 0.1)
        self.cold = {version.key for version in self.fake.versions(BUCKET)
                     if version.state(self.fake.clock.now()) == "archived"}
        self.most, self.fake.hook = 0, self.count
        self.env["TMPDIR"] = str(self.folder / "tmp")
        (self.folder / "tmp").mkdir()
        self.write_list()

    def count(self, request):
        """Count what is pending as S3 is asked for one more."""
        if request.method == "POST":
            now = self.fake.clock.now()
            self.most = max(self.most, 1 + sum(version.state(now) == "ongoing"
                                               for version in self.fake.versions(BUCKET)))

    def restore(self, wrap=()):
        """Run s3-restore on the list, which it rewrites."""
        return self.run("s3-restore", "--yes", "--wait", "--poll", "0.1s", "--max-pending", CAP,
                        "-i", self.list, wrap=wrap)

    def believe_list(self):
        """Check that the list is whole, and that what it says is back is back; return {key: state}.
        """
        text, now = self.list.read_text(), self.fake.clock.now()
        states = {row["key"]: row["state"] for row in rows_of(text)}
        versions = {version.key: version for version in self.fake.versions(BUCKET)}
        assert states.keys() == versions.keys() and text.endswith("#end rows=12\n"), "rows are lost"
        early = [key for key, state in states.items()
                 if state == "restored" and versions[key].state(now) not in ("ready", "online")]
        assert not early, f"let go before it can be read: {early}"
        return states

    def all_back(self, ran, killed=0):
        """Check the end: all is back, each asked for once, and no more is left than the file that a
        kill left unnamed.
        """
        assert ran.status == 0, f"it ended with {ran.status}: {ran.err}"
        states, now = self.believe_list(), self.fake.clock.now()
        # What came back to INTELLIGENT_TIERING while nobody looked is as if it had never been away.
        moved = {version.key for version in self.fake.versions(BUCKET)
                 if version.storage_class == "INTELLIGENT_TIERING"}
        assert {key for key, state in states.items() if state == "restored"} | moved == self.cold
        assert all(version.state(now) in ("ready", "online")
                   for version in self.fake.versions(BUCKET))
        asked = [request.key for request in self.fake.requests("POST")]
        assert sorted(asked) == sorted(self.cold), f"asked twice, or not at all: {asked}"
        assert self.most <= CAP, f"{self.most} were pending at once"
        assert len(list((self.folder / "tmp").iterdir())) <= killed, "temporary files are left"


def kill_restores(cases, tmp_path, most):
    """Kill s3-restore at points of a recorded run, each in an Archive of its own, and run it again.
    """
    count, trace = cases("kill -9 at a call of s3-restore"), tmp_path / "recorded"
    with Archive(tmp_path / "first") as world:
        world.all_back(world.restore(strace(trace, calls=RESTORE_CALLS)))
        found = sorted({(call, n) for where in (str(world.folder), "<socket:")
                        for call, numbers in points(trace, where).items() for n in numbers})
    for at, (call, n) in enumerate(spread(found, most, seed=6)):
        with count.case(f"{call} {n}"):
            while not killed_and_run_again(tmp_path / f"{at}-{n}", call, n):
                n = n * 2 // 3      # how often it looks is a matter of time: there was no n-th call
                assert n, f"no {call} of s3-restore was killed"


def killed_and_run_again(folder, call, n):
    """Kill s3-restore at its n-th such call, check what it left, and run it again; return whether
    the call came.
    """
    with Archive(folder) as world:
        _, died = kill_at(world.restore, call, n, folder)
        world.believe_list()
        world.all_back(world.restore(), killed=1)
    world.remove()
    return died


@pytest.mark.system("strace")
def test_kill_points_of_restore(cases, tmp_path):
    kill_restores(cases, tmp_path, 12)


@pytest.mark.system("strace")
@pytest.mark.long
@pytest.mark.timeout(7200)
def test_all_kill_points_of_restore(cases, tmp_path):
    kill_restores(cases, tmp_path, 3000)


# --- at random times


def children(pid):
    """Return the ids of a process's children."""
    try:
        return [int(child) for task in Path(f"/proc/{pid}/task").iterdir()
                for child in (task / "children").read_text().split()]
    except OSError:
        return []


def is_alive(pid):
    """Return whether a process lives (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition, seconds):
    """Return whether a condition came true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def begin(world, chance, jobs):
    """Start a fetch that takes a while, and wait until it has some workers and a random part of its
    requests is done.
    """
    process = world.start("s3-fetch", "-j", jobs, "-c", 2, "-d", world.dest, world.list)
    share = chance.random() * 0.8 * len(world.fake.objects(world.bucket))
    assert wait_until(lambda: len(world.fake.requests(method="GET", status=200)) >= share
                      and children(process.pid), 30)
    time.sleep(chance.random() * 0.02)
    return process


def many(seed):
    """Return {key: body} of objects that keep some workers busy."""
    return mixed(seed, small=150, middle=10)


def kill_one_worker(world, chance):
    """The others do its rows; nobody but us notices."""
    process = begin(world, chance, 4)
    victim = chance.choice(children(process.pid))
    began = time.monotonic()
    os.kill(victim, signal.SIGKILL)
    assert wait_until(lambda: not Path(f"/proc/{victim}").exists() or process.poll() is not None,
                      2), "a dead worker was not noticed in 2 s"
    ran = world.finish(process, began)
    assert ran.status == 0, ran.err
    requests = len(world.fake.requests(method="GET", where=lambda request: request.key))
    assert (requests <= len(world.fake.objects(world.bucket))
            + 2), "more was fetched again than what was under way"
    world.settle(ran)


def kill_parent(world, chance):
    """No worker outlives its parent."""
    process = begin(world, chance, 4)
    workers = children(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    assert wait_until(lambda: not any(map(is_alive, workers)), 2), "orphans are left after 2 s"
    world.tell_truth(world.finish(process, time.monotonic()))


def kill_group(world, chance):
    """As the kernel does it to a control group that has no memory left."""
    process = begin(world, chance, 4)
    os.killpg(process.pid, signal.SIGKILL)
    world.tell_truth(world.finish(process, time.monotonic()))


def interrupt(world, chance):
    """Ctrl-C: soon at an end, by the signal, nothing half done under a final name."""
    process = begin(world, chance, 4)
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    ran = world.finish(process, began)
    assert ran.seconds < 5 and ran.status in (-signal.SIGINT,
                                              0), f"{ran.status} after {ran.seconds:.1f} s"
    world.tell_truth(ran)


def freeze(world, chance):
    """A worker that stands still for a while (as with swapping) is not a dead one: nothing is done
    twice.
    """
    process = begin(world, chance, 4)
    victim = chance.choice(children(process.pid))
    os.kill(victim, signal.SIGSTOP)
    time.sleep(0.5)
    os.kill(victim, signal.SIGCONT)
    ran = world.finish(process, time.monotonic())
    assert ran.status == 0, ran.err
    world.settle(ran)


@pytest.mark.system("minutes")
@pytest.mark.parametrize("rounds", [6, pytest.param(100, marks=[
    pytest.mark.long, pytest.mark.timeout(7200)])])
@pytest.mark.parametrize("what", [kill_one_worker, kill_parent, kill_group, interrupt, freeze],
                         ids=lambda what: what.__name__.replace("_", " "))
def test_random_kills(cases, tmp_path, what, rounds):
    count = cases(f"{what.__name__.replace('_', ' ')} at a random time")
    for seed in range(rounds):
        with count.case(f"seed {seed}"), World(tmp_path / f"{seed}", many(seed)) as world:
            world.write_list()
            world.fake.latency = 0.01
            what(world, random.Random(seed))
            world.look()
            world.fake.latency = 0
            world.resume()
        world.remove()
