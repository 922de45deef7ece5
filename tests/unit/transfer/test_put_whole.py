"""An object in one request: when it is sent, on what condition, and what S3's answer proves."""

import base64
import hashlib
import os
import zlib

import pytest
from fakes3 import b64
from fakes3.characters import CHARACTERS

from s3kit.proof.claims import claim_of
from s3kit.proof.digest import digest_of
from s3kit.transfer import put_whole
from s3kit.transfer.expected import DOUBTFUL, MISMATCH, Expected
from s3kit.transfer.job import AGAIN, CONFLICT, FAILED
from s3kit.transfer.local_file import CHANGED, SMALL, read_into
from s3kit.transfer.put_job import SENT, THERE, UNSTABLE, WHOLE_MOST
from s3kit.transfer.put_task import MEANWHILE, NO_ETAG, OTHERS
from s3kit.transfer.put_whole import WRONG

BODY, OTHER = b"the bytes of a file", b"the bytes of others"


def crc32(body):
    """Return a CRC-32 as S3 has it."""
    return b64(zlib.crc32(body).to_bytes(4, "big"))


def puts_of(desk):
    """Return the PUTs that came."""
    return desk.asked("PUT")


# --- an object that goes


def test_an_object(puts):
    """With its headers and checksum, in one request; the outcome has all that S3 said of it."""
    outcome = puts.do(puts.put(BODY, condition="*"))
    stored = puts.fake.get("b", "k")
    assert (outcome.state, outcome.proof, outcome.size, outcome.moved) == (
        SENT, "crc32", len(BODY), len(BODY))
    assert (outcome.etag, outcome.version_id, outcome.digest) == (
        stored.etag, stored.id, digest_of(BODY))
    assert (outcome.checksum_algorithm, outcome.checksum_type, outcome.checksum) == (
        "CRC32", "FULL_OBJECT", crc32(BODY))
    assert stored.body == BODY and stored.headers == {
        "Content-Type": "text/plain", "x-amz-meta-s3kit-token": "t"}
    [request] = puts.fake.log
    assert (request.method, request.query_string) == ("PUT", "")
    assert request.headers["if-none-match"] == "*" and "if-match" not in request.headers
    assert request.headers["x-amz-checksum-crc32"] == crc32(BODY)
    assert request.headers["x-amz-content-sha256"] == hashlib.sha256(BODY).hexdigest()
    assert request.headers["content-length"] == str(len(BODY))
    assert not {"expect", "transfer-encoding", "content-md5", "content-encoding"} & {
        *request.headers}


@pytest.mark.parametrize("size", [0, 1, SMALL - 1, SMALL, SMALL + 1, WHOLE_MOST - 1, WHOLE_MOST])
def test_sizes(puts, size):
    """From memory of its own, or from a buffer that is used again."""
    engine, body = puts.engine(), os.urandom(size)
    for key in ("k", "l"):
        outcome = puts.do(puts.put(body, key=key), engine=engine)
        assert (outcome.state, outcome.size, outcome.digest) == (SENT, size, digest_of(body))
        assert puts.body(key) == body and "expect" not in puts.fake.log[-1].headers
    assert len(engine.leaves) == (size > SMALL) and engine.held == 0


def test_a_buffer_is_not_mixed_with_what_it_had_before(puts):
    """A shorter body after a longer one is that alone."""
    engine = puts.engine()
    for body in (b"a" * (SMALL + 9), b"b" * (SMALL + 1)):
        assert puts.do(puts.put(body), engine=engine).proof == "crc32"
        assert puts.body() == body


@pytest.mark.parametrize("key", ["a b/\u00e9+%", "a/../b", "..", "x//y", "?versionId=x", "#"])
def test_odd_keys(puts, key):
    """They are those keys, signed by libcurl or by us."""
    outcome = puts.do(puts.put(BODY, key=key, path="file"))
    assert outcome.state == SENT and puts.body(key) == BODY


def test_a_key_without_a_file(puts):
    """As `dir/`: it has no bytes, and S3 says so."""
    job = puts.put(b"", key="x/", path="gone")._replace(path="")
    os.unlink(puts.folder / "gone")
    outcome = puts.do(job)
    assert (outcome.state, outcome.size, outcome.digest, puts.body("x/")) == (
        SENT, 0, digest_of(b""), b"")


