"""One part of a large object: what is sent, what is known of it afterwards, and what stops it."""

import hashlib
import os
import zlib

import pytest
import xxhash
from certificates import self_signed
from descriptors import open_descriptors
from fakes3 import FakeS3, b64

from s3kit.proof.digest import LEAF, digest_of, join_leaf_bytes
from s3kit.transfer import put_job, put_parts
from s3kit.transfer.job import AGAIN, FAILED
from s3kit.transfer.local_file import CHANGED
from s3kit.transfer.put_job import CREATED, LOST, TAKEN, UNSTABLE
from s3kit.transfer.put_task import NO_ETAG
from unit.transfer.conftest import PutDesk, part_of

BODY = bytes(range(256)) * 40


@pytest.fixture
def is_long(request, monkeypatch):
    """Have parts of more than a few bytes be too long for memory, and be read in many steps."""
    if request.param:
        monkeypatch.setattr(put_job, "WHOLE_MOST", 1000)
        monkeypatch.setattr(put_parts, "READ", 999)
    return request.param


EITHER = pytest.mark.parametrize("is_long", [False, True], indirect=True,
                                 ids=["in memory", "too long for memory"])


def parts_at(puts, job):
    """Return {number: bytes} of the parts that the server has of an upload."""
    upload = puts.fake.buckets["b"].uploads[job.upload_id]
    return {number: bytes(part.body) for number, part in upload.parts.items()}


# --- a part that goes


@EITHER
@pytest.mark.parametrize("algorithm", ["crc32", "crc64nvme", "sha256"])
def test_a_part(puts, begun, is_long, algorithm):
    """With its own checksum; what is known of it is enough to complete the upload later."""
    job = begun(BODY, algorithm)
    outcome = puts.do(part_of(job, 2, 3000, 8000))
    piece = BODY[3000:8000]
    assert (outcome.state, outcome.moved) == (TAKEN, 5000)
    assert parts_at(puts, job) == {2: piece}
    [request] = puts.fake.log
    told = request.headers[f"x-amz-checksum-{algorithm}"]
    assert request.query == {"partNumber": "2", "uploadId": job.upload_id}
    assert request.headers["x-amz-content-sha256"] == hashlib.sha256(piece).hexdigest()
    assert not {"if-match", "if-none-match", "content-type", "expect", "x-amz-meta-s3kit-token",
                "transfer-encoding"} & {*request.headers}
    known = outcome.pieces
    assert (known["number"], known["size"], known["etag"], known["md5"]) == (
        2, 5000, hashlib.md5(piece).hexdigest(), "")
    assert b64(bytes.fromhex(known["checksum"])) == told
    assert known["leaves"] == xxhash.xxh3_128_hexdigest(piece)
    if algorithm == "crc32":
        assert known["checksum"] == f"{zlib.crc32(piece):08x}"


@EITHER
def test_a_part_by_md5(puts, begun, is_long):
    """Of a server that knows no checksums of S3's own: the MD5 is kept for the ETag of the whole.
    """
    job = begun(BODY, "md5")
    known = puts.do(part_of(job, 1, 0, 5000)).pieces
    [request] = puts.fake.log
    md5 = hashlib.md5(BODY[:5000])
    assert request.headers["content-md5"] == b64(md5.digest())
    assert known["checksum"] == known["md5"] == md5.hexdigest()


def test_a_part_whose_checksum_is_not_told(puts, begun):
    """Then the whole may be held against its ETag: the MD5 is kept."""
    puts.fake.fault("no-sum", method="PUT", key="k")
    known = puts.do(part_of(begun(BODY, "crc32"), 1, 0, 5000)).pieces
    assert known["md5"] == hashlib.md5(BODY[:5000]).hexdigest()


@pytest.mark.parametrize("size", [LEAF, 2 * LEAF, 2 * LEAF + 5])
def test_the_leaves_of_our_digest(puts, begun, size):
    """Parts are whole leaves: what is known of each adds up to the digest of the file."""
    body, step = os.urandom(1 << 16) * (size >> 16) + b"x" * (size % (1 << 16)), 2 * LEAF
    job, engine = begun(body, "crc32"), puts.engine()
    leaves = ""
    for number, start in enumerate(range(0, size, step), 1):
        known = puts.do(part_of(job, number, start, min(start + step, size)), engine=engine).pieces
        leaves += known["leaves"]
    assert join_leaf_bytes(bytes.fromhex(leaves)) == digest_of(body)
    assert b"".join(parts_at(puts, job).values()) == body
    assert len(engine.leaves) == (size == LEAF) and engine.held == 0 and not engine.reading


