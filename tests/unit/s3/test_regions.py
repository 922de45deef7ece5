"""A region belongs to a bucket: whatever is done with it is signed for its own."""

import json
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from conftest import set_aws
from fakes3 import Credential, FakeS3

from s3kit.errors import Fault, NoSuchBucket
from s3kit.s3 import regions
from s3kit.s3.access import Access
from s3kit.s3.address import Endpoint
from s3kit.s3.session import Session
from s3kit.s3.wire import Wire

OPTIONS = {"profile": None, "region": None, "endpoint_url": None, "no_sign_request": False,
           "request_payer": None, "ca_bundle": None, "no_verify_ssl": False, "read_timeout": 300}
DOTS = "a/../b"
WHERE = {"here": "us-west-2", "there": "eu-west-1"}


@pytest.fixture
def amazon(monkeypatch, tmp_path):
    """A fake that stands, as a proxy, for Amazon's S3: two buckets in two regions, in the
    environment.
    """
    with FakeS3(region="us-west-2") as s3:
        for bucket, region in WHERE.items():
            s3.bucket(bucket, versioning="Enabled").region = region
            for key in ("plain", DOTS):
                s3.put(bucket, key, key.encode())
        set_aws(monkeypatch, {"AWS_CONFIG_FILE": tmp_path / "config",
                              "AWS_EC2_METADATA_DISABLED": "true",
                              "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
                              "AWS_DEFAULT_REGION": "us-west-2",
                              "AWS_ENDPOINT_URL_S3": "http://s3.amazonaws.com",
                              "http_proxy": s3.url, "no_proxy": ""})
        give(tmp_path, s3, "FIRST")
        yield s3


def give(folder, s3, name):
    """Let the credential_process give these credentials, good for two minutes, and no others be
    good.
    """
    for known in s3.credentials.values():
        known.expired = True
    s3.credentials[name] = Credential("secret", "token")
    until = datetime.now(timezone.utc) + timedelta(minutes=2)
    (folder / "answer").write_text(json.dumps({"Version": 1, "AccessKeyId": name,
                                               "SecretAccessKey": "secret", "SessionToken": "token",
                                               "Expiration": until.isoformat()}))
    ((folder / "config")
     .write_text(f"[default]\ncredential_process = /bin/cat {folder / 'answer'}\n"))


def read(made, bucket, key):
    """Return the body of a key, as the data plane asks for it."""
    endpoint = made.endpoint(bucket)
    transfer = Wire.once(endpoint, endpoint.object_url(key),
                         headers=["x-amz-checksum-mode: ENABLED"])
    assert transfer.status == 200, (bucket, key, transfer.code, transfer.message)
    return transfer.body.decode()


def test_each_bucket_in_its_own_region(amazon, tmp_path):
    """Keys that libcurl signs and those that botocore does, before the credentials change and
    after.
    """
    options = SimpleNamespace(**OPTIONS)
    made = Access(options)
    for name in ("FIRST", "SECOND"):
        if name == "SECOND":
            give(tmp_path, amazon, name)
            made.renew(made.generation)
        for bucket, region in WHERE.items():
            assert (made.endpoint(bucket).region == region
                    and made.endpoint(bucket).access_key == name)
            assert [read(made, bucket, key) for key in ("plain", DOTS)] == ["plain", DOTS]
            assert f"/{region}/s3/" in amazon.log[-1].headers["authorization"]
    assert vars(options) == OPTIONS, "options are the user's, and shared"
    refused = [request for request in amazon.log
               if request.status in (301, 400) and request.method != "HEAD"]
    assert not refused


def test_many_buckets_one_client_a_region(amazon):
    """However the regions follow each other."""
    made = Access(SimpleNamespace(**OPTIONS))
    for number in range(6):
        amazon.bucket(f"b{number}").region = WHERE["there" if number % 2 else "here"]
        assert made.endpoint(f"b{number}").region == amazon.buckets[f"b{number}"].region
    assert set(made.session.clients.made) == {"", "eu-west-1"}


def test_a_bucket_that_is_not_there(amazon):
    """By S3's own word."""
    with pytest.raises(NoSuchBucket, match="^bucket 'nobody' does not exist$"):
        Access(SimpleNamespace(**OPTIONS)).endpoint("nobody")