@pytest.mark.parametrize("algorithm", ["crc64nvme", "crc32c", "sha1", "sha256"])
def test_a_checksum_that_was_asked_for(puts, algorithm):
    """S3 gets it, and its word on it is the proof."""
    outcome = puts.do(puts.put(BODY, algorithm=algorithm))
    assert (outcome.state, outcome.proof, outcome.checksum_algorithm) == (
        SENT, algorithm, algorithm.upper())
    [request] = puts.fake.log
    assert [name for name in request.headers if name.startswith("x-amz-checksum-")] == [
        f"x-amz-checksum-{algorithm}"]


def test_md5_was_asked_for(puts):
    """It is S3's oldest."""
    outcome = puts.do(puts.put(BODY, algorithm="md5"))
    assert outcome.state == SENT and outcome.proof in ("crc64nvme", "etag-md5")
    [request] = puts.fake.log
    assert request.headers["content-md5"] == base64.b64encode(hashlib.md5(BODY).digest()).decode()
    assert not [name for name in request.headers if name.startswith("x-amz-checksum-")]


# --- what is there is looked at first


def test_nothing_is_there(puts):
    """It is sent if that is so still; a delete marker is nothing."""
    puts.fake.put("b", "l", OTHER)
    puts.fake.delete("b", "l")
    for key in ("k", "l"):
        assert puts.do(puts.put(BODY, key=key, is_looked=True)).state == SENT
        assert puts_of(puts)[-1].headers["if-none-match"] == "*"
    assert [method for method, _ in puts.asked()] == ["HEAD", "PUT"] * 2


def test_other_bytes_are_there(puts):
    """They are replaced, if they are those still that were looked at."""
    puts.fake.put("b", "k", OTHER)
    before = puts.fake.get("b", "k").etag
    outcome = puts.do(puts.put(BODY, is_looked=True))
    assert (outcome.state, puts.body()) == (SENT, BODY)
    assert puts_of(puts)[0].headers["if-match"] == f'"{before}"'
    assert "if-none-match" not in puts_of(puts)[0].headers


@pytest.mark.parametrize("body", [OTHER, BODY + b"!", b""])
def test_what_is_there_is_kept(puts, body):
    """Where nothing is to be replaced."""
    puts.fake.put("b", "k", body)
    outcome = puts.do(puts.put(BODY, is_looked=True, only_absent=True))
    assert (outcome.state, outcome.error, puts.body()) == (CONFLICT, OTHERS, body)
    assert puts_of(puts) == []


@pytest.mark.parametrize("only_absent", [False, True])
@pytest.mark.parametrize("checksum, parts, proof", [
    ("CRC64NVME", None, "crc64nvme"), ("SHA256", None, "sha256"), (None, None, "etag-md5"),
    (None, [len(BODY)], f"etag-md5-parts:{len(BODY)}")])
def test_the_same_bytes_are_there(puts, only_absent, checksum, parts, proof):
    """They are not sent again: what S3 says of them is enough."""
    version = puts.fake.put("b", "k", BODY, checksum=checksum, parts=parts)
    outcome = puts.do(puts.put(BODY, is_looked=True, only_absent=only_absent))
    assert (outcome.state, outcome.proof, outcome.version_id, outcome.moved) == (
        THERE, proof, version, 0)
    assert outcome.digest == digest_of(BODY) and puts_of(puts) == []
    assert puts.asked("HEAD")[0].headers["x-amz-checksum-mode"] == "ENABLED"


def test_the_same_length_proves_nothing(puts):
    """Where S3 says nothing of the bytes that are there, ours are sent."""
    puts.fake.put("b", "k", BODY, checksum=None, etag="0" * 31 + "x")
    assert puts.do(puts.put(BODY, is_looked=True)).state == SENT
    assert len(puts_of(puts)) == 1


@pytest.mark.parametrize("etag, body, state", [("opaque", BODY, THERE), ("another", BODY, SENT),
                                               ("opaque", b"was", SENT)])
def test_the_ledger_knows_what_is_there(puts, etag, body, state):
    """Where S3 says nothing of its bytes: the very object that was made of this file is kept."""
    puts.fake.put("b", "k", BODY, checksum=None, etag="opaque")
    done = puts.do(puts.put(BODY, is_looked=True, stored=(etag, "size", digest_of(body))))
    assert (done.state, len(puts_of(puts))) == (state, int(state == SENT))


