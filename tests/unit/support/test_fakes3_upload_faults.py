"""The fake S3's faults of uploads: each does to the store and to the answer what its name says."""

import http.client
import socket
import threading
import time
from xml.etree import ElementTree

import pytest
from fakes3 import KINDS, FakeS3
from unit.support.test_fakes3 import FAULTS

from uploading import Uploading, ask, client_of, code, digest, error_of, md5

BODY = bytes(range(256)) * 40
CRC = {"x-amz-checksum-crc64nvme": digest("CRC64NVME", BODY)}
# Those that a test of this module is about; the others are in FAULTS.
HERE = {"cut", "early", "deaf", "beforehand", "rival", "take-upload", "damaged", "twice", "late",
        "conflict", "half-abort", "rot", "lost", "wrong-sum", "no-sum", "no-etag", "blanks",
        "blanks-late", "blanks-error"}


@pytest.fixture
def s3():
    """A fake that believes everybody."""
    with FakeS3(sign=False) as server:
        server.bucket("b", versioning="Enabled")
        server.min_part = 1
        yield server


def put(s3, headers=CRC, body=BODY):
    """Put `k`; return what ask() does."""
    return ask(s3, "PUT", "k", headers, body)


def bodies(s3, key="k"):
    """Return the bodies of the versions of a key, the newest first."""
    return [version.body for version in s3.versions("b") if version.key == key]


def begin(s3, *pieces):
    """Begin an upload of `k` with these parts; return (its query, the document that completes it).
    """
    made = ask(s3, "POST", "k", {"x-amz-checksum-algorithm": "CRC64NVME"}, query="?uploads")
    upload = made[2].split(b"UploadId>")[1][:-2].decode()
    rows = ""
    for n, piece in enumerate(pieces, 1):
        etag = part(s3, upload, n, piece)[1]["etag"]
        rows += f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>"
    return upload, f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>".encode()


def part(s3, upload, n, piece):
    """Upload one part, with its checksum; return what ask() does."""
    return ask(s3, "PUT", "k", {"x-amz-checksum-crc64nvme": digest("CRC64NVME", piece)}, piece,
               f"?partNumber={n}&uploadId={upload}")


def complete(s3, upload, document, headers=None):
    """Complete an upload; return what ask() does."""
    return ask(s3, "POST", "k", headers, document, f"?uploadId={upload}")


def test_every_kind_has_a_test():
    """Here, or where the answers to reads are."""
    assert HERE | set(FAULTS) == set(KINDS) and not HERE & set(FAULTS)


def test_which_step(s3):
    """A rule for a step takes no other, whatever its method."""
    rules = {step: s3.fault("status", step=step, times=None, status=500) for step in (
        "PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "ListParts",
        "AbortMultipartUpload", "HeadObject", "GetObject", "DeleteObject")}
    for method, query in (("PUT", ""), ("POST", "?uploads"), ("PUT", "?partNumber=1&uploadId=u"),
                          ("POST", "?uploadId=u"), ("GET", "?uploadId=u"),
                          ("DELETE", "?uploadId=u"), ("HEAD", ""), ("GET", ""), ("DELETE", "")):
        assert ask(s3, method, "k", body=b"", query=query)[0] == 500
    assert [rule.hits for rule in rules.values()] == [1] * len(rules)
    assert ask(s3, "GET", "k", query="?tagging")[0] == 404 and ask(s3, "GET", "")[0] == 200
    with pytest.raises(AssertionError):
        s3.fault("status", step="PutBucket")


# --- while the request comes


@pytest.mark.parametrize("end", ["reset", "close"])
@pytest.mark.parametrize("at", [0, 100, None])
def test_cut(s3, end, at):
    """The connection is gone in the middle of the body; nothing is stored, the next is right."""
    rule = s3.fault("cut", step="PutObject", at=at, end=end)
    large = BODY * 400
    assert isinstance(put(s3, {}, large)[2], (OSError, http.client.RemoteDisconnected))
    assert rule.hits == 1 and not s3.versions("b")
    assert s3.requests(method="PUT")[0].status == 0
    assert put(s3, {}, large)[0] == 200 and bodies(s3) == [large]


