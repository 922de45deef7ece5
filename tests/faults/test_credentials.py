"""Credentials that expire, cannot be renewed, or are refused, and clocks that are wrong: the run
goes on or ends with 3, no row fails.
"""

import json
import random
import re
from collections import Counter
from datetime import datetime, timedelta, timezone

import pytest
from fakes3 import Credential

from faults.oracle import PRESENT, World, mixed, rows_of
from s3kit.disk.paths import path_of

LARGE = 64 << 20
KEYS = 2500                     # three pages of a listing


class Process:
    """A credential_process of a World's: gives what `give` was told last, and counts how often it
    was asked.
    """

    def __init__(self, world):
        self.world, self.calls, self.answer = world, world.folder / "calls", world.folder / "answer"
        script, config = world.folder / "process", world.folder / "config"
        script.write_text(f'#!/bin/sh\necho asked >> "{self.calls}"\nexec cat "{self.answer}"\n')
        script.chmod(0o755)
        config.write_text(f"[default]\nregion = us-east-1\ncredential_process = {script}\n")
        world.env = {"AWS_ENDPOINT_URL_S3": world.fake.url, "AWS_CONFIG_FILE": config}

    def give(self, name, minutes=60):
        """Give the credentials of this name, good for so many minutes, from now on; S3 knows them.
        """
        self.world.fake.credentials[name] = Credential(f"secret of {name}", f"token of {name}")
        until = datetime.now(timezone.utc) + timedelta(minutes=minutes)
        fresh = self.answer.with_suffix(".new")
        fresh.write_text(json.dumps({"Version": 1, "AccessKeyId": name,
                                     "SecretAccessKey": f"secret of {name}",
                                     "SessionToken": f"token of {name}",
                                     "Expiration": until.isoformat()}))
        fresh.rename(self.answer)

    @property
    def asked(self):
        """How often it was asked."""
        return len(self.calls.read_text().split()) if self.calls.exists() else 0


def at_request(world, number, do, counts=lambda request: request.key):
    """Call `do` once, before request `number` of those that count from now on is answered."""
    left = [number]

    def look(request):
        left[0] -= bool(counts(request))
        if left[0] < 0:
            world.fake.hook = None
            do()

    world.fake.hook = look


def expire(world, process, old, new=None, do=lambda: None):
    """Return what lets credentials expire and, if `new`, has the process give those."""
    def now():
        world.fake.credentials[old].expired = True
        world.asked = process.asked
        if new:
            process.give(new)
        do()
    return now


def expired(world):
    """Return the requests that were told ExpiredToken."""
    return world.fake.requests(status=400)


def no_row_failed(ran):
    """Check that no row was marked for what is no fault of its own."""
    wrong = [row for row in ran.rows if row["state"] not in PRESENT]
    assert not wrong, f"a row is {wrong[0]['state']}: {wrong[0]['error']}"


def ended_early(world, ran, *words):
    """Check that a run said why it ended, with 3 and without an end mark, and that no row failed.
    """
    assert ran.status == 3, f"status {ran.status}: {ran.err}"
    assert "#end rows=" not in ran.out and all(word in ran.err for word in words), ran.err
    assert "Traceback" not in ran.err and ran.err.count("\n") <= 3, ran.err
    no_row_failed(ran)
    world.look()
    world.tell_truth(ran)


def small_ones(chance):
    """Return {key: body} of objects that keep two workers busy; some have dot segments, which
    libcurl does not sign.
    """
    bodies = ({f"k{n}": chance.randbytes(100) for n in range(160)}
              | mixed(chance.randrange(9), small=0, middle=4))
    return bodies | {f"k{n}x/../dots": b"dots" for n in range(0, 160, 8)}


def large_ones(chance):
    """Return {key: body} of an object in ranges, and small ones."""
    return {"large": chance.randbytes(LARGE + 1000)} | {f"k{n}": b"small" for n in range(20)}


@pytest.mark.system("minutes")
@pytest.mark.parametrize("seeds",
                         [2, pytest.param(50, marks=[pytest.mark.long, pytest.mark.timeout(7200)])])