def test_we_may_not_look(puts):
    """It is sent without a condition; where nothing is to be replaced, not at all."""
    puts.fake.fault("status", method="HEAD", status=403, times=None)
    outcome = puts.do(puts.put(BODY, is_looked=True, only_absent=True))
    assert outcome.state == FAILED and puts_of(puts) == []
    assert puts.do(puts.put(BODY, is_looked=True)).state == SENT
    assert not {"if-match", "if-none-match"} & {*puts_of(puts)[0].headers}


def test_a_head_that_is_not_s3s(puts):
    """The page of a portal says nothing of what is there."""
    puts.fake.fault("html", method="HEAD")
    outcome = puts.do(puts.put(BODY, is_looked=True))
    assert (outcome.state, outcome.error) == (AGAIN, NO_ETAG) and puts_of(puts) == []


# --- answers that are lost


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_lost_answer(puts, end):
    """The next try finds that it is done: nothing is sent twice, nobody is in the way."""
    puts.fake.fault("lost", key="k", method="PUT", end=end)
    job = puts.put(BODY, condition="*")
    first = puts.do(job)
    assert first.state == AGAIN and puts.body() == BODY
    again = puts.do(job._replace(is_looked=True, only_absent=True))
    assert (again.state, again.proof, again.version_id) == (
        SENT, "crc32", puts.fake.get("b", "k").id)
    assert len(puts_of(puts)) == 1 and len(puts.fake.versions("b")) == 1


def test_a_lost_answer_of_a_server_that_says_nothing_of_bytes(puts):
    """The token says that it was us: then it is there, as far as its size tells."""
    puts.fake.character = CHARACTERS["exoscale"]()
    puts.fake.fault("lost", key="k", method="PUT")
    job = puts.put(BODY, condition="*")
    assert puts.do(job).state == AGAIN
    again = puts.do(job._replace(is_looked=True))
    assert (again.state, again.proof, len(puts_of(puts))) == (SENT, "size", 1)
    other = puts.do(job._replace(is_looked=True, token="other", headers=(
        "x-amz-meta-s3kit-token: other",)))
    assert other.state == SENT and len(puts_of(puts)) == 2


def test_our_token_at_other_bytes(puts):
    """They are not those of the file, whoever wrote them: they are replaced."""
    puts.fake.character = CHARACTERS["exoscale"]()
    for there in (BODY + b"!", b""):
        puts.fake.put("b", "k", there, headers={"x-amz-meta-s3kit-token": "t"})
        assert puts.do(puts.put(BODY, is_looked=True)).state == SENT and puts.body() == BODY


def test_a_try_of_ours_is_in_the_way(puts):
    """A proxy sent it twice: the second one is refused, but the first one was ours."""
    puts.fake.fault("twice", key="k", method="PUT")
    outcome = puts.do(puts.put(BODY, condition="*"))
    assert (outcome.state, outcome.proof, outcome.version_id) == (
        SENT, "crc32", puts.fake.get("b", "k").id)
    assert [one.status for one in puts.fake.log][-2:] == [412, 200] and puts.body() == BODY


@pytest.mark.parametrize("key_is_there", [False, True])
def test_another_is_in_the_way(puts, key_is_there):
    """What came to be there meanwhile stays, and is said."""
    if key_is_there:
        puts.fake.put("b", "k", b"before")
    puts.fake.fault("rival", key="k", method="PUT", body=OTHER)
    outcome = puts.do(puts.put(BODY, is_looked=True))
    assert (outcome.state, outcome.error, puts.body()) == (CONFLICT, MEANWHILE, OTHER)
    assert len(puts_of(puts)) == 1


def test_another_put_the_same_bytes(puts):
    """Then they are there, but not by us."""
    puts.fake.fault("rival", key="k", method="PUT", body=BODY)
    outcome = puts.do(puts.put(BODY, condition="*"))
    assert (outcome.state, outcome.proof, len(puts.fake.versions("b"))) == (
        THERE, "crc64nvme", 1)


def test_what_was_in_the_way_is_gone(puts):
    """It is tried again."""
    puts.fake.fault("status", key="k", method="PUT", status=412)
    outcome = puts.do(puts.put(BODY, condition="*"))
    assert (outcome.state, outcome.error) == (AGAIN, MEANWHILE)