def test_cut_of_a_small_body(s3):
    """Also where head and body come at once, and of a part."""
    s3.fault("cut", step="PutObject", at=3)
    assert put(s3)[0] == 0 and not s3.versions("b")
    upload, _ = begin(s3)
    s3.fault("cut", step="UploadPart", at=3)
    assert part(s3, upload, 1, BODY)[0] == 0
    assert not s3.buckets["b"].uploads[upload].parts
    assert part(s3, upload, 1, BODY)[0] == 200


def test_cut_before_all_has_come(s3):
    """The client need not send the rest; on a connection that has served others, too."""
    s3.fault("cut", step="PutObject", at=1000000, after=1, end="close")
    head = b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n"
    with socket.create_connection(("127.0.0.1", s3.port), timeout=10) as connection:
        connection.sendall(head % 4 + b"body")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.sendall(head % 4000000 + bytes(1000000))
        assert connection.recv(65536) == b""
    assert bodies(s3) == [b"body"]


def test_early_answers_to_those_who_go_on(s3):
    """A client that sends all it has before it reads finds the answer."""
    s3.fault("early", step="PutObject", at=10)
    found = put(s3, {}, BODY * 2000)
    assert (found[0], error_of(found)) == (503, "SlowDown") and not s3.versions("b")


def test_early(s3):
    """An answer while the body still comes: it can be read, and then the connection ends."""
    s3.fault("early", step="PutObject", at=10, code="SlowDown")
    with socket.create_connection(("127.0.0.1", s3.port), timeout=10) as connection:
        connection.sendall(b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n"
                           + b"x" * 20)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 503 ") and b"<Code>SlowDown<" in answer
    assert not s3.versions("b")


@pytest.mark.parametrize("at, first", [(0, b"HTTP/1.1 503 "), (1, b"HTTP/1.1 100 ")])
def test_early_before_the_body(s3, at, first):
    """A client that waits for 100 Continue does not get it, if nothing is to be read."""
    s3.fault("early", step="PutObject", at=at)
    with socket.create_connection(("127.0.0.1", s3.port), timeout=10) as connection:
        connection.sendall(b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n"
                           b"Expect: 100-continue\r\n\r\n")
        assert connection.recv(65536).startswith(first)


def test_deaf(s3):
    """Nothing is read for a while: a large body waits, and is then stored."""
    s3.fault("deaf", step="PutObject", at=1000, seconds=0.5)
    large, began = BODY * 2000, time.monotonic()
    assert put(s3, {}, large)[0] == 200
    assert time.monotonic() - began >= 0.5 and bodies(s3) == [large]


# --- before it is carried out


def test_beforehand(s3):
    """Anything, first; rules of this stage do not keep others from counting."""
    seen = []
    s3.fault("beforehand", step="PutObject", do=lambda s3, request: seen.append(bodies(s3)))
    s3.fault("rival", step="PutObject")
    s3.fault("lost", step="PutObject")
    assert put(s3)[0] == 0
    assert seen == [[]] and bodies(s3) == [BODY, b"the rival's"]


def test_rival(s3):
    """Another object is there, or nothing, when a request is carried out: its conditions fail."""
    s3.fault("rival", step="PutObject", times=2)
    assert error_of(put(s3, {**CRC, "If-None-Match": "*"})) == "PreconditionFailed"
    assert bodies(s3) == [b"the rival's"]
    etag = s3.get("b", "k").etag
    s3.faults[0].options["body"] = b"another"
    assert error_of(put(s3, {**CRC, "If-Match": etag})) == "PreconditionFailed"
    s3.fault("rival", step="PutObject", body=None)
    assert error_of(put(s3, {**CRC, "If-Match": s3.get("b", "k").etag})) == "NoSuchKey"
    upload, document = begin(s3, BODY)
    s3.fault("rival", step="CompleteMultipartUpload", body=b"3")
    assert error_of(complete(s3, upload, document,
                             {"If-None-Match": "*"})) == "PreconditionFailed"
    assert upload in s3.buckets["b"].uploads and bodies(s3)[0] == b"3"


