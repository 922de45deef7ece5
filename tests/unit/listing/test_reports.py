"""Reports in the buckets where Amazon's S3 writes them."""

import gzip
from types import SimpleNamespace

import pytest
from inventories import report, version
from odd_keys import KEYS

from s3kit.errors import Fault
from s3kit.listing import reports
from s3kit.s3.address import Endpoint

ORDER = [version(key) for key in sorted(KEYS)]
TOP = "inv/src/daily/2026-01-02T00-00Z/manifest.json"
ARGS = SimpleNamespace(from_form="inventory", bucket=None)


@pytest.fixture
def access(fake):
    """What a run has of the fake's buckets."""
    def endpoint(bucket):
        return Endpoint(bucket, f"{fake.url}/{bucket}", "us-east-1", fake.access_key,
                        fake.secret_key)
    fake.bucket("inventories")
    return SimpleNamespace(endpoint=endpoint, renewed=None)


def put(fake, files, bucket="inventories", rename=lambda key: key):
    """Put the files of a report into a bucket."""
    for key, data in files.items():
        fake.put(bucket, rename(key), data)


def read(access, bucket="inventories", key=TOP):
    """Return the rows of a report."""
    return [row for rows in reports.opened(access, ARGS, bucket, key, lambda: None).batches()
            for row in rows]


@pytest.mark.parametrize("kind", ["CSV", "Parquet", "ORC"])
def test_a_report(fake, access, kind):
    """Each data file is asked for once, in its turn."""
    put(fake, report([ORDER[:40], ORDER[40:]], kind))
    assert [row.key for row in read(access)] == sorted(KEYS)
    assert len([request for request in fake.log if "/data/" in request.key]) == 2


def test_where_data_files_lie(fake, access):
    """In the bucket of the manifest.json; in its destination bucket, where that alone was copied;
    with one slash where its key has two.
    """
    files = report([ORDER])
    put(fake, files, "copies")
    assert len(read(access, "copies")) == len(KEYS)
    fake.put("alone", TOP, files[TOP])
    with pytest.raises(Fault, match="cannot read 's3://inventories/inv/src/daily/data/"):
        read(access, "alone")
    put(fake, files)
    assert len(read(access, "alone")) == len(KEYS)
    put(fake, report([ORDER], prefix="double//"), rename=lambda key: key.replace("//", "/"))
    assert len(read(access, key=TOP.replace("inv/", "double/"))) == len(KEYS)


def test_a_compressed_manifest(fake, access):
    files = report([ORDER])
    files[f"{TOP}.gz"] = gzip.compress(files[TOP])
    put(fake, files)
    assert len(read(access, key=f"{TOP}.gz")) == len(KEYS)


@pytest.mark.parametrize("kind", ["CSV", "Parquet"])
def test_wrong_bytes(fake, access, kind):
    """The MD5 is that of what came."""
    files = report([ORDER], kind)
    put(fake, files)
    data = next(key for key in files if "/data/" in key)
    fake.put("inventories", data, report([ORDER[1:]], kind)[data])
    with pytest.raises(Fault, match="the data file .* has"):
        read(access)


def test_beside(fake, access):
    """manifest.checksum is heeded; where it may not be read, there is none."""
    files = report([ORDER])
    put(fake, files)
    beside = TOP.replace(".json", ".checksum")
    fake.put("inventories", beside, b"0" * 32)
    with pytest.raises(Fault, match="its MD5 is not the one"):
        read(access)
    fake.fault("status", beside, times=None, status=403, code="AccessDenied")
    assert len(read(access)) == len(KEYS)


def test_a_form_of_files_here(access):
    """It is said that it must be fetched first."""
    args = SimpleNamespace(from_form="keys", bucket=None)
    with pytest.raises(Fault, match="is not read from S3"):
        reports.opened(access, args, "b", "k", lambda: None)
