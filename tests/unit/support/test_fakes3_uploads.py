"""The fake S3's uploads: the rules that S3 has for parts, checksums and sizes."""

import hashlib

import pytest
from fakes3 import DAY, FakeS3
from fakes3.checksums import combine
from fakes3.store import Part

from uploading import Uploading, ask, code, digest, error_of, md5, refused

MIB = 1024 * 1024
PIECES = [b"a" * 5, b"b" * 7, b"c" * 2]
WHOLE = b"".join(PIECES)
LOST = ("InvalidPart", "One or more of the specified parts could not be found.  The part may not "
        "have been uploaded, or the specified entity tag may not match the part's entity tag.")


@pytest.fixture
def s3(s3):
    """With parts of any size."""
    s3.min_part = 1
    return s3


# --- checksums


@pytest.mark.parametrize("algorithm, kind, message", [
    ("SHA256", "FULL_OBJECT",
     "The FULL_OBJECT checksum type cannot be used with the sha256 checksum algorithm."),
    ("CRC64NVME", "COMPOSITE",
     "The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm."),
    (None, "FULL_OBJECT", "The x-amz-checksum-type header can only be used with the "
                          "x-amz-checksum-algorithm header."),
    ("CRC31", None, "Checksum algorithm provided is unsupported. Please try again with any of the "
                    "valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")])
def test_what_cannot_be_declared(client, algorithm, kind, message):
    """Types and algorithms that do not go together."""
    declared = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    declared |= {"ChecksumType": kind} if kind else {}
    found = refused(client.create_multipart_upload, Bucket="b", Key="k", **declared)
    assert found == (400, "InvalidRequest", message)


def test_nothing_declared(client):
    """S3 computes CRC64NVME itself; checksums of parts are in no listing, and in a completion they
    are lost parts; a value for the whole is not looked at.
    """
    upload = Uploading(client)
    for n, piece in enumerate(PIECES, 1):
        value = digest("CRC32C", piece)
        answer = upload.part(n, piece, ChecksumCRC32C=value)
        assert answer["ChecksumCRC32C"] == value
    listed = client.list_parts(**upload.where)
    assert "ChecksumAlgorithm" not in listed
    assert not any(name.startswith("Checksum") for part in listed["Parts"] for name in part)
    assert upload.refused() == LOST
    for part in upload.parts:
        del part["ChecksumCRC32C"]
    assert upload.refused(ChecksumType="FULL_OBJECT") == (
        "InvalidRequest", "The upload was created using the null checksum mode. The complete "
        "request must use the same checksum mode.")
    done = upload.complete(ChecksumCRC32C=digest("CRC32C", b"another"))
    assert (done["ChecksumCRC64NVME"], done["ChecksumType"]) == (digest("CRC64NVME", WHOLE),
                                                                 "FULL_OBJECT")


def test_composite(client):
    """Each part has its value, in the request and in the completion."""
    upload = Uploading(client, ChecksumAlgorithm="SHA256")
    assert refused(upload.part, 1, PIECES[0]) == (
        400, "InvalidRequest", "Checksum Type mismatch occurred, expected checksum Type: sha256, "
        "actual checksum Type: null")
    assert refused(upload.part, 1, PIECES[0], ChecksumCRC32=digest("CRC32", PIECES[0])) == (
        400, "InvalidRequest", "Checksum Type mismatch occurred, expected checksum Type: sha256, "
        "actual checksum Type: crc32")
    right = digest("SHA256", PIECES[0])
    upload.part(1, PIECES[0], ChecksumSHA256=right)
    del upload.parts[0]["ChecksumSHA256"]
    assert upload.refused() == (
        "InvalidRequest", "The upload was created using a sha256 checksum. The complete request "
        "must include the checksum for each part. It was missing for part 1 in the request.")
    upload.parts[0]["ChecksumCRC32"] = digest("CRC32", PIECES[0])
    assert upload.refused() == ("BadDigest", "The crc32 you specified for part 1 did not match "
                                "what we received.")
    upload.parts[0] = {**upload.parts[0], "ChecksumSHA256": digest("SHA256", b"another")}
    assert upload.refused() == LOST
    del upload.parts[0]["ChecksumCRC32"]
    upload.parts[0]["ChecksumSHA256"] = right
    done = upload.complete()
    assert done["ChecksumSHA256"] == digest("SHA256", hashlib.sha256(PIECES[0]).digest()) + "-1"