def test_take_upload(s3):
    """Between two parts, or before the completion, it is gone."""
    upload, _ = begin(s3, BODY)
    s3.fault("take-upload", step="UploadPart", after=1)
    assert part(s3, upload, 2, BODY)[0] == 200
    assert error_of(part(s3, upload, 3, BODY)) == "NoSuchUpload"
    upload, document = begin(s3, BODY)
    s3.fault("take-upload", step="CompleteMultipartUpload")
    assert error_of(complete(s3, upload, document)) == "NoSuchUpload"
    assert not s3.versions("b")


def test_damaged(s3):
    """A wrong byte that the server finds; or one that it does not look for, and tells of."""
    s3.fault("damaged", step="PutObject", times=3)
    assert error_of(put(s3)) == "BadDigest"
    assert error_of(put(s3, {"Content-MD5": md5(BODY)})) == "BadDigest"
    status, headers, _ = put(s3, {})
    assert (status, len(bodies(s3)), bodies(s3)[0] == BODY) == (200, 1, False)
    s3.faults.clear()
    s3.fault("damaged", step="PutObject", unchecked=True, at=0, mask=255)
    status, headers, _ = put(s3)
    assert bodies(s3)[0] == b"\xff" + BODY[1:]
    assert headers["x-amz-checksum-crc64nvme"] == digest("CRC64NVME", bodies(s3)[0])
    upload, document = begin(s3)
    s3.fault("damaged", step="UploadPart", unchecked=True)
    said = part(s3, upload, 1, BODY)[1]
    stored = s3.buckets["b"].uploads[upload].parts[1].body
    assert said["x-amz-checksum-crc64nvme"] == digest("CRC64NVME", stored) != digest(
        "CRC64NVME", BODY)


def test_damaged_where_it_is_signed():
    """The digest that is signed finds it."""
    with FakeS3() as server:
        server.bucket("b")
        client = client_of(server)
        server.fault("damaged", step="PutObject")
        assert code(client.put_object, Bucket="b", Key="k", Body=BODY) == (
            400, "XAmzContentSHA256Mismatch")
        server.fault("damaged", step="PutObject", unchecked=True)
        client.put_object(Bucket="b", Key="k", Body=BODY)
        client.close()


def test_twice(s3):
    """Two versions; a completion finds no upload any more, a condition does not hold."""
    s3.fault("twice", step="PutObject", times=2)
    assert put(s3)[0] == 200 and bodies(s3) == [BODY] * 2
    s3.delete("b", "k")
    assert error_of(put(s3, {**CRC, "If-None-Match": "*"})) == "PreconditionFailed"
    assert bodies(s3)[0] == BODY
    upload, document = begin(s3, b"parts")
    s3.fault("twice", step="CompleteMultipartUpload")
    assert error_of(complete(s3, upload, document)) == "NoSuchUpload"
    assert bodies(s3)[0] == b"parts"


# --- what becomes of it


def test_late(s3):
    """An answer never comes; the request is carried out after the next one of its kind."""
    s3.fault("late", step="PutObject")
    assert put(s3, {}, BODY * 10)[0] == 0 and not s3.versions("b")
    assert ask(s3, "HEAD", "k")[0] == 404 and not s3.versions("b")
    assert put(s3, {}, b"again")[0] == put(s3, {}, b"once")[0] == 200
    assert bodies(s3) == [b"once", BODY * 10, b"again"]
    s3.fault("late", step="PutObject", until=lambda request: request.method == "HEAD")
    assert put(s3, {}, b"late")[0] == 0
    ask(s3, "HEAD", "k")
    assert bodies(s3)[0] == b"late"


def test_conflict(s3):
    """409 and nothing is done; an upload is gone."""
    s3.fault("conflict", step="PutObject")
    assert error_of(put(s3, {**CRC, "If-None-Match": "*"})) == "ConditionalRequestConflict"
    assert not s3.versions("b")
    upload, document = begin(s3, BODY)
    s3.fault("conflict", step="CompleteMultipartUpload")
    found = complete(s3, upload, document, {"If-None-Match": "*"})
    assert (found[0], error_of(found)) == (409, "ConditionalRequestConflict")
    assert error_of(complete(s3, upload, document)) == "NoSuchUpload"


def test_half_abort(s3):
    """204, and it is still listed until the next one."""
    upload, _ = begin(s3, BODY)
    s3.fault("half-abort", step="AbortMultipartUpload")
    for left in (True, False):
        assert ask(s3, "DELETE", "k", query=f"?uploadId={upload}")[0] == 204
        assert (upload in s3.buckets["b"].uploads) == left


