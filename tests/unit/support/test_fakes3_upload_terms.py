"""The fake S3's uploads: conditions, encryption, locks, tags and metadata of what is written."""

from datetime import datetime, timedelta, timezone

import pytest
from fakes3 import DAY

from uploading import Uploading, ask, code, digest, error_of, md5, refused

LOCK = ("<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
        "<Mode>COMPLIANCE</Mode><Days>5</Days></DefaultRetention></Rule>")
KMS = ("<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm>"
       "</ApplyServerSideEncryptionByDefault></Rule>")
CONFLICT = ("ConditionalRequestConflict", "The conditional request cannot succeed due to a "
            "conflicting operation against this resource.")


@pytest.fixture
def put(client):
    """Return put(**more): PutObject of `k`."""
    return lambda **more: client.put_object(**{"Bucket": "b", "Key": "k", "Body": b"x", **more})


def upload_of(client, key="k"):
    """Return an upload with one part."""
    upload = Uploading(client, key)
    upload.part(1, b"parts")
    return upload


# --- conditions


def test_conditions_that_s3_does_not_know(put):
    """If-Match: *, If-None-Match of an ETag, and both at once: 501."""
    assert code(put, IfMatch="*") == (501, "NotImplemented")
    assert code(put, IfNoneMatch='"x"') == (501, "NotImplemented")
    assert code(put, IfNoneMatch="*", IfMatch='"x"') == (501, "NotImplemented")


@pytest.mark.parametrize("versioning", [None, "Enabled"])
def test_completions_on_a_condition(s3, client, versioning):
    """412 leaves the upload; If-Match of what is gone is a 404; a delete marker is nothing."""
    s3.bucket("b", versioning=versioning)
    assert upload_of(client).refused(IfMatch='"x"')[0] == "NoSuchKey"
    upload_of(client).complete(IfNoneMatch="*")
    etag = s3.get("b", "k").etag
    upload = upload_of(client)
    assert upload.refused(IfNoneMatch="*")[0] == "PreconditionFailed"
    assert upload.refused(IfMatch='"x"')[0] == "PreconditionFailed"
    upload.complete(IfMatch=etag)
    s3.delete("b", "k")
    assert upload_of(client).refused(IfMatch=etag)[0] == "NoSuchKey"
    upload_of(client).complete(IfNoneMatch="*")


def test_what_happens_while_an_upload_runs(s3, client):
    """An object that is put or deleted since it began: 409, and the upload is gone; with other
    conditions nothing happens.
    """
    s3.put("b", "k", b"1")
    upload = upload_of(client)
    s3.put("b", "k", b"2")
    assert upload.refused(IfNoneMatch="*")[0] == "PreconditionFailed"
    assert upload.refused(IfMatch=s3.get("b", "k").etag) == CONFLICT
    assert code(client.list_parts, **upload.where) == (404, "NoSuchUpload")
    upload = upload_of(client)
    s3.delete("b", "k")
    assert upload.refused(IfNoneMatch="*") == CONFLICT
    assert not s3.buckets["b"].uploads
    upload = upload_of(client)
    s3.put("b", "k", b"3")
    s3.delete("b", "k")
    upload.complete(IfNoneMatch="*")        # nothing was there when it began, nor is now
    upload = upload_of(client)
    s3.put("b", "k", b"4")
    upload.complete()
    assert s3.get("b", "k").body == b"parts"


# --- answers


def test_what_answers_tell(s3, client, put):
    """Version, ETag, checksum, its type: of one request and of parts."""
    s3.bucket("b", versioning="Enabled")
    crc = digest("CRC32", b"x")
    one = put(ChecksumCRC32=crc)
    assert (one["VersionId"], one["ETag"], one["ChecksumCRC32"], one["ChecksumType"]) == (
        s3.get("b", "k").id, s3.get("b", "k").quoted_etag, crc, "FULL_OBJECT")
    two = upload_of(client).complete()
    assert (two["VersionId"], two["ETag"]) == (s3.get("b", "k").id, s3.get("b", "k").quoted_etag)
    assert two["ChecksumCRC64NVME"] == digest("CRC64NVME", b"parts")


def test_metadata(s3, client, put):
    """It comes back, from parts, too; 2 KB are all that S3 takes."""
    known = {"Metadata": {"mtime": "1700000000.5", "a": "%C3%A9"}, "ContentType": "text/x",
             "StorageClass": "STANDARD_IA", "ContentLanguage": "de"}
    upload = Uploading(client, "parts", **known)
    upload.part(1, b"x")
    upload.complete()
    put(**known)
    for key in ("k", "parts"):
        head = client.head_object(Bucket="b", Key=key)
        assert {name: head[name] for name in known} == known
    assert code(put, Metadata={"a": "x" * 2048}) == (400, "MetadataTooLarge")
    put(Metadata={"a": "x" * 2047})


@pytest.mark.parametrize("name", ["x-amz-grant-read", "x-amz-write-offset-bytes",
                                  "x-amz-server-side-encryption-customer-algorithm"])
def test_what_is_not_there_is_refused(open3, name):
    """Nothing that a client asks for is passed over."""
    assert error_of(ask(open3, "PUT", "k", {name: "x"}, b"x")) == "NotImplemented"
    assert error_of(ask(open3, "POST", "k", {name: "x"}, query="?uploads")) == "NotImplemented"


# --- tags


