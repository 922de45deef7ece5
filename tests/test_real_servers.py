"""The pipeline on real servers that are not Amazon's, by the word of boto3: what each can do is
done, and what it cannot do is said.
"""

import io
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import ceph
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from odd_keys import ODD_KEYS

from manifests import read_rows

PACKAGES = ("ceph-mon", "ceph-osd", "ceph", "radosgw", "radosgw-admin", "root")
LARGE = 70 << 20
UNHEEDED = "the server does not heed If-Match when it deletes"


@pytest.fixture(scope="module")
def rgw():
    """Ceph RGW."""
    with ceph.Ceph() as server:
        yield server


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


@pytest.mark.system("minutes")
def test_rclone(rclone, run, tmp_path):
    """Without versions, and ranges answered with 200: fetched and verified; nothing is deleted that
    could not be deleted on a condition.
    """
    client = rclone.client()
    client.create_bucket(Bucket="things")
    objects = {f"dir{n % 7}/k{n:04d}": b"%d" % n for n in range(1100)}
    objects |= {key: key.encode() for key in ("a b", "a+b", "é", "%41", "x&y", "%2525")}
    put_all(client, "things", objects)
    objects["large"] = put_large(client, "things", "large")
    rows, text = carried(run, rclone, "s3://things/")
    assert {row.key for row in rows} == set(objects) and len(rows) == len(objects)
    for row in rows:
        assert row.state == "verified" and (tmp_path / "d" / row.path).read_bytes() == objects[
            row.key]
    pruned = run("s3-prune", "--yes", "-d", "d", input=text, env=rclone.env)
    assert pruned.status == 1
    assert all(row.state == "failed" and UNHEEDED in row.error for row in read_rows(pruned.out))
    assert {found["Key"] for page in client.get_paginator("list_objects_v2").paginate(
        Bucket="things") for found in page["Contents"]} == set(objects)


@pytest.mark.system(*PACKAGES)
@pytest.mark.timeout(400)
def test_ceph_versions(rgw, run, tmp_path):
    """Versions over several pages, odd keys and parts are fetched, verified and deleted, each
    once.
    """
    client = rgw.client()
    client.create_bucket(Bucket="versions")
    client.put_bucket_versioning(Bucket="versions",
                                 VersioningConfiguration={"Status": "Enabled"})
    objects = {f"bb{n:04d}": b"%d" % n for n in range(1900)} | dict(ODD_KEYS)
    bodies = put_all(client, "versions", objects)
    bodies |= put_all(client, "versions", {key: b"second" for key in [*objects][:100]})
    put_large(client, "versions", "large")
    client.delete_object(Bucket="versions", Key="bb0000")
    there = versions_of(client, "versions")
    assert len(there) == len(bodies) + 2 > 2000
    rows, text = carried(run, rgw, "--versions", "s3://versions/")
    assert {(row.key, row.version_id) for row in rows} == there and len(rows) == len(there)
    for row in rows:
        if not row.is_marker and row.key != "large":
            assert row.state == "verified", row
            path = tmp_path / "d" / row.path
            assert path.is_dir() or path.read_bytes() == bodies[row.key, row.version_id]
    pruned = run("s3-prune", "--yes", "--delete-markers", "-d", "d", input=text, env=rgw.env,
                 timeout=120)
    assert pruned.status == 0, pruned.err
    assert not versions_of(client, "versions")


@pytest.mark.system(*PACKAGES)
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


@pytest.mark.system(*PACKAGES)
def test_ceph_null_versions_and_locks(rgw, run):
    """What cannot be deleted on a condition, or is locked, stays and says so; the rest goes."""
    client = rgw.client()
    client.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    until = datetime.now(timezone.utc) + timedelta(days=1)
    client.put_object(Bucket="locked", Key="held", Body=b"1", ObjectLockMode="GOVERNANCE",
                      ObjectLockRetainUntilDate=until)
    client.put_object(Bucket="locked", Key="free", Body=b"2")
    client.create_bucket(Bucket="suspended")
    client.put_object(Bucket="suspended", Key="null", Body=b"3")
    client.put_bucket_versioning(Bucket="suspended",
                                 VersioningConfiguration={"Status": "Enabled"})
    client.put_object(Bucket="suspended", Key="with id", Body=b"4")
    rows, text = carried(run, rgw, "--versions", "s3://locked/", "s3://suspended/")
    assert {row.state for row in rows} == {"verified"}
    pruned = run("s3-prune", "--yes", "-d", "d", input=text, env=rgw.env)
    assert pruned.status == 1, pruned.err
    states = {row.key: (row.state, row.error) for row in read_rows(pruned.out)}
    assert states["free"] == states["with id"] == ("pruned", "")
    assert states["held"][0] == "locked" and states["null"][0] == "failed"
    assert UNHEEDED in states["null"][1]
    assert {key for key, _ in versions_of(client, "locked")} == {"held"}
    assert versions_of(client, "suspended") == {("null", "null")}


@pytest.mark.system(*PACKAGES)
def test_ceph_policies(rgw, run):
    """A policy that RGW cannot enforce is never said to be applied: there the bucket's policy is
    what it was. One by the users' names is, and the owner keeps access.
    """
    client = rgw.client()
    client.create_bucket(Bucket="frozen")
    client.put_object(Bucket="frozen", Key="k", Body=b"x")
    caller = ["--caller", "arn:aws:iam:::user/s3kit"]
    planned = run("s3-policy", "plan", "-t", "only-me", "--exempt", "arn:aws:iam:::user/glass",
                  *caller, "frozen", env=rgw.env)
    assert planned.status == 0, planned.err
    done = run("s3-policy", "apply", "--by", "arn", *caller, "--yes", "frozen", env=rgw.env)
    assert done.status in (1, 3), done.out + done.err
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        client.get_bucket_policy(Bucket="frozen")
    done = run("s3-policy", "apply", "--by", "username", *caller, "--yes", "frozen", env=rgw.env)
    assert done.status == 0, done.out + done.err
    assert client.get_object(Bucket="frozen", Key="k")["Body"].read() == b"x"
    assert "aws:username" in client.get_bucket_policy(Bucket="frozen")["Policy"]
