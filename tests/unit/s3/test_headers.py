"""What the headers of an object's answers say, and what S3 said was wrong."""

import email.utils
from types import SimpleNamespace

import pytest
from checkvalues import CHECK_VALUES, NINE
from hypothesis import given
from hypothesis import strategies as st

from s3kit.proof.checksums import ALGORITHMS
from s3kit.proof.claims import NO_CLAIM, Check, etag_claim
from s3kit.s3 import headers
from s3kit.s3.answer import ERROR_DOCUMENT, TOO_LARGE
from s3kit.transfer.job import FETCHED, Outcome
from s3kit.units import date_ns

MIB = 1 << 20
NAMES = st.sampled_from(["etag", "last-modified", "date", "content-length", "x-amz-restore",
                         "x-amz-storage-class", "x-amz-archive-status", "x-amz-checksum-type",
                         "x-amz-mp-parts-count", "x-amz-server-side-encryption", "x-amz-version-id",
                         *(headers.CHECKSUM + name for name in (*ALGORITHMS, "crc16", ""))])


def of(algorithm, composite=False):
    """Return the header of a check value, as {name: value}."""
    return {headers.CHECKSUM + algorithm: CHECK_VALUES[algorithm] + "-2" * composite}


@given(st.sets(st.sampled_from(ALGORITHMS), min_size=1))
def test_the_cheapest_checksum_is_taken(algorithms):
    """Of several of the whole object, in the order of ALGORITHMS."""
    said = {name: value for algorithm in algorithms for name, value in of(algorithm).items()}
    first = min(algorithms, key=ALGORITHMS.index)
    assert headers.checksum_in(said) == (first, "FULL_OBJECT", CHECK_VALUES[first])


@pytest.mark.parametrize("said, found", [
    (of("crc32", True) | of("sha512"), ("sha512", "FULL_OBJECT", CHECK_VALUES["sha512"])),
    (of("crc32", True), ("crc32", "COMPOSITE", "y/Q5Jg==-2")),
    (of("crc32") | {"x-amz-checksum-type": "COMPOSITE"}, ("crc32", "COMPOSITE", "y/Q5Jg==")),
    ({"x-amz-checksum-crc32": ""}, ("", "", "")), ({"x-amz-checksum-crc16": "AAA="}, ("", "", "")),
    ({"x-amz-checksum-type": "FULL_OBJECT"}, ("", "", "")), ({}, ("", "", ""))])
def test_the_checksum_among_headers(said, found):
    """A full one before parts'; S3's word for its type before ours; unknown ones are not there."""
    assert headers.checksum_in(said) == found


@pytest.mark.parametrize("said, is_md5", [
    ({}, True), ({"x-amz-server-side-encryption": "AES256"}, True),
    ({"x-amz-server-side-encryption": "aws:kms"}, False),
    ({"x-amz-server-side-encryption": "aws:kms:dsse"}, False),
    ({"x-amz-server-side-encryption-customer-algorithm": "AES256"}, False)])
def test_an_etag_is_an_md5_where_it_is_not_encrypted_with_other_keys(said, is_md5):
    claim = headers.claim_in({"etag": '"' + "0" * 32 + '"'} | said, 9)
    assert claim.proof == ("etag-md5" if is_md5 else "size")


def test_a_claim_of_an_answer_is_met_by_its_bytes():
    check = Check(headers.claim_in(of("crc64nvme") | {"etag": '"x"'}, 9), 9)
    check.update(NINE)
    assert check.proof() == "crc64nvme"


@pytest.mark.parametrize("algorithm, composite, is_crc", [
    ("crc32", False, True), ("crc64nvme", False, True), ("crc32", True, False),
    ("sha256", False, False)])
def test_what_ranges_can_be_combined_to(algorithm, composite, is_crc):
    assert headers.is_crc(headers.claim_in(of(algorithm, composite), 9)) is is_crc
    assert not headers.is_crc(NO_CLAIM)


PARTS = "0" * 32 + "-3"