def test_tags(client, put):
    """Given with the object or later; how many, a HEAD tells."""
    put(Tagging="a=1&b=%C3%A9")
    upload = Uploading(client, "parts", Tagging="a=1&b=%C3%A9")
    upload.part(1, b"x")
    upload.complete()
    for key in ("k", "parts"):
        where = {"Bucket": "b", "Key": key}
        assert client.head_object(**where)["TagCount"] == 2
        assert client.get_object_tagging(**where)["TagSet"] == [{"Key": "a", "Value": "1"},
                                                                {"Key": "b", "Value": "é"}]
        client.put_object_tagging(**where, Tagging={"TagSet": [{"Key": "c", "Value": ""}]})
        assert client.get_object_tagging(**where)["TagSet"] == [{"Key": "c", "Value": ""}]
        client.delete_object_tagging(**where)
        assert client.get_object_tagging(**where)["TagSet"] == []
        assert "TagCount" not in client.head_object(**where)
    for wrong in ("a=1&a=2", "a=1,b=2"):
        assert code(put, Tagging=wrong) == (400, "InvalidArgument")
    assert code(put, Tagging="&".join(f"k{n}=" for n in range(11))) == (400, "BadRequest")
    assert code(put, Tagging="aws:a=1") == (400, "InvalidTag")
    assert code(client.get_object_tagging, Bucket="b", Key="gone") == (404, "NoSuchKey")


# --- encryption


def test_kms(s3, client, put):
    """The key is told, the ETag is no MD5, and a completion tells no checksum: a HEAD does."""
    known = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "arn:aws:kms:us-east-1:1:key/x",
             "BucketKeyEnabled": True}
    one = put(**known, ContentMD5=md5(b"x"))
    assert {name: one[name] for name in known} == known
    assert one["ETag"] != put()["ETag"] and one["ChecksumCRC64NVME"]
    upload = Uploading(client, "parts", **known)
    part = upload.part(1, b"x")
    done = upload.complete()
    for said in (upload.made, part, done, client.head_object(Bucket="b", Key="parts")):
        assert {name: said[name] for name in known} == known
    assert part["ETag"] != put()["ETag"]
    assert "ChecksumCRC64NVME" not in done
    head = client.head_object(Bucket="b", Key="parts", ChecksumMode="ENABLED")
    assert head["ChecksumCRC64NVME"] == digest("CRC64NVME", b"x")


def test_encryption_by_default(s3, put):
    """What the bucket says, where the request says nothing."""
    assert put()["ServerSideEncryption"] == "AES256"
    plain = put()["ETag"]
    s3.bucket("b").settings["encryption"] = KMS
    found = put()
    assert (found["ServerSideEncryption"], found["ETag"] == plain) == ("aws:kms", False)
    assert found["SSEKMSKeyId"].startswith("arn:aws:kms:")
    assert put(ServerSideEncryption="AES256")["ETag"] == plain


def test_encryption_that_makes_no_sense(put):
    """Of another kind, or a key without KMS."""
    assert code(put, ServerSideEncryption="rot13") == (400, "InvalidArgument")
    assert code(put, SSEKMSKeyId="x") == (400, "InvalidArgument")


# --- locks


def test_a_bucket_that_locks_wants_digests(s3, client, put):
    """Of objects and of parts: Content-MD5 or a checksum; x-amz-content-sha256 does not count."""
    s3.bucket("b", versioning="Enabled").settings["object-lock"] = LOCK
    wanted = ("Content-MD5 OR x-amz-checksum- HTTP header is required for Put {} requests with "
              "Object Lock parameters")
    assert refused(put) == (400, "InvalidRequest", wanted.format("Object"))
    upload = Uploading(client)
    assert refused(upload.part, 1, b"x") == (400, "InvalidRequest", wanted.format("Part"))
    assert not s3.versions("b")
    put(ContentMD5=md5(b"x"))
    put(ChecksumCRC32=digest("CRC32", b"x"))
    upload.part(1, b"x", ContentMD5=md5(b"x"))
    upload.complete()
    head = client.head_object(Bucket="b", Key="k")
    left = head["ObjectLockRetainUntilDate"] - datetime.now(timezone.utc)
    assert head["ObjectLockMode"] == "COMPLIANCE"
    assert timedelta(days=4) < left <= timedelta(days=5)
    version = {"Bucket": "b", "Key": "k", "VersionId": head["VersionId"]}
    assert code(client.delete_object, **version) == (403, "AccessDenied")
    s3.clock.advance(6 * DAY)
    client.delete_object(**version)


def test_locks_of_a_request(s3, client, put):
    """They want digests, and a bucket that can lock."""
    until = datetime.now(timezone.utc) + timedelta(days=1)
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until}
    digested = {"ContentMD5": md5(b"x")}
    assert refused(put, **lock, **digested) == (400, "InvalidRequest",
                                                "Bucket is missing Object Lock Configuration")
    s3.bucket("b", versioning="Enabled").settings["object-lock"] = LOCK.partition("<Rule>")[0]
    put()                               # nothing is locked
    for wanting in (lock, {"ObjectLockLegalHoldStatus": "ON"}):
        assert code(put, **wanting) == (400, "InvalidRequest")
        put(**wanting, **digested)
        assert code(client.delete_object, Bucket="b", Key="k",
                    VersionId=s3.get("b", "k").id) == (403, "AccessDenied")
    assert client.head_object(Bucket="b", Key="k")["ObjectLockLegalHoldStatus"] == "ON"
    for wrong in ({"ObjectLockMode": "GOVERNANCE"}, {**lock, "ObjectLockMode": "FOREVER"},
                  {**lock, "ObjectLockRetainUntilDate": datetime(2020, 1, 1)}):
        assert code(put, **wrong, **digested) == (400, "InvalidArgument")
