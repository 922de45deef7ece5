"""What buckets are set to, read from S3's documents, and what is made of it."""

from types import SimpleNamespace

import pytest

from s3kit.doctor.finding import FAULT, UNKNOWN, WARNING
from s3kit.doctor.properties import ASKS, Bucket

ONE = ("<LifecycleConfiguration{}><Rule><ID>r</ID><Status>{}</Status>{}</Rule>"
       "</LifecycleConfiguration>")


def answer(body=b"", status=200, code="", errno=0, failure=""):
    """Return what Bucket.take takes."""
    return SimpleNamespace(status=status, code=code, errno=errno, failure=failure, message="",
                           headers={}, body=body.encode() if isinstance(body, str) else body)


def test_a_rule_that_is_off_races_nothing():
    """And one with tags says that it is not for all."""
    bucket = Bucket("b")
    bucket.take("lifecycle",
                answer(ONE.format("", "Disabled", "<Expiration><Days>3</Days></Expiration>")))
    assert [finding.state for finding in bucket.findings()] == ["ok"]
    narrow = (
        "<Filter><And><Prefix>p/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter>"
        "<Expiration><Days>3</Days></Expiration>")
    bucket.take("lifecycle", answer(ONE.format("", "Enabled", narrow)))
    assert ([finding.seen for finding in bucket.findings()][1]
            == "lifecycle rule 'r' deletes objects under 'p/' with some tags or sizes 3 days after "
            "they came")


@pytest.mark.parametrize("ask, body, told", (
    ("region", "<LocationConstraint/>", "us-east-1"),
    ("region", "<LocationConstraint>EU</LocationConstraint>", "eu-west-1"),
    ("region", "<LocationConstraint>ap-south-1</LocationConstraint>", "ap-south-1"),
    # SeaweedFS wraps it, moto calls the next one otherwise
    ("region", "<CreateBucketConfiguration><LocationConstraint>eu-1</LocationConstraint>"
     "</CreateBucketConfiguration>", "eu-1"),
    ("versioning", "<VersioningConfiguration/>", ""),
    ("versioning", "<GetBucketVersioningResponse><Status>Enabled</Status>"
     "</GetBucketVersioningResponse>", "Enabled"),
    ("lock",
     "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>"
     "</ObjectLockConfiguration>", "without a default"),
    ("lock", "<ObjectLockConfiguration/>", None),
    ("public",
     "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls>"
     "</PublicAccessBlockConfiguration>", False),
    ("encryption",
     "<ServerSideEncryptionConfiguration><Rule><A><SSEAlgorithm>aws:kms</SSEAlgorithm>"
     "<KMSMasterKeyID>k</KMSMasterKeyID></A></Rule></ServerSideEncryptionConfiguration>",
     "aws:kms k"),
    ("list", "<ListBucketResult><Contents><Key>a%20b</Key></Contents></ListBucketResult>", "a b"),
    ("list", "<ListBucketResult/>", ""),
))
def test_documents(ask, body, told):
    """What each says."""
    bucket = Bucket("b")
    bucket.take(ask, answer(body))
    assert bucket.told[ask] == told and not bucket.trouble


@pytest.mark.parametrize("ask", ASKS)
def test_what_does_not_come(ask):
    """Denied is unknown, not built is nothing, no answer is trouble, nonsense too; a named bucket
    must be listed.
    """
    for given, state in ((answer(status=403, code="AccessDenied"),
                          FAULT if ask == "list" else UNKNOWN),
                         (answer(status=501, code="NotImplemented"), None),
                         (answer(failure="timed out", errno=28), FAULT), (answer("<no"), FAULT)):
        bucket = Bucket("b", is_named=True)
        bucket.take(ask, given)
        states = [finding.state for finding in bucket.findings()][1:]
        if ask == "list" and given.status == 501:
            state = FAULT
        if ask == "uploads" and state == FAULT:
            state = UNKNOWN         # nothing else hangs on them
        assert states == ([state] if state else []), (given, states)


def test_a_bucket_that_went():
    """One of our list that is gone is no fault of who named none."""
    for is_named, state in ((True, FAULT), (False, WARNING)):
        bucket = Bucket("b", is_named=is_named)
        bucket.take("list", answer(status=404, code="NoSuchBucket"))
        assert ([(finding.state, finding.seen) for finding in bucket.findings()]
                == [(state, "there is no such bucket")])


def test_never_set():
    """S3's 404s say that something was never set."""
    bucket = Bucket("b")
    bucket.take("public", answer(status=404, code="NoSuchPublicAccessBlockConfiguration"))
    bucket.take("lifecycle", answer(status=404, code="NoSuchLifecycleConfiguration"))
    (finding,) = bucket.findings()
    assert bucket.is_open and finding.seen == "public access not blocked, no lifecycle"


ABORT = ("<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation>"
         "</AbortIncompleteMultipartUpload>")
RULE = "<Rule><Status>{}</Status>{}{}</Rule>"


@pytest.mark.parametrize("rules, keeps", [
    ([RULE.format("Enabled", "<Filter/>", ABORT)], False),
    ([RULE.format("Enabled", "<Prefix></Prefix>", ABORT)], False),
    ([RULE.format("Enabled", "<Prefix>a/</Prefix>", ABORT),
      RULE.format("Enabled", "<Filter><Prefix/></Filter>", ABORT)], False),
    ([RULE.format("Disabled", "<Filter/>", ABORT)], True),
    ([RULE.format("Enabled", "<Filter><Prefix>a/</Prefix></Filter>", ABORT)], True),
    ([RULE.format("Enabled", "<Filter><ObjectSizeGreaterThan>1</ObjectSizeGreaterThan></Filter>",
                  ABORT)], True),
    ([RULE.format("Enabled", "<Filter/>", "<Expiration><Days>7</Days></Expiration>")], True),
    ([], True)])
