"""What is asked of S3 before an object is fetched in ranges, or a file compared with it."""

import os

import pytest
from fakes3.characters import CHARACTERS

from s3kit.s3.capabilities import PART_SIZES, Capabilities
from s3kit.transfer import engine as engine_module
from s3kit.transfer import task
from s3kit.transfer.job import AGAIN, ARCHIVED, CHANGED, DESCRIBED, FAILED, SURVEYED, VANISHED
from s3kit.transfer.survey import TOGETHER

BODY = os.urandom(300_000)
TIME = 1_700_000_000_000_000_000


@pytest.fixture
def engine(desk):
    """An engine."""
    return desk.engine()


# --- what S3 says first


def test_a_survey(desk, engine):
    """One question; the answer has size, time, class, and the claim on all bytes."""
    desk.fake.put("b", "k", BODY, modified=TIME / 1e9, storage_class="STANDARD_IA")
    outcome = desk.do(desk.job("survey"), engine=engine)
    assert (outcome.state, outcome.size, outcome.mtime_ns, outcome.storage_class) == (
        SURVEYED, len(BODY), TIME, "STANDARD_IA")
    assert (outcome.claim.kind, outcome.claim.algorithm) == ("full", "crc64nvme")
    assert [one.method for one in desk.fake.log] == ["HEAD"]
    assert desk.do(desk.job("survey", size=-1), engine=engine).size == len(BODY)


def test_a_survey_of_parts(desk, engine):
    """Their size is asked for, too; where S3 does not tell it, it stays unknown."""
    desk.fake.put("b", "k", BODY, parts=[200_000, 100_000], checksum=None)
    desk.fake.fault("status", key="k", method="HEAD", status=500, after=3)  # the fourth question
    for part_size in (200_000, 0):
        outcome = desk.do(desk.job("survey"), engine=engine)
        assert (outcome.state, outcome.claim.kind, outcome.claim.count,
                outcome.claim.part_size) == (SURVEYED, "parts", 2, part_size)
    assert [one.query for one in desk.fake.log] == [{}, {"partNumber": "1"}] * 2


def test_an_object_in_an_archive(desk, engine):
    """It has to be restored before."""
    desk.fake.put("b", "k", BODY, storage_class="GLACIER")
    outcome = desk.do(desk.job("survey"), engine=engine)
    assert (outcome.state, outcome.error) == (ARCHIVED, "the object is in GLACIER")


def test_an_archive_that_does_not_tell_its_class(desk, engine):
    """No answer ends the worker."""
    desk.fake.put("b", "k", BODY, headers={"x-amz-archive-status": "ARCHIVE_ACCESS"})
    outcome = desk.do(desk.job("survey"), engine=engine)
    assert (outcome.state, outcome.error) == (ARCHIVED, "the object is in ARCHIVE_ACCESS")


@pytest.mark.parametrize("fault, state, said", [
    ({"status": 404, "code": "NoSuchKey", "message": "m"}, VANISHED, "S3 says NoSuchKey: m"),
    ({"status": 403, "code": "AccessDenied", "message": "m"}, FAILED, "S3 says AccessDenied: m"),
    ({"status": 503, "code": "SlowDown", "message": "m"}, AGAIN, "S3 says SlowDown: m")])
def test_a_refusal_without_a_word(desk, engine, fault, state, said):
    """An answer to HEAD has no body: a byte is asked for, to learn why."""
    desk.fake.put("b", "k", BODY)
    desk.fake.fault("status", key="k", method=None, times=2, **fault)
    outcome = desk.do(desk.job("survey"), engine=engine)
    assert (outcome.state, outcome.error) == (state, said)
    assert [(one.method, one.headers.get("range")) for one in desk.fake.log] == [
        ("HEAD", None), ("GET", "bytes=0-0")]


def test_a_refusal_that_is_over(desk, engine):
    """The byte comes: nobody knows why the first question was refused."""
    desk.fake.put("b", "k", BODY)
    desk.fake.fault("status", key="k", method="HEAD", status=403)
    outcome = desk.do(desk.job("survey"), engine=engine)
    assert (outcome.state, outcome.error) == (AGAIN, "S3 does not answer HEAD")


@pytest.mark.parametrize("kind, options, said", [
    ("wrong-etag", {}, "S3 sent another object"), ("html", {}, "the answer has no ETag"),
    ("chunked", {}, "S3 does not say the object's size"), ("refuse", {}, "")])
def test_a_survey_that_cannot_be_believed(desk, engine, kind, options, said):
    """It is asked again."""
    desk.fake.put("b", "k", BODY)
    desk.fake.fault(kind, key="k", method="HEAD", **options)
    outcome = desk.do(desk.job("survey", version_id="null"), engine=engine)
    assert outcome.state == AGAIN and outcome.error and said in outcome.error


def test_an_object_that_is_longer_than_its_row_says(desk, engine):
    """It is another one."""
    desk.fake.put("b", "k", BODY)
    outcome = desk.do(desk.job("survey", size=5), engine=engine)
    assert (outcome.state, outcome.error) == (AGAIN, f"S3 sends {len(BODY)} bytes, not 5")


# --- the sizes of parts