@pytest.mark.parametrize("status, said, part_size", [
    (206, {"content-length": str(5 * MIB), "x-amz-mp-parts-count": "3"}, 5 * MIB),
    (200, {"content-length": str(5 * MIB)}, 5 * MIB),
    (206, {"content-length": str(5 * MIB), "x-amz-mp-parts-count": "4"}, 0),
    (206, {"content-length": str(8 * MIB)}, 0),         # three parts do not come of it
    (206, {"content-length": "\u00b2"}, 0), (206, {"content-length": "0"}, 0), (206, {}, 0),
    (404, {"content-length": str(5 * MIB)}, 0)])
def test_the_part_size_that_head_told(status, said, part_size):
    """It is believed where it fits the object's size and the number of its parts."""
    job = SimpleNamespace(etag=PARTS, size=12 * MIB)
    told = SimpleNamespace(status=status, headers=said)
    assert headers.claim_of_part(job, told).part_size == part_size
    composite = headers.claim_in({headers.CHECKSUM + "crc32": "y/Q5Jg==-3"}, 12 * MIB)
    found = headers.claim_of_part(job, told, composite)
    assert (found.algorithm, found.part_size) == ("crc32", part_size)


@pytest.mark.parametrize("said, is_derived", [
    ({"server": "AmazonS3"}, False), ({}, True), ({"server": "MinIO"}, True)])
def test_whose_etag_is_an_md5(said, is_derived):
    """Amazon's own servers say what their ETags are; of others it is likely."""
    claim = headers.claim_in({"etag": '"' + "0" * 32 + '"'} | said, 9)
    assert (claim.proof, claim.is_derived) == ("etag-md5", is_derived)
    express = said | {"etag": '"' + "0" * 32 + '"', "x-amz-storage-class": "EXPRESS_ONEZONE"}
    assert headers.claim_in(express, 9).kind == "none"


@pytest.mark.parametrize("name, etag, kind", [
    ("sha256", '"e-3"', ""), ("sha256", '"e"', "FULL_OBJECT"),
    ("crc64nvme", '"e-3"', "FULL_OBJECT")])
def test_a_checksum_whose_type_nobody_says(name, etag, kind):
    """It is not guessed for an object of parts."""
    said = {headers.CHECKSUM + name: "AAAA", "etag": etag}
    assert headers.checksum_in(said) == (name, kind, "AAAA")


@pytest.mark.parametrize("status, said, expected", [
    (206, {"content-length": "5", "x-amz-mp-parts-count": "2"}, (5, 2)),
    (206, {"content-length": "5"}, (5, 0)), (200, {"content-length": "9"}, (None, 0)),
    (416, {"content-length": "5"}, (None, 0)), (206, {}, (None, 0))])
def test_a_part_of_an_object_of_nine_bytes(status, said, expected):
    """A server that passes over the number answers with all of the object."""
    assert headers.part_in(SimpleNamespace(status=status, headers=said), 9) == expected


def test_a_part_size_of_an_etag_that_is_not_of_parts():
    job = SimpleNamespace(etag="0" * 32, size=9)
    told = SimpleNamespace(status=206, headers={"content-length": "9"})
    assert headers.claim_of_part(job, told) == etag_claim("0" * 32, 9)


def test_what_a_row_learns():
    """All that headers say of an object, in the forms of the manifest."""
    said = {"etag": 'W/"ABC"', "x-amz-version-id": "v", "x-amz-storage-class": "GLACIER",
            "last-modified": "Fri, 21 Dec 2012 00:00:01 GMT"} | of("crc32")
    assert headers.described(said, Outcome(FETCHED, path="p")) == Outcome(
        FETCHED, path="p", etag='W/"ABC"', version_id="v", last_modified="2012-12-21T00:00:01Z",
        storage_class="GLACIER", checksum_algorithm="CRC32", checksum_type="FULL_OBJECT",
        checksum="y/Q5Jg==")
    assert headers.described({}, Outcome(FETCHED)) == Outcome(FETCHED)


ONGOING = 'ongoing-request="true"'
READY = 'ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"'


