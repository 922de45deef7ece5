"""The commands on real servers, most of them not Amazon's way, by the word of boto3: what each can
do is done, and what it cannot do is said, and nothing is lost for it.
"""

import io
import json
import random
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import ceph
import pytest
import servers
import swift
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from commands.test_migrate import none_left, start
from odd_keys import ODD_KEYS

from manifests import read_rows

CEPH = ("ceph-mon", "ceph-osd", "ceph", "radosgw", "radosgw-admin", "root")
SWIFT = ("swift-proxy-server", "swift-account-server", "swift-container-server",
         "swift-object-server", "memcached", "mount", "umount", "mkfs.ext4", "root")
MAKE = {"seaweed": lambda: servers.Seaweed(more=servers.GUESTS), "rclone": servers.Rclone,
        "swift": swift.Swift, "ceph": ceph.Ceph}
NEEDS = {"swift": SWIFT, "ceph": CEPH}
LARGE = 70 << 20
pytestmark = pytest.mark.timeout(400)
UNHEEDED = "the server does not heed If-Match when it deletes"


@pytest.fixture(scope="module", params=[pytest.param(name, marks=pytest.mark.system(
    *NEEDS.get(name, ["minutes"]))) for name in MAKE])
def server(request):
    """Each real server."""
    with MAKE[request.param]() as made:
        made.name = request.param
        yield made


@pytest.fixture
def rgw(server):
    """Ceph RGW."""
    return server


def only_on(*names, long=()):
    """Return the mark of a test that runs on some of the servers alone, on those of `long` only
    where there is time.
    """
    return pytest.mark.parametrize("server", [pytest.param(name, marks=[
        pytest.mark.system(*NEEDS.get(name, ["minutes"])), *[pytest.mark.long] * (name in long)])
        for name in names], indirect=True)


def make_bucket(server, name, has_versions=True, **more):
    """Make a bucket, with versions where the server has them; return its client."""
    client = server.client()
    client.create_bucket(Bucket=name, **more)
    if has_versions and server.versions:
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return client


def put_all(client, bucket, objects):
    """Put {key: body} into a bucket; return {(key, version id): body}."""
    def put(pair):
        key, body = pair
        done = client.put_object(Bucket=bucket, Key=key, Body=body)
        return (key, done.get("VersionId", "")), body
    with ThreadPoolExecutor(8) as threads:
        return dict(threads.map(put, objects.items()))


def put_large(client, bucket, key):
    """Put an object in parts; return its body."""
    body = random.Random(key).randbytes(LARGE)
    client.upload_fileobj(io.BytesIO(body), bucket, key,
                          Config=TransferConfig(multipart_chunksize=8 << 20))
    return body


def versions_of(client, bucket):
    """Return {(key, version id)} that a server has, delete markers included."""
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket)
    return {(found["Key"], found["VersionId"]) for page in pages
            for found in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))}


def carried(run, server, *options):
    """Return the rows that come out of manifest, fetch and verify, into `d`, and their text."""
    listed = run("s3-manifest", *options, env=server.env)
    assert listed.status == 0, listed.err
    fetched = run("s3-fetch", "-d", "d", input=listed.out, env=server.env, timeout=120)
    assert fetched.status == 0, fetched.err
    checked = run("s3-verify", "-d", "d", input=fetched.out, env=server.env, timeout=120)
    assert checked.status == 0, checked.err
    return read_rows(checked.out), checked.out


# --- the pipeline

MANY = {"seaweed": 700, "rclone": 1100, "swift": 890, "ceph": 1950}


def odd_keys(name):
    """Return {key: body} of the odd keys that a server keeps as they are."""
    if name == "rclone":
        return {key: key.encode() for key in ("a b", "a+b", "é", "%41", "x&y", "%2525")}
    if name == "seaweed":       # keys are paths there, and controls are lost
        return {key: body for key, body in ODD_KEYS
                if not re.search(r"^/|/$|//|(^|/)\.\.?(/|$)|\\|[\x00-\x08\x1b\ufffe]", key)}
    most = 1006 if name == "swift" else 1024
    return {key: body for key, body in ODD_KEYS if len(key.encode()) <= most}