# --- asked without boto3

@pytest.fixture
def quick(monkeypatch):
    """No pauses."""
    monkeypatch.setattr(regions, "delay", lambda tries: 0)


def endpoint_of(s3, bucket):
    """Return an Endpoint of a bucket on the fake."""
    return Endpoint(bucket, f"{s3.url}/{bucket}", "us-east-1", s3.access_key, s3.secret_key)


def test_the_region_is_told_to_anyone(fake, quick):
    """Without keys, and without a right."""
    fake.bucket("b").region = "ap-south-1"
    assert regions.ask_region(endpoint_of(fake, "b")) == "ap-south-1"
    assert "authorization" not in fake.log[0].headers


def test_what_passes_is_asked_again(fake, quick):
    """And no more than three times."""
    fake.bucket("b").region = "ap-south-1"
    fake.fault("status", status=503, code="SlowDown", method="HEAD", times=2)
    assert regions.ask_region(endpoint_of(fake, "b")) == "ap-south-1"
    fake.fault("status", status=500, method="HEAD", times=None)
    before = len(fake.log)
    with pytest.raises(Fault, match="cannot reach bucket 'b'"):
        regions.ask_region(endpoint_of(fake, "b"))
    assert len(fake.log) - before == 3


def test_what_does_not_pass_is_not(fake, quick):
    """What a second try meets again."""
    fake.fault("status", status=405, method="HEAD", times=None)
    with pytest.raises(Fault, match="status 405"):
        regions.ask_region(endpoint_of(fake, "b"))
    assert len(fake.log) == 1


def test_a_404_of_somebody_else_is_not_s3s(quick, monkeypatch):
    """A proxy's page says nothing of a bucket; S3's answer has its request id."""
    answers = [{"x-amz-request-id": "1"}, {"server": "proxy"}]
    monkeypatch.setattr(Wire, "once", lambda endpoint, method: SimpleNamespace(
        status=404, headers=answers.pop(0), failure="", code="", errno=0))
    with pytest.raises(NoSuchBucket):
        regions.ask_region(Endpoint("b", "http://h/b"))
    with pytest.raises(Fault, match="status 404") as caught:
        regions.ask_region(Endpoint("b", "http://h/b"))
    assert not isinstance(caught.value, NoSuchBucket)


def test_an_answer_that_botocore_cannot_read():
    """It is said in a line; what we did wrong ourselves is not."""
    from botocore.parsers import ResponseParserError

    def fail(error):
        def head_bucket(**_):
            raise error
        return SimpleNamespace(head_bucket=head_bucket)

    with pytest.raises(Fault, match="no XML"):
        regions.find_region(fail(ResponseParserError("no XML")), "b")
    with pytest.raises(KeyError):
        regions.find_region(fail(KeyError("ours")), "b")


OUTPOST = "op-01ac5d28a6a232904"


@pytest.mark.parametrize("bucket, url, region, service", [
    ("photos", "https://photos.s3.us-west-2.amazonaws.com", "us-west-2", "s3"),
    (f"arn:aws:s3-outposts:eu-west-1:123456789012:outpost:{OUTPOST}:accesspoint:ap",
     f"https://ap-123456789012.{OUTPOST}.s3-outposts.eu-west-1.amazonaws.com", "eu-west-1",
     "s3-outposts"),
    ("arn:aws:s3:eu-west-1:123456789012:accesspoint:ap",
     "https://ap-123456789012.s3-accesspoint.eu-west-1.amazonaws.com", "eu-west-1", "s3")])
def test_what_an_address_is_signed_for(monkeypatch, bucket, url, region, service):
    """The region and the service that botocore signs for: those of the address."""
    set_aws(monkeypatch, {"AWS_DEFAULT_REGION": "us-west-2", "AWS_ACCESS_KEY_ID": "AKIA",
                          "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true",
                          "AWS_CONFIG_FILE": "/nonexistent",
                          "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"})
    made = Session(SimpleNamespace(**OPTIONS))
    assert regions.reach_of(made.client, bucket) == (url, region, service)
    made.frozen = made.credentials()
    endpoint = made.describe(bucket, "")
    assert (endpoint.url, endpoint.region, endpoint.service) == (url, region, service)
