"""The wire: bodies that are not what they should be, every error that S3 sends, storms, stalls, and
what lies between.

Bodies and statuses: one World has an object for each fault and each way it may happen (once, some
times, for ever), so that a fetch meets them all together; each is judged by itself.
"""

import itertools
import json
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from certificates import self_signed
from conftest import ROOT
from fakes3 import ERRORS

from faults.oracle import PRESENT, World
from faults.proxy import Proxy
from s3kit.transfer.sizes import ranges_of

SMALL, LARGE = 256 << 10, 64 << 20  # as s3kit has them: up to here in memory, from there in ranges
RETRIES = 2
TOGETHER = 10               # seeds in one World
PAGE = b"<!DOCTYPE html><html><head><title>Welcome</title></head><body>Please log in</body></html>"
WAYS = ("once", "some", "ever")

# How an answer is spoilt: a kind of the fake's, and its options for a body of `size` bytes.
BODIES = {
    "flip":
    lambda chance, size: ("flip", {"at": chance.randrange(size), "mask": 1 << chance.randrange(8)}),
    "other": lambda chance, size: ("other", {}),
    "of another object": lambda chance, size: ("other", {"body": chance.randbytes(size)}),
    "empty": lambda chance, size: ("empty", {}),
    "short": lambda chance, size: ("short", {"at": chance.randrange(size)}),
    "short, without length":
    lambda chance, size: ("short-nolength", {"at": chance.randrange(size)}),
    "one byte short, without length": lambda chance, size: ("short-nolength", {"at": size - 1}),
    "long":
    lambda chance, size: ("long", {"extra": chance.randbytes(chance.choice([1, 100, 100_000]))}),
    "reset": lambda chance, size: ("reset", {"at": chance.choice([0, 1, chance.randrange(size)])}),
    "wrong range": lambda chance, size: ("wrong-range", {"shift": chance.randrange(1, size)}),
    "wrong ETag": lambda chance, size: ("wrong-etag", {}),
    "wrong version": lambda chance, size: ("wrong-version", {}),
    "gzip": lambda chance, size: ("gzip", {}),
    "bad chunks": lambda chance, size: ("bad-chunks", {"at": chance.randrange(size)}),
    "two lengths": lambda chance, size: ("double-length", {}),
    "200 with an error":
    lambda chance, size: ("error200", {"code": chance.choice(["InternalError", "RequestTimeout"])}),
    "HTML": lambda chance, size: ("html", {"body": PAGE.removeprefix(b"<!DOCTYPE html>")}),
    "HTML of the very size":
    lambda chance, size: ("html", {"body": (PAGE * (size // len(PAGE) + 1))[:size]}),
    "closed without a word": lambda chance, size: ("refuse", {}),
    "chunks": lambda chance, size: ("chunked", {"at": chance.randrange(size)}),
}
# Seen by the head or the length, where no checksum tells: these spoil some objects of SSE-KMS,
# whose ETag is no MD5.
PLAIN_TO_SEE = {"empty", "short", "short, without length", "one byte short, without length",
                "reset", "wrong range", "wrong ETag", "gzip", "bad chunks", "200 with an error",
                "HTML", "HTML of the very size", "closed without a word", "chunks", "ignored range"}
LEGAL = {"chunks"}                          # must be taken as it comes
EITHER = {"long", "two lengths"}  # all of the body is there: a client may take it or leave it


def times_of(way, chance):
    """Return how often a fault happens."""
    return {"once": 1, "some": chance.randint(1, RETRIES), "ever": None}[way]


def encrypted(chance):
    """Return what makes an object one that nothing is known of but its size."""
    return {"checksum": None, "sse": "aws:kms", "etag": chance.randbytes(16).hex()}


def put_some(world, key, chance, may_have_parts=True, may_be_encrypted=False):
    """Store an object of random size, checksum and parts; return its size."""
    size = chance.choice([chance.randint(2, 9000), chance.randint(2, SMALL), SMALL, SMALL + 1,
                          chance.randint(SMALL, 3 * SMALL)])
    body = chance.randbytes(size)
    if may_be_encrypted and chance.random() < 0.4:
        world.fake.put(world.bucket, key, body, **encrypted(chance))
        return size
    parts = None
    # as S3 has them, all of one size but the last
    if may_have_parts and size > SMALL and chance.random() < 0.4:
        part = chance.randrange(size // 4, size)
        parts = [body[at:at + part] for at in range(0, size, part)]
    world.fake.put(world.bucket, key, body,
                   checksum=chance.choice([None, "CRC64NVME", "CRC32", "SHA256"]), parts=parts)
    return size


def spoil_bodies(world, seeds, kinds=tuple(BODIES), may_have_parts=True):
    """Store an object for every seed, kind of fault and way it may happen; return {key: Fault}."""
    faults = {}
    for seed in seeds:
        chance = random.Random(seed)
        for kind in kinds:
            for way in WAYS:
                key = f"{seed}/{kind}/{way}"
                name, options = BODIES[kind](chance, put_some(
                    world, key, chance, may_have_parts, may_have_parts and kind in PLAIN_TO_SEE))
                faults[key] = world.fake.fault(name, key=key, times=times_of(way, chance),
                                               **options)
    return faults


def judge(world, key, rows, files, fault, passes):
    """Check one object after its fault: `passes` says whether it must, may (None) or must not be
    there.
    """
    assert fault.hits and (fault.times is None or fault.hits
                           <= fault.times), f"{key}: the fault happened {fault.hits} times"
    row, is_there = rows[key], f"{world.bucket}/{key}" in files
    if passes is None:
        passes = row["state"] in PRESENT
    if passes:
        assert row["state"] in PRESENT and is_there, f"{key}: {row['state']}: {row['error']}"
        world.is_here(row)
    else:
        assert (row["state"] == "failed"
                and row["error"]), f"{key}: {row['state']}, error {row['error']!r}"
        assert not (row["proof"] or row["digest"]
                    or row["path"]), f"{key}: failed, but with {row['proof']}, {row['path']}"
        assert not is_there, f"{key}: failed, but there is a file"


def settle_again(world, ran):
    """Take the faults away and resume: only what is missing is asked for."""
    missing = [row["key"] for row in ran.rows if row["state"] not in PRESENT]
    world.fake.faults.clear()
    before = len(world.fake.log)
    world.resume()
    asked = {request.key for request in world.fake.log[before:] if request.key}
    assert asked <= set(missing), f"fetched again: {sorted(asked - set(missing))[:3]}"


def fetch_spoilt(count, world, seeds, kinds, faults, source=None):
    """Fetch what `spoil_bodies` made, judge every object, and resume."""
    ran = world.fetch("--retries", RETRIES, source=source)
    rows, files = {row["key"]: row for row in ran.rows}, set(world.files())
    for seed in seeds:
        for kind in kinds:
            with count.case(f"{kind}, seed {seed}"):
                for way in WAYS:
                    key = f"{seed}/{kind}/{way}"
                    passes = (True if way != "ever" or kind in LEGAL else None if kind in EITHER
                              else False)
                    judge(world, key, rows, files, faults[key], passes)
    with count.case(f"seeds {seeds[0]} to {seeds[-1]} together"):
        assert ran.status == 1, f"status {ran.status}: {ran.err}"
        assert len(ran.rows) == len(faults) and "#end rows=" in ran.out
        world.look()
        world.tell_truth(ran)
        settle_again(world, ran)


@pytest.mark.system("minutes")
@pytest.mark.parametrize("seeds", [10, pytest.param(200, marks=[
    pytest.mark.long, pytest.mark.timeout(7200)])])
def test_bodies(cases, tmp_path, seeds):
    """No body that is not the object's gets its name, however often it comes; what passes is tried
    again.
    """
    count = cases(f"a body that is not right ({len(BODIES)} kinds)")
    for first in range(0, seeds, TOGETHER):
        together = range(first, first + TOGETHER)
        with World(tmp_path / f"{first}", {}) as world:
            fetch_spoilt(count, world, together, tuple(BODIES), spoil_bodies(world, together))
        world.remove()


@pytest.mark.system("minutes")
@pytest.mark.parametrize("seeds",
                         [2, pytest.param(50, marks=[pytest.mark.long, pytest.mark.timeout(7200)])])
def test_bodies_of_bare_rows(cases, tmp_path, seeds):
    """Rows that name a key alone: what S3 says is all there is, and still no page of a portal
    becomes an object.
    """
    kinds = [kind for kind in BODIES if kind not in ("wrong ETag", "wrong version")]
    count = cases(f"a body that is not right, of a bare row ({len(kinds)} kinds)")
    for first in range(0, seeds, TOGETHER):
        together = range(first, min(seeds, first + TOGETHER))
        with World(tmp_path / f"{first}", {}) as world:
            faults = spoil_bodies(world, together, kinds, may_have_parts=False)
            bare = world.folder / "bare.csv"
            bare.write_text("bucket,key\n" + "".join(f'{world.bucket},"{key}"\n' for key in faults))
            fetch_spoilt(count, world, together, kinds, faults, bare)
        world.remove()


# --- ranges of large objects

RANGE_KINDS = {**{kind: options for kind, options in BODIES.items() if kind != "chunks"},
               "wrong range": lambda chance, size: ("wrong-range", {"shift": 1}),
               "ignored range": lambda chance, size: ("ignore-range", {})}


def range_from(start):
    """Return what tells requests for the range that begins there."""
    return lambda request: request.headers.get("range", "").startswith(f"bytes={start}-")


def spoil_ranges(world, chance, kinds, ever):
    """Store large objects whose ranges meet one kind of fault each, once, and one with `ever` for
    ever; return the Faults.
    """
    faults, kinds, number = {}, sorted(kinds, key=lambda kind: kind in PLAIN_TO_SEE), 0
    base = chance.randbytes(LARGE + 4096)
    while kinds or number == 0:
        key, body = f"once{number}", chance.randbytes(8) + base[:LARGE + chance.randrange(4000)]
        is_plain = PLAIN_TO_SEE.issuperset(kinds[-5:])
        how = encrypted(chance) if is_plain else {"checksum":
                                                  chance.choice([None, "CRC64NVME", "CRC32"])}
        world.fake.put(world.bucket, key, body, **how)
        for start, end in ranges_of(len(body), 0, 2):
            if kinds:
                kind = kinds.pop()
                name, options = RANGE_KINDS[kind](chance, end - start)
                faults[kind] = world.fake.fault(name, key=key, times=1, where=range_from(start),
                                                **options)
        number += 1
    body = chance.randbytes(8) + base[:LARGE]
    world.fake.put(world.bucket, "ever", body)
    start, end = chance.choice(ranges_of(len(body), 0, 2))
    name, options = RANGE_KINDS[ever](chance, end - start)
    faults["ever"] = world.fake.fault(name, key="ever", times=None, where=range_from(start),
                                      **options)
    world.fake.put(world.bucket, "small", b"small")
    return faults


@pytest.mark.system("minutes")
@pytest.mark.parametrize("share", [1, pytest.param(200, marks=[
    pytest.mark.long, pytest.mark.timeout(7200)])])
def test_ranges(cases, tmp_path, share):
    """In quick: all kinds once, each in a range of its own, and one for ever; in long, each kind
    for ever ten times, too.
    """
    count = cases(f"a range that is not right ({len(RANGE_KINDS)} kinds)")
    for seed in range(share):
        chance = random.Random(seed)
        ever = [kind for kind in RANGE_KINDS if kind not in EITHER][
            seed % (len(RANGE_KINDS) - len(EITHER))]
        kinds = RANGE_KINDS if share == 1 else chance.sample(sorted(RANGE_KINDS), 4)
        with World(tmp_path / f"{seed}", {}) as world:
            faults = spoil_ranges(world, chance, kinds, ever)
            ran = world.fetch("--retries", 3)
            rows, files = {row["key"]: row for row in ran.rows}, set(world.files())
            for kind in kinds:
                with count.case(f"{kind} once, seed {seed}"):
                    assert faults[kind].hits == 1, f"the fault happened {faults[kind].hits} times"
            with count.case(f"{ever} for ever, seed {seed}"):
                if ever == "ignored range":     # then it is fetched in one piece
                    judge(world, "ever", rows, files, faults["ever"], True)
                    continue
                judge(world, "ever", rows, files, faults["ever"], False)
                assert (ran.status == 1 and [key for key,
                                             row in rows.items() if row["state"] not in PRESENT]
                        == ["ever"]), ran.err
                world.look()
                world.tell_truth(ran)
                settle_again(world, ran)
        world.remove()


# --- statuses

# Those that end the run: see test_credentials.py. InvalidObjectState is no fault: such rows go on
# as they came.
NOT_HERE = {"ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch",
            "RequestTimeTooSkewed"}
STATUSES = sorted({(status, code) for code,
                   (status, _) in ERRORS.items() if status >= 400 and code not in NOT_HERE} | {
                       (301, "PermanentRedirect"), (307, "TemporaryRedirect"),
                       (400, "RequestTimeout"), (403, "AllAccessDisabled"), (405, "AsYouLike"),
                       (413, "AsYouLike"), (418, "AsYouLike"), (500, "AsYouLike"),
                       (503, "ServiceUnavailable"), (503, "RequestLimitExceeded"),
                       (520, "AsYouLike"), (400, "html"), (403, "html"), (404, "html"),
                       (407, "html"), (500, "html"), (502, "html"), (503, "html"), (504, "html")})
PASSING = {408, 429, 500, 502, 503, 504}        # try again, say HTTP and S3
SLOW = {429, 503}                               # which are borne for 15 minutes


def spoil_status(world, chance, way, statuses):
    """Store an object for every status; return {key: (status, Fault)}."""
    faults = {}
    for status, code in statuses:
        key = f"{way}/{status} {code}"
        put_some(world, key, chance)
        kind = "html" if code == "html" else "redirect" if status in (301, 307) else "status"
        options = {"status": status} | ({"code": code} if kind == "status" else {})
        faults[key] = status, world.fake.fault(kind, key=key, times=times_of(way, chance),
                                               **options)
    return faults


@pytest.mark.system("minutes")
@pytest.mark.parametrize("seeds",
                         [1, pytest.param(50, marks=[pytest.mark.long, pytest.mark.timeout(7200)])])
def test_statuses(cases, tmp_path, seeds):
    """No error is a success, what may pass is tried again, and no row is lost."""
    count = cases(f"an error of S3's ({len(STATUSES)} kinds)")
    for seed in range(seeds):
        with World(tmp_path / f"{seed}", {}) as world:
            chance = random.Random(seed)
            faults = (spoil_status(world, chance, "once", STATUSES)
                      | spoil_status(world, chance, "some", STATUSES))
            faults |= spoil_status(world, chance, "ever",
                                   [one for one in STATUSES if one[0] not in SLOW])
            ran = world.fetch("--retries", RETRIES)
            rows, files = {row["key"]: row for row in ran.rows}, set(world.files())
            for key, (status, fault) in faults.items():
                with count.case(f"{key}, seed {seed}"):
                    row = rows[key]
                    assert fault.hits, "the fault did not happen"
                    assert (row["state"] in PRESENT) == (f"b/{key}" in files), (
                        f"{row['state']}, and a file: {f'b/{key}' in files}")
                    if status in PASSING and fault.times:
                        assert row["state"] in PRESENT, f"{row['state']}: {row['error']}"
                    elif fault.times is None:
                        assert row["state"] not in PRESENT, "fetched?"
                    is_told = row["state"] in PRESENT or row["error"] or "InvalidObjectState" in key
                    assert is_told and row["state"] in (*PRESENT, "failed", "vanished",
                                                        "listed"), f"{row['state']}: {row['error']}"
            with count.case(f"seed {seed}, together"):
                assert (ran.status == 1 and len(ran.rows) == len(faults)
                        and "#end rows=" in ran.out), ran.err
                world.look()
                world.tell_truth(ran)
                settle_again(world, ran)
        world.remove()


# --- storms

def bodies_of(chance, small, middle):
    """Return {key: body} of small and middle objects."""
    return {f"{n}": chance.randbytes(chance.randint(0, 9000) if n < small
                                     else chance.randint(SMALL, 2 * SMALL))
            for n in range(small + middle)}


def per_object(world, since=0):
    """Return how many requests S3 has answered well, by objects."""
    good = [request
            for request in world.fake.log[since:] if request.key and 200 <= request.status < 300]
    return len(good) / len(world.fake.objects(world.bucket))


@pytest.mark.system("minutes")
def test_requests_without_a_fault(cases, tmp_path):
    """One request for each object, and nothing but those of the listing beside them."""
    count = cases("no fault at all: requests per object")
    with count.case("300 objects"), World(tmp_path, bodies_of(random.Random(1), 280, 20)) as world:
        world.write_list()
        before = len(world.fake.log)
        world.settle(world.fetch())
        assert (len(world.fake.log) - before
                <= 1.1 * 300), f"{len(world.fake.log) - before} requests for 300 objects"
        before = len(world.fake.log)
        world.settle(world.fetch())
        assert len(world.fake.log) == before, "the second run asked for something"


@pytest.mark.system("minutes")
@pytest.mark.parametrize("seconds,small", [(3, 30), pytest.param(
    30, 300, marks=[pytest.mark.long, pytest.mark.timeout(1200)])])
@pytest.mark.parametrize("large", [False, pytest.param(True, marks=pytest.mark.long)],
                         ids=["", "large"])
def test_slow_down_storm(cases, tmp_path, seconds, small, large):
    """Everything is answered SlowDown for a while, then every second request: the listing waits,
    and no row fails.
    """
    count, chance = cases("a storm of SlowDown"), random.Random(seconds)
    bodies = bodies_of(chance, small, 5) | ({"large": chance.randbytes(LARGE + 5)} if large else {})
    with count.case(f"{seconds} s"), World(tmp_path, bodies) as world:
        end = [0.0]

        def is_stormy(request):
            return time.monotonic() < end[0] or chance.random() < 0.5

        storm = world.fake.fault("status", key=None, method=None, times=None, status=503,
                                 code="SlowDown", where=is_stormy)
        end[0] = time.monotonic() + seconds
        world.write_list()
        assert time.monotonic() > end[0], "the listing did not wait"
        listed, met = len(world.fake.log), storm.hits
        end[0] = time.monotonic() + seconds
        ran = world.fetch()
        assert ran.status == 0, f"{ran.status}: {ran.err}"
        assert (met and storm.hits - met
                > len(bodies) / 4), f"there was no storm: {met}, then {storm.hits}"
        assert ran.seconds > seconds, "the fetch did not wait"
        world.settle(ran)
        if not large:
            assert (per_object(world, listed)
                    <= 1.1), f"{per_object(world, listed)} good answers for each object"


def impatient(minutes):
    """Return what runs a command that bears SlowDown for so many minutes only."""
    code = f"""import runpy, sys
sys.path.insert(0, {str(ROOT)!r})
from s3kit.s3 import patience
patience.SLOW_MINUTES = {minutes}
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")"""
    return [sys.executable, "-c", code]


@pytest.mark.system("minutes")
def test_slow_down_for_ever(cases, tmp_path):
    """A storm that does not end fails the rows it is about, of large objects, too (after 15
    minutes, here seconds).
    """
    count = cases("SlowDown for ever")
    bodies = {"good": b"good", "small": b"small", "range": random.Random(1).randbytes(LARGE + 5)}
    with count.case("small, range"), World(tmp_path, bodies) as world:
        faults = [world.fake.fault("status", key=key, times=None, status=503, code="SlowDown")
                  for key in ("small", "range")]
        ran = world.fetch("-c", 4, wrap=impatient(0.05))
        assert ran.status == 1 and all(fault.hits > 2 for fault in faults), ran.err
        assert ({row["key"]: row["state"] for row in ran.rows}
                == {"good": "fetched", "small": "failed", "range": "failed"})
        world.look()
        world.tell_truth(ran)
        settle_again(world, ran)


# --- too slow

STALLED_SECONDS = 30            # slower than 1 KiB/s for so long is cut
SLOW_WAYS = {"stall": lambda chance, size: ("stall", {"at": chance.choice(
    [0, 1, chance.randrange(size), size - 1])}),
             "trickle": lambda chance, size: ("trickle", {"rate": chance.randint(10, 700)}),
             "hang": lambda chance, size: ("hang", {})}


def spoil_speed(world, seeds, times):
    """Store objects that come too slowly, and two that are slow, but not too slow; return {key:
    Fault}.
    """
    faults = {}
    for seed in seeds:
        chance = random.Random(seed)
        for kind, options_of in SLOW_WAYS.items():
            size = chance.choice([60_000, 300_000])         # in memory, and streamed
            world.fake.put(world.bucket, f"{kind}/{seed}", chance.randbytes(size))
            name, options = options_of(chance, size)
            faults[f"{kind}/{seed}"] = world.fake.fault(name, key=f"{kind}/{seed}", times=times,
                                                        **options)
    for number in range(2):
        world.fake.put(world.bucket, f"slow/{number}", bytes(70_000))
        world.fake.fault("trickle", key=f"slow/{number}", times=None, rate=2000)
    return faults


@pytest.mark.system("minutes")
@pytest.mark.parametrize("seeds", [8, pytest.param(60, marks=pytest.mark.long)])
def test_too_slow(cases, tmp_path, seeds):
    """A transfer below the minimum speed is cut, and only such a one; a listing's, too."""
    count = cases("too slow: stalled, trickling, hanging")
    with World(tmp_path / "once", {}) as once, World(tmp_path / "ever",
                                                     {}) as ever, ThreadPoolExecutor(3) as threads:
        faults = {world: spoil_speed(world, range(seeds), times) for world,
                  times in ((once, 1), (ever, None))}
        for world in faults:
            world.write_list()
        connections = ("-c", 3 * seeds + 2)      # all at once: one worker may get all rows
        soon = ("--read-timeout", STALLED_SECONDS)      # what does not begin has longer, else
        fetched = (threads.submit(once.fetch, *soon, "--retries", 1, *connections),
                   threads.submit(ever.fetch, *soon, "--retries", 0, *connections))
        held = once.fake.fault("stall", key="", times=1, after=1)
        listed = threads.submit(once.run, "s3-manifest", *map(str, soon), f"s3://{once.bucket}")
        for world, done in zip(faults, fetched):
            ran, files = done.result(), set(world.files())
            rows = {row["key"]: row for row in ran.rows}
            for key, fault in faults[world].items():
                with count.case(f"{key}, {'once' if world is once else 'for ever'}"):
                    judge(world, key, rows, files, fault, passes=world is once)
            with count.case(f"{'once' if world is once else 'for ever'}, together"):
                assert ran.status == int(world is ever), ran.err
                assert ([rows[f"slow/{number}"]["state"] for number in range(2)]
                        == ["fetched"] * 2), "cut, but not too slow"
                assert (STALLED_SECONDS <= ran.seconds
                        < 2 * STALLED_SECONDS + 30), f"{ran.seconds:.0f} s"
                world.look()
                world.tell_truth(ran)
                settle_again(world, ran)
        with count.case("a listing"):
            ran = listed.result()
            assert held.hits == 1 and ran.status == 0 and ran.out == once.list.read_text(), ran.err


# --- listings

KEYS = 1300                     # two pages
LIST_KINDS = {kind: options for kind, options in BODIES.items() if kind not in (
    "flip", "of another object", "wrong range", "wrong ETag", "wrong version",
    "HTML of the very size")}  # an object's
LIST_KINDS |= {f"{status} {code}": lambda chance, size, status=status, code=code: (
    "status", {"status": status, "code": code}) for status, code in [
        (500, "InternalError"), (503, "SlowDown"), (502, "BadGateway"), (403, "AccessDenied"),
        (404, "NoSuchBucket"), (400, "InvalidArgument")]}
DENIED = {"403 AccessDenied", "404 NoSuchBucket", "400 InvalidArgument"}
LISTERS = {"manifest": ["s3-manifest"], "versions": ["s3-manifest", "--versions"],
           "list": ["s3-list", "-R", "--json"]}


def is_page(request):
    """Return whether it asks for a page of a listing."""
    return "versioning" not in request.query


def lend(world, name, times, kind, chance, after, where):
    """Make a bucket that has what the World's has, and a fault in its listing; return the Fault."""
    first, bucket = world.fake.buckets[world.bucket], world.fake.bucket(name, versioning="Enabled")
    bucket.keys, bucket.order = first.keys, first.order
    how, options = LIST_KINDS[kind](chance, 2000)
    return world.fake.fault(how, key="", bucket=name, times=times, after=after, where=where,
                            **options)


def judge_listing(ran, lister, wanted):
    """Check that what was listed is S3's, and that it says it is whole just where it is."""
    if lister == "list":
        got = [fact["key"] for fact in map(json.loads, ran.out.splitlines())]
        wanted = [key for key, _ in wanted]
    else:
        got = [(row["key"], row["version_id"]) for row in ran.rows]
        assert (("#end rows=" in ran.out)
                == (ran.status == 0)), f"status {ran.status}, and an end mark: {'#end' in ran.out}"
    assert "Traceback" not in ran.err, ran.err
    assert got == wanted[:len(got)], "rows that S3 does not have in this place"
    if ran.status == 0:
        assert len(got) == len(wanted), f"status 0, but {len(got)} of {len(wanted)}"
    else:
        assert ran.status == 3 and ran.err, f"status {ran.status}: {ran.err}"


@pytest.mark.system("minutes")
@pytest.mark.parametrize("seeds,ever", [(1, 1), pytest.param(
    50, 10, marks=[pytest.mark.long, pytest.mark.timeout(7200)])])
def test_listings(cases, tmp_path, seeds, ever):
    """A listing that was cut never looks whole, and what passes is asked for again."""
    count = cases(f"a listing's page that is not right ({len(LIST_KINDS)} kinds)")
    with (World(tmp_path, {f"{n:05d}/key": b"" for n in range(KEYS)}) as world,
          ThreadPoolExecutor(8) as threads):
        for n in range(5):
            world.fake.put(world.bucket, f"{n * 250:05d}/key", b"newer")
        wanted = {"manifest":
                  [(version.key, version.id) for version in world.fake.objects(world.bucket)],
                  "versions":
                  [(version.key, version.id) for version in world.fake.versions(world.bucket)]}
        wanted["list"] = wanted["manifest"]
        under_way = []
        for number, kind in [(number, kind) for number in range(seeds + ever)
                             for kind in LIST_KINDS]:  # 0: at the first question
            chance, times = random.Random(number), 1 if number < seeds else None
            lister = chance.choice(sorted(LISTERS)) if number else "manifest"
            # No body at all is what some servers say of a bucket without versions: so this kind
            # spoils pages only, and not the first, which is asked for with that question.
            is_spared = lister == "manifest" and kind in ("empty", "short, without length")
            after = (chance.randrange(2) if number else 0) + is_spared
            name = f"{kind.lower().replace(' ', '-').replace(',', '')}-{number}"
            fault = lend(world, name, times, kind, chance, after, is_page if is_spared else None)
            argv = [*LISTERS[lister], f"s3://{name}"]
            under_way.append((f"{kind}, {lister}, {'once' if times else 'for ever'}, {number}",
                              kind, lister, fault,
                              threads.submit(world.run, *argv, wrap=impatient(0.05))))
        for name, kind, lister, fault, done in under_way:
            with count.case(name):
                ran = done.result()
                assert fault.hits, "the fault did not happen"
                judge_listing(ran, lister, wanted[lister])
                if fault.times and kind not in DENIED:
                    assert ran.status == 0, f"given up: {ran.err}"
                elif fault.times is None and kind not in LEGAL | EITHER:
                    assert ran.status == 3, "for ever, and yet all came"


# --- what lies between

def garbling(chance, every):
    """Return what flips a bit after about so many bytes each, heads of answers included."""
    left = [chance.expovariate(1 / every)]

    def garble(data):
        data = bytearray(data)
        at = left[0]
        while at < len(data):
            data[int(at)] ^= 1 << chance.randrange(8)
            at += chance.expovariate(1 / every)
        left[0] = at - len(data)
        return bytes(data)

    return garble


def far_and_narrow(world, proxy, chance):
    """Latency and little bandwidth fail nothing."""
    proxy.latency, proxy.rate = 0.05, 4e6
    ran = world.fetch()
    assert ran.status == 0, ran.err
    assert per_object(world) <= 1.1
    return ran


def cutting(world, proxy, chance):
    """Connections are reset after some bytes, in the middle of heads and bodies."""
    proxy.cut = lambda: int(chance.expovariate(1 / 60_000))
    ran = world.fetch("--retries", 3)
    assert proxy.cuts > 3, f"{proxy.cuts} cuts"
    return ran


def cutting_sometimes(world, proxy, chance):
    """Every second connection is cut: with some tries everything comes."""
    numbers = itertools.count()
    proxy.cut = lambda: int(chance.expovariate(1 / 3000)) if next(numbers) % 2 else None
    ran = world.fetch("--retries", 20)
    assert proxy.cuts and ran.status == 0, f"{proxy.cuts} cuts: {ran.err}"
    return ran


def garbled(world, proxy, chance):
    """Bits are flipped, in heads and in bodies."""
    proxy.garble = garbling(chance, 100_000)
    ran = world.fetch("--retries", 3)
    proxy.garble = None
    assert proxy.passed > 2_000_000
    return ran


def away_for_a_while(world, proxy, chance):
    """Connections are refused at first."""
    proxy.shut()
    timer = threading.Timer(0.5 + chance.random(), proxy.open)
    timer.start()
    ran = world.fetch("--retries", 20)
    timer.join()
    assert ran.status == 0 and proxy.requests, ran.err
    return ran


def away(world, proxy, chance):
    """Connections are refused for ever."""
    proxy.shut()
    ran = world.fetch("--retries", 1)
    assert ran.status == 1 and not world.files(), ran.err
    assert all(row["state"] == "failed" and row["error"] for row in ran.rows)
    proxy.open()
    return ran


def answering_itself(world, proxy, chance):
    """The proxy does not let us through, and says so in its own words."""
    status = chance.choice([200, 200, 403, 407, 502, 504])
    proxy.page = status, PAGE
    ran = world.fetch("--retries", 1)
    proxy.page = None
    assert (ran.status == 1 and not world.files()
            and len(ran.rows) == len(world.fake.objects(world.bucket))), ran.err
    return ran


BETWEEN = [far_and_narrow, cutting, cutting_sometimes, garbled, away_for_a_while, away,
           answering_itself]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1: (file, key file)."""
    return self_signed(tmp_path_factory.mktemp("tls"))


def speak_tls(world, certificate):
    """Let the World's S3 be one of https from now on."""
    world.fake.stop()
    world.fake.tls = certificate
    world.fake.start()
    world.env |= {"AWS_ENDPOINT_URL_S3": world.fake.url, "AWS_CA_BUNDLE": certificate[0]}


@pytest.mark.system("minutes")
@pytest.mark.parametrize("seeds",
                         [1, pytest.param(30, marks=[pytest.mark.long, pytest.mark.timeout(7200)])])
@pytest.mark.parametrize("tunnel", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("what", BETWEEN, ids=[what.__name__.replace("_", "-") for what in BETWEEN])
def test_between(cases, tmp_path, certificate, what, tunnel, seeds):
    """A proxy, as users set it, that is slow, cuts, garbles, or is away; with https it is a tunnel.
    """
    count = cases("a proxy between: slow, narrow, cutting, garbling, away, answering itself")
    for seed in range(seeds):
        with (count.case(f"{what.__name__}, {'https' if tunnel else 'http'}, seed {seed}"),
              World(tmp_path / f"{seed}", bodies_of(random.Random(seed), 20, 8)) as world,
              Proxy() as proxy):
            if tunnel:
                speak_tls(world, certificate)
            world.write_list()
            world.env |= proxy.env
            ran = what(world, proxy, random.Random(seed))
            world.look()
            world.tell_truth(ran)
            assert len(ran.rows) == len(world.fake.objects(world.bucket))
            proxy.latency, proxy.rate, proxy.cut, proxy.garble = 0, 0, lambda: None, None
            world.resume()
            assert proxy.connections, "nothing went through the proxy"
        world.remove()


@pytest.mark.system("minutes")
def test_server_away(cases, tmp_path):
    """S3 refuses connections, and comes back while the fetch still tries."""
    count = cases("S3 away, and back")
    with count.case("1.5 s"), World(tmp_path) as world:
        world.write_list()
        world.fake.stop()
        timer = threading.Timer(1.5, world.fake.start, [world.fake.port])
        timer.start()
        ran = world.fetch("--retries", 20)
        timer.join()
        assert ran.status == 0 and ran.seconds > 1, ran.err
        world.settle(ran)
