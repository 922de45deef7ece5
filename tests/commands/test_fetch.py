"""s3-fetch: the main job end to end, on a real server and on one that lies (issue 2, items 1 to 4,
6, 7).
"""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import clean_env, env_of
from fakes3 import FakeS3
from odd_keys import ODD_KEYS

from manifests import read_rows
from s3kit.disk.ledger import Ledger
from s3kit.disk.paths import key_of
from s3kit.fetch import deciding
from s3kit.s3 import patience

BIN = Path(__file__).resolve().parents[2] / "bin"
PIPELINE = "s3-manifest {source} | s3-fetch -j {jobs} -d {dest} | s3-verify -d {dest} -o {out}"


def tree(folder):
    """Return {path: bytes} of every file below a destination, ours left out."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*")
            if path.is_file() and ".s3kit" not in path.relative_to(folder).parts}


def parts(folder):
    """Return what lies in the folder of part files."""
    return os.listdir(Path(folder, ".s3kit", "parts"))


def gets(fake):
    """Return how often each key was asked for with GET."""
    count = {}
    for request in fake.requests(method="GET"):
        if request.key:
            count[request.key] = count.get(request.key, 0) + 1
    return count


@pytest.fixture(scope="module")
def photos(seaweed, tmp_path_factory):
    """A versioned bucket: 2,000 objects, 3 versions each of 100 keys, one 256 MiB multipart object.
    """
    from concurrent.futures import ThreadPoolExecutor

    from boto3.s3.transfer import TransferConfig
    client, name = seaweed.client(), f"photos-{os.getpid()}"
    client.create_bucket(Bucket=name)
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    noise = random.Random(2)
    current, versions = {}, {}

    def put(item):
        key, body = item
        version = client.put_object(Bucket=name, Key=key, Body=body)["VersionId"]
        versions[key, version] = body

    with ThreadPoolExecutor(16) as threads:
        for generation in range(3):
            wave = {f"{i // 100:02d}/object {i:04d}.bin": noise.randbytes(noise.randrange(8192))
                    for i in (range(2000) if generation == 0 else range(100))}
            list(threads.map(put, wave.items()))
            current |= wave
    big = tmp_path_factory.mktemp("big") / "big"
    big.write_bytes(b"".join(noise.randbytes(16 << 20) for _ in range(16)))
    client.upload_file(str(big), name, "big/256m",
                       Config=TransferConfig(multipart_chunksize=8 << 20))
    current["big/256m"] = big.read_bytes()
    return name, current, versions


@pytest.mark.parametrize("form", ["csv", pytest.param("xml", marks=pytest.mark.system("minutes"))])
def test_the_pipeline(photos, seaweed, pipe, tmp_path, form):
    """Every file's bytes are right, every row is verified with a content proof, the status is 0."""
    name, current, _ = photos
    dest, out = tmp_path / "data", tmp_path / f"out.{form}"
    done = pipe(PIPELINE.format(source=f"-f {form} s3://{name}/", jobs=8, dest=dest, out=out),
                env=seaweed.env, timeout=120)
    assert done.status == [0, 0, 0], done.err
    assert tree(dest) == {f"{name}/{key}": body for key, body in current.items()}
    rows = read_rows(out)
    assert {row.state for row in rows} == {"verified"} and len(rows) == 2001
    assert {row.proof for row in rows} == {"crc32", "crc32-parts:8388608"}
    assert parts(dest) == []


def test_all_versions(photos, seaweed, pipe, tmp_path):
    """Every version has a file of its own, the latest under the plain name; paths lead back to
    keys.
    """
    name, current, versions = photos
    dest, out = tmp_path / "data", tmp_path / "out.csv"
    source = f"--versions --exclude 'big/*' s3://{name}/"
    done = pipe(PIPELINE.format(source=source, jobs=2, dest=dest, out=out), env=seaweed.env,
                timeout=120)
    assert done.status == [0, 0, 0], done.err
    rows = read_rows(out)
    assert len(rows) == 2200 and len({row.path for row in rows}) == 2200
    for row in rows:
        assert (dest / row.path).read_bytes() == versions[row.key, row.version_id]
        assert key_of(row.path) == (name, row.key)
        if row.is_latest == "true":
            assert row.path == f"{name}/{row.key}"


def test_an_access_key_with_a_colon(pipe, tmp_path):
    """Keys are signed that libcurl would change: of listings, ranges, dot segments, deletions."""
    with FakeS3(character="swift") as fake:
        fake.bucket("b", versioning="Enabled")
        for key in ("a/b c+", "a/../dots", "é"):
            fake.put("b", key, b"old"), fake.put("b", key, b"new")
        fake.put("b", "large", b"x" * (70 << 20))
        done = pipe(PIPELINE.format(source="--versions s3://b", jobs=2, dest="d", out="out")
                    + " && s3-prune -d d --yes out", env=env_of(fake))
        assert done.status == [0] and len(read_rows(tmp_path / "out")) == 7, done.err
        assert not fake.versions("b") and len(tree(tmp_path / "d")) == 7
        assert [one for one in fake.log if "range" in one.headers]


@pytest.mark.system("minutes")
def test_point_in_time(seaweed, pipe, tmp_path):
    """--at between two overwrites and a delete gives the bytes of that moment."""
    client, name = seaweed.client(), f"moment-{os.getpid()}"
    client.create_bucket(Bucket=name)
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    moments = []
    for step in ({"a": b"a1", "b": b"b1", "c": b"c1"}, {"a": b"a2", "c": None},
                 {"a": b"a3", "b": None, "c": b"c3"}):
        for key, body in step.items():
            if body is None:
                client.delete_object(Bucket=name, Key=key)
            else:
                client.put_object(Bucket=name, Key=key, Body=body)
        time.sleep(1.1)         # the listing tells whole seconds
        moments.append(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 0.5)))
        time.sleep(1.1)
    wanted = [{"a": b"a1", "b": b"b1", "c": b"c1"}, {"a": b"a2", "b": b"b1"},
              {"a": b"a3", "c": b"c3"}]
    for number, (moment, files) in enumerate(zip(moments, wanted)):
        dest = tmp_path / str(number)
        done = pipe(PIPELINE.format(source=f"--at {moment} s3://{name}", jobs=2, dest=dest,
                                    out=tmp_path / "out"), env=seaweed.env)
        assert done.status == [0, 0, 0], done.err
        assert tree(dest) == {f"{name}/{key}": body for key, body in files.items()}