def test_rot(s3):
    """The answer is right, the bytes are not."""
    s3.fault("rot", step="PutObject")
    status, headers, _ = put(s3)
    assert (status, headers["x-amz-checksum-crc64nvme"]) == (200, CRC["x-amz-checksum-crc64nvme"])
    assert bodies(s3) != [BODY] and len(bodies(s3)[0]) == len(BODY)
    upload, document = begin(s3, BODY)
    s3.fault("rot", step="UploadPart")
    assert part(s3, upload, 1, BODY)[0] == 200
    whole = {**CRC, "x-amz-checksum-type": "FULL_OBJECT"}
    assert error_of(complete(s3, upload, document, whole)) == "BadDigest"
    assert part(s3, upload, 1, BODY)[0] == 200
    s3.fault("rot", step="CompleteMultipartUpload")
    assert complete(s3, upload, document, whole)[0] == 200 and bodies(s3)[0] != BODY


# --- what the answer says


@pytest.mark.parametrize("end", ["close", "reset"])
def test_lost(s3, end):
    """Carried out, and no word of it: each step of an upload."""
    for step in ("PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"):
        s3.fault("lost", step=step, end=end)
    assert put(s3)[0] == 0 and bodies(s3) == [BODY]
    assert ask(s3, "POST", "k", query="?uploads")[0] == 0
    (upload,) = s3.buckets["b"].uploads
    assert part(s3, upload, 1, b"parts")[0] == 0
    etag = s3.buckets["b"].uploads[upload].parts[1].etag
    document = (f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag>"
                "</Part></CompleteMultipartUpload>").encode()
    assert complete(s3, upload, document)[0] == 0 and bodies(s3)[0] == b"parts"
    assert error_of(complete(s3, upload, document)) == "NoSuchUpload"


def test_sums_and_etags_of_answers(s3):
    """Wrong ones and none, of a PUT, a part and a completion; what is stored is right."""
    name = "x-amz-checksum-crc64nvme"
    for kind in ("wrong-sum", "no-sum", "wrong-etag", "no-etag"):
        right = put(s3)[1]
        upload, document = begin(s3, BODY)
        for step in ("PutObject", "UploadPart", "CompleteMultipartUpload"):
            s3.fault(kind, step=step)
        for found in (put(s3)[1], part(s3, upload, 1, BODY)[1]):
            wanted = {name: right[name], "etag": right["etag"]}
            said = {field: found[field] for field in wanted if field in found}
            changed = "etag" if "etag" in kind else name
            assert {field for field in wanted if said.get(field) != wanted[field]} == {changed}
            assert (changed in said) == kind.startswith("wrong")
        found = ElementTree.fromstring(complete(s3, upload, document)[2])
        told = {item.tag.rpartition("}")[2]: item.text for item in found}
        etag, value = s3.get("b", "k").quoted_etag, CRC[name]
        assert (told.get("ETag") == etag) == ("etag" not in kind)
        assert (told.get("ChecksumCRC64NVME") == value) == ("sum" not in kind)
        assert ("ETag" in told, "ChecksumCRC64NVME" in told) == (kind != "no-etag",
                                                                 kind != "no-sum")
        assert bodies(s3)[0] == BODY


@pytest.mark.parametrize("name, options, wanted", [
    ("status", {"status": 503}, "SlowDown"),
    ("status", {"status": 412, "code": "PreconditionFailed"}, "PreconditionFailed"),
    ("status", {"status": 404, "code": "NoSuchUpload"}, "NoSuchUpload"),
    ("error200", {}, "InternalError"), ("error200", {"code": "SlowDown"}, "SlowDown"),
    ("error200", {"code": "PreconditionFailed"}, "PreconditionFailed")])
@pytest.mark.parametrize("done", [False, True])
def test_errors(s3, name, options, wanted, done):
    """With a status of their own or inside a 200; carried out or not."""
    upload, document = begin(s3, b"parts")
    for step in ("PutObject", "CompleteMultipartUpload"):
        s3.fault(name, step=step, done=done, **options)
    first, second = put(s3), complete(s3, upload, document)
    assert {first[0], second[0]} == {options.get("status", 200)}
    assert error_of(first) == error_of(second) == wanted
    assert bodies(s3) == ([b"parts", BODY] if done else [])