@pytest.mark.parametrize("sizes, kind, asked", [
    ([120_000, 90_000, 90_000], "parts", [1, 2]),       # may all be of 120,000, but are not
    ([90_000, 90_000, 120_000], "survey", [1, 2]),      # cannot
    ([60_000, 90_000, 90_000, 60_000], "survey", [1, 2, 3])])
@pytest.mark.parametrize("checksum", [None, "SHA256"])
def test_parts_of_several_sizes(desk, engine, sizes, kind, asked, checksum):
    """All but the last are asked for, where one is not enough; of a checksum that is S3's word."""
    desk.fake.put("b", "k", BODY, parts=sizes, checksum=checksum)
    outcome = desk.do(desk.job(kind), engine=engine)
    assert (outcome.state, outcome.claim.sizes) == (SURVEYED, tuple(sizes))
    assert not outcome.claim.is_derived
    assert [one.query for one in desk.fake.log[1:]] == [{"partNumber": str(n)} for n in asked]


def test_sizes_that_s3_does_not_tell(desk, engine):
    """Then it is what it was; what passes is asked for again."""
    desk.fake.put("b", "k", BODY, parts=[100_000] * 3, checksum=None)
    desk.fake.fault("status", key="k", method="HEAD", status=501, after=2)
    outcome = desk.do(desk.job("parts"), engine=engine)
    assert (outcome.state, outcome.claim.part_size, outcome.claim.sizes) == (SURVEYED, 100_000, ())
    desk.fake.fault("status", key="k", method="HEAD", status=503, code="SlowDown", after=2)
    outcome = desk.do(desk.job("parts"), engine=engine)
    assert (outcome.state, outcome.slow) == (AGAIN, True)


def test_many_sizes_at_once(desk, engine):
    """No more than some; whatever order they are answered in."""
    sizes = [12_000, *[11_000] * 24]
    desk.fake.put("b", "k", BODY[:sum(sizes)], parts=sizes, checksum=None)
    together, start = [], engine.wire.start

    def started(*args, **more):
        together.append(engine.wire.active)
        return start(*args, **more)

    engine.wire.start = started
    outcome = desk.do(desk.job("parts"), engine=engine)
    assert outcome.claim.sizes == tuple(sizes)
    assert 1 < max(together) + 1 <= TOGETHER and len(together) == len(sizes)
    assert sorted(int(one.query["partNumber"]) for one in desk.fake.log[1:]) == [*range(1, 25)]


def test_one_of_many_that_fails(desk, engine):
    """The question is asked again, and later answers do no harm."""
    sizes = [12_000, *[11_000] * 24]
    desk.fake.put("b", "k", BODY[:sum(sizes)], parts=sizes, checksum=None)
    desk.fake.fault("status", key="k", method="HEAD", status=500, after=4)
    assert desk.do(desk.job("parts"), engine=engine).state == AGAIN
    assert desk.do(desk.job("parts"), engine=engine).claim.sizes == tuple(sizes)


@pytest.fixture
def known(monkeypatch):
    """What servers lack, as one process knows it."""
    made = Capabilities()
    for module in (task, engine_module):
        monkeypatch.setattr(module, "KNOWN", made)
    return made


@pytest.mark.parametrize("status", [None, 405, 501, 400, 403, 500])
def test_a_server_that_does_not_tell_part_sizes(desk, engine, known, status):
    """Is not asked about the next object, but where its sizes are needed."""
    desk.fake.put("b", "k", BODY, parts=[200_000, 100_000], checksum=None)
    if status:
        desk.fake.fault("status", key="k", method="HEAD", status=status, after=1)
    else:
        desk.fake.character = CHARACTERS["ceph"]()
    is_learned = status in (None, 405, 501)
    for _ in range(2):
        assert desk.do(desk.job("survey"), engine=engine).claim.count == 2
    assert len(desk.fake.log) == (3 if is_learned else 4)
    assert known.lacks(desk.endpoint(), PART_SIZES) == is_learned
    before = len(desk.fake.log)
    desk.do(desk.job("parts"), engine=engine)
    assert [one.method for one in desk.fake.log[before:]] == ["HEAD"] * 2


def test_what_is_said_besides_the_bytes(desk):
    """By one HEAD, also of what lies in an archive; the sizes of parts are not asked for."""
    headers = {"Content-Type": "text/plain", "x-amz-meta-a": "1"}
    desk.fake.put("b", "k", b"x" * (6 << 20), parts=[5 << 20, 1 << 20], checksum=None,
                  storage_class="GLACIER", headers=headers)
    engine = desk.engine(describes=True)
    outcome = desk.do(desk.job("describe"), engine=engine)
    assert outcome.state == DESCRIBED
    assert outcome.description == {"content_type": "text/plain", "metadata": "a=1"}
    assert [request.method for request in desk.fake.log] == ["HEAD"]
    outcome = desk.do(desk.job("describe", etag="0" * 32), engine=engine)
    assert (outcome.state, outcome.description) == (CHANGED, None)
    desk.fake.fault("wrong-etag", method="HEAD")
    assert desk.do(desk.job("describe"), engine=engine).state == AGAIN
    desk.fake.put("b", "whole", b"body", headers=headers)
    surveyed = desk.do(desk.job("survey", "whole"), engine=engine)
    assert surveyed.description == {"content_type": "text/plain", "metadata": "a=1"}