def test_what_was_compared_is_gone(puts):
    """If-Match meets nothing: S3 says 404, and it is tried again."""
    puts.fake.put("b", "k", OTHER)
    puts.fake.fault("rival", key="k", method="PUT", body=None)
    outcome = puts.do(puts.put(BODY, is_looked=True))
    assert outcome.state == AGAIN and puts_of(puts)[0].status == 404
    assert puts.do(puts.put(BODY, is_looked=True)).state == SENT


def test_a_condition_that_failed_within_a_200(puts):
    """The body is read."""
    puts.fake.put("b", "k", OTHER)
    puts.fake.fault("error200", key="k", method="PUT", code="PreconditionFailed")
    outcome = puts.do(puts.put(BODY, condition="*"))
    assert (outcome.state, outcome.error) == (CONFLICT, MEANWHILE)


@pytest.mark.parametrize("kind, options", [
    ("conflict", {}), ("status", {"status": 503}), ("status", {"status": 500}),
    ("error200", {}), ("refuse", {}), ("damaged", {}),
    ("status", {"status": 400, "code": "RequestTimeout"})])
def test_what_passes(puts, kind, options):
    """It is worth another try: nothing is stored, and no bytes are believed."""
    puts.fake.fault(kind, key="k", method="PUT", **options)
    assert puts.do(puts.put(BODY, condition="*")).state == AGAIN and puts.body() is None
    assert puts.do(puts.put(BODY, condition="*", is_looked=True)).state == SENT


def test_too_fast(puts):
    """It is said to be slow, so that it is borne longer."""
    puts.fake.fault("status", key="k", method="PUT", status=503)
    assert puts.do(puts.put(BODY)).slow
    puts.fake.fault("status", key="k", method="PUT", status=500)
    assert not puts.do(puts.put(BODY)).slow


@pytest.mark.parametrize("status, code", [(403, "AccessDenied"), (400, "InvalidStorageClass"),
                                          (400, "EntityTooLarge")])
def test_what_is_refused(puts, status, code):
    """It fails in S3's words."""
    puts.fake.fault("status", key="k", method="PUT", status=status, code=code, times=None)
    outcome = puts.do(puts.put(BODY, condition="*"))
    assert outcome.state == FAILED and code in outcome.error and puts.body() is None


def test_a_bucket_that_is_not_there(puts):
    """Nothing can be stored at all."""
    del puts.fake.buckets["b"]
    outcome = puts.do(puts.put(BODY))
    assert outcome.state == "fatal" and "NoSuchBucket" in outcome.error


# --- what the answer says of the bytes


def test_a_wrong_checksum_in_the_answer(puts):
    """S3 has other bytes, or says so: it is sent again, whatever is there."""
    puts.fake.fault("wrong-sum", key="k", method="PUT")
    outcome = puts.do(puts.put(BODY))
    assert (outcome.state, outcome.error, outcome.proof) == (AGAIN, WRONG, "")


def test_a_body_that_was_damaged_unchecked(puts):
    """A server that does not look says what it has: that is seen."""
    puts.fake.fault("damaged", key="k", method="PUT", unchecked=True)
    outcome = puts.do(puts.put(BODY, condition="*"))
    assert (outcome.state, outcome.error) == (AGAIN, WRONG) and puts.body() != BODY
    again = puts.do(puts.put(BODY, is_looked=True))
    assert (again.state, puts.body()) == (SENT, BODY)


def test_no_checksum_in_the_answer(puts):
    """An ETag that is the MD5 is enough."""
    puts.fake.fault("no-sum", key="k", method="PUT")
    outcome = puts.do(puts.put(BODY))
    assert (outcome.state, outcome.proof, len(puts.fake.log)) == (SENT, "etag-md5", 1)


def test_no_etag_in_the_answer(puts):
    """It is not S3's: who has the bytes?"""
    puts.fake.fault("no-etag", key="k", method="PUT")
    outcome = puts.do(puts.put(BODY))
    assert (outcome.state, outcome.error) == (AGAIN, NO_ETAG)


@pytest.fixture
def wordless(puts):
    """S3's answers to PUT say neither a checksum nor an ETag that is an MD5."""
    puts.fake.fault("no-sum", key="k", method="PUT", times=None)
    puts.kms = puts.put(BODY, headers=("x-amz-server-side-encryption: aws:kms",
                                       "x-amz-meta-s3kit-token: t"))
    return puts