def test_a_composite_value_that_was_seen_on_the_wire():
    """https://github.com/floci-io/floci/pull/3093: of three parts, 5, 5 and 1 MiB."""
    values = ["lcKa6Boe7a167tUCN5C4OaFygGSYD8MBnBARTrdL+1w=",
              "gHjhbUT4oo2tSCtSZJdlKi+jeNXJT+VImqdPXsXvkOc=",
              "4l9PQ3zOPZ0oGFvknFX+J4zZwE4WMzO+l3r8XrbWOeM="]
    parts = [Part(n, 1, "", checksum=value) for n, value in enumerate(values, 1)]
    assert combine("SHA256", "COMPOSITE", parts, b"") == (
        "rVWtNbadtsaKXJAcgWPWjifHzJaXde/iV4jaJAOdivc=-3")


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_full_object(client, algorithm):
    """Parts may come without values, S3 then has its own; the value of the whole comes with its
    type, and is held against the bytes.
    """
    name = f"Checksum{algorithm}"
    upload = Uploading(client, ChecksumAlgorithm=algorithm, ChecksumType="FULL_OBJECT")
    for n, piece in enumerate(PIECES, 1):
        assert name not in upload.part(n, piece)
    assert refused(upload.part, 9, b"x", ChecksumSHA1=digest("SHA1", b"x"))[2] == (
        "Checksum Type mismatch occurred, expected checksum Type: "
        f"{algorithm.lower()}, actual checksum Type: sha1")
    listed = client.list_parts(**upload.where)
    assert (listed["ChecksumAlgorithm"], listed["ChecksumType"]) == (algorithm, "FULL_OBJECT")
    assert [part[name] for part in listed["Parts"]] == [digest(algorithm, p) for p in PIECES]
    right, bad = digest(algorithm, WHOLE), (
        "BadDigest", f"The {algorithm.lower()} you specified did not match the calculated "
        "checksum.")
    assert upload.refused(**{name: right}) == bad, "the type is missing"
    assert upload.refused(**{name: digest(algorithm, b"x"), "ChecksumType": "FULL_OBJECT"}) == bad
    assert upload.refused(ChecksumSHA1=digest("SHA1", WHOLE), ChecksumType="FULL_OBJECT") == bad
    assert upload.refused(ChecksumType="COMPOSITE") == (
        "InvalidRequest", "The upload was created using the FULL_OBJECT checksum mode. The "
        "complete request must use the same checksum mode.")
    upload.parts[1][name] = digest(algorithm, b"x")
    assert upload.refused() == LOST
    upload.parts[1][name] = digest(algorithm, PIECES[1])
    done = upload.complete(**{name: right, "ChecksumType": "FULL_OBJECT"})
    assert (done[name], done["ChecksumType"]) == (right, "FULL_OBJECT")


def test_digests_of_parts(client):
    """Content-MD5 and checksum of each part are held against its body."""
    upload = Uploading(client, ChecksumAlgorithm="CRC64NVME")
    assert code(upload.part, 1, b"x", ContentMD5=md5(b"y")) == (400, "BadDigest")
    assert code(upload.part, 1, b"x", ContentMD5="short") == (400, "InvalidDigest")
    assert refused(upload.part, 1, b"x", ChecksumCRC64NVME=digest("CRC64NVME", b"y")) == (
        400, "BadDigest", "The CRC64NVME you specified did not match the calculated checksum.")
    assert refused(upload.part, 1, b"x", ChecksumCRC64NVME="x") == (
        400, "InvalidRequest", "Value for x-amz-checksum-crc64nvme header is invalid.")
    assert "Parts" not in client.list_parts(**upload.where)