@only_on(*MAKE, long=["swift"])
def test_the_pipeline(server, run, tmp_path):
    """Versions over several pages, delete markers, odd keys and parts are fetched, verified and
    deleted, each once; without versions nothing is deleted that could not be deleted on a
    condition.
    """
    client = make_bucket(server, "pipeline")
    objects = {f"bb{n:04d}": b"%d" % n for n in range(MANY[server.name])} | odd_keys(server.name)
    bodies, markers = put_all(client, "pipeline", objects), []
    if server.versions:
        bodies |= put_all(client, "pipeline", {
            key: b"second" for key in [*objects][:30 if server.name == "swift" else 100]})
        done = client.delete_object(Bucket="pipeline", Key="bb0000")
        markers = [("bb0000", done["VersionId"])]
    large = put_large(client, "pipeline", "large")
    head = client.head_object(Bucket="pipeline", Key="large")
    there = {*bodies, *markers, ("large", head.get("VersionId", ""))}
    assert server.name != "ceph" or len({key for key, _ in there}) > 2000
    if server.name == "swift":      # whose markers lead boto3 to an empty second page
        assert len(there) > 1000 and all_of(server, "pipeline") < there
    else:
        assert all_of(server, "pipeline") == there
    rows, text = carried(run, server, *["--versions"] * server.versions, "s3://pipeline/")
    assert {(row.key, row.version_id) for row in rows} == there and len(rows) == len(there)
    for row in rows:
        if not row.is_marker:
            assert row.state == "verified", row
            path = tmp_path / "d" / row.path
            assert path.is_dir() or path.read_bytes() == (
                large if row.key == "large" else bodies[row.key, row.version_id])
    pruned = run("s3-prune", "--yes", *["--delete-markers"] * server.versions, "-d", "d",
                 input=text, env=server.env, timeout=120)
    if server.versions:
        assert pruned.status == 0, pruned.err
        assert not all_of(server, "pipeline")
    else:
        assert pruned.status == 1
        assert all(row.state == "failed" and UNHEEDED in row.error
                   for row in read_rows(pruned.out))
        assert all_of(server, "pipeline") == there


def all_of(server, bucket):
    """Return {(key, version id)} that a server has; of one without versions the id is empty."""
    if server.versions:
        return versions_of(server.client(), bucket)
    pages = server.client().get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {(found["Key"], "") for page in pages for found in page.get("Contents", ())}


# --- s3-prune


@pytest.mark.parametrize("has_versions", [True, False], ids=["versions", "objects"])
def test_prune(server, run, tmp_path, has_versions):
    """What is proven goes, once; what was not verified, or whose file was changed, stays; so does
    what took its place since. --local removes no file that may be the only copy.
    """
    bucket = f"prune-{'versions' if has_versions else 'objects'}"
    client = make_bucket(server, bucket, has_versions)
    has_versions &= server.versions
    keys = ("proven", "unverified", "rewritten", "overwritten", "gone", "dir/a b+%41")
    bodies = put_all(client, bucket, {key: b"body of " + key.encode() for key in keys})
    rows, text = carried(run, server, *["--versions"] * has_versions, f"s3://{bucket}/")
    assert {(row.key, row.version_id) for row in rows} == bodies.keys()
    text = "".join(line.replace(",verified,", ",fetched,") if ",unverified," in line else line
                   for line in text.splitlines(keepends=True))
    (tmp_path / "d" / bucket / "rewritten").write_bytes(b"other")
    newer = put_all(client, bucket, {"overwritten": b"newer"})
    for key, version in [name for name in bodies if name[0] == "gone"]:
        client.delete_object(Bucket=bucket, Key=key, **{"VersionId": version} if version else {})
    for _ in range(2):
        done = run("s3-prune", "--yes", "-d", "d", input=text, env=server.env)
        assert done.status == 1, done.err
        found = {row.key: row for row in read_rows(done.out)}
        states = {key: found[key].state for key in keys}
        left = {key for key, _ in all_of(server, bucket)}
        assert states["unverified"] == "fetched" and states["rewritten"] == "failed"
        assert "its file was changed" in found["rewritten"].error
        if has_versions or server.conditions:
            assert states["proven"] == states["gone"] == states["dir/a b+%41"] == "pruned"
            assert states["overwritten"] == ("pruned" if has_versions else "conflict")
            assert left == {"unverified", "rewritten", "overwritten"}
        else:
            assert {found[key].error for key in ("proven", "dir/a b+%41")} == {
                f"kept in S3: {UNHEEDED}: what took the object's place would go with it"}
            assert left == set(keys) - {"gone"}
        body = client.get_object(Bucket=bucket, Key="overwritten")["Body"].read()
        assert body == b"newer" and newer.keys() <= all_of(server, bucket) | newer.keys()
    files_stay(server, run, tmp_path, bucket, found)