@pytest.mark.parametrize("bodies", [small_ones, large_ones], ids=["small", "ranges"])
def test_renewed(cases, tmp_path, bodies, seeds):
    """Credentials that expire mid-run are asked for once more: one pause, one refresh, no failed
    rows. Twice in a run, too.
    """
    count = cases("credentials expire mid-run and are renewed")
    for seed in range(seeds):
        chance = random.Random(seed)
        with (count.case(f"{bodies.__name__}, seed {seed}"),
              World(tmp_path / f"{seed}", bodies(chance)) as world):
            world.write_list()
            process, world.fake.latency = Process(world), 0.01
            process.give("FIRST", minutes=2)
            second = 60 if bodies is large_ones else 2
            again = expire(world, process, "SECOND", "THIRD")

            def first(process=process, world=world, again=again, second=second, chance=chance):
                expire(world, process, "FIRST")()
                process.give("SECOND", minutes=second)
                if second == 2:
                    at_request(world, 20 + chance.randrange(60), again)

            at_request(world, chance.randrange(5 if second == 60 else 80), first)
            ran = world.fetch("-c", 4)
            renewed = len({request.headers.get("x-amz-security-token")
                           for request in world.fake.requests(status=200)} - {None})
            assert ran.status == 0, f"{ran.status}: {ran.err}"
            assert (expired(world) and renewed
                    == (2 if second == 60 else 3)), f"{renewed} kinds of credentials were used"
            assert (process.asked - world.asked
                    == 1), f"asked {process.asked - world.asked} times after the last expiry"
            signed = Counter(token for request in expired(world)
                             if (token := request.headers.get("x-amz-security-token")))
            assert all(count <= 2 * 4 for count in signed.values()), f"{signed}: no pause"
            no_row_failed(ran)
            world.settle(ran)
        world.remove()


@pytest.mark.system("minutes")
@pytest.mark.parametrize("argv",
                         [["s3-manifest"], ["s3-manifest", "--versions"], ["s3-list", "-R"]],
                         ids=["manifest", "versions", "list"])
@pytest.mark.parametrize("seeds", [2, pytest.param(30, marks=pytest.mark.long)])
def test_a_listing_is_renewed(cases, tmp_path, argv, seeds):
    """A listing that takes longer than its credentials last goes on with new ones, and says what it
    would have said.
    """
    count = cases("credentials expire during a listing and are renewed")
    with World(tmp_path, {f"{n:05d}": b"" for n in range(KEYS)}) as world:
        calm = world.run(*argv, f"s3://{world.bucket}")
        process = Process(world)
        for seed in range(seeds):
            old, new = f"OLD{seed}", f"NEW{seed}"
            process.give(old, minutes=2)
            with count.case(f"{' '.join(argv)}, seed {seed}"):
                before = len(expired(world))
                at_request(world, random.Random(seed).randrange(3),
                           expire(world, process, old, new), lambda request: True)
                ran = world.run(*argv, f"s3://{world.bucket}")
                assert len(expired(world)) > before, "nothing expired"
                assert (ran.status, ran.out) == (0, calm.out), ran.err
                assert (process.asked - world.asked
                        == 1), f"asked {process.asked - world.asked} times"


def broken(world, process):
    """The process fails when it is asked again."""
    process.answer.unlink()


def unchanged(world, process):
    """The process gives the same credentials again."""


@pytest.mark.system("minutes")
@pytest.mark.parametrize("source", [broken, unchanged], ids=lambda source: source.__name__)
@pytest.mark.parametrize("bodies", [small_ones, large_ones], ids=["small", "ranges"])
def test_not_renewable(cases, tmp_path, source, bodies):
    """What cannot be renewed ends the run with 3; what had come by then is kept, and the same
    command goes on with new ones.
    """
    count, chance = cases("credentials expire and cannot be renewed"), random.Random(4)
    with (count.case(f"{source.__name__}, {bodies.__name__}"),
          World(tmp_path, bodies(chance)) as world):
        world.write_list()
        process, world.fake.latency = Process(world), 0.01
        process.give("FIRST", minutes=2)
        at_request(world, 4, expire(world, process, "FIRST", do=lambda: source(world, process)))
        ran = world.fetch("-c", 4)
        assert expired(world)
        ended_early(world, ran)
        assert len(expired(world)) <= 40, f"{len(expired(world))} requests with expired credentials"
        process.give("SECOND")
        world.resume()