def test_many_parts_at_once(puts, begun, monkeypatch):
    """Each gets its own bytes, those in memory beside those that are read twice."""
    monkeypatch.setattr(put_job, "WHOLE_MOST", 1000)
    job, borders = begun(BODY, "crc32"), [0, 500, 3000, 3900, 9000, len(BODY)]
    jobs = [part_of(job, number, *ends)
            for number, ends in enumerate(zip(borders, borders[1:]), 1)]
    assert {outcome.state for outcome in puts.do(*jobs)} == {TAKEN}
    assert b"".join(parts_at(puts, job)[number] for number in range(1, 6)) == BODY


def test_a_part_that_is_sent_again(puts, begun):
    """It replaces the first one."""
    job = begun(BODY, "crc32")
    for _ in range(2):
        assert puts.do(part_of(job, 1, 0, 5000)).state == TAKEN
    assert parts_at(puts, job) == {1: BODY[:5000]}


# --- answers that are not good


@EITHER
@pytest.mark.parametrize("kind, options, why", [
    ("wrong-sum", {}, "the checksum in S3's answer is not that of the part"),
    ("damaged", {"unchecked": True}, "the checksum in S3's answer is not that of the part"),
    ("damaged", {}, "S3 says "), ("no-etag", {}, NO_ETAG), ("lost", {}, ""),
    ("status", {"status": 503}, "S3 says "), ("error200", {}, "S3 says InternalError")])
def test_what_passes(puts, begun, is_long, kind, options, why):
    """It is sent again."""
    job = begun(BODY, "crc32")
    puts.fake.fault(kind, method="PUT", key="k", **options)
    outcome = puts.do(part_of(job, 1, 0, 5000))
    assert outcome.state == AGAIN and why in outcome.error and outcome.error
    assert puts.do(part_of(job, 1, 0, 5000)).state == TAKEN
    assert parts_at(puts, job) == {1: BODY[:5000]}


def test_an_upload_that_is_gone(puts, begun):
    """That is not tried again: the upload is."""
    job = begun(BODY, "crc32")
    puts.fake.fault("take-upload", method="PUT", key="k")
    outcome = puts.do(part_of(job, 1, 0, 5000))
    assert outcome.state == LOST and "NoSuchUpload" in outcome.error


def test_a_checksum_is_never_left_out(puts, begun, known):
    """It was declared when the upload was begun: a part without it would be another's."""
    job = begun(BODY, "crc32")
    puts.fake.fault("status", method="PUT", key="k", status=501, times=None)
    outcome = puts.do(part_of(job, 1, 0, 5000))
    assert outcome.state == FAILED and len(puts.fake.log) == 1 and not known.missing


# --- a file that changes


def later(puts):
    """Change the file's time alone."""
    os.utime(puts.folder / "k", ns=(1, 1))


def longer(puts):
    """Append to the file."""
    with open(puts.folder / "k", "ab") as file:
        file.write(b"more")


def replaced(puts):
    """Put another in its place."""
    puts.file("other", BODY)
    os.rename(puts.folder / "other", puts.folder / "k")


@EITHER
@pytest.mark.parametrize("change", [later, longer])
def test_a_file_that_changes_while_it_is_sent(puts, begun, is_long, change):
    """What was sent may be of neither."""
    job = begun(BODY, "crc32")
    puts.fake.hook = lambda request: request.method == "PUT" and change(puts)
    outcome = puts.do(part_of(job, 1, 0, 5000))
    assert (outcome.state, outcome.error) == (UNSTABLE, CHANGED)
    assert len(puts.fake.log) == 1


@EITHER
@pytest.mark.parametrize("change", [later, longer, replaced,
                                    lambda puts: puts.file("k", BODY[:10])])
def test_a_file_that_changed_before(puts, begun, is_long, change):
    """Nothing of it is sent."""
    job = begun(BODY, "crc32")
    change(puts)
    outcome = puts.do(part_of(job, 1, 0, 5000))
    assert (outcome.state, outcome.error) == (UNSTABLE, CHANGED) and puts.fake.log == []


@EITHER
def test_a_file_that_changes_while_it_is_read(puts, begun, is_long, monkeypatch):
    """Nothing of it is sent."""
    job = begun(BODY, "crc32")

    def seeing(step):
        return lambda *values: (step(*values), later(puts))[0]
    monkeypatch.setattr(put_parts, "read_into", seeing(put_parts.read_into))
    monkeypatch.setattr(put_parts.Running, "update", seeing(put_parts.Running.update))
    outcome = puts.do(part_of(job, 1, 0, 5000))
    assert (outcome.state, outcome.error) == (UNSTABLE, CHANGED) and puts.fake.log == []