@pytest.mark.system("strace")
def test_a_rerun_transfers_and_hashes_nothing(fake, run, tmp_path):
    """The second run asks nothing of S3, opens no file, starts no worker, and says that nothing was
    to do.
    """
    fake.bucket("b")
    for number in range(300):
        fake.put("b", f"k{number}", b"x" * number)
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    assert run("s3-fetch", "-d", tmp_path / "d", input=listed, env=env_of(fake)).status == 0
    before = len(fake.log)
    trace = tmp_path / "trace"
    again = subprocess.run(["strace", "-f", "-o", trace, "-e", "trace=openat,execve,connect",
                            sys.executable, BIN / "s3-fetch", "-d", tmp_path / "d"], input=listed,
                           env=os.environ | env_of(fake), capture_output=True, text=True,
                           timeout=60)
    assert again.returncode == 0
    assert "nothing to fetch, 300 rows already there" in again.stderr
    assert len(fake.log) == before
    calls = trace.read_text()
    assert calls.count("execve(") == 1 and "connect(" not in calls
    assert not [line for line in calls.splitlines() if '"k' in line or "/b/k" in line]


def start(argv, env, **options):
    """Start a command in a process group of its own."""
    return subprocess.Popen([sys.executable, BIN / argv[0], *map(str, argv[1:])],
                            env=os.environ | env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, start_new_session=True, **options)