def test_sums_that_contradict_each_other(open3):
    """One checksum, of the algorithm that was named, in a header or in a trailer."""
    crc = digest("CRC32", b"body")
    chunks = b"4\r\nbody\r\n0\r\nx-amz-checksum-crc32:" + crc.encode() + b"\r\n\r\n"
    trailer = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
               "x-amz-trailer": "x-amz-checksum-crc32", "x-amz-decoded-content-length": "4"}
    assert ask(open3, "PUT", "k", trailer, chunks)[0] == 200
    both = {**trailer, "x-amz-checksum-crc32": crc}
    assert error_of(ask(open3, "PUT", "k", both, chunks)) == "InvalidRequest"
    named = {"x-amz-sdk-checksum-algorithm": "SHA1", "x-amz-checksum-crc32": crc}
    assert error_of(ask(open3, "PUT", "k", named, b"body")) == "InvalidRequest"
    assert ask(open3, "PUT", "k", {**named, "x-amz-sdk-checksum-algorithm": "crc32"},
               b"body")[0] == 200


def test_the_digest_that_is_signed(open3):
    """x-amz-content-sha256 is held against the body, also where nobody looks at signatures;
    UNSIGNED-PAYLOAD says nothing.
    """
    right = hashlib.sha256(b"body").hexdigest()
    put = lambda said, body: ask(open3, "PUT", "k", {"x-amz-content-sha256": said}, body)  # noqa: E731,E501
    assert put(right, b"body")[0] == put("UNSIGNED-PAYLOAD", b"body")[0] == 200
    assert error_of(put(right, b"bodY")) == "XAmzContentSHA256Mismatch"
    assert open3.get("b", "k").body == b"body"


# --- parts


def test_parts_are_replaced(s3, client):
    """The last body of a number counts, its ETag too."""
    upload = Uploading(client)
    first = upload.part(1, b"first")
    upload.part(1, b"second")
    upload.parts.pop(0)
    assert [(p["PartNumber"], p["Size"]) for p in client.list_parts(**upload.where)["Parts"]] == [
        (1, 6)]
    upload.parts[0]["ETag"], right = first["ETag"], upload.parts[0]["ETag"]
    assert upload.refused() == LOST
    upload.parts[0]["ETag"] = right
    upload.complete()
    assert s3.get("b", "k").body == b"second"


def test_sizes(s3, client):
    """Parts but the last have 5 MiB, none has more than 5 GiB, the sum is what was said."""
    s3.min_part = 5 * MIB
    upload = Uploading(client)
    upload.part(1, b"x" * (5 * MIB - 1))
    upload.part(2, b"y")
    assert upload.refused()[0] == "EntityTooSmall"
    upload.parts.clear()
    upload.part(1, b"x" * 5 * MIB)
    upload.part(2, b"y")
    assert upload.refused(MpuObjectSize=5 * MIB) == (
        "InvalidRequest", "The provided 'x-amz-mp-object-size' header value 5242880 does not match "
        "what was computed: 5242881")
    s3.max_object = 5 * MIB
    assert upload.refused()[0] == "EntityTooLarge"
    s3.max_object, s3.max_part = 6 * MIB, 3
    assert code(upload.part, 3, b"four") == (400, "EntityTooLarge")
    assert code(client.put_object, Bucket="b", Key="k", Body=b"four") == (400, "EntityTooLarge")
    upload.complete(MpuObjectSize=5 * MIB + 1)
    assert s3.get("b", "k").size == 5 * MIB + 1


def test_limits_are_s3s():
    """48.8 TiB are 10,000 parts of 5 GiB."""
    s3 = FakeS3()
    assert (s3.min_part, s3.max_part, s3.max_object) == (5 * MIB, 5 << 30, 10000 * (5 << 30))


def test_part_numbers(client):
    """1 to 10,000, each once, in order; with an algorithm without a gap; at least one."""
    upload = Uploading(client)
    assert upload.refused() == ("InvalidRequest", "You must specify at least one part")
    for n in (0, 10001):
        assert code(upload.part, n, b"") == (400, "InvalidArgument")
    upload.part(10000, b"z")
    upload.part(1, b"a")
    assert upload.refused() == ("InvalidPartOrder", "The list of parts was not in ascending order. "
                                "Parts must be ordered by part number.")
    upload.parts.reverse()
    upload.parts.insert(0, upload.parts[0])
    assert upload.refused()[0] == "InvalidPartOrder"
    del upload.parts[0]
    upload.complete()
    gap = Uploading(client, ChecksumAlgorithm="CRC64NVME")
    gap.part(1, b"a")
    gap.part(3, b"c")
    assert gap.refused()[0] == "InvalidPartOrder"


