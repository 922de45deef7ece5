"""A multipart upload as a whole: what is asked of S3, and what its answers are taken for."""

import base64
import hashlib
import zlib

import pytest
from fakes3 import b64
from fakes3.store import Part

from s3kit.s3 import stalls
from s3kit.s3.capabilities import CONDITIONS, LISTED_PARTS, UPLOAD_CHECKSUMS
from s3kit.transfer.job import AGAIN, FAILED
from s3kit.transfer.put_job import ABORTED, COMPLETED, CREATED, IN_THE_WAY, LISTED, LOST
from unit.transfer.conftest import part_of

BODY, STEP = bytes(range(256)) * 40, 5000
NUMBERS = range(1, -(-len(BODY) // STEP) + 1)


def crc32(body):
    """Return a CRC-32 as S3 has it."""
    return b64(zlib.crc32(body).to_bytes(4, "big"))


def pieces():
    """Return the bytes of each part."""
    return [BODY[at:at + STEP] for at in range(0, len(BODY), STEP)]


def uploads(puts):
    """Return the uploads under way."""
    return puts.fake.buckets["b"].uploads


@pytest.fixture
def sent(puts, begun):
    """Return f(algorithm, more) -> the PutJob of a completion; all parts of it were sent."""
    def send(algorithm="crc32", **fields):
        job, parts = begun(BODY, algorithm), []
        for number in NUMBERS:
            start = (number - 1) * STEP
            told = puts.do(part_of(job, number, start, min(start + STEP, len(BODY)))).pieces
            checksum = base64.b64encode(bytes.fromhex(told["checksum"])).decode()
            parts.append((number, told["etag"], "" if algorithm == "md5" else checksum))
        puts.fake.log.clear()
        whole = {"crc32": (crc32(BODY), "FULL_OBJECT"), "md5": ("", "")}.get(algorithm)
        if not whole:
            sums = b"".join(hashlib.sha256(piece).digest() for piece in pieces())
            whole = f"{b64(hashlib.sha256(sums).digest())}-{len(parts)}", "COMPOSITE"
        return job._replace(kind="complete", parts=tuple(parts), checksum=whole[0],
                            checksum_type=whole[1], **fields)
    return send


# --- begun


@pytest.mark.parametrize("algorithm, kind", [
    ("crc32", "FULL_OBJECT"), ("crc64nvme", "FULL_OBJECT"), ("sha256", "COMPOSITE")])
def test_an_upload_is_begun(puts, algorithm, kind):
    """What S3 is to hold the bytes against is said now, and what the object has beside them."""
    outcome = puts.do(puts.put(BODY, kind="create", algorithm=algorithm, condition="*"))
    [(upload_id, upload)] = uploads(puts).items()
    assert (outcome.state, outcome.pieces) == (CREATED, (upload_id, algorithm))
    assert (upload.algorithm, upload.checksum_type) == (algorithm.upper(), kind)
    [request] = puts.fake.log
    assert (request.method, request.query) == ("POST", {"uploads": ""})
    assert request.headers["content-type"] == "text/plain"
    assert request.headers["x-amz-meta-s3kit-token"] == "t"
    assert not {"if-none-match", "if-match"} & {*request.headers}


def test_an_upload_whose_checksum_is_refused(puts, known):
    """It goes by MD5, and that is learned."""
    puts.fake.fault("status", method="POST", key="k", status=501, times=None,
                    where=lambda one: "x-amz-checksum-algorithm" in one.headers)
    for asked in (2, 3):
        outcome = puts.do(puts.put(BODY, kind="create"))
        assert outcome.state == CREATED and outcome.pieces[1] == "md5"
        assert len(puts.fake.log) == asked
    assert [what for _, what in known.missing] == [UPLOAD_CHECKSUMS]


def test_a_checksum_that_was_asked_for_is_declared(puts, known):
    """Or nothing is begun."""
    puts.fake.fault("status", method="POST", key="k", status=501, times=None)
    outcome = puts.do(puts.put(BODY, kind="create", algorithm="sha256"))
    assert outcome.state == FAILED and len(puts.fake.log) == 1 and not known.missing


@pytest.mark.parametrize("kind, options", [
    ("lost", {}), ("html", {}), ("html", {"body": b"<InitiateMultipartUploadResult/>"}),
    ("html", {"body": b""}), ("error200", {}), ("status", {"status": 503})])
def test_an_upload_that_may_have_been_begun(puts, kind, options):
    """It is asked again: an upload without a name is of no use."""
    puts.fake.fault(kind, method="POST", key="k", **options)
    outcome = puts.do(puts.put(BODY, kind="create"))
    assert outcome.state == AGAIN and outcome.error


def test_an_upload_is_not_begun_twice_unseen(puts):
    """libcurl would ask once more where a connection dies that was used before."""
    engine = puts.engine(connections=1)
    for _ in range(2):
        assert puts.do(puts.put(BODY, kind="look"), engine=engine).state == "looked"
    puts.fake.fault("lost", method="POST", key="k")
    assert puts.do(puts.put(BODY, kind="create"), engine=engine).state == AGAIN
    assert len(uploads(puts)) == len(puts.asked("POST")) == 1
    connections = puts.fake.connections
    for _ in range(3):
        assert puts.do(puts.put(BODY, kind="look"), engine=engine).state == "looked"
    assert puts.fake.connections <= connections + 1


def test_a_bucket_that_is_not_there(puts):
    """It ends the run."""
    del puts.fake.buckets["b"]
    assert puts.do(puts.put(BODY, kind="create")).state == "fatal"


# --- its parts


def test_parts_are_listed(puts, begun):
    """With all that can be compared; of 2,001 all."""
    job = begun(BODY, "crc32")
    upload = uploads(puts)[job.upload_id]
    wanted = {}
    for number in [*range(1, 2001), 10_000]:
        upload.parts[number] = Part(number, number, f"{number:032x}", "CRC32", f"{number:06}==",
                                    b"")
        wanted[number] = (number, f"{number:032x}", f"{number:06}==")
    outcome = puts.do(job._replace(kind="parts"))
    assert (outcome.state, outcome.pieces) == (LISTED, wanted)
    assert len(puts.fake.log) == 3


def test_an_upload_without_parts(puts, begun):
    """There are none; that is not the same as not being told."""
    assert puts.do(begun(BODY)._replace(kind="parts")).pieces == {}


@pytest.mark.parametrize("status", [400, 405, 501])
def test_a_server_that_does_not_list_parts(puts, begun, known, status):
    """What we know must do."""
    job = begun(BODY)
    puts.fake.fault("status", key="k", status=status)
    outcome = puts.do(job._replace(kind="parts"))
    assert (outcome.state, outcome.pieces) == (LISTED, None)
    assert [what for _, what in known.missing] == [LISTED_PARTS]


def test_parts_of_an_upload_that_is_gone(puts, begun, known):
    """S3's word for it, whatever its status."""
    outcome = puts.do(begun(BODY)._replace(kind="parts", upload_id="none"))
    assert outcome.state == LOST and "NoSuchUpload" in outcome.error and not known.missing


PAGE = (b'<ListPartsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Part><PartNumber>1'
        b"</PartNumber><ETag>e</ETag><Size>5</Size></Part><IsTruncated>true</IsTruncated>"
        b"<NextPartNumberMarker>1</NextPartNumberMarker></ListPartsResult>")


def test_a_list_that_goes_in_circles(puts, begun):
    """It is not believed, and ends."""
    job = begun(BODY)
    puts.fake.fault("html", key="k", body=PAGE, times=None)
    outcome = puts.do(job._replace(kind="parts"))
    assert outcome.state == FAILED and "circles" in outcome.error and len(puts.fake.log) == 2


def test_a_list_that_makes_no_sense(puts, begun):
    """The page of a portal is no list of no parts."""
    job = begun(BODY)
    puts.fake.fault("html", key="k")
    assert puts.do(job._replace(kind="parts")).state in (AGAIN, FAILED)


# --- completed


@pytest.mark.parametrize("algorithm, proof", [
    ("crc32", "crc32"), ("sha256", "sha256-parts"), ("md5", "crc64nvme")])
def test_an_upload_is_completed(puts, sent, algorithm, proof):
    """S3 is told what the whole must be, and says what it is."""
    job = sent(algorithm, condition="*")
    outcome = puts.do(job)
    stored = puts.fake.get("b", "k")
    assert (outcome.state, outcome.etag, outcome.version_id, outcome.size) == (
        COMPLETED, stored.etag, stored.id, len(BODY))
    assert stored.body == BODY and outcome.claim.proof == proof and not uploads(puts)
    assert outcome.checksum == stored.checksum
    [request] = puts.fake.log
    assert (request.method, request.query) == ("POST", {"uploadId": job.upload_id})
    assert request.headers["x-amz-mp-object-size"] == str(len(BODY))
    assert request.headers["if-none-match"] == "*"
    told = {name: value for name, value in request.headers.items()
            if name.startswith("x-amz-checksum-")}
    assert told == ({f"x-amz-checksum-{algorithm}": job.checksum,
                     "x-amz-checksum-type": job.checksum_type} if job.checksum else {})
    assert (request.body.count(b"<Checksum") == len(job.parts)) == bool(job.checksum)


def test_a_completion_that_replaces(puts, sent):
    """What was compared, and nothing else."""
    puts.fake.put("b", "k", b"before")
    job = sent()
    etag = puts.fake.get("b", "k").etag
    assert puts.do(job._replace(condition=etag)).state == COMPLETED
    assert puts.fake.log[-1].headers["if-match"] == f'"{etag}"'


@pytest.mark.parametrize("virtual", [True, False])
def test_an_answer_that_comes_in_drops(puts, sent, virtual):
    """200 at once, then blanks, then the result."""
    job = sent()
    puts.fake.fault("blanks", method="POST", key="k", seconds=0.5, virtual=virtual)
    outcome = puts.do(job)
    assert (outcome.state, outcome.claim.proof) == (COMPLETED, "crc32")


def test_drops_are_not_too_slow(puts, sent, monkeypatch):
    """They may come for longer than a body may stand still."""
    monkeypatch.setattr(stalls, "STALLED_SECONDS", 0.5)
    monkeypatch.setattr(stalls, "LOOK_SECONDS", 0.1)
    job = sent()
    puts.fake.fault("blanks", method="POST", key="k", seconds=1.5, every=0.3)
    assert puts.do(job).state == COMPLETED


@pytest.mark.parametrize("code, state", [
    ("InternalError", AGAIN), ("SlowDown", AGAIN), ("NoSuchUpload", LOST),
    ("PreconditionFailed", IN_THE_WAY), ("ConditionalRequestConflict", LOST)])
@pytest.mark.parametrize("kind", ["blanks-error", "error200"])
def test_an_error_that_comes_with_200(puts, sent, code, state, kind):
    """It is no success, however late it is said."""
    job, more = sent(), {"seconds": 0.2} if kind == "blanks-error" else {}
    puts.fake.fault(kind, method="POST", key="k", code=code, **more)
    outcome = puts.do(job)
    assert (outcome.state, outcome.etag) == (state, "") and code in outcome.error


@pytest.mark.parametrize("kind, options, state", [
    ("lost", {}, AGAIN), ("blanks", {"cut": True, "seconds": 0.2}, AGAIN),
    ("no-etag", {}, AGAIN), ("html", {}, AGAIN), ("status", {"status": 500}, AGAIN),
    ("conflict", {}, LOST), ("take-upload", {}, LOST), ("rival", {}, IN_THE_WAY)])
def test_a_completion_that_is_not_one(puts, sent, kind, options, state):
    """Its end is not known, the upload is gone, or another was faster."""
    job = sent(condition="*")
    puts.fake.fault(kind, method="POST", key="k", **options)
    outcome = puts.do(job)
    assert outcome.state == state and outcome.error and outcome.claim.kind == "none"


def test_a_wrong_checksum_of_the_whole(puts, sent):
    """A server that is not Amazon's may reckon it otherwise: it is asked without."""
    outcome = puts.do(sent()._replace(checksum=crc32(b"other")))
    assert outcome.state == COMPLETED and [one.status for one in puts.fake.log] == [400, 200]
    assert outcome.claim.expected == zlib.crc32(BODY).to_bytes(4, "big")
    assert "x-amz-checksum-type" not in puts.fake.log[-1].headers


def test_a_wrong_size(puts, sent):
    """S3 refuses another sum of parts: that is not worth another try."""
    job = sent()
    job = job._replace(identity=job.identity._replace(size=len(BODY) + 1), checksum="")
    outcome = puts.do(job)
    assert outcome.state == FAILED and puts.fake.get("b", "k") is None


def test_parts_that_are_not_those(puts, sent):
    """S3 does not find them: the upload is of no use, and asking again is not either."""
    job = sent()
    outcome = puts.do(job._replace(parts=job.parts[:-1] + ((3, "0" * 32, job.parts[-1][2]),)))
    assert outcome.state == LOST and "InvalidPart" in outcome.error
    assert len(puts.fake.log) == 1


def test_conditions_that_are_refused(puts, sent, known):
    """It is completed without; checksums that were declared stay."""
    job = sent(condition="*")
    puts.fake.fault("status", method="POST", key="k", status=501, times=None,
                    where=lambda one: "if-none-match" in one.headers)
    assert puts.do(job).state == COMPLETED
    assert [what for _, what in known.missing] == [CONDITIONS]
    assert all("x-amz-checksum-crc32" in one.headers for one in puts.fake.log)


def test_conditions_that_must_not_be_left_out(puts, sent, known):
    """Where nothing is to be replaced."""
    job = sent(condition="*", only_absent=True)
    puts.fake.fault("status", method="POST", key="k", status=501, times=None)
    outcome = puts.do(job)
    assert outcome.state == FAILED and puts.fake.get("b", "k") is None and not known.missing
    assert all("if-none-match" in one.headers for one in puts.fake.log)


def test_an_etag_goes_back_letter_by_letter(puts, sent):
    """Whatever is in it."""
    job = sent()
    puts.do(job._replace(parts=((1, 'a&<"b', ""), (2, 'W/"x"', ""))))
    assert b'<ETag>&quot;a&amp;&lt;&quot;b&quot;</ETag>' in puts.fake.log[-1].body
    assert b'<ETag>W/&quot;x&quot;</ETag>' in puts.fake.log[-1].body


# --- aborted


def test_an_upload_is_aborted(puts, sent):
    """And nothing is left."""
    outcome = puts.do(sent()._replace(kind="abort"))
    assert outcome.state == ABORTED and not uploads(puts)
    assert [one.method for one in puts.fake.log] == ["DELETE", "GET"]


def test_an_upload_that_was_gone(puts, begun):
    """It is as good as aborted."""
    assert puts.do(begun(BODY)._replace(kind="abort", upload_id="none")).state == ABORTED


def test_parts_that_were_under_way(puts, sent):
    """S3 may keep them: it is asked until none is left."""
    job = sent()._replace(kind="abort")
    puts.fake.fault("half-abort", method="DELETE", key="k", times=2)
    assert puts.do(job).state == ABORTED and not uploads(puts)
    assert [one.method for one in puts.fake.log] == ["DELETE", "GET"] * 3


def test_parts_that_stay(puts, sent):
    """It is not asked for ever, and not said to be done."""
    job = sent()._replace(kind="abort")
    puts.fake.fault("half-abort", method="DELETE", key="k", times=None)
    outcome = puts.do(job)
    assert outcome.state == FAILED and "still has parts" in outcome.error
    assert len(puts.asked("DELETE")) == 5


@pytest.mark.parametrize("status", [501, 405, 400])
def test_parts_that_cannot_be_listed(puts, sent, status):
    """S3's word on the abort must do."""
    job = sent()._replace(kind="abort")
    puts.fake.fault("status", method="GET", key="k", status=status, times=None)
    assert puts.do(job).state == ABORTED and not uploads(puts)


@pytest.mark.parametrize("status, state", [(403, FAILED), (500, AGAIN)])
def test_an_abort_that_is_refused(puts, sent, status, state):
    """It is not aborted."""
    puts.fake.fault("status", method="DELETE", key="k", status=status)
    assert puts.do(sent()._replace(kind="abort")).state == state and uploads(puts)