@pytest.mark.system("minutes")
@pytest.mark.parametrize("argv", [["s3-manifest"], ["s3-list", "-R"]], ids=["manifest", "list"])
def test_a_listing_that_cannot_go_on(cases, tmp_path, argv):
    """A listing whose credentials expire for good says so, and does not look whole."""
    count = cases("credentials of a listing expire and cannot be renewed")
    with World(tmp_path, {f"{n:05d}": b"" for n in range(KEYS)}) as world:
        for source in (broken, unchanged):
            process = Process(world)
            process.give(source.__name__, minutes=2)
            with count.case(f"{argv[0]}, {source.__name__}"):
                at_request(world, 2, expire(world, process, source.__name__,
                                            do=lambda source=source, process=process: source(
                                                world, process)), lambda request: True)
                ran = world.run(*argv, f"s3://{world.bucket}")
                assert (expired(world) and ran.status == 3
                        and ran.err.count("\n") == 1), f"{ran.status}: {ran.err}"
                assert "#end" not in ran.out and len(ran.out.splitlines()) < KEYS


@pytest.mark.system("minutes")
def test_tokens_in_the_environment(cases, tmp_path):
    """Keys with a token, as a user exports them, cannot be renewed by us: the run ends, the next
    one goes on.
    """
    count = cases("credentials expire and cannot be renewed")
    with count.case("AWS_SESSION_TOKEN"), World(tmp_path, small_ones(random.Random(5))) as world:
        world.write_list()
        keys = world.fake.credentials["SHORT"] = Credential("secret", "token")
        calm = world.env
        world.env = calm | {"AWS_ACCESS_KEY_ID": "SHORT", "AWS_SECRET_ACCESS_KEY": "secret",
                            "AWS_SESSION_TOKEN": "token"}
        world.fake.latency = 0.01
        at_request(world, 30, lambda: setattr(keys, "expired", True))
        ran = world.fetch("-c", 4)
        assert expired(world)
        ended_early(world, ran, "expired")
        again = world.fetch()
        assert not again.rows or {row["state"] for row in again.rows} == {"fetched"}
        ended_early(world, again)
        world.env = calm
        world.resume()


# --- clocks

CLOCKS = [(20 * 60 + 30, "20 min", "behind"), (-20 * 60 - 30, "20 min", "ahead"),
          (-3 * 3600 - 90, "3 h 1 min", "ahead")]


def to_2035():
    """Return how far S3 is ahead if it is in 2035."""
    return (datetime(2035, 6, 1, tzinfo=timezone.utc) - datetime.now(timezone.utc)).total_seconds()


@pytest.mark.system("minutes")
@pytest.mark.parametrize("skew,span,which", [*CLOCKS, (None, "h", "behind")],
                         ids=["behind", "ahead", "hours", "2035"])
def test_wrong_clock(cases, tmp_path, skew, span, which):
    """A clock that S3 does not bear ends the run, which says by how much it is wrong; one that S3
    bears does no harm.
    """
    count = cases("a wrong clock")
    with World(tmp_path, small_ones(random.Random(6))) as world:
        world.write_list()
        world.fake.skew = to_2035() if skew is None else skew
        for argv in (["s3-manifest"], ["s3-list", "-R"]):
            with count.case(f"{argv[0]}, {skew}"):
                ran = world.run(*argv, f"s3://{world.bucket}")
                assert (ran.status == 3 and not rows_of(ran.out)
                        and "#end" not in ran.out), f"{ran.status}: {ran.err}"
                assert f"clock is {span}" in ran.err or span == "h" and " h " in ran.err, ran.err
                assert which in ran.err and "RequestTimeTooSkewed" in ran.err, ran.err
        with count.case(f"s3-fetch, {skew}"):
            ran = world.fetch()
            ended_early(world, ran, "RequestTimeTooSkewed", which, span)
        world.fake.skew = 10 * 60 if (skew or 1) > 0 else -10 * 60
        with count.case(f"s3-fetch, {skew} and back to 10 minutes"):
            world.resume()