def files_stay(server, run, tmp_path, bucket, rows):
    """Assert that --local keeps the files of what was deleted, and removes what nobody knows."""
    now = run("s3-manifest", f"s3://{bucket}/", env=server.env)
    assert now.status == 0, now.err
    stray = tmp_path / "d" / bucket / "stray"
    stray.write_bytes(b"")
    time.sleep(0.1)
    (tmp_path / "now.csv").write_text(now.out)
    done = run("s3-prune", "--local", "--yes", "-d", "d", "now.csv", env=server.env)
    assert done.status == 0, done.err
    assert not stray.exists()
    for row in rows.values():
        if row.state == "pruned":
            assert (tmp_path / "d" / row.path).exists(), row


@only_on("seaweed", "ceph")
def test_null_versions_and_locks(server, run):
    """What cannot be deleted on a condition, or is locked, stays and says so; the rest goes."""
    client = make_bucket(server, "locked", ObjectLockEnabledForBucket=True)
    until = datetime.now(timezone.utc) + timedelta(days=1)
    client.put_object(Bucket="locked", Key="held", Body=b"1", ObjectLockMode="GOVERNANCE",
                      ObjectLockRetainUntilDate=until)
    client.put_object(Bucket="locked", Key="free", Body=b"2")
    client.create_bucket(Bucket="suspended")
    client.put_object(Bucket="suspended", Key="null", Body=b"3")
    client.put_bucket_versioning(Bucket="suspended",
                                 VersioningConfiguration={"Status": "Enabled"})
    client.put_object(Bucket="suspended", Key="with id", Body=b"4")
    rows, text = carried(run, server, "--versions", "s3://locked/", "s3://suspended/")
    assert {row.state for row in rows} == {"verified"}
    pruned = run("s3-prune", "--yes", "-d", "d", input=text, env=server.env)
    assert pruned.status == 1, pruned.err
    states = {row.key: (row.state, row.error) for row in read_rows(pruned.out)}
    assert states["free"] == states["with id"] == ("pruned", "")
    held = {"ceph": "locked", "seaweed": "failed"}      # SeaweedFS does not say why
    assert states["held"][0] == held[server.name] and "AccessDenied" in states["held"][1]
    assert {key for key, _ in versions_of(client, "locked")} == {"held"}
    if server.conditions:
        assert states["null"] == ("pruned", "") and not versions_of(client, "suspended")
    else:
        assert states["null"][0] == "failed" and UNHEEDED in states["null"][1]
        assert versions_of(client, "suspended") == {("null", "null")}


# --- s3-migrate


def test_migrate(server, run, tmp_path):
    """Three buckets, killed at any time and gone on with: in the end all is here, and nothing is
    there that could be deleted.
    """
    chance, client, was = random.Random(1), server.client(), {}
    buckets = ["journey-one", "journey-two", "journey-three"]
    for bucket in buckets:
        make_bucket(server, bucket, bucket != "journey-two")
        made = put_all(client, bucket, {f"dir {n % 5}/{n}": chance.randbytes(
            chance.randrange(1, 300_000)) for n in range(25)})
        was |= {(bucket, *name): body for name, body in made.items()}
    if server.versions:
        client.delete_object(Bucket="journey-one", Key="dir 1/1")
    before = {bucket: all_of(server, bucket) for bucket in buckets}
    kind = [] if server.versions else ["--current-only"]
    if kind:
        done = run("s3-migrate", "--no-delete", buckets[0], "-d", "d", env=server.env)
        assert done.status == 3 and "--current-only" in done.err
    words = [*kind, *buckets, *(word for bucket in buckets for word in ("--yes", bucket))]
    for seconds in (0.6, 1.2, 2.0):
        process = start(tmp_path, server.env, *words, "--limit-rate", "1M")
        time.sleep(seconds)
        assert process.poll() is None, "it ended before it was killed"
        process.kill()
        process.communicate(timeout=60)
        none_left(tmp_path)
    done = run("s3-migrate", *words, "-d", "d", env=server.env, timeout=120)
    gone = [bucket for bucket in buckets if server.versions and bucket != "journey-two"
            or server.conditions]
    assert done.status == (0 if gone == buckets else 1), done.err
    assert f"{len(gone)} of 3 buckets complete" in done.err
    for bucket in buckets:
        is_gone = bucket in gone
        assert all_of(server, bucket) == (set() if is_gone else before[bucket])
        assert is_gone or UNHEEDED in done.err
        last = tmp_path / "d/.s3kit/migration" / bucket / "5-pruned.csv"
        rows = {row.key: row for row in read_rows(last) if not row.is_marker}
        assert len(rows) == 25
        for row in rows.values():
            assert row.state == ("pruned" if is_gone else "failed"), row
            assert (tmp_path / "d" / row.path).read_bytes() == was[
                bucket, row.key, row.version_id.replace("null", "")]