def test_more_parts_than_there_can_be(open3):
    """10,001 in one document."""
    upload = ask(open3, "POST", "k", query="?uploads")[2].split(b"UploadId>")[1][:-2].decode()
    rows = "<Part><PartNumber>1</PartNumber><ETag>x</ETag></Part>" * 10001
    whole = f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>".encode()
    found = ask(open3, "POST", "k", body=whole, query=f"?uploadId={upload}")
    assert error_of(found) == "MalformedXML"


def test_pages_of_parts(client):
    """As many as asked for, from a number on, until they are over."""
    upload = Uploading(client)
    for n in (1, 2, 5, 9):
        upload.part(n, b"x" * n)
    pages, after = [], 0
    while after is not None:
        page = client.list_parts(**upload.where, MaxParts=2, PartNumberMarker=after)
        pages.append([part["PartNumber"] for part in page["Parts"]])
        after = page["NextPartNumberMarker"] if page["IsTruncated"] else None
    assert pages == [[1, 2], [5, 9]]


def test_an_upload_that_is_not_there(client):
    """Aborted, completed, of another key, or never begun."""
    upload = Uploading(client)
    upload.part(1, b"x")
    other = {**upload.where, "Key": "another"}
    assert code(client.list_parts, **other) == (404, "NoSuchUpload")
    client.abort_multipart_upload(**upload.where)
    for call, more in ((client.list_parts, {}), (client.abort_multipart_upload, {}),
                       (client.upload_part, {"PartNumber": 1, "Body": b""}),
                       (client.complete_multipart_upload,
                        {"MultipartUpload": {"Parts": upload.parts}})):
        assert refused(call, **upload.where, **more) == (
            404, "NoSuchUpload", "The specified upload does not exist. The upload ID may be "
            "invalid, or the upload may have been aborted or completed.")


# --- uploads of a bucket


def pages(client, **asked):
    """Return [[key or prefix of each row] of each page] of ListMultipartUploads, and abort what is
    listed where `abort` is asked for.
    """
    abort, found, more = asked.pop("abort", False), [], {}
    while True:
        page = client.list_multipart_uploads(Bucket="b", **asked, **more)
        found.append([u["Key"] for u in page.get("Uploads", ())]
                     + [p["Prefix"] for p in page.get("CommonPrefixes", ())])
        for upload in page.get("Uploads", ()) if abort else ():
            client.abort_multipart_upload(Bucket="b", Key=upload["Key"],
                                          UploadId=upload["UploadId"])
        if not page["IsTruncated"]:
            return found
        more = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}


def test_pages_of_uploads(s3, client):
    """By key, then by their beginning; in pages, also where what a page ended with is gone."""
    for key in ("b", "a/1", "é", "a/2", "b", "a b", "b"):
        Uploading(client, key)
    keys = ["a b", "a/1", "a/2", "b", "b", "b", "é"]
    for most in (1, 2, 3, 7, 1000):
        assert sum(pages(client, MaxUploads=most), []) == keys
    assert pages(client, Prefix="a/") == [["a/1", "a/2"]]
    assert pages(client, Delimiter="/") == [["a b", "b", "b", "b", "é", "a/"]]
    assert pages(client, Delimiter="/", MaxUploads=2) == [["a b", "a/"], ["b", "b"], ["b", "é"]]
    first = client.list_multipart_uploads(Bucket="b", Prefix="b")["Uploads"]
    assert [u["Initiated"] for u in first] == sorted(u["Initiated"] for u in first)
    after = client.list_multipart_uploads(Bucket="b", KeyMarker="b")["Uploads"]
    assert [u["Key"] for u in after] == ["é"]
    assert code(client.list_multipart_uploads, Bucket="b", KeyMarker="b",
                UploadIdMarker="never") == (400, "InvalidArgument")
    assert sum(pages(client, MaxUploads=2, abort=True), []) == keys
    assert not s3.buckets["b"].uploads and pages(client) == [[]]


def test_rows_of_uploads(client):
    """Class, checksum and time of each."""
    Uploading(client, StorageClass="GLACIER", ChecksumAlgorithm="CRC32")
    (found,) = client.list_multipart_uploads(Bucket="b")["Uploads"]
    assert (found["StorageClass"], found["ChecksumAlgorithm"], found["ChecksumType"]) == (
        "GLACIER", "CRC32", "COMPOSITE")
    assert {"Owner", "Initiator", "Initiated"} <= found.keys()