@pytest.mark.system("minutes")
@pytest.mark.parametrize("bodies", [small_ones, large_ones], ids=["small", "ranges"])
def test_clock_that_jumps(cases, tmp_path, bodies):
    """A clock that is set wrong mid-run ends it; what has come is kept."""
    count = cases("a clock that jumps mid-run")
    for skew in (-1230, 1230):
        with (count.case(f"{skew}, {bodies.__name__}"),
              World(tmp_path / f"{skew}", bodies(random.Random(7))) as world):
            world.write_list()
            world.fake.latency = 0.01
            at_request(world, 6, lambda world=world, skew=skew: setattr(world.fake, "skew", skew))
            ran = world.fetch("-c", 4)
            ended_early(world, ran, "RequestTimeTooSkewed", "20 min")
            world.fake.skew = 0
            world.resume()
        world.remove()


# --- refused

def wrong_secret(world):
    """The secret is another one: no signature is right."""
    world.fake.credentials[world.fake.access_key] = Credential("another secret")


def unknown_key(world):
    """The key is not there (any more)."""
    del world.fake.credentials[world.fake.access_key]


@pytest.mark.system("minutes")
@pytest.mark.parametrize("mid_run", [False, True], ids=["at-start", "mid-run"])
@pytest.mark.parametrize("how,code", [(wrong_secret, "SignatureDoesNotMatch"),
                                      (unknown_key, "InvalidAccessKeyId")], ids=["secret", "key"])
def test_refused(cases, tmp_path, how, code, mid_run):
    """Keys that S3 does not take end a run at its start; mid-run, too, if it is the key that is
    gone. No row is done that is not.
    """
    count = cases("credentials that are refused")
    with World(tmp_path, small_ones(random.Random(8))) as world:
        world.write_list()
        known = dict(world.fake.credentials)
        with count.case(f"s3-fetch, {code}, {'mid-run' if mid_run else 'at start'}"):
            world.fake.latency = 0.01
            at_request(world, 40 if mid_run else 0, lambda: how(world))
            ran = world.fetch("-c", 4)
            assert world.fake.requests(status=403)
            # libcurl might sign just these wrong: each row says so by itself
            if mid_run and how is wrong_secret:
                assert ran.status in (1, 3) and code in ran.err, ran.err
                world.look()
                world.tell_truth(ran)
            else:
                ended_early(world, ran, code)
        if not mid_run:
            for argv in (["s3-manifest"], ["s3-list", "-R"]):
                with count.case(f"{argv[0]}, {code}"):
                    ran = world.run(*argv, f"s3://{world.bucket}")
                    assert (ran.status == 3 and code in ran.err
                            and "#end" not in ran.out), f"{ran.status}: {ran.err}"
        with count.case(f"{code}, then taken again"):
            world.fake.credentials = known
            world.resume()


# --- regions

SIGNED_FOR = re.compile(r"Credential=[^/]+(?:/|%2F)\d{8}(?:/|%2F)([^/%]+)")
KEYS_IN_BOTH = [f"k{n}" for n in range(20)] + ["x/../dots", "y/./dots"]


def two_regions(folder):
    """Return a World whose S3 stands, as a proxy, for Amazon's, with a bucket `far` of another
    region beside its own.
    """
    world = World(folder, {key: f"near {key}".encode() for key in KEYS_IN_BOTH}, versioning=None)
    world.fake.bucket("far").region = "eu-west-1"
    for key in KEYS_IN_BOTH:
        world.fake.put("far", key, f"far {key}".encode())
    return world


def region_of(request):
    """Return the region that a request was signed for, '' where it was not signed."""
    found = SIGNED_FOR.search(request.headers.get("authorization", "") or request.query_string)
    return found[1] if found else ""