# --- s3-policy

LIVE = {"swift": "NotImplemented", "rclone": "the server does not answer with a policy"}


def test_policy(server, run, tmp_path):
    """Planned, applied, checked and rolled back, by what other users may do; where there are no
    policies that is said, and the bucket stays as it was.
    """
    client = make_bucket(server, "frozen")
    client.put_object(Bucket="frozen", Key="k", Body=b"x")
    caller = ["--caller", server.arn("s3kit")]
    if not server.policies:
        for verb in (["plan", "-t", "read-only"], ["check"], ["backup"], ["rollback", "--yes"],
                     ["apply", "--yes"]):
            done = run("s3-policy", *verb, *caller, "frozen", env=server.env)
            assert done.status == 1 and done.out == "", done.out
            assert ("nothing is planned" if verb[0] == "apply"
                    else LIVE[server.name]) in done.err
        assert client.get_object(Bucket="frozen", Key="k")["Body"].read() == b"x"
        return
    old = {"Version": "2012-10-17", "Statement": [{
        "Sid": "Guests", "Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"],
        "Principal": {"AWS": [server.arn(name) for name in servers.GUESTS]},
        "Resource": ["arn:aws:s3:::frozen", "arn:aws:s3:::frozen/*"]}]}
    client.put_bucket_policy(Bucket="frozen", Policy=json.dumps(old))
    assert readers(server) == {"s3kit", "glass", "mallory"}
    done = run("s3-policy", "plan", "-t", "only-me", "--by", "username", "--exempt",
               server.arn("glass"), *caller, "frozen", env=server.env)
    assert done.status == 0, done.err
    assert readers(server) == {"s3kit", "glass", "mallory"}
    done = run("s3-policy", "apply", "--yes", *caller, "frozen", env=server.env)
    assert done.status == 0, done.out + done.err
    assert readers(server) == {"s3kit", "glass"}
    assert run("s3-policy", "diff", *caller, "frozen", env=server.env).status == 0
    done = run("s3-policy", "check", *caller, "frozen", env=server.env)
    assert done.status == 0, done.out + done.err
    done = run("s3-policy", "rollback", "--yes", *caller, "frozen", env=server.env)
    assert done.status == 0, done.out + done.err
    assert json.loads(client.get_bucket_policy(Bucket="frozen")["Policy"]) == old
    assert readers(server) == {"s3kit", "glass", "mallory"}


def readers(server):
    """Return the users who may read the object of bucket `frozen`."""
    found = set()
    for name, keys in {"s3kit": (), **servers.GUESTS}.items():
        try:
            server.client(*keys).get_object(Bucket="frozen", Key="k")
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403, error
        else:
            found.add(name)
    return found


# --- s3-doctor

CAN = {"seaweed": {"versions", "many deletions in one request", "ranges", "part sizes",
                   "checksums", "conditions"},
       "ceph": {"versions", "many deletions in one request", "ranges", "conditions"},
       "rclone": {"many deletions in one request", "checksums"},
       "swift": {"versions", "many deletions in one request", "ranges", "conditions"}}


