"""The fake's Snowball adapter: what it can do, and what it does otherwise."""

import hashlib

import pytest
from fakes3 import FakeS3

from uploading import Uploading, ask, client_of, code, digest, refused

B, BK = {"Bucket": "b"}, {"Bucket": "b", "Key": "k"}
WHOLE = {"Bucket": "b", "Delete": {"Objects": [{"Key": "k"}]}}
MD5 = hashlib.md5(b"body").hexdigest()


@pytest.fixture
def s3():
    """A fake with an object."""
    with FakeS3(character="snowball") as server:
        server.put("b", "k", b"body")
        server.min_part = 1
        yield server


@pytest.mark.parametrize("call, more", [
    ("list_objects_v2", B), ("list_object_versions", B), ("get_bucket_versioning", B),
    ("get_bucket_location", B), ("delete_objects", WHOLE), ("create_bucket", {"Bucket": "new"}),
    ("get_object_attributes", {**BK, "ObjectAttributes": ["ETag"]}), ("get_object_tagging", BK),
    ("get_object", {**BK, "VersionId": "other"}), ("list_parts", {**BK, "UploadId": "x"}),
    ("copy_object", {**BK, "CopySource": "b/k"}), ("restore_object", {**BK, "RestoreRequest": {}})])
def test_what_it_cannot_do(s3, client, call, more):
    """It says so."""
    status, name, words = refused(getattr(client, call), **more)
    assert (status, name, words) == (501, "NotImplemented", "The action is not supported.")


def test_its_name_is_in_each_answer(s3):
    """In those that refuse, too."""
    s3.sign = False
    answers = [ask(s3, "GET", key, query=query) for key, query in (
        ("k", ""), ("gone", ""), ("", ""), ("", "?versioning"), ("", "?list-type=2"))]
    assert [status for status, _, _ in answers] == [200, 404, 200, 501, 501]
    assert {headers["server"] for _, headers, _ in answers} == {"AWSSnowball"}


def test_a_listing_is_one_answer_in_no_order(s3, client):
    """Whatever is said of pages, markers and delimiters; a prefix counts."""
    keys = [f"{folder}/{n:04d}" for folder in "ab" for n in range(600)]
    for key in keys:
        s3.put("b", key)
    answer = client.list_objects(Bucket="b", MaxKeys=10, Marker="b/", Delimiter="/")
    found = [entry["Key"] for entry in answer["Contents"]]
    assert sorted(found) == sorted([*keys, "k"]) and found != sorted(found)
    assert not answer["IsTruncated"] and "CommonPrefixes" not in answer
    assert len(client.list_objects(Bucket="b", Prefix="a/")["Contents"]) == 600
    s3.character.most = 7
    answer = client.list_objects(Bucket="b")
    assert len(answer["Contents"]) == 7 and not answer["IsTruncated"]


def test_the_region_is_snow(s3, client):
    """Signatures for another are none."""
    client.head_bucket(Bucket="b")
    s3.home = "us-east-1"
    other = client_of(s3)
    s3.home = "snow"
    other.head_bucket(Bucket="b")       # botocore asks again, for the region that it was told
    assert [request.status for request in s3.requests()] == [200, 400, 200]
    other.close()


def test_an_upload_that_begins_deletes_what_is_there(s3, client):
    """Whether it is completed or not."""
    upload = Uploading(client)
    assert not s3.versions("b")
    upload.part(1, b"new")
    upload.complete()
    assert s3.get("b", "k").body == b"new"


def test_conditions_are_not_heeded(s3, client):
    """Of reads and writes."""
    assert client.get_object(**BK, IfMatch='"x"')["ETag"] == f'"{MD5}"'
    client.put_object(**BK, Body=b"x", IfNoneMatch="*")
    client.delete_object(**BK, IfMatch='"x"')
    assert not s3.versions("b")


def test_limits(s3, client):
    """Of keys, and of parts."""
    client.put_object(Bucket="b", Key="k" * 933)
    for call in (client.put_object, client.create_multipart_upload):
        assert code(call, Bucket="b", Key="k" * 934) == (400, "KeyTooLongError")
    s3.character.largest_part = 3
    assert code(Uploading(client).part, 1, b"more") == (400, "EntityTooLarge")


def test_bodies_in_chunks_are_refused(s3):
    """As boto3 of today would send them over HTTPS."""
    s3.sign = False
    headers = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
               "x-amz-decoded-content-length": "1"}
    status, _, body = ask(s3, "PUT", "k", headers, b"1\r\nx\r\n0\r\n\r\n")
    assert status == 501 and b"Chunked encoding is not supported." in body


def test_what_is_accepted_and_ignored(s3, client):
    """Classes, encryption, tags, checksums, also those that are wrong."""
    answer = client.put_object(**BK, Body=b"body", StorageClass="GLACIER", Tagging="a=b",
                               ServerSideEncryption="aws:kms", SSEKMSKeyId="x",
                               ChecksumCRC32=digest("CRC32", b"another"))
    assert answer["ETag"] == f'"{MD5}"' and "ChecksumCRC32" not in answer
    there = s3.get("b", "k")
    assert (there.storage_class, there.tags, there.sse) == ("STANDARD", {}, "AES256")
    assert client.list_objects(Bucket="b")["Contents"][0]["StorageClass"] == "STANDARD"


def test_etags_that_are_no_md5s(s3, client):
    """They look like some."""
    s3.character.is_md5 = False
    upload = Uploading(client)
    upload.part(1, b"body")
    for etag in (client.put_object(**BK, Body=b"body")["ETag"], upload.complete()["ETag"]):
        assert len(etag) == 34 and etag != f'"{MD5}"'