# --- 200 early


def timed(s3, upload, document):
    """Return (seconds until the status came, until all had come, status, headers, body) of a
    completion.
    """
    connection = http.client.HTTPConnection("127.0.0.1", s3.port, timeout=10)
    began = time.monotonic()
    connection.request("POST", f"/b/k?uploadId={upload}", document)
    answer = connection.getresponse()
    early = time.monotonic() - began
    try:
        body = answer.read()
    except http.client.HTTPException as error:
        body = error
    connection.close()
    return early, time.monotonic() - began, answer.status, answer.headers, body


def test_blanks(s3):
    """200 at once, then blanks, then the result."""
    upload, document = begin(s3, BODY)
    s3.fault("blanks", step="CompleteMultipartUpload", seconds=0.6)
    seen = threading.Timer(0.3, lambda: stored.append(len(bodies(s3))))
    stored = []
    seen.start()
    early, all_of_it, status, headers, body = timed(s3, upload, document)
    seen.join()
    assert early < 0.4 < 0.6 <= all_of_it and stored == [1]
    assert (status, headers["x-amz-version-id"]) == (200, None)
    assert body.startswith(b"<?xml") and body.count(b" \n") == 6
    assert ElementTree.fromstring(body).findtext("{*}ETag") == s3.get("b", "k").quoted_etag


def test_blanks_on_the_virtual_clock(s3):
    """An hour that nobody waits for; a refusal comes at once, as an error."""
    upload, document = begin(s3, BODY)
    s3.fault("blanks", step="CompleteMultipartUpload", seconds=3600, every=60, virtual=True,
             times=2)
    before = s3.clock.now()
    assert error_of(complete(s3, upload, b"<CompleteMultipartUpload/>")) == "InvalidRequest"
    assert s3.clock.now() - before < 60
    _, all_of_it, status, _, body = timed(s3, upload, document)
    assert all_of_it < 5 and status == 200 and body.count(b" \n") == 60
    assert s3.clock.now() - before >= 3600


def test_blanks_that_are_cut(s3):
    """The connection ends before the result; the object is there."""
    upload, document = begin(s3, BODY)
    s3.fault("blanks", step="CompleteMultipartUpload", seconds=0.1, cut=True)
    _, _, status, _, body = timed(s3, upload, document)
    assert status == 200 and isinstance(body, http.client.IncompleteRead)
    assert bodies(s3) == [BODY]


def test_blanks_late(s3):
    """Carried out at the end: what happens meanwhile is what the error is about."""
    upload, document = begin(s3, BODY)
    s3.fault("blanks-late", step="CompleteMultipartUpload", seconds=0.3)
    other = threading.Timer(0.1, lambda: s3.put("b", "k", b"meanwhile"))
    other.start()
    found = complete(s3, upload, document, {"If-None-Match": "*"})
    other.join()
    assert (found[0], error_of(found)) == (200, "PreconditionFailed")
    assert bodies(s3) == [b"meanwhile"]
    s3.fault("blanks-late", step="CompleteMultipartUpload", seconds=0.1)
    assert error_of(complete(s3, upload, document)) == "" and bodies(s3)[0] == BODY


@pytest.mark.parametrize("done", [False, True])
def test_blanks_error(s3, done):
    """An error after the 200, whether it was carried out or not."""
    upload, document = begin(s3, BODY)
    s3.fault("blanks-error", step="CompleteMultipartUpload", seconds=0.1, code="SlowDown",
             done=done)
    found = complete(s3, upload, document)
    assert (found[0], error_of(found)) == (200, "SlowDown") and len(bodies(s3)) == done


def test_boto3_reads_the_error_after_blanks(s3, client):
    """What the blanks are followed by is what boto3 raises."""
    upload = Uploading(client)
    upload.part(1, b"x")
    s3.fault("blanks-error", step="CompleteMultipartUpload", seconds=0.1)
    assert upload.refused()[0] == "InternalError"
    s3.fault("blanks", step="CompleteMultipartUpload", seconds=0.1)
    assert upload.complete()["ETag"] == s3.get("b", "k").quoted_etag