def test_doctor(server, run):
    """What the server can do is told; a bucket whose first key is a control character has no
    fault for it; what is not answered is unknown, not unset.
    """
    client = make_bucket(server, "looked-at")
    first = "\x1b[31mred" if server.name == "ceph" else "red"
    put_all(client, "looked-at", {first: b"1", "z": b"2"})
    done = run("s3-doctor", "--json", "s3://looked-at/", env=server.env)
    assert done.status == 0, done.out + done.err
    found = [json.loads(line) for line in done.out.splitlines()]
    bad = [each["check"] for each in found if each["state"] not in ("ok", "note", "unknown")]
    assert set(bad) <= {"uploads"}, found       # that no rule ends unfinished ones
    abilities = next(each["abilities"] for each in found if each["check"] == "server")
    assert {name for name, can in abilities.items() if can} == CAN[server.name]
    assert not [name for name, can in abilities.items() if can is None]


# --- s3-put --uploads

# More than a page of S3's, where they begin and end fast; rclone takes few at a time.
UNFINISHED = {"seaweed": 1100, "ceph": 1100, "swift": 60, "rclone": 12}


def test_leftovers(server, run):
    """Unfinished uploads are listed, with keys of many kinds, those below a prefix alone; they are
    aborted, and the others stay.
    """
    client = make_bucket(server, "leftovers", has_versions=False)
    keys = ["logs/a b+c", "logs/\u00fc", "logs/%41", "logs/x&y", "other+1", "other+1"]
    keys += [f"logs/{number:04d}" for number in range(UNFINISHED[server.name])]
    number = f"{UNFINISHED[server.name] + 4:,}"

    def begin(key):
        made = client.create_multipart_upload(Bucket="leftovers", Key=key)["UploadId"]
        if not key.startswith("logs/0"):
            client.upload_part(Bucket="leftovers", Key=key, UploadId=made, PartNumber=1,
                               Body=b"x" * 1000)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(begin, keys))
    words = ["s3-put", "--uploads", "--to", "s3://leftovers/logs/"]
    done = run(*words, env=server.env, timeout=120)
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert sorted(line.partition(" logs/")[2] for line in lines) == sorted(
        key[5:] for key in keys if key.startswith("logs/")), done.err
    assert f"{number} unfinished uploads" in done.err
    done = run(*words, "--abort", env=server.env, timeout=200)
    assert done.status == 0 and f"{number} uploads aborted" in done.err, done.err
    done = run(*words[:-1], "s3://leftovers", env=server.env, timeout=120)
    assert [line.split()[1:3] + line.split()[-1:] for line in done.out.splitlines()] == [
        ["1000", "1", "other+1"]] * 2, done.out


# --- Ceph alone


@only_on("ceph")
@pytest.mark.parametrize("options", [["--versions"], [], ["--at", "2999-01-01"]])
def test_ceph_markers(rgw, run, options):
    """A page ends with a key that looks encoded, which RGW's marker does not encode once more."""
    client = rgw.client()
    if "markers" not in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]:
        client.create_bucket(Bucket="markers")
        client.put_bucket_versioning(Bucket="markers",
                                     VersioningConfiguration={"Status": "Enabled"})
        put_all(client, "markers", {f"b%7E{n:04d}": b"" for n in range(1500)} | {"c": b""})
    listed = run("s3-manifest", *options, "s3://markers/", env=rgw.env)
    assert listed.status == 0, listed.err
    assert len({row.key for row in read_rows(listed.out)}) == len(read_rows(listed.out)) == 1501


@only_on("ceph")
def test_ceph_policies(rgw, run):
    """A policy that RGW cannot enforce is never said to be applied: there the bucket's policy is
    what it was. One by the users' names is, and the owner keeps access.
    """
    client = rgw.client()
    client.create_bucket(Bucket="by-arn")
    client.put_object(Bucket="by-arn", Key="k", Body=b"x")
    caller = ["--caller", "arn:aws:iam:::user/s3kit"]
    planned = run("s3-policy", "plan", "-t", "only-me", "--exempt", "arn:aws:iam:::user/glass",
                  *caller, "by-arn", env=rgw.env)
    assert planned.status == 0, planned.err
    done = run("s3-policy", "apply", "--by", "arn", *caller, "--yes", "by-arn", env=rgw.env)
    assert done.status in (1, 3), done.out + done.err
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        client.get_bucket_policy(Bucket="by-arn")
    done = run("s3-policy", "apply", "--by", "username", *caller, "--yes", "by-arn", env=rgw.env)
    assert done.status == 0, done.out + done.err
    assert client.get_object(Bucket="by-arn", Key="k")["Body"].read() == b"x"
    assert "aws:username" in client.get_bucket_policy(Bucket="by-arn")["Policy"]