def test_what_unfinished_uploads_leave(rules, keeps):
    """Goes by a rule that is on and means every key; where the rules were not told, nobody knows.
    """
    bucket = Bucket("b")
    assert not bucket.keeps_parts
    bucket.take("lifecycle", answer(status=403, code="AccessDenied"))
    assert not bucket.keeps_parts
    bucket.take("lifecycle",
                answer(f"<LifecycleConfiguration>{''.join(rules)}</LifecycleConfiguration>"))
    assert bucket.keeps_parts is keeps
    bucket.take("lifecycle", answer(status=404, code="NoSuchLifecycleConfiguration"))
    assert bucket.keeps_parts


UPLOAD = ("<Upload><Key>k</Key><UploadId>i</UploadId><Initiated>{}</Initiated></Upload>")


@pytest.mark.parametrize("content, seen", [
    ("", None), (UPLOAD.format("2026-11-01T00:00:00.000Z"),
                 "1 unfinished upload, the oldest from 2026-11-01"),
    (UPLOAD.format("2026-11-01T00:00:00.000Z") + UPLOAD.format("2025-01-31T23:00:00.000Z"),
     "2 unfinished uploads, the oldest from 2025-01-31"),
    (UPLOAD.format("0001-01-01T00:00:00Z"), "1 unfinished upload"),
    ("<IsTruncated>true</IsTruncated>" + 2 * UPLOAD.format("2026-11-01T00:00:00.000Z"),
     "more than 2 unfinished uploads, the oldest from 2026-11-01"),
    # a marker that XML cannot carry
    ("<KeyMarker>&#x1B;</KeyMarker>" + UPLOAD.format(""), "1 unfinished upload")])
def test_unfinished_uploads(content, seen):
    """How many there are, as far as a page tells."""
    bucket = Bucket("b")
    bucket.take("uploads", answer(
        f"<ListMultipartUploadsResult>{content}</ListMultipartUploadsResult>"))
    assert [finding.seen for finding in bucket.findings()][1:] == ([seen] if seen else [])


LISTING = "<ListBucketResult><Contents><Key>k</Key></Contents></ListBucketResult>"


def test_a_first_key_that_is_not_utf_8():
    """Is told of the bucket, and the doctor goes on with the others."""
    bucket = Bucket("b")
    bucket.take("list",
                answer("<ListBucketResult><Contents><Key>%FF</Key></Contents></ListBucketResult>"))
    assert "list" not in bucket.told and "not UTF-8: '%FF'" in bucket.trouble


@pytest.mark.parametrize("ask", sorted(set(ASKS) - {"list"}))
@pytest.mark.parametrize("given, came", (
    (answer(LISTING), "<ListBucketResult>"), (answer(), "nothing"), (answer(" \n"), "nothing"),
    (answer("<ListBucketResult><Contents><Key>&#x1B;</Key></Contents></ListBucketResult>"),
     "a listing"),
    (answer("<html/>"), "<html>"), (answer(status=404, code="HTTP404"), "HTTP404"),
    (answer(status=500, code="HTTP500"), "HTTP500"),
    (answer(status=405, code="HTTP405"), "HTTP405"),
    (answer(status=500, code="InternalError"), "InternalError"),
    (answer(code="ErrorDocument"), "ErrorDocument")))
def test_what_are_not_s3s_own_words(ask, given, came):
    """A listing, a page, an error of a server's own or nothing: nothing is known, least of all that
    something was never set.
    """
    bucket = Bucket("b")
    bucket.take(ask, given)
    assert ask not in bucket.told and not bucket.is_open
    there, (_, state, seen, *_) = bucket.findings()
    assert there.seen == "there" and (state, seen) == (
        UNKNOWN, f"not answered as S3 would: {ask} ({came})")


@pytest.mark.parametrize("body, came", (("", "nothing"), ("<VersioningConfiguration/>",
                                                          "<VersioningConfiguration>")))
def test_what_is_not_a_listing(body, came):
    """What is not S3's listing does not say that the bucket is empty."""
    bucket = Bucket("b", is_named=True)
    bucket.take("list", answer(body))
    assert [(finding.state, finding.seen) for finding in bucket.findings()] == [
        ("ok", "there"), (FAULT, f"what answers is not S3's listing: {came}")]


def test_a_listing_whose_marker_is_not_xml():
    """Ceph writes the token of the next page raw, though the keys are encoded."""
    bucket = Bucket("b", is_named=True)
    bucket.take("list", answer("<ListBucketResult><NextContinuationToken>&#x1B;[31mred"
                               "</NextContinuationToken><Contents><Key>%1B%5B31mred</Key>"
                               "</Contents></ListBucketResult>"))
    assert bucket.key == "\x1b[31mred"
    assert [finding.state for finding in bucket.findings()] == ["ok"]


@pytest.mark.parametrize("headers, is_missing", (({}, False), ({"x-amz-request-id": "1"}, True)))
def test_only_s3_says_that_a_bucket_is_missing(headers, is_missing):
    """A HEAD has no document: a 404 without any of S3's headers is a proxy's."""
    given = answer(status=404, code="HTTP404")
    given.headers = headers
    bucket = Bucket("b")
    bucket.take("head", given)
    assert bucket.is_missing == is_missing