def test_the_head_says_what_the_answer_did_not(wordless):
    """It is asked for once, of the very version."""
    outcome = wordless.do(wordless.kms)
    assert (outcome.state, outcome.proof, outcome.version_id) == (
        SENT, "crc32", wordless.fake.get("b", "k").id)
    assert wordless.asked() == [("PUT", ""), ("HEAD", f"versionId={outcome.version_id}")]


@pytest.mark.parametrize("kind, options, wanted", [
    ("status", {"status": 404}, (AGAIN, "what was sent is not there", "")),
    ("status", {"status": 403}, (SENT, "", "size")),
    ("wrong-sum", {}, (AGAIN, WRONG, "")), ("no-sum", {}, (SENT, "", "size"))])
def test_what_the_head_says(wordless, kind, options, wanted):
    """That it is not there, nothing, the wrong thing, or nothing of the bytes."""
    wordless.fake.fault(kind, key="k", method="HEAD", **options)
    outcome = wordless.do(wordless.kms)
    assert (outcome.state, outcome.error, outcome.proof) == wanted
    if outcome.state == SENT:
        assert outcome.etag == wordless.fake.get("b", "k").etag and outcome.digest


def test_the_head_is_of_another_object(wordless):
    """Somebody has replaced it in a bucket without versions: that is no proof of ours."""
    wordless.fake.buckets["b"].versioning = ""
    wordless.fake.fault("rival", key="k", method="HEAD", body=BODY)
    outcome = wordless.do(wordless.kms)
    assert (outcome.state, outcome.error) == (CONFLICT, MEANWHILE)


# --- servers that lack something


def refuse(puts, *names, status=501, code="NotImplemented"):
    """Have the server refuse PUTs with any of these headers."""
    def has(request):
        return any(header.startswith(name) for header in request.headers for name in names)
    puts.fake.fault("status", method="PUT", key=bool, status=status, code=code, times=None,
                    where=has)


def test_checksums_are_refused(puts, known):
    """Content-MD5 guards the bytes; that is learned once."""
    refuse(puts, "x-amz-checksum-", status=400, code="InvalidArgument")
    engine = puts.engine()
    outcome = puts.do(puts.put(BODY, condition="*"), engine=engine)
    assert outcome.state == SENT
    refused, taken = puts_of(puts)
    assert refused.status == 400 and taken.headers["if-none-match"] == "*"
    assert taken.headers["content-md5"] == base64.b64encode(hashlib.md5(BODY).digest()).decode()
    assert [what for _, what in known.missing] == [
        "checksums of what is uploaded (x-amz-checksum-*)"]
    assert [note for note in engine.notes() if note[0] == "lacks"]
    assert puts.do(puts.put(OTHER), engine=engine).state == SENT
    assert len(puts_of(puts)) == 3 and "content-md5" in puts_of(puts)[2].headers


def test_conditions_are_refused(puts, known):
    """It is sent without them: they are asked for once, and checksums stay."""
    refuse(puts, "if-none-match", "if-match")
    engine = puts.engine()
    assert puts.do(puts.put(BODY, condition="*"), engine=engine).proof == "crc32"
    assert "if-none-match" not in puts_of(puts)[-1].headers
    assert "x-amz-checksum-crc32" in puts_of(puts)[-1].headers
    assert [what for _, what in known.missing] == [
        "conditions of what is uploaded (If-Match, If-None-Match)"]
    asked = len(puts_of(puts))
    assert puts.do(puts.put(OTHER, is_looked=True), engine=engine).state == SENT
    assert len(puts_of(puts)) == asked + 1


def test_both_are_refused(puts, known):
    """Both are left out."""
    refuse(puts, "if-none-match", "x-amz-checksum-")
    assert puts.do(puts.put(BODY, condition="*")).state == SENT
    assert len(known.missing) == 2 and puts.body() == BODY


def test_a_refusal_that_is_of_neither(puts, known):
    """Nothing is learned from it."""
    puts.fake.fault("status", method="PUT", key=bool, status=400, code="InvalidRequest", times=None)
    outcome = puts.do(puts.put(BODY, condition="*"))
    assert outcome.state == FAILED and not known.missing and len(puts_of(puts)) == 2