def asked_elsewhere(world):
    """Return the requests that were signed for another region than their bucket's; HEAD of a bucket
    finds that out.
    """
    return [request for request in world.fake.log if request.key or request.method != "HEAD"
            if request.bucket and region_of(request)
            not in ("", world.fake.buckets[request.bucket].region or "us-east-1")]


@pytest.mark.system("minutes")
def test_a_region_belongs_to_a_bucket(cases, tmp_path):
    """Buckets of two regions in one manifest, keys with dots in both, credentials renewed in
    between: all fetched, all pruned.
    """
    count = cases("buckets of several regions, credentials renewed in between")
    with two_regions(tmp_path) as world:
        process, world.fake.latency = Process(world), 0.01
        world.env |= {"AWS_ENDPOINT_URL_S3": "http://s3.amazonaws.com",
                      "http_proxy": world.fake.url, "no_proxy": ""}
        process.give("FIRST", minutes=2)
        listed = world.run("s3-manifest", "s3://b", "s3://far")
        assert (listed.status, len(listed.rows)) == (0, 2 * len(KEYS_IN_BOTH)), listed.err
        world.list.write_text(listed.out)
        with count.case("s3-fetch"):
            at_request(world, 10, expire(world, process, "FIRST", "SECOND"))
            ran = world.fetch("-c", 4)
            assert ran.status == 0 and expired(world), ran.err
            assert ({(row["bucket"], row["key"]) for row in ran.rows}
                    == {(b, key) for b in ("b", "far") for key in KEYS_IN_BOTH})
            assert (world.dest / path_of("far", "x/../dots")).read_text() == "far x/../dots"
        world.list.write_text(ran.out)
        checked = world.verify()
        assert checked.status == 0, checked.err
        world.list.write_text(checked.out)
        with count.case("s3-prune"):
            process.give("SECOND", minutes=2)
            before = len(expired(world))
            at_request(world, 6, expire(world, process, "SECOND", "THIRD"),
                       lambda request: request.method in ("DELETE", "POST"))
            ran = world.run("s3-prune", "--yes", "-d", world.dest, world.list)
            assert ran.status == 0 and len(expired(world)) > before, ran.err
            assert {row["state"] for row in ran.rows} == {"pruned"}
            assert not world.fake.objects("b") and not world.fake.objects("far")
        assert not asked_elsewhere(world), (
            f"{asked_elsewhere(world)[0]!r} was signed for {region_of(asked_elsewhere(world)[0])}")


def vague(world):
    """Return a manifest of a World's objects that says too little for s3-verify: it must ask S3
    about each.
    """
    with open(world.list, encoding="utf-8") as lines:
        rows = rows_of(lines.read())
    return "bucket,key,version_id\n" + "".join(f"{row['bucket']},{row['key']},{row['version_id']}\n"
                                               for row in rows)


@pytest.mark.system("minutes")
@pytest.mark.parametrize("new", ["SECOND", None], ids=["renewed", "not renewable"])
def test_verify_with_expired_credentials(cases, tmp_path, new):
    """s3-verify asks for new credentials as all commands do, and where there are none it ends; it
    never waits for ever.
    """
    bodies = {f"k{n}": b"%d" % n for n in range(40)}
    with (cases("credentials expire during s3-verify").case(new or "none"),
          World(tmp_path, bodies) as world):
        world.write_list()
        assert world.fetch().status == 0
        (world.dest / ".s3kit" / "ledger.sqlite3").unlink()
        world.list.write_text(vague(world))
        process = Process(world)
        process.give("FIRST", minutes=2)
        at_request(world, 4,
                   expire(world, process, "FIRST", new, do=lambda: new or broken(world, process)))
        ran = world.verify()
        assert expired(world), "nothing expired"
        if new:
            assert ran.status == 0 and all(row["state"] == "verified" for row in ran.rows), ran.err
        else:
            assert (ran.status == 3 and "#end rows=" not in ran.out
                    and "Traceback" not in ran.err), ran.err
