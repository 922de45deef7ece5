"""The fake S3's characters: what servers that are not Amazon's do with uploads."""

import hashlib

import pytest
from fakes3 import CHARACTERS, FakeS3

from uploading import Uploading, client_of, code, digest, md5, refused

CRC32, CRC64 = ({f"Checksum{name}": digest(name, b"body")} for name in ("CRC32", "CRC64NVME"))
MD5 = hashlib.md5(b"body").hexdigest()
SUMS = ("ChecksumCRC32", "ChecksumCRC64NVME", "ChecksumType", "ChecksumAlgorithm")


class Place:
    """A fake of a character: `s3`, `client`, and what one does there."""

    def __init__(self, s3):
        self.s3, self.client = s3, client_of(s3)

    def put(self, **more):
        """Put `k`."""
        return self.client.put_object(**{"Bucket": "b", "Key": "k", "Body": b"body", **more})

    def upload(self, part=None, **declared):
        """Return an upload with one part, of which `part` says more."""
        made = Uploading(self.client, **declared)
        made.answer = made.part(1, b"body", **(part or {}))
        return made

    def head(self):
        """Return what a HEAD says."""
        return self.client.head_object(Bucket="b", Key="k", ChecksumMode="ENABLED")


@pytest.fixture
def place():
    """Return place(character) -> Place."""
    made = []

    def place(name=None):
        server = FakeS3(character=name)
        server.bucket("b")
        server.min_part = 1
        made.append(Place(server.start()))
        return made[-1]

    yield place
    for each in made:
        each.client.close()
        each.s3.stop()
        assert not each.s3.errors


def sums(*answers):
    """Return the checksums that answers name."""
    return {name for answer in answers for name in SUMS if name in answer}


# `redirecting` answers each request once with another.
@pytest.mark.parametrize("name", [None, *sorted(set(CHARACTERS) - {"redirecting"})])
def test_what_all_take(place, name):
    """Objects and uploads without checksums, whose digest is Content-MD5."""
    there = place(name)
    assert there.put(ContentMD5=md5(b"body"))["ETag"]
    assert there.s3.get("b", "k").body == b"body"
    assert code(there.put, ContentMD5=md5(b"another")) == (400, "BadDigest")
    there.upload({"ContentMD5": md5(b"body")}).complete()
    assert there.s3.get("b", "k").parts
    upload = there.upload()
    there.client.abort_multipart_upload(**upload.where)
    assert not there.s3.buckets["b"].uploads


@pytest.mark.parametrize("name", [None, "bos"])
def test_parts_are_listed_where_no_object_is_yet(place, name):
    """A list of parts says nothing of the key's object."""
    there = place(name)
    upload = there.upload()
    [part] = there.client.list_parts(**upload.where)["Parts"]
    assert part["Size"] == len(b"body") and not there.s3.get("b", "k")