def test_a_checksum_that_was_asked_for_is_not_left_out(puts, known):
    """Where people want it, nothing is stored without."""
    refuse(puts, "x-amz-checksum-")
    outcome = puts.do(puts.put(BODY, algorithm="sha256", condition="*"))
    assert outcome.state == FAILED and puts.body() is None and not known.missing
    assert all("x-amz-checksum-sha256" in one.headers for one in puts_of(puts))


def test_what_keeps_others_objects_is_not_left_out(puts, known):
    """Where nothing is to be replaced, nothing is sent without a condition."""
    refuse(puts, "if-none-match")
    outcome = puts.do(puts.put(BODY, condition="*", only_absent=True))
    assert outcome.state == FAILED and puts.body() is None and not known.missing
    assert all("if-none-match" in one.headers for one in puts_of(puts))


# --- the file, and what its row says


def test_a_file_that_is_not_what_it_was(puts):
    """Nothing is asked of S3."""
    job = puts.put(BODY, is_looked=True)
    puts.file("k", OTHER)
    outcome = puts.do(job)
    assert (outcome.state, outcome.error, puts.fake.log) == (UNSTABLE, CHANGED, [])


def test_a_file_that_changes_while_it_is_read(puts, monkeypatch):
    """What was read may be of neither."""
    def reading(*values):
        buffer = read_into(*values)
        os.utime(puts.folder / "k", ns=(1, 1))
        return buffer
    monkeypatch.setattr(put_whole, "read_into", reading)
    outcome = puts.do(puts.put(BODY))
    assert (outcome.state, outcome.error, puts.fake.log) == (UNSTABLE, CHANGED, [])


def test_a_file_that_is_gone(puts):
    """It cannot be read: that is said."""
    job = puts.put(BODY)
    os.unlink(puts.folder / "k")
    outcome = puts.do(job)
    assert (outcome.state, outcome.error) == (
        FAILED, "cannot read 'k': No such file or directory")
    assert puts.fake.log == []


def test_a_link_is_not_followed_unasked(puts):
    """Its target's bytes go where that is wanted."""
    puts.file("target", BODY)
    (puts.folder / "k").symlink_to("target")
    job = puts.put(None, path="k")
    assert puts.do(job).state in (FAILED, CONFLICT) and puts.fake.log == []
    assert puts.do(job._replace(follows=True)).state == SENT and puts.body() == BODY


def of_crc(body, is_derived=False):
    """Return the Expected of S3's CRC."""
    claim = claim_of("CRC32", "FULL_OBJECT", crc32(body), "", len(body))
    return Expected(claim=claim._replace(is_derived=is_derived))


@pytest.mark.parametrize("expected, state, words", [
    (Expected(digest=digest_of(OTHER)), MISMATCH, "not those that were fetched"),
    (of_crc(OTHER), MISMATCH, "do not match S3's crc32"),
    (of_crc(OTHER, is_derived=True), DOUBTFUL, "which may be wrong itself"),
    (Expected(given=f"md5:{hashlib.md5(OTHER).hexdigest()}"), MISMATCH, "the given md5")])
def test_bytes_that_are_not_the_rows(puts, expected, state, words):
    """They never become its copy."""
    outcome = puts.do(puts.put(BODY, is_looked=True, expected=expected))
    assert outcome.state == state and words in outcome.error and puts.fake.log == []


@pytest.mark.parametrize("expected, hop", [
    (Expected(), ""), (Expected(digest=digest_of(BODY)), "digest"), (of_crc(BODY), "crc32"),
    (Expected(given=f"md5:{hashlib.md5(BODY).hexdigest()}"), "given-md5")])
def test_bytes_that_are_the_rows(puts, expected, hop):
    """The outcome says by what that was found."""
    for _ in range(2):
        outcome = puts.do(puts.put(BODY, is_looked=True, expected=expected))
        assert outcome.proof == "crc32" and outcome.pieces == hop


def test_a_limited_rate(puts):
    """The body is paused, and goes on."""
    body = os.urandom(3 << 20)
    engine = puts.engine(rate=4 << 20)
    engine.rate.tokens = -1
    outcome = puts.do(puts.put(body), engine=engine)
    assert outcome.state == SENT and puts.body() == body and engine.rate.tokens < 4 << 20