# --- lifecycle rules


def rule(**more):
    """Return a lifecycle rule about incomplete uploads."""
    return {"ID": "clear", "Status": "Enabled", "Filter": {"Prefix": "p/"},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}, **more}


def put_rules(client, *rules):
    """Put them."""
    client.put_bucket_lifecycle_configuration(Bucket="b",
                                              LifecycleConfiguration={"Rules": list(rules)})


def test_lifecycle_configuration(client):
    """Put, got back, deleted; what is none is refused."""
    get = client.get_bucket_lifecycle_configuration
    assert code(get, Bucket="b") == (404, "NoSuchLifecycleConfiguration")
    put_rules(client, rule(), rule(ID="off", Status="Disabled"))
    assert get(Bucket="b")["Rules"] == [rule(), rule(ID="off", Status="Disabled")]
    tagged = {"Tag": {"Key": "a", "Value": "b"}}
    assert code(put_rules, client, rule(Filter=tagged)) == (400, "InvalidRequest")
    assert code(put_rules, client, {"ID": "x", "Status": "Enabled", "Prefix": ""}) == (
        400, "MalformedXML")
    client.delete_bucket_lifecycle(Bucket="b")
    client.delete_bucket_lifecycle(Bucket="b")
    assert code(get, Bucket="b") == (404, "NoSuchLifecycleConfiguration")


def test_a_lifecycle_configuration_has_a_digest(open3):
    """Content-MD5 or a checksum, and a right one."""
    body = (b"<LifecycleConfiguration><Rule><Status>Enabled</Status><Prefix/><Expiration><Days>1"
            b"</Days></Expiration></Rule></LifecycleConfiguration>")
    put = lambda headers: ask(open3, "PUT", "", headers, body, "?lifecycle")  # noqa: E731
    assert error_of(put({})) == "InvalidRequest"
    assert error_of(put({"Content-MD5": md5(b"another")})) == "BadDigest"
    assert put({"Content-MD5": md5(body)})[0] == 200
    assert put({"x-amz-checksum-crc32": digest("CRC32", body)})[0] == 200


def test_an_upload_that_a_rule_ends(s3, client):
    """The answers say when; then it is gone, by the virtual clock; a rule that is off is none."""
    put_rules(client, rule(), rule(ID="off", Status="Disabled", AbortIncompleteMultipartUpload={
        "DaysAfterInitiation": 1}))
    safe = Uploading(client, "other")
    upload = Uploading(client, "p/k")
    upload.part(1, b"x")
    assert "AbortDate" not in safe.made
    listed = client.list_parts(**upload.where)
    assert (upload.made["AbortRuleId"], listed["AbortRuleId"]) == ("clear", "clear")
    date = upload.made["AbortDate"]
    assert date == listed["AbortDate"] and date.timestamp() % DAY == 0
    assert 7 * DAY <= date.timestamp() - s3.clock.now() + 1 <= 8 * DAY + 1
    s3.clock.advance(7 * DAY - 60)
    client.list_parts(**upload.where)
    s3.clock.advance(DAY + 60)
    assert code(upload.part, 2, b"y") == (404, "NoSuchUpload")
    assert [u["Key"] for u in client.list_multipart_uploads(Bucket="b")["Uploads"]] == ["other"]
    assert [u.id for u in s3.uploads("b")] == [safe.where["UploadId"]]


def test_what_will_be_deleted_says_so(s3, client):
    """x-amz-expiration in the answers of writes and reads."""
    put_rules(client, {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "logs/"},
                       "Expiration": {"Days": 3}})
    put = client.put_object(Bucket="b", Key="logs/k", Body=b"x")
    assert put["Expiration"].endswith('GMT", rule-id="old"')
    upload = Uploading(client, "logs/parts")
    upload.part(1, b"x")
    assert upload.complete()["Expiration"].endswith('rule-id="old"')
    assert client.head_object(Bucket="b", Key="logs/k")["Expiration"] == put["Expiration"]
    assert "Expiration" not in client.put_object(Bucket="b", Key="k", Body=b"x")