@pytest.mark.parametrize("storage, tier, restore, is_archived", [
    ("GLACIER", "", "", True), ("DEEP_ARCHIVE", "", ONGOING, True), ("GLACIER", "", READY, False),
    ("GLACIER_IR", "", "", False), ("", "", "", False), ("INTELLIGENT_TIERING", "", "", False),
    ("INTELLIGENT_TIERING", "ARCHIVE_ACCESS", "", True),
    ("INTELLIGENT_TIERING", "DEEP_ARCHIVE_ACCESS", ONGOING, True)])
def test_what_must_be_restored(storage, tier, restore, is_archived):
    said = {"x-amz-storage-class": storage, "x-amz-archive-status": tier, "x-amz-restore": restore}
    assert headers.is_archived({name: value for name, value in said.items()
                                if value}) is is_archived


@given(st.integers(0, 4102444800))
def test_dates(second):
    """Whole seconds of every HTTP date."""
    date = email.utils.formatdate(second, usegmt=True)
    for text in (date, date.replace("GMT", "+0000")):
        assert headers.modified_ns({"last-modified": text}) == second * 10**9


@pytest.mark.parametrize("text", ["Fri, 31 Dec 9999 23:59:59 -2300", "yesterday", ""])
def test_a_date_that_no_calendar_has(text):
    """In UTC it would be after the last year, or it is none at all."""
    assert date_ns(text) is None
    headers.described({"last-modified": text}, Outcome(FETCHED))


@given(st.dictionaries(NAMES, st.text(max_size=30) | st.sampled_from(list(CHECK_VALUES.values()))),
       st.integers(-1, 1 << 40))
def test_no_header_ends_a_worker(said, size):
    """Whatever an answer says."""
    headers.described(said, Outcome(FETCHED))
    headers.claim_in(said, size)
    headers.is_archived(said)
    headers.claim_of_part(SimpleNamespace(etag=said.get("etag", ""), size=size),
                          SimpleNamespace(status=200, headers=said))


def wrong(code="", message="", failure="", date=None):
    """Return a Transfer that failed."""
    return SimpleNamespace(code=code, message=message, failure=failure,
                           headers={} if date is None else {"date": date})


@pytest.mark.parametrize("transfer, text", [
    (wrong("NoSuchKey", "It is not there."), "S3 says NoSuchKey: It is not there."),
    (wrong("HTTP503"), "S3 says HTTP503"), (wrong(failure="timed out"), "timed out"),
    (wrong(TOO_LARGE, failure="too much"), "too much"),
    (wrong(ERROR_DOCUMENT), "S3 answered 200 with an error document"),
    (wrong("SlowDown", "Slow.", failure="HTTP error"), "S3 says SlowDown: Slow.")])
def test_what_s3_said(transfer, text):
    assert headers.said(transfer) == text


@pytest.mark.parametrize("code", [*headers.CLOCK_CODES, "NoSuchKey"])
@pytest.mark.parametrize("off, told", [(0, ""), (59, ""), (-59, ""), (3600, "1 h 0 min ahead"),
                                       (-120, "2 min 0 s behind")])
def test_a_wrong_clock_is_named_where_it_may_be_the_cause(code, off, told, monkeypatch):
    monkeypatch.setattr(headers.time, "time", lambda: 1356048000 + off)
    said = headers.said(wrong(code, date="Fri, 21 Dec 2012 00:00:00 GMT"))
    expected = f" (this machine's clock is {told})" if told and code != "NoSuchKey" else ""
    assert said == f"S3 says {code}{expected}"
    assert headers.said(wrong(code, date="no date")) == f"S3 says {code}"


@pytest.mark.parametrize("status, where, said", [
    (301, "https://other.example/k",
     "S3 says HTTP301 (it points to https://other.example/k: see --endpoint-url)"),
    (307, "", "S3 says HTTP307"), (404, "https://other.example/", "S3 says HTTP404")])
def test_where_a_redirect_points(status, where, said):
    """It is said, and not followed."""
    transfer = SimpleNamespace(status=status, code=f"HTTP{status}", message="", failure="",
                               headers={"location": where}, body=b"", hops=0)
    assert headers.said(transfer) == said