def between(monkeypatch, change):
    """Have the file changed after a part was hashed, and before it is sent."""
    put = put_parts.Part.put

    def putting(part, sums):
        change()
        put(part, sums)
    monkeypatch.setattr(put_parts.Part, "put", putting)


@pytest.mark.parametrize("is_long", [True], indirect=True)
def test_bytes_that_change_after_they_were_hashed(puts, begun, is_long, monkeypatch):
    """Though the server does not look, and the file's times say nothing."""
    job = begun(BODY, "md5")
    status = os.stat(puts.folder / "k")

    def change():
        with open(puts.folder / "k", "r+b") as file:
            file.seek(4000)
            file.write(b"!!!")
        os.utime(puts.folder / "k", ns=(status.st_atime_ns, status.st_mtime_ns))
    between(monkeypatch, change)
    puts.fake.fault("damaged", method="PUT", key="k", mask=0, unchecked=True)
    outcome = puts.do(part_of(job, 1, 0, 5000))
    assert (outcome.state, outcome.error) == (
        AGAIN, "the bytes of the part changed while they were sent")


@pytest.mark.parametrize("is_long", [True], indirect=True)
def test_a_file_that_shrinks_after_it_was_hashed(puts, begun, is_long, monkeypatch):
    """The request ends, and is not waited for."""
    job = begun(BODY, "crc32")
    between(monkeypatch, lambda: os.truncate(puts.folder / "k", 2000))
    assert puts.do(part_of(job, 1, 0, 5000)).state in (AGAIN, UNSTABLE)
    assert parts_at(puts, job) == {}


# --- how it is signed


@pytest.fixture
def secure(tmp_path, known):
    """A PutDesk of a server that is reached by TLS."""
    certificate, key = self_signed(tmp_path)
    with FakeS3(tls=(certificate, key)) as fake:
        fake.bucket("b")
        fake.min_part = 1
        made = PutDesk(fake, tmp_path / "d")
        made.certificate = certificate
        yield made
        for engine in made.engines:
            engine.close()


@EITHER
def test_a_policy_that_wants_bodies_signed(secure, is_long, known):
    """TLS guards the bytes; where a policy denies that, they are hashed, and that is learned."""
    engine = secure.engine(endpoint=secure.endpoint(ca_bundle=secure.certificate))
    job = secure.put(BODY, kind="create", algorithm="crc32")
    created = secure.do(job, engine=engine)
    assert created.state == CREATED
    job = job._replace(upload_id=created.pieces[0])
    assert secure.do(part_of(job, 1, 0, 5000), engine=engine).state == TAKEN
    assert secure.asked("PUT")[-1].headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    secure.fake.fault("status", method="PUT", key="k", status=403, times=None, where=lambda one: (
        one.headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"))
    hashed = hashlib.sha256(BODY[5000:]).hexdigest()
    for more in (2, 1):
        before = len(secure.asked("PUT"))
        outcome = secure.do(part_of(job, 2, 5000, len(BODY)), engine=engine)
        assert outcome.state == TAKEN and len(secure.asked("PUT")) == before + more
        assert secure.asked("PUT")[-1].headers["x-amz-content-sha256"] == hashed
    assert parts_at(secure, job) == {1: BODY[:5000], 2: BODY[5000:]} and known.missing


def test_what_a_policy_denies_for_good(secure, known):
    """It is tried once more, hashed, and no more."""
    engine = secure.engine(endpoint=secure.endpoint(ca_bundle=secure.certificate))
    job = secure.put(BODY, kind="create", algorithm="crc32")
    job = job._replace(upload_id=secure.do(job, engine=engine).pieces[0])
    secure.fake.fault("status", method="PUT", key="k", status=403, times=None)
    before = open_descriptors()
    outcome = secure.do(part_of(job, 1, 0, 5000), engine=engine)
    assert open_descriptors() == before
    assert outcome.state == FAILED and "AccessDenied" in outcome.error
    assert len(secure.asked("PUT")) == 2 and not known.missing
    assert len(engine.leaves) == 0 and engine.held == 0


@EITHER
def test_a_limited_rate(puts, begun, is_long):
    """A part is paused, and goes on."""
    job, engine = begun(BODY, "crc32"), puts.engine(rate=1 << 20)
    engine.rate.tokens = -1000
    assert puts.do(part_of(job, 1, 0, len(BODY)), engine=engine).state == TAKEN
    assert parts_at(puts, job) == {1: BODY}
