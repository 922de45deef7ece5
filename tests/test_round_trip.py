"""Up by s3-put, down by s3-fetch, on real servers: the trees are equal, and an independent reader
(boto3) confirms what every row's proof rests on.
"""

import base64
import filecmp
import hashlib
import random
import zlib
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
import servers
from botocore.config import Config
from fakes3 import FakeS3
from odd_keys import KEYS
from test_real_servers import MAKE, NEEDS

from manifests import read_rows

MIB = 1 << 20
GIB = 1 << 30
# What these servers cannot hold under its own name (all are of S3's 1,024 bytes at most).
NOT_SEAWEEDS = {"back\\slash"}
NOT_MOTOS = {"x\ny"}
SERVERS = {"fake": (FakeS3, set()), "seaweed": (MAKE["seaweed"], NOT_SEAWEEDS),
           "moto": (servers.Moto, NOT_MOTOS), "ministack": (servers.Ministack, set()),
           "ceph": (MAKE["ceph"], set())}


def is_name(key):
    """Return whether a key can be the path of a file, and be nothing else."""
    names = key.split("/")
    return len(key.encode()) < 1000 and all(
        name not in ("", ".", "..") and len(name.encode()) <= 255 for name in names)


def can_stand_beside(key, others):
    """Return whether no other key is a directory of it."""
    return not any(other != key and other.startswith(f"{key}/") for other in others)


NAMES = [key for key in map(lambda key: key.strip("/"), KEYS) if is_name(key)]
ODD = [name for name in dict.fromkeys(NAMES) if can_stand_beside(name, NAMES)]
ODD += [f"odd {number} {mark}" for number, mark in enumerate("%+&=?#;:,~$!'()*@[]{}|^`<>")]


def lay(folder, small, large, leave):
    """Make the tree: so many small files, 90 odd names, one large file."""
    noise = random.Random(15)
    for number in range(small):
        path = folder / f"{number % 20:02d}" / f"{number}.dat"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(noise.randbytes(noise.randrange(3000)))
    odd = [name for name in ODD if name not in leave]
    assert len(odd) >= 90 - len(leave)
    for name in odd:
        path = folder / "odd" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    with open(folder / "large", "wb") as file:
        for _ in range(large // (16 * MIB)):
            file.write(noise.randbytes(16 * MIB))
        file.write(b"and a part that is short")


def client_of(server):
    """Return a boto3 client of a server."""
    return boto3.client("s3", endpoint_url=server.url, aws_access_key_id=server.access_key,
                        aws_secret_access_key=server.secret_key, region_name="us-east-1",
                        config=Config(s3={"addressing_style": "path"}, max_pool_connections=16))


def confirmed(client, row, body):
    """Return whether a server's own word on a copy is what the row's proof says, of these bytes."""
    told = client.head_object(Bucket=row.bucket, Key=row.key, ChecksumMode="ENABLED",
                              **{"VersionId": row.version_id} if row.version_id
                              not in ("", "null") else {})
    kind, _, step = row.proof.partition(":")
    etag = told["ETag"].strip('"')
    parts = [body[at:at + int(step)] for at in range(0, len(body), int(step))] if step else []
    if kind == "crc32":
        return told["ChecksumCRC32"] == b64(zlib.crc32(body).to_bytes(4, "big"))
    if kind == "crc32-parts":
        sums = b"".join(zlib.crc32(part).to_bytes(4, "big") for part in parts)
        return told["ChecksumCRC32"].partition("-")[0] == b64(zlib.crc32(sums).to_bytes(4, "big"))
    if kind == "etag-md5-parts":
        sums = b"".join(hashlib.md5(part).digest() for part in parts)
        return etag == f"{hashlib.md5(sums).hexdigest()}-{len(parts)}"
    return kind == "etag-md5" and etag == hashlib.md5(body).hexdigest()


def b64(data):
    """Return bytes in base64."""
    return base64.b64encode(data).decode()


@pytest.mark.parametrize("small, large", [
    pytest.param(200, 32 * MIB, marks=pytest.mark.timeout(300)),
    pytest.param(2000, GIB, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
@pytest.mark.parametrize("name", [
    pytest.param(name, marks=pytest.mark.system(*NEEDS.get(name, ["minutes"])))
    for name in SERVERS])
def test_a_tree_goes_up_and_comes_down(pipe, tmp_path, name, small, large):
    """All rows are stored with a content proof that boto3 confirms; what comes down is what went
    up.
    """
    make, leave = SERVERS[name]
    tree = tmp_path / "tree"
    lay(tree, small, large, leave)
    with make() as server:
        env = {"AWS_ENDPOINT_URL_S3": server.url, "AWS_ACCESS_KEY_ID": server.access_key,
               "AWS_SECRET_ACCESS_KEY": server.secret_key, "AWS_REGION": "us-east-1"}
        client = client_of(server)
        client.create_bucket(Bucket="trip")
        done = pipe("s3-manifest tree | s3-put --to s3://trip/p/ -d tree -o up.csv", env=env,
                    timeout=1500)
        assert done.status == [0, 0], done.err
        rows = read_rows(tmp_path / "up.csv")
        assert {row.state for row in rows} == {"stored"} and len(rows) >= small + 89
        with ThreadPoolExecutor(8) as threads:
            wrong = [row for row, is_true in zip(rows, threads.map(lambda row: confirmed(
                client, row, (tree / row.path).read_bytes()), rows)) if not is_true]
        assert not wrong
        done = pipe("s3-manifest s3://trip/p/ | s3-fetch -d down -o down.csv", env=env,
                    timeout=1500)
        assert done.status == [0, 0], done.err
        assert same_bytes(tree, tmp_path / "down", read_rows(tmp_path / "down.csv"))


def same_bytes(tree, down, rows):
    """Return whether what was fetched is what went up: every file, by its key."""
    came = {row.key.removeprefix("p/"): down / row.path for row in rows}
    went = {path.relative_to(tree).as_posix(): path for path in tree.rglob("*")
            if path.is_file() and path.relative_to(tree).parts[0] != ".s3kit"}
    return came.keys() == went.keys() and all(
        filecmp.cmp(went[key], came[key], shallow=False) for key in went)