def wait_for(what, seconds=20):
    """Wait until `what()` is true."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come to that in time"
        time.sleep(0.01)


def survivors(group):
    """Return the processes that are left of a group."""
    return [pid for pid in os.listdir("/proc") if pid.isdigit() and in_group(pid, group)]


def in_group(pid, group):
    """Return whether a living process belongs to a group."""
    try:
        fields = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return int(fields[2]) == group and fields[0] != "Z"


@pytest.mark.system("minutes")
@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_kill_and_rerun(fake, run, tmp_path, share):
    """After kill -9 of the whole group a re-run ends with the same tree and asks again for no more
    than was in flight.
    """
    fake.bucket("b", versioning="Enabled")
    bodies = {f"dir{n % 7}/k{n}": random.Random(n).randbytes(3000) for n in range(400)}
    for key, body in bodies.items():
        fake.put("b", key, body)
    (tmp_path / "m.csv").write_text(run("s3-manifest", "s3://b", env=env_of(fake)).out)
    dest = tmp_path / "d"
    fake.latency = 0.02
    first = start(["s3-fetch", "-j", "2", "-c", "8", "-d", dest, tmp_path / "m.csv"], env_of(fake))
    wait_for(lambda: len(gets(fake)) > share * 400)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    wait_for(lambda: not survivors(first.pid), 2)
    done = len(tree(dest)) + sum(path.stat().st_mode & 0o777 == 0o700
                                 for path in Path(dest, ".s3kit", "parts").iterdir())
    fake.latency = 0
    wait_for(lambda: settled(fake), 5)
    before = sum(gets(fake).values())
    again = run("s3-fetch", "-d", dest, tmp_path / "m.csv", env=env_of(fake))
    assert again.status == 0, again.err
    assert tree(dest) == {f"b/{key}": body for key, body in bodies.items()}
    assert sum(gets(fake).values()) - before == 400 - done
    assert before - done <= 2 * 8, "more was under way than there were connections"
    assert parts(dest) == []


def settled(fake):
    """Return whether no more requests come in."""
    before = len(fake.log)
    time.sleep(0.3)
    return len(fake.log) == before


@pytest.mark.system("minutes")
def test_kill_inside_a_large_object(fake, run, tmp_path):
    """The ranges that had come are not asked for again; a damaged one is."""
    body = random.Random(1).randbytes(96 << 20)
    fake.bucket("b")
    fake.put("b", "large", body)
    (tmp_path / "m.csv").write_text(run("s3-manifest", "s3://b", env=env_of(fake)).out)
    dest = tmp_path / "d"
    first = start(["s3-fetch", "-j", "1", "-c", "1", "--limit-rate", "20M", "-d", dest,
                   tmp_path / "m.csv"], env_of(fake))
    wait_for(lambda: len(journal(dest)) >= 3)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    noted = journal(dest)[1:]
    spoiled = noted[0]
    part = next(Path(dest, ".s3kit", "parts").glob("*.part"))
    with open(part, "r+b") as file:
        file.seek(spoiled["start"] + 5)
        file.write(b"!")
    wait_for(lambda: settled(fake), 5)
    before = len(fake.requests(method="GET", key="large"))
    again = run("s3-fetch", "-j", "1", "-d", dest, tmp_path / "m.csv", env=env_of(fake))
    assert again.status == 0, again.err
    assert tree(dest) == {"b/large": body}
    asked = [request.headers["range"]
             for request in fake.requests(method="GET", key="large")[before:]]
    kept = {f"bytes={piece['start']}-{piece['end'] - 1}" for piece in noted[1:]}
    assert kept and not kept & set(asked)
    assert f"bytes={spoiled['start']}-{spoiled['end'] - 1}" in asked
    assert parts(dest) == []


def journal(dest):
    """Return the lines of the journal beside the one part file."""
    import json
    found = (list(Path(dest, ".s3kit", "parts").glob("*.journal"))
             if Path(dest, ".s3kit", "parts").is_dir() else [])
    lines = found[0].read_text().splitlines(keepends=True) if found else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def test_two_at_once(fake, run, tmp_path):
    """Two s3-fetch on one destination share the work: both end with 0, each object is sent once."""
    fake.bucket("b")
    for number in range(300):
        fake.put("b", f"k{number:03d}", bytes([number % 251]) * 5000)
    (tmp_path / "m.csv").write_text(run("s3-manifest", "s3://b", env=env_of(fake)).out)
    fake.latency = 0.01
    both = [start(["s3-fetch", "-j", "2", "-c", "4", "-d", tmp_path / "d", tmp_path / "m.csv"],
                  env_of(fake)) for _ in range(2)]
    ended = [process.communicate(timeout=90) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    assert set(gets(fake).values()) == {1} and len(gets(fake)) == 300
    assert len(tree(tmp_path / "d")) == 300 and parts(tmp_path / "d") == []
    for out, _ in ended:
        assert out.count(",fetched,") == 300


@pytest.mark.system("minutes")
def test_two_at_once_on_a_large_object(fake, run, tmp_path):
    """The second waits for the first's ranges, finds the file and sends nothing again."""
    fake.bucket("b")
    body = random.Random(3).randbytes(80 << 20)
    fake.put("b", "large", body)
    (tmp_path / "m.csv").write_text(run("s3-manifest", "s3://b", env=env_of(fake)).out)
    both = [start(["s3-fetch", "-j", "1", "--limit-rate", "60M", "-d", tmp_path / "d",
                   tmp_path / "m.csv"], env_of(fake)) for _ in range(2)]
    ended = [process.communicate(timeout=90) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    assert tree(tmp_path / "d") == {"b/large": body} and parts(tmp_path / "d") == []
    asked = [request.headers["range"] for request in fake.requests(method="GET", key="large")]
    assert len(asked) == len(set(asked))


def test_credentials_that_are_renewed(fake, run, tmp_path):
    """Credentials that expire mid-run are asked for again, once, and no row fails."""
    from fakes3 import Credential
    script, config = tmp_path / "credentials", tmp_path / "config"
    script.write_text(f"""#!/bin/sh
echo called >> {tmp_path}/calls
key=$([ -e {tmp_path}/second ] && echo SECOND || echo FIRST)
touch {tmp_path}/second
date=$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%SZ)
[ $key = FIRST ] && date=$(date -u -d '+2 minutes' +%Y-%m-%dT%H:%M:%SZ)
echo '{{"Version": 1, "AccessKeyId": "'$key'", "SecretAccessKey": "secret", "SessionToken": "t-'$key'", "Expiration": "'$date'"}}'
""")  # noqa: E501
    script.chmod(0o755)
    config.write_text(f"[default]\nregion = us-east-1\ncredential_process = {script}\n")
    fake.bucket("b")
    for number in range(200):
        fake.put("b", f"k{number}", b"x")
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    fake.credentials["FIRST"] = Credential("secret", "t-FIRST")
    fake.credentials["SECOND"] = Credential("secret", "t-SECOND")

    def expire(request):
        if len(fake.log) > before + 50:
            fake.credentials["FIRST"] = Credential("secret", "t-FIRST", expired=True)

    before = len(fake.log)
    fake.hook = expire
    fake.latency = 0.02
    done = run("s3-fetch", "-j", "2", "-c", "4", "-d", tmp_path / "d", input=listed,
               env={"AWS_ENDPOINT_URL_S3": fake.url, "AWS_CONFIG_FILE": config})
    assert done.status == 0, done.err
    assert len(tree(tmp_path / "d")) == 200
    assert len((tmp_path / "calls").read_text().split()) <= 3


@pytest.mark.system("minutes")
@pytest.mark.parametrize("versioning", [None, "Enabled"])
def test_odd_keys(fake, pipe, tmp_path, versioning):
    """Each odd key arrives in a file of its own with its bytes; its path leads back; nothing is
    written outside.
    """
    bodies = dict(ODD_KEYS)
    assert len(bodies) >= 60
    fake.bucket("odd", versioning=versioning)
    for key, body in bodies.items():
        fake.put("odd", key, body)
    dest, out = tmp_path / "in" / "side", tmp_path / "out.csv"
    dest.parent.mkdir()
    done = pipe(PIPELINE.format(source="s3://odd/", jobs=2, dest=dest, out=out), env=env_of(fake))
    assert done.status == [0, 0, 0], done.err
    rows = read_rows(out)
    assert {row.key for row in rows} == set(bodies)
    assert len({row.path for row in rows}) == len(rows)
    for row in rows:
        file = dest / row.path
        assert (b"" if file.is_dir() else file.read_bytes()) == bodies[row.key], row
        assert key_of(row.path) == ("odd", row.key)
        assert row.state == "verified" and row.proof not in ("", "size")
    assert sorted(os.listdir(tmp_path)) == ["in", "out.csv"] and os.listdir(dest.parent) == ["side"]


FAULTS = [("flip", {}), ("short", {}), ("short-nolength", {}), ("reset", {}), ("error200", {}),
          ("html", {}), ("gzip", {}), ("wrong-etag", {}),
          ("status", {"status": 500, "code": "InternalError"}),
          ("status", {"status": 403, "code": "AccessDenied"})]


@pytest.mark.system("minutes")
@pytest.mark.parametrize("size", [3000, 700_000, 70 << 20], ids=["memory", "stream", "ranges"])
@pytest.mark.parametrize("kind,options", FAULTS,
                         ids=[f"{kind}{options.get('status', '')}" for kind, options in FAULTS])
def test_a_server_that_lies(fake, run, tmp_path, kind, options, size):
    """Never a file under its final name; the row is `failed`, the others are done, the status is 1.
    """
    fake.bucket("b")
    fake.put("b", "bad", random.Random(size).randbytes(size))
    fake.put("b", "good", b"fine")
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    fake.fault(kind, key="bad", times=None, **options)
    done = run("s3-fetch", "--retries", "1", "-d", tmp_path / "d", input=listed, env=env_of(fake))
    assert done.status == 1
    assert tree(tmp_path / "d") == {"b/good": b"fine"}
    rows = {row.key: row for row in read_rows(done.out)}
    assert rows["bad"].state == "failed" and rows["bad"].error and not rows["bad"].proof
    assert rows["good"].state == "fetched"
    assert done.err.count("s3-fetch: s3://b/bad: ") == 1


@pytest.mark.system("minutes")
@pytest.mark.parametrize("kind,options", FAULTS[:9],
                         ids=[f"{kind}{options.get('status', '')}" for kind, options in FAULTS[:9]])
def test_a_passing_fault(fake, run, tmp_path, kind, options):
    """What goes wrong once is tried again, and nobody need know."""
    fake.bucket("b")
    body = random.Random(5).randbytes(700_000)
    fake.put("b", "k", body)
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    fake.fault(kind, key="k", times=1, **options)
    done = run("s3-fetch", "-d", tmp_path / "d", input=listed, env=env_of(fake))
    assert done.status == 0, done.err
    assert tree(tmp_path / "d") == {"b/k": body}
    assert gets(fake)["k"] == 2


@pytest.mark.system("minutes")
@pytest.mark.parametrize("size", [700_000, 70 << 20], ids=["stream", "ranges"])
@pytest.mark.parametrize("versioning", [None, "Enabled"])
def test_changed_under_way(fake, run, tmp_path, versioning, size):
    """An object overwritten mid-download gives its listed version's bytes or a failed row, never a
    mixture.
    """
    fake.bucket("b", versioning=versioning)
    body = random.Random(6).randbytes(size)
    fake.put("b", "k", body)
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    fake.fault("swap", key="k", times=1)
    done = run("s3-fetch", "-j", "1", "-c", "1", "-d", tmp_path / "d", input=listed,
               env=env_of(fake))
    found = tree(tmp_path / "d")
    if versioning or size < 1 << 20:
        assert done.status == 0 and found == {"b/k": body}
    else:
        assert done.status == 1 and found == {}
        assert read_rows(done.out)[0].state == "failed"
    assert parts(tmp_path / "d") == []


def test_changed_before(fake, run, tmp_path):
    """A row pinned by its ETag never becomes a newer object; one that is gone is `vanished`."""
    fake.bucket("b")
    fake.put("b", "changed", b"old")
    fake.put("b", "gone", b"old")
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    fake.put("b", "changed", b"new")
    fake.delete("b", "gone")
    done = run("s3-fetch", "-d", tmp_path / "d", input=listed, env=env_of(fake))
    assert done.status == 1 and tree(tmp_path / "d") == {}
    assert ({row.key: row.state for row in read_rows(done.out)}
            == {"changed": "failed", "gone": "vanished"})


def test_archived_rows_are_passed_on(fake, run, tmp_path):
    """What must be restored first goes on as it came, with a hint and status 1; what was restored
    is fetched.
    """
    fake.bucket("b", versioning="Enabled")
    fake.put("b", "cold", b"cold", storage_class="GLACIER")
    fake.put("b", "warm", b"warm", storage_class="GLACIER_IR")
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    done = run("s3-fetch", "-d", tmp_path / "d", input=listed, env=env_of(fake))
    rows = {row.key: row for row in read_rows(done.out)}
    before = {row.key: row for row in read_rows(listed)}
    assert done.status == 1 and "s3-restore" in done.err
    assert rows["cold"] == before["cold"] and rows["warm"].state == "fetched"


def test_bare_manifest_is_filled_in(fake, run, tmp_path):
    """A person's `key,version_id` with --bucket gets those versions, and all that S3 says of them.
    """
    fake.bucket("b", versioning="Enabled")
    old = fake.put("b", "k", b"old")
    fake.put("b", "k", b"new!")
    done = run("s3-fetch", "--bucket", "b", "-d", tmp_path / "d",
               input=f"key,version_id\nk,{old}\n", env=env_of(fake))
    assert done.status == 0, done.err
    row = read_rows(done.out)[0]
    assert (row.size, row.version_id, row.state, row.proof) == ("3", old, "fetched", "crc64nvme")
    assert row.etag and row.last_modified and tree(tmp_path / "d") == {"b/k": b"old"}


def test_a_large_object_that_came_unannounced(fake, run, tmp_path):
    """A bare row that turns out to be large is fetched in ranges."""
    body = random.Random(7).randbytes(70 << 20)
    fake.bucket("b")
    fake.put("b", "k", body)
    done = run("s3-fetch", "-d", tmp_path / "d", input="bucket,key\nb,k\n", env=env_of(fake))
    assert done.status == 0, done.err
    assert tree(tmp_path / "d") == {"b/k": body}
    assert any("range" in request.headers for request in fake.requests(method="GET", key="k"))


@pytest.mark.system("minutes")
@pytest.mark.parametrize("checksum", [None, "CRC64NVME", "CRC32C", "CRC32", "SHA256", "SHA1"])
@pytest.mark.parametrize("size", [0, 4096, 700_000, 70 << 20], ids=str)
def test_proofs(fake, pipe, tmp_path, checksum, size):
    """The proof names what was compared; without a checksum that is the ETag."""
    fake.bucket("b")
    fake.put("b", "k", random.Random(8).randbytes(size), checksum=checksum)
    out = tmp_path / "out.csv"
    done = pipe(PIPELINE.format(source="s3://b", jobs=2, dest=tmp_path / "d", out=out),
                env=env_of(fake))
    assert done.status == [0, 0, 0], done.err
    assert read_rows(out)[0].proof == (checksum.lower() if checksum else "etag-md5")


@pytest.mark.system("minutes")
@pytest.mark.parametrize("part", [5 << 20, 8 << 20, 6_000_001])
@pytest.mark.parametrize("checksum", [None, "SHA256", "CRC64NVME"])
def test_multipart(fake, pipe, tmp_path, part, checksum):
    """Multipart ETags and composites are proven part by part, whatever the part size."""
    body = random.Random(9).randbytes(80 << 20)
    fake.bucket("b")
    fake.put("b", "k", b"", parts=[body[at:at + part] for at in range(0, len(body), part)],
             checksum=checksum)
    out = tmp_path / "out.csv"
    done = pipe(PIPELINE.format(source="s3://b", jobs=2, dest=tmp_path / "d", out=out),
                env=env_of(fake))
    assert done.status == [0, 0, 0], done.err
    proof = {None: f"etag-md5-parts:{part}", "SHA256": f"sha256-parts:{part}",
             "CRC64NVME": "crc64nvme"}[checksum]
    assert read_rows(out)[0].proof == proof
    assert tree(tmp_path / "d") == {"b/k": body}


@pytest.mark.system("minutes")
def test_keys_with_dot_segments_go_the_way_of_all(fake, pipe, tmp_path):
    """In ranges, by their parts' own sizes, pinned to their ETag, and deleted on that condition."""
    noise, mib = random.Random(10), 1 << 20
    sizes = {"../large": (30, 25, 20), "a/./middle": (6, 5, 5), "a/..": (1,), "large": (40, 30)}
    fake.bucket("b")
    bodies = {}
    for key, parts_of in sizes.items():
        pieces = [noise.randbytes(mib) * part for part in parts_of]
        bodies[key] = b"".join(pieces)
        fake.put("b", key, b"", parts=pieces, checksum=None)
    done = pipe(PIPELINE.format(source="s3://b", jobs=2, dest="d", out="out")
                + " && s3-prune --yes -d d out", env=env_of(fake))
    assert done.status == [0], done.err
    rows = read_rows(tmp_path / "out")
    assert {row.key: (tmp_path / "d" / row.path).read_bytes() for row in rows} == bodies
    assert {row.proof.partition(":")[0] for row in rows} == {"etag-md5-parts"}
    for key in ("../large", "large"):
        asked = [request for request in fake.requests(method="GET") if request.key == key]
        assert len(asked) > 1 and all("range" in request.headers for request in asked)
    assert not fake.versions("b")
    assert not [request for request in fake.log if "X-Amz-Signature" in request.query]


def test_dry_run_touches_nothing(fake, run, tmp_path):
    """-n says what would be fetched, passes the rows on, makes nothing and asks nothing."""
    fake.bucket("b")
    fake.put("b", "k", b"12345")
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    before = len(fake.log)
    done = run("s3-fetch", "-n", "-d", tmp_path / "d", input=listed, env=env_of(fake))
    assert done.status == 0 and "1 row to fetch (5)" in done.err
    assert done.out == listed and not (tmp_path / "d").exists() and len(fake.log) == before


def test_in_place(fake, run, tmp_path):
    """-i leaves the verdicts in FILE, which can be used again."""
    fake.bucket("b")
    fake.put("b", "k", b"12345")
    file = tmp_path / "m.csv"
    file.write_text(run("s3-manifest", "s3://b", env=env_of(fake)).out)
    done = run("s3-fetch", "-i", file, "-d", tmp_path / "d", env=env_of(fake))
    assert (done.status, done.out) == (0, "")
    assert read_rows(file)[0].state == "fetched"


def test_in_place_keeps_what_the_filters_leave_out(fake, run, tmp_path):
    """-i with a filter loses no row of FILE; without -i the others are not in the output."""
    fake.bucket("b")
    for key in ("k.jpg", "k.txt"):
        fake.put("b", key, b"12345")
    file = tmp_path / "m.csv"
    file.write_text(run("s3-manifest", "s3://b", env=env_of(fake)).out)
    out = run("s3-fetch", "--include", "*.jpg", file, "-d", tmp_path / "d", env=env_of(fake)).out
    assert [row.key for row in read_rows(out)] == ["k.jpg"]
    assert run("s3-fetch", "-i", "--include", "*.jpg", file, "-d", tmp_path / "d",
               env=env_of(fake)).status == 0
    assert ({row.key: row.state for row in read_rows(file)}
            == {"k.jpg": "fetched", "k.txt": "listed"})


def test_what_another_tool_left_is_kept(fake, run, tmp_path):
    """A file that is there and right is checked and kept; one that is wrong is replaced."""
    fake.bucket("b")
    for key in ("right", "wrong"):
        fake.put("b", key, key.encode())
    (tmp_path / "d" / "b").mkdir(parents=True)
    (tmp_path / "d" / "b" / "right").write_bytes(b"right")
    (tmp_path / "d" / "b" / "wrong").write_bytes(b"WRONG")
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    done = run("s3-fetch", "-d", tmp_path / "d", input=listed, env=env_of(fake))
    assert done.status == 0 and gets(fake) == {"wrong": 1}
    assert tree(tmp_path / "d") == {"b/right": b"right", "b/wrong": b"wrong"}


def test_links_and_devices_in_the_way(fake, run, tmp_path):
    """No link leads outside, nothing that is no file is replaced: such rows are `conflict`."""
    fake.bucket("b")
    for key in ("link/inside", "file", "fifo"):
        fake.put("b", key, b"data")
    base = tmp_path / "d" / "b"
    base.mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    (base / "link").symlink_to(outside)
    (base / "file").symlink_to(outside / "victim")
    os.mkfifo(base / "fifo")
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    done = run("s3-fetch", "-d", tmp_path / "d", input=listed, env=env_of(fake))
    assert done.status == 1
    assert {row.state for row in read_rows(done.out)} == {"conflict"}
    assert os.listdir(outside) == [] and parts(tmp_path / "d") == []


def test_hostile_paths_in_rows(fake, run, tmp_path):
    """A row's own path may name its file, but nothing outside, and no other row's."""
    fake.bucket("b")
    fake.put("b", "k", b"k")
    fake.put("b", "l", b"l")
    rows = ("bucket,key,path\nb,k,../up\nb,k,/etc/x\nb,k,.s3kit/ledger.sqlite3\nb,k,mine/k\nb,l,"
            "mine/k\n")
    done = run("s3-fetch", "-d", tmp_path / "d", input=rows, env=env_of(fake))
    assert done.status == 1
    assert ([row.state for row in sorted(read_rows(done.out), key=lambda row: row.path)]
            .count("conflict") == 4)
    assert tree(tmp_path / "d") == {"mine/k": b"k"}


def test_expired_credentials(fake, run, tmp_path):
    """Credentials that expire and cannot be renewed stop the run with 3 and fail no row."""
    fake.bucket("b")
    for number in range(20):
        fake.put("b", f"k{number}", b"x")
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    fake.fault("status", key=bool, times=None, status=400, code="ExpiredToken",
               message="The provided token has expired.")
    done = run("s3-fetch", "-d", tmp_path / "d", input=listed, env=env_of(fake))
    assert done.status == 3 and "expired" in done.err
    assert ",failed," not in done.out and "#end" not in done.out


@pytest.mark.system("minutes")
def test_slow_down_fails_no_row(fake, run, tmp_path):
    """A storm of SlowDown is waited out."""
    fake.bucket("b")
    for number in range(60):
        fake.put("b", f"k{number}", b"x")
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    fake.fault("status", key=bool, times=100, status=503, code="SlowDown")
    done = run("s3-fetch", "-d", tmp_path / "d", input=listed, env=env_of(fake), timeout=120)
    assert done.status == 0, done.err
    assert len(tree(tmp_path / "d")) == 60


@pytest.mark.system("minutes")
def test_a_limit_of_requests_is_settled_near(fake, run, tmp_path):
    """Above so many a second the server says SlowDown: no storm of requests in vain, and not much
    slower than it may be.
    """
    limit, count, served = 200, 1600, []

    def is_too_much(request):
        """Whether half a second's worth was served in the last half second."""
        now = time.monotonic()
        served[:] = [moment for moment in served if moment > now - 0.5]
        if len(served) < limit / 2:
            served.append(now)
            return False
        return True

    for number in range(count):
        fake.put("b", f"k{number}", b"x")
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    fake.latency = 0.03
    fake.fault("status", key=bool, times=None, status=503, code="SlowDown", where=is_too_much)
    began = time.monotonic()
    done = run("s3-fetch", "-d", tmp_path / "d", input=listed, env=env_of(fake), timeout=120)
    seconds = time.monotonic() - began
    assert done.status == 0 and len(tree(tmp_path / "d")) == count, done.err
    asked = [request for request in fake.log if request.key]
    # Of a machine that is busy the same part of the requests a second is in vain, for longer.
    assert len(asked) - count < 0.3 * limit * seconds, (len(asked), seconds)


@pytest.mark.system("mount", "root")
def test_no_space(fake, run, tmp_path):
    """A full disk stops the run with 3 and says what is needed; with room the same command resumes.
    """
    fake.bucket("b")
    for number in range(40):
        fake.put("b", f"k{number}", bytes(100_000))
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    dest = tmp_path / "small"
    dest.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", dest], check=True)
    try:
        done = run("s3-fetch", "-d", dest, input=listed, env=env_of(fake))
        assert done.status == 3 and "No space left" in done.err and "#end" not in done.out
        subprocess.run(["mount", "-o", "remount,size=20m", dest], check=True)
        done = run("s3-fetch", "-d", dest, input=listed, env=env_of(fake))
        assert done.status == 0, done.err
        assert set(tree(dest).values()) == {bytes(100_000)} and len(tree(dest)) == 40
    finally:
        subprocess.run(["umount", dest], check=True)


def test_the_ledger_knows(fake, run, tmp_path):
    """The ledger records identity and proof; without it a re-run still transfers nothing."""
    fake.bucket("b")
    fake.put("b", "k", b"bytes")
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    run("s3-fetch", "-d", tmp_path / "d", input=listed, env=env_of(fake))
    entry = Ledger(tmp_path / "d" / ".s3kit").find("b", "k", "")
    status = os.stat(tmp_path / "d" / "b" / "k")
    assert ((entry.size, entry.mtime_ns, entry.inode, entry.proof)
            == (5, status.st_mtime_ns, status.st_ino, "crc64nvme"))
    for name in os.listdir(tmp_path / "d" / ".s3kit"):
        if name.startswith("ledger"):
            os.unlink(tmp_path / "d" / ".s3kit" / name)
    again = run("s3-fetch", "-d", tmp_path / "d", input=listed, env=env_of(fake))
    assert again.status == 0 and gets(fake) == {"k": 1}


def test_mtime_and_permissions(fake, run, tmp_path):
    """A file has S3's time and the umask's permissions; our own folder is ours alone."""
    fake.bucket("b")
    fake.put("b", "k", b"bytes", modified=1_700_000_000)
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    run("s3-fetch", "-d", tmp_path / "d", input=listed, env=env_of(fake))
    status = os.stat(tmp_path / "d" / "b" / "k")
    mask = os.umask(0)
    os.umask(mask)
    assert status.st_mtime == 1_700_000_000 and status.st_mode & 0o777 == 0o666 & ~mask
    assert os.stat(tmp_path / "d" / ".s3kit").st_mode & 0o777 == 0o700
    assert os.stat(tmp_path / "d" / ".s3kit" / "ledger.sqlite3").st_mode & 0o777 == 0o600


def test_a_worker_that_dies(fake, run, tmp_path):
    """Killed workers cost nothing but time: their rows are done by others."""
    fake.bucket("b")
    for number in range(300):
        fake.put("b", f"k{number}", b"x" * 100)
    (tmp_path / "m.csv").write_text(run("s3-manifest", "s3://b", env=env_of(fake)).out)
    fake.latency = 0.05
    process = start(["s3-fetch", "-j", "2", "-c", "8", "-d", tmp_path / "d", tmp_path / "m.csv"],
                    env_of(fake))
    wait_for(lambda: len(gets(fake)) > 50)
    workers = [pid for pid in survivors(process.pid) if int(pid) != process.pid]
    os.kill(int(workers[0]), signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert len(tree(tmp_path / "d")) == 300 and parts(tmp_path / "d") == []


def test_one_row_twice(fake, run, tmp_path):
    """The same version twice in a manifest is fetched once, and both rows say so."""
    fake.bucket("b")
    fake.put("b", "k", b"bytes")
    done = run("s3-fetch", "-d", tmp_path / "d", input="bucket,key\nb,k\nb,k\n", env=env_of(fake))
    assert done.status == 0 and [row.state for row in read_rows(done.out)] == ["fetched"] * 2
    assert gets(fake) == {"k": 1}


def test_limits_are_documented_where_they_are():
    """The constants that the man page names are those of the code."""
    assert patience.SLOW_MINUTES == 15 and deciding.LARGE == 64 << 20


@pytest.mark.system("minutes")
@pytest.mark.long
def test_a_server_that_is_down_for_long_is_talked_about(fake, tmp_path):
    """Who waits hears for what; the run goes on when the server does."""
    fake.put("b", "k", b"body")
    (tmp_path / "m.csv").write_text("bucket,key\nb,k\n")
    fake.fault("status", key="k", times=None, status=503, code="SlowDown",
               message="Please reduce your request rate.")
    process = start(["s3-fetch", "-d", tmp_path / "d", tmp_path / "m.csv"], env_of(fake))
    line = process.stderr.readline()
    assert line.startswith(
        "s3-fetch: nothing has come for 20 s, still trying: S3 says SlowDown: Please reduce")
    fake.faults.clear()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert tree(tmp_path / "d") == {"b/k": b"body"}


@pytest.mark.system("minutes")
@pytest.mark.long
def test_an_answer_that_takes_more_than_a_minute(fake, tmp_path):
    """Some stores bring an object back from a tape before they send it: who waits hears of it, and
    the run is not taken for stuck.
    """
    fake.put("b", "k", b"body")
    (tmp_path / "m.csv").write_text("bucket,key\nb,k\n")
    fake.fault("hang", key="k", seconds=63)
    process = start(["s3-fetch", "-d", tmp_path / "d", tmp_path / "m.csv"], env_of(fake))
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "nothing has come for 20 s, still trying: 1 request not answered yet" in err
    assert tree(tmp_path / "d") == {"b/k": b"body"} and len(fake.requests(key="k")) == 1


def test_no_code_of_the_current_directory_is_run(fake, run, tmp_path):
    """It may be a bucket's: what was fetched there must not become a module of the workers."""
    fake.put("b", "k", b"body")
    for name in ("pickle", "struct", "s3kit", "ctypes", "collections"):
        ((tmp_path / f"{name}.py")
         .write_text("open('was-run', 'w')\nraise SystemExit('somebody else')\n"))
    done = run("s3-fetch", "-d", "d", input="bucket,key\nb,k\n", env=env_of(fake), cwd=tmp_path)
    assert done.status == 0 and not (tmp_path / "was-run").exists(), done.err


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("size", [10, 9 << 20])
def test_the_page_of_a_proxy_is_not_s3_s_word(fake, run, tmp_path, status, size):
    """Only NoSuchKey and NoSuchVersion mean vanished: s3-fetch would never ask for the row again.
    """
    for key in ("there", "gone"):
        fake.put("b", key, os.urandom(size))
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    fake.delete("b", "gone")
    fake.fault("page", key="there", method=None, times=None, status=status)
    done = run("s3-fetch", "-d", "d", "--retries", "1", input=listed, env=env_of(fake))
    assert ({row.key: row.state for row in read_rows(done.out)}
            == {"there": "failed", "gone": "vanished"}), done.err


@pytest.mark.system("minutes")
def test_batches_and_answers_that_no_socket_takes_at_once(fake, tmp_path):
    """Keys of 1,024 control characters, and errors as long: a worker and its parent send at the
    same time, and go on.

    The worker is stopped again and again, so that both batches that it holds are answered while it
    sleeps.
    """
    fake.bucket("b")
    keys = ["\x01" * 1020 + f"{number:04d}" for number in range(640)]
    fake.fault("status", key=bool, times=None, status=404, code="NoSuchKey", message="x" * 8000)
    manifest = tmp_path / "m.csv"
    manifest.write_text("bucket,key\n"
                        + "".join(f"b,{key.replace(chr(1), '%01')}\n" for key in keys))
    process = subprocess.Popen([sys.executable, BIN / "s3-fetch", "-q", "-j", "1", "-c", "128",
                                "-d", tmp_path / "d", "-o", tmp_path / "out", manifest],
                               env=clean_env(env_of(fake)), stderr=subprocess.DEVNULL)
    children = Path(f"/proc/{process.pid}/task")
    end = time.monotonic() + 100
    while process.poll() is None and time.monotonic() < end:
        with suppress(OSError):         # they may just have ended
            workers = [int(pid) for path in children.glob("*/children")
                       for pid in path.read_text().split()]
            for number in (signal.SIGSTOP, signal.SIGCONT):
                for worker in workers:
                    os.kill(worker, number)
                time.sleep(1 if number == signal.SIGSTOP else 0.2)
    process.kill()
    assert process.wait() == 1
    rows = read_rows((tmp_path / "out").read_text())
    assert sorted(row.key for row in rows) == keys and all("x" * 8000 in row.error for row in rows)


# --- rows that wait for each other


@pytest.mark.system("minutes")
def test_rows_that_come_twice_in_a_row_end(fake, run, tmp_path):
    """Rows that sleep until the same version has come do not keep the reader asleep: 4,000 rows of
    2,000 objects end.
    """
    fake.bucket("b")
    for number in range(2000):
        fake.put("b", f"k{number:04d}", b"x")
    lines = run("s3-manifest", "s3://b", env=env_of(fake)).out.splitlines()
    twice = "\n".join([*lines[:2], *(line for line in lines[2:-1] for _ in range(2)),
                       "#end rows=4000", ""])
    done = run("s3-fetch", "-j", "2", "-c", "16", "-d", tmp_path / "d", input=twice,
               env=env_of(fake), timeout=150)
    assert done.status == 0 and done.out.count(",fetched,") == 4000, done.err


@pytest.mark.system("minutes")
def test_two_at_once_with_many_rows_end(fake, run, tmp_path):
    """Whose last rows are all held by another process goes on when that has finished, with more
    rows than fit in memory.
    """
    fake.bucket("b")
    for number in range(3000):
        fake.put("b", f"k{number:04d}", b"x")
    (tmp_path / "m.csv").write_text(run("s3-manifest", "s3://b", env=env_of(fake)).out)
    both = [start(["s3-fetch", "-j", "2", "-c", "8", "-d", tmp_path / "d", tmp_path / "m.csv"],
                  env_of(fake)) for _ in range(2)]
    ended = [process.communicate(timeout=180) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    assert all(out.count(",fetched,") == 3000 for out, _ in ended)


# --- rows that do not say which bytes they mean


@pytest.mark.system("minutes")
@pytest.mark.parametrize("size", [5, 65 << 20], ids=["small", "ranges"])
def test_a_bare_row_means_what_s3_has_now(fake, run, tmp_path, size):
    """A row without a version and an ETag is asked for each time: what S3 still has stays, what is
    new comes.
    """
    fake.bucket("b")
    fake.put("b", "k", b"first" + bytes(size - 5))
    bare = f"bucket,key,size\nb,k,{size}\n" if size > 5 else "bucket,key\nb,k\n"

    def fetch():
        return run("s3-fetch", "-d", tmp_path / "d", input=bare, env=env_of(fake))

    assert fetch().status == 0
    sent = (len(fake.requests(method="GET", key="k", status=200))
            + len(fake.requests(method="GET", key="k", status=206)))
    again = fetch()
    assert again.status == 0 and "nothing to fetch, 1 row already there" in again.err
    assert (len(fake.requests(method="GET", key="k", status=200))
            + len(fake.requests(method="GET", key="k", status=206)) == sent)
    fake.put("b", "k", b"other" + bytes(size - 5))
    newer = fetch()
    assert newer.status == 0 and "1 row fetched" in newer.err
    assert (tmp_path / "d/b/k").read_bytes()[:5] == b"other"


def test_what_is_verified_elsewhere(fake, run, tmp_path):
    """It is not fetched without being told so, which is no success; told again, it is, once."""
    fake.bucket("b")
    for key in ("a", "dir/b"):
        fake.put("b", key, key.encode())
    env = env_of(fake)
    fetched = run("s3-fetch", "-d", "old", input=run("s3-manifest", "s3://b", env=env).out, env=env)
    (tmp_path / "v.csv").write_text(run("s3-verify", "-d", "old", input=fetched.out, env=env).out)
    fake.log.clear()
    done = run("s3-fetch", "-d", "new", "v.csv", env=env)
    assert done.status == 1 and read_rows(done.out) == read_rows(tmp_path / "v.csv")
    assert ("s3-fetch: 2 rows are verified already and lie elsewhere: give --again (or run "
            "s3-verify -i -d new v.csv first)\n") in done.err
    assert tree(tmp_path / "new") == {} and not fake.requests()
    for _ in range(2):
        done = run("s3-fetch", "--again", "-i", "-d", "new", "v.csv", env=env)
        assert done.status == 0 and gets(fake) == {"a": 1, "dir/b": 1}, done.err
        assert tree(tmp_path / "new") == tree(tmp_path / "old") != {}
    assert {row.state for row in read_rows(tmp_path / "v.csv")} == {"fetched"}


@pytest.mark.parametrize("versions", [(), ("--versions",)])
def test_the_only_copy_of_a_pruned_version_stays(fake, run, tmp_path, versions):
    """What was written under its name after s3-prune deleted it lies beside it."""
    fake.bucket("b", versioning="Enabled")
    env = env_of(fake)

    def fetched(body):
        fake.put("b", "k", body)
        found = run("s3-manifest", *versions, "s3://b", env=env).out
        done = run("s3-fetch", "-d", "d", input=found, env=env)
        assert (done.status, done.err.count("1 row fetched")) == (0, 1)
        return done.out

    verified = run("s3-verify", "-d", "d", input=fetched(b"first"), env=env).out
    assert run("s3-prune", "--yes", "-d", "d", input=verified, env=env).status == 0
    row, = read_rows(fetched(b"second"))
    assert (tmp_path / "d/b/k").read_bytes() == b"first"
    assert row.path == f"b/k%v{row.version_id}"
    assert (tmp_path / "d" / row.path).read_bytes() == b"second"


@pytest.mark.parametrize("columns", ["bucket,key", "bucket,key,size,etag"])
def test_the_only_copy_of_a_pruned_object_stays(fake, run, tmp_path, columns):
    """In a bucket without versions another object of its name is fetched when it was moved away."""
    fake.bucket("b")
    fake.put("b", "k", b"first")
    env = env_of(fake)
    first = run("s3-manifest", "s3://b", env=env).out
    done = run("s3-verify", "-d", "d", input=run("s3-fetch", "-d", "d", input=first, env=env).out,
               env=env).out
    assert run("s3-prune", "--yes", "-d", "d", input=done, env=env).status == 0
    fake.put("b", "k", b"second")
    cells = {"bucket": "b", "key": "k", "size": "6", "etag": hashlib.md5(b"second").hexdigest()}
    second = f"{columns}\n{','.join(cells[name] for name in columns.split(','))}\n"
    for _ in range(2):
        refused = run("s3-fetch", "-d", "d", input=second, env=env)
        assert (refused.status, read_rows(refused.out)[0].state) == (1, "conflict")
        assert "'b/k' is the only copy of an object" in refused.err
        assert (tmp_path / "d/b/k").read_bytes() == b"first"
    (tmp_path / "d/b/k").rename(tmp_path / "first")
    fetched = run("s3-fetch", "-d", "d", input=second, env=env)
    assert fetched.status == 0 and (tmp_path / "d/b/k").read_bytes() == b"second"


# --- what is stored elsewhere


def test_rows_that_are_stored_elsewhere(fake, run, tmp_path):
    """Their own objects are fetched, not the copies; where those are the rows keep."""
    for bucket in ("b", "far"):
        fake.bucket(bucket, versioning="Enabled")
    for key in ("kept", "deleted"):
        fake.put("b", key, b"body of " + key.encode())
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    fetched = run("s3-fetch", "-d", "d", input=listed, env=env_of(fake)).out
    stored = run("s3-put", "--to", "s3://far/", "--remove-local", "-d", "d", input=fetched,
                 env=env_of(fake)).out
    version = next(each for each in fake.versions("b") if each.key == "deleted")
    fake.delete("b", "deleted", version.id)
    done = run("s3-fetch", "-d", "d", input=stored, env=env_of(fake))
    found = {row.key: row for row in read_rows(done.out)}
    assert {key: row.state for key, row in found.items()} == {"kept": "fetched",
                                                              "deleted": "vanished"}
    assert all(row.extra["stored_at"].startswith(f"s3://far/{key}?versionId=")
               for key, row in found.items())
    assert (tmp_path / "d" / "b" / "kept").read_bytes() == b"body of kept"
    assert not fake.requests("GET", where=lambda request: request.bucket == "far" and request.key)


def test_rows_that_are_of_a_copy(fake, run, tmp_path):
    """As those of a tree that s3-put has stored: the copy is fetched, and pruned by nobody."""
    fake.bucket("far", versioning="Enabled")
    (tmp_path / "tree" / "sub").mkdir(parents=True)
    (tmp_path / "tree" / "sub" / "file").write_bytes(b"bytes")
    stored = run("s3-put", "--to", "s3://far/p/", "tree", env=env_of(fake)).out
    done = run("s3-fetch", "-d", "d", input=stored, env=env_of(fake))
    assert done.status == 0, done.err
    [row] = read_rows(done.out)
    assert (row.state, row.key) == ("fetched", "p/sub/file")
    assert row.extra["stored_at"] == f"s3://far/p/sub/file?versionId={row.version_id}"
    assert (tmp_path / "d" / row.path).read_bytes() == b"bytes"
    again = run("s3-verify", "-d", "d", input=done.out, env=env_of(fake))
    assert [row.state for row in read_rows(again.out)] == ["verified"]
    pruned = run("s3-prune", "--yes", "-d", "d", input=again.out, env=env_of(fake))
    assert "1 row kept: the copies themselves" in pruned.err and len(fake.versions("far")) == 1