@pytest.mark.parametrize("name", ["no-checksums", "ceph", "exoscale", "gcs"])
def test_checksums_that_are_passed_over(place, name):
    """Neither held against the body nor told, not even wrong ones."""
    there = place(name)
    wrong = {"ChecksumCRC64NVME": digest("CRC64NVME", b"another")}
    answers = [there.put(**wrong)]
    upload = there.upload(wrong, ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT")
    answers += [upload.made, upload.answer, there.client.list_parts(**upload.where),
                there.client.list_parts(**upload.where)["Parts"][0]]
    answers += [upload.complete(**wrong, ChecksumType="FULL_OBJECT")]
    if name != "gcs":
        answers += [there.head()]
    assert not sums(*answers) and there.s3.get("b", "k").body == b"body"


def test_etags_that_prove(place):
    """MD5s where checksums are passed over."""
    there = place("no-checksums")
    assert there.put()["ETag"] == there.upload().answer["ETag"] == f'"{MD5}"'
    assert there.upload().complete()["ETag"] == (
        f'"{hashlib.md5(bytes.fromhex(MD5)).hexdigest()}-1"')


def test_nothing_proves(place):
    """No checksum, and ETags that look like MD5s and are none, of objects and of parts."""
    there = place("exoscale")
    etags = {there.put()["ETag"], there.upload().answer["ETag"], there.upload().complete()["ETag"]}
    assert not [etag for etag in etags if etag == f'"{MD5}"' or len(etag) != 34]
    assert not sums(there.put(), there.head())


def test_no_crc64nvme(place):
    """Refused by whatever name; CRC32 is checked and told; nothing is told unasked."""
    there = place("no-crc64nvme")
    wanted = (400, "InvalidRequest", "Checksum algorithm not supported: CRC64NVME")
    assert refused(there.put, **CRC64) == wanted
    assert refused(there.upload, ChecksumAlgorithm="CRC64NVME") == wanted
    assert refused(there.upload, CRC64) == wanted
    assert not sums(there.put(), there.head(), there.upload().complete(), there.head())
    assert there.put(**CRC32)["ChecksumCRC32"] == CRC32["ChecksumCRC32"]
    assert code(there.put, ChecksumCRC32=digest("CRC32", b"x")) == (400, "BadDigest")
    upload = there.upload(CRC32, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    done = upload.complete(**CRC32, ChecksumType="FULL_OBJECT")
    assert (done["ChecksumCRC32"], done["ChecksumType"]) == (CRC32["ChecksumCRC32"], "FULL_OBJECT")
    assert there.head()["ChecksumCRC32"] == CRC32["ChecksumCRC32"]


def test_composite_sums(place):
    """What is said of types is passed over: the value of the whole is not what is held against."""
    there = place("composite-sums")
    assert code(there.put, **CRC64) == (400, "InvalidRequest")
    upload = there.upload(CRC32, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    assert "ChecksumType" not in upload.made
    assert upload.refused(**CRC32, ChecksumType="FULL_OBJECT")[0] == "BadDigest"
    done = upload.complete(ChecksumType="FULL_OBJECT")
    assert done["ChecksumCRC32"].endswith("-1") and "ChecksumType" not in done


@pytest.mark.parametrize("name, status, words, message", [
    ("r2-sums", 501, "NotImplemented",
     f"Header 'x-amz-checksum-crc32' with value '{CRC32['ChecksumCRC32']}' not implemented"),
    ("b2", 400, "InvalidArgument",
     "Unsupported header 'x-amz-checksum-crc32' received for this API call.")])
def test_sums_that_are_refused(place, name, status, words, message):
    """Of an object, at the creation of an upload, of a part, at its completion."""
    there = place(name)
    assert refused(there.put, **CRC32) == (status, words, message)
    upload = there.upload()
    for call, more in ((there.put, CRC64), (there.upload, {"ChecksumAlgorithm": "CRC32"}),
                       (there.upload, {"part": CRC32}), (upload.complete, CRC32),
                       (upload.complete, {"ChecksumType": "FULL_OBJECT"})):
        assert code(call, **more) == (status, words)
    assert not there.s3.versions("b")
    assert not sums(there.put(), upload.complete())
    there.s3.buckets["b"].uploads.clear()


def test_conditions_ignored(place):
    """What is there is overwritten."""
    there = place("conditions-ignored")
    there.s3.put("b", "k", b"old")
    there.put(IfNoneMatch="*")
    there.put(IfMatch='"another"')
    there.upload().complete(IfNoneMatch="*")
    assert there.s3.get("b", "k").parts
    assert code(there.client.get_object, Bucket="b", Key="k", IfMatch='"x"')[0] == 412


def test_conditions_refused(place):
    """501, also where nothing is there; reads have them."""
    there = place("conditions-refused")
    upload = there.upload()
    for call in (there.put, upload.complete):
        for condition in ({"IfNoneMatch": "*"}, {"IfMatch": '"x"'}):
            assert code(call, **condition) == (501, "NotImplemented")
    upload.complete()
    assert code(there.client.get_object, Bucket="b", Key="k", IfMatch='"x"')[0] == 412


def test_no_list_parts(place):
    """501; the uploads of a bucket are listed."""
    there = place("no-list-parts")
    upload = there.upload()
    assert code(there.client.list_parts, **upload.where) == (501, "NotImplemented")
    assert len(there.client.list_multipart_uploads(Bucket="b")["Uploads"]) == 1
    upload.complete()


def test_empty_listings(place):
    """Nothing is listed, and it is there."""
    there = place("empty-listings")
    upload = there.upload()
    upload.part(2, b"more")
    there.upload()
    assert "Parts" not in there.client.list_parts(**upload.where)
    assert "Uploads" not in there.client.list_multipart_uploads(Bucket="b")
    upload.complete()
    assert there.client.list_objects_v2(Bucket="b")["KeyCount"] == 1


def test_repeated_completions(place):
    """The same answer again; of an upload that was aborted none."""
    there = place("repeats-completions")
    upload = there.upload()
    first = upload.complete()
    there.s3.put("b", "k", b"meanwhile")
    assert upload.complete()["ETag"] == first["ETag"]
    assert there.s3.get("b", "k").body == b"meanwhile"
    upload = there.upload()
    there.client.abort_multipart_upload(**upload.where)
    assert upload.refused()[0] == "NoSuchUpload"


def test_no_metadata(place):
    """What is said of an object is not kept, what it is, is."""
    there = place("no-metadata")
    known = {"Metadata": {"token": "x"}, "ContentType": "text/x"}
    there.put(**known)
    assert (there.head()["Metadata"], there.head()["ContentType"]) == ({}, "text/x")
    there.upload(**known).complete()
    assert (there.head()["Metadata"], there.head()["ContentType"]) == ({}, "text/x")
