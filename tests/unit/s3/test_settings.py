"""Settings read without boto3 say what botocore says, or leave it to botocore."""

import random
from types import SimpleNamespace

import botocore.session
import pytest
from conftest import set_aws
from generated_settings import Generated, by_botocore

from s3kit.s3 import settings
from s3kit.s3.session import Session

KEYS = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret"}
OPTIONS = dict(profile=None, region=None, endpoint_url=None, no_sign_request=False,
               no_verify_ssl=False, read_timeout=300, ca_bundle=None, request_payer=None)
SHARED = (
    "[default]\naws_access_key_id = D\naws_secret_access_key = DS\n[other]\naws_access_key_id=O\n"
    "aws_secret_access_key=OS\naws_session_token=OT\n")
CONFIG = "[default]\nregion = eu-west-1\noutput = json\n[profile other]\nregion=ap-south-1\n"
LOCAL = "http://127.0.0.1:8333"


@pytest.fixture
def session_of(tmp_path, monkeypatch):
    """Return f(environment, options, config, credentials) -> Session, with nothing else of AWS's
    around.
    """
    def make(env, options, config, shared):
        (tmp_path / "config").write_text(config)
        (tmp_path / "credentials").write_text(shared)
        set_aws(monkeypatch, env | {"AWS_CONFIG_FILE": tmp_path / "config",
                                    "AWS_EC2_METADATA_DISABLED": "true",
                                    "AWS_SHARED_CREDENTIALS_FILE": tmp_path / "credentials"})
        return Session(SimpleNamespace(**OPTIONS | options))
    return make


def left_to_botocore(session, bucket):
    """Return the Endpoint that botocore would use, the network left alone."""
    session.plain = None
    session.find_region = lambda bucket: None
    return session.endpoint(bucket)


PLAIN = {
    "keys and endpoint": (KEYS, {"endpoint_url": LOCAL}, "", ""),
    "a slash at its end": (KEYS, {"endpoint_url": LOCAL + "/"}, "", ""),
    "a token": (KEYS | {"AWS_SESSION_TOKEN": "t", "AWS_ENDPOINT_URL_S3": LOCAL,
                        "AWS_DEFAULT_REGION": "xx-lab-9"}, {}, "", ""),
    "https": (KEYS | {"AWS_ENDPOINT_URL": "https://minio.example.org"}, {}, CONFIG, ""),
    "s3's endpoint before the common one":
    (KEYS | {"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_S3": "http://b:1"}, {}, "", ""),
    "the option before both":
    (KEYS | {"AWS_ENDPOINT_URL_S3": "http://b:1"}, {"endpoint_url": LOCAL}, "", ""),
    "the file's keys": ({"AWS_ENDPOINT_URL": LOCAL}, {}, "", SHARED),
    "another profile": ({"AWS_PROFILE": "other", "AWS_ENDPOINT_URL": LOCAL}, {}, CONFIG, SHARED),
    "keys of the environment before a profile of it":
    (KEYS | {"AWS_PROFILE": "other", "AWS_ENDPOINT_URL": LOCAL}, {}, CONFIG, SHARED),
    "a profile of the option before both":
    (KEYS | {"AWS_PROFILE": "default", "AWS_ENDPOINT_URL": LOCAL}, {"profile": "other"}, CONFIG,
     SHARED),
    "the option's region": (KEYS, {"region": "us-west-2", "endpoint_url": LOCAL}, CONFIG, ""),
    "no signature": ({"AWS_ENDPOINT_URL": LOCAL}, {"no_sign_request": True}, "", ""),
    "no keys, no signature": (KEYS, {"no_sign_request": True, "region": "us-west-2"}, "", ""),
    "requester pays, no verification":
    (KEYS, {"request_payer": "requester", "no_verify_ssl": True}, "", ""),
    "certificates": (KEYS | {"AWS_CA_BUNDLE": "/dev/null"}, {"endpoint_url": LOCAL}, "", ""),
    "what only the AWS CLI reads":
    (KEYS, {"endpoint_url": LOCAL}, "[default]\ns3 =\n  max_concurrent_requests = 9\n", ""),
    "Amazon": (KEYS | {"AWS_DEFAULT_REGION": "eu-central-1"}, {}, "", ""),
    "Amazon's first region": (KEYS | {"AWS_DEFAULT_REGION": "us-east-1"}, {}, "", ""),
    "Amazon without a region": (KEYS, {}, "", ""),
    "Amazon by the files": ({}, {}, CONFIG, SHARED),
    "quotes, blanks and a tab in a profile's title":
    ({"AWS_PROFILE": "other", "AWS_ENDPOINT_URL": LOCAL}, {},
     '[profile  "other"]\nregion = eu-north-1\n[profile\tx]\nregion = eu-west-2\n', SHARED),
    "the older variable for the profile is before the newer":
    ({"AWS_PROFILE": "default", "AWS_DEFAULT_PROFILE": "other", "AWS_ENDPOINT_URL": LOCAL}, {},
     CONFIG, SHARED),
    "certificates of other programs": (KEYS | {"REQUESTS_CA_BUNDLE": "/dev/null"},
                                       {"endpoint_url": LOCAL}, "", ""),
    "AWS_REGION, as the AWS CLI has it":
    (KEYS | {"AWS_REGION": "eu-west-3", "AWS_DEFAULT_REGION": "eu-west-1"}, {}, "", ""),
}


@pytest.mark.system("minutes")
@pytest.mark.parametrize("bucket", ["bucket", "my.dotted.bucket", "Old_Bucket"])
@pytest.mark.parametrize("case", PLAIN)
def test_what_is_plain_is_as_botocore_has_it(session_of, monkeypatch, case, bucket):
    """Keys, token, region, URL, certificates: all the same, and boto3 is not asked."""
    session = session_of(*PLAIN[case])
    monkeypatch.setattr(session, "ask_region", lambda bucket: session.plain.region)
    monkeypatch.setattr(session.clients, "make", None)
    found = session.endpoint(bucket)
    assert found == left_to_botocore(session_of(*PLAIN[case]), bucket)


OTHERS = {
    "no keys": ({}, {}, "", ""),
    "one key": ({"AWS_ACCESS_KEY_ID": "A"}, {}, "", ""),
    "one key, and two in the file": ({"AWS_ACCESS_KEY_ID": "A"}, {}, "", SHARED),
    "an empty region of the environment": (KEYS | {"AWS_DEFAULT_REGION": ""}, {}, CONFIG, ""),
    "a role": (KEYS | {"AWS_ROLE_ARN": "arn:x"}, {}, "", ""),
    "a role in the file": ({}, {}, "[default]\nrole_arn=a\nsource_profile=b\n", SHARED),
    "SSO": ({}, {}, "[default]\nsso_session=a\n", SHARED),
    "a process": ({}, {}, "[default]\ncredential_process=/bin/false\n", SHARED),
    "addressing style":
    (KEYS, {"endpoint_url": LOCAL}, "[default]\ns3 =\n  addressing_style = virtual\n", ""),
    "addressing style and more": (KEYS, {"endpoint_url": LOCAL},
                                  "[default]\ns3 =\n  max_queue_size = 9\n  addressing_style = "
                                  "virtual\n", ""),
    "services": (KEYS, {}, "[default]\nservices=x\n", ""),
    "dual stack": (KEYS | {"AWS_USE_DUALSTACK_ENDPOINT": "true"}, {}, "", ""),
    "a container": ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://x"}, {}, "", SHARED),
    "ignored endpoints":
    (KEYS | {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true", "AWS_ENDPOINT_URL": LOCAL}, {}, "", ""),
    "an endpoint in the file": (KEYS, {}, "[default]\nendpoint_url = http://x\n", ""),
    "an endpoint with a path": (KEYS, {"endpoint_url": LOCAL + "/s3"}, "", ""),
    "an endpoint that is none": (KEYS, {"endpoint_url": "localhost:9000"}, "", ""),
    "an endpoint with a wrong port": (KEYS, {"endpoint_url": "http://localhost:x"}, "", ""),
    "an endpoint of Amazon's":
    (KEYS, {"endpoint_url": "https://s3.eu-west-1.amazonaws.com"}, "", ""),
    "another endpoint of Amazon's":
    (KEYS, {"endpoint_url": "https://s3.eu-west-1.api.aws"}, "", ""),
    "an endpoint for S3 alone":
    (KEYS, {}, "[default]\nservices = x\n[services x]\ns3 =\n  endpoint_url = http://x\n", ""),
    "a part of an address behind the endpoint": (KEYS, {"endpoint_url": LOCAL + "#x"}, "", ""),
    "a region that needs botocore": (KEYS, {"endpoint_url": LOCAL, "region": "aws-global"}, "", ""),
    "a byte order mark": (KEYS, {"endpoint_url": LOCAL}, "\ufeff[default]\n", ""),
    "a section twice": (KEYS, {"endpoint_url": LOCAL}, "[default]\n[default]\n", ""),
    "nested settings that are none": (KEYS, {"endpoint_url": LOCAL}, "[x]\ns3 =\n  y\n", ""),
    "a file that is broken": (KEYS, {"endpoint_url": LOCAL}, "[default\n", ""),
    "another partition": (KEYS | {"AWS_DEFAULT_REGION": "cn-north-1"}, {}, "", ""),
    "a government's": (KEYS | {"AWS_DEFAULT_REGION": "us-gov-west-1"}, {}, "", ""),
    "a profile that is not there": (KEYS, {"profile": "nobody"}, CONFIG, SHARED),
    "a profile of the environment that is not there":
    (KEYS | {"AWS_PROFILE": "nobody"}, {}, CONFIG, SHARED),
    "a profile without keys": ({}, {"profile": "other"}, CONFIG, ""),
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_is_not_plain_is_left_to_boto3(session_of, case):
    """Whatever may mean something that we do not know."""
    assert session_of(*OTHERS[case]).plain is None


def test_a_directory_bucket_is_left_to_boto3(session_of, monkeypatch):
    """As an access point is: its name alone does not say where it is."""
    session = session_of(KEYS, {}, "", "")
    monkeypatch.setattr(session, "find_region", lambda bucket: "us-west-2")
    monkeypatch.setattr(session, "describe", lambda bucket, region: (bucket, region))
    assert session.plain and session.endpoint("b--usw2-az1--x-s3")[1] == "us-west-2"


def test_aws_region_counts_with_boto3_too(session_of):
    """What is read here and what boto3 is told are one."""
    env = KEYS | {"AWS_REGION": "eu-west-3", "AWS_DEFAULT_REGION": "eu-west-1"}
    session = session_of(env, {}, "[default]\nunknown = x\n", "")
    assert session.plain is None and session.client.meta.region_name == "eu-west-3"


@pytest.mark.parametrize("first, last", [(0, 200)] + [
    pytest.param(first, first + 1_000, marks=[pytest.mark.system("minutes")] + [
        pytest.mark.long] * (first > 3_000))
    for first in range(200, 10_200, 1_000)])
def test_generated_settings(tmp_path, first, last):
    """The same identity, region, endpoint, addressing style, certificates; or left to botocore."""
    read = 0
    for number in range(first, last):
        one = Generated(random.Random(number))
        with one.installed(tmp_path) as options:
            plain = settings.read(options)
            if plain and not settings.needs_boto3(one.bucket):
                found = plain.endpoint(one.bucket, plain.region)
                assert (*found[3:6], found.region, found.service, found.url,
                        found.ca_bundle) == by_botocore(options, one.bucket), (number, one)
                read += 1
    assert read > (last - first) / 5


def test_the_profile_that_is_asked_for(monkeypatch):
    """The option's, then the older variable's, as botocore has it."""
    options = SimpleNamespace(profile=None)
    env = {"AWS_PROFILE": "new", "AWS_DEFAULT_PROFILE": "old"}
    assert settings.profile_of(SimpleNamespace(profile="p"), env) == "p"
    assert settings.profile_of(options, env) == "old"
    assert settings.profile_of(options, {"AWS_PROFILE": "new"}) == "new"
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert botocore.session.Session().get_config_variable("profile") == "old"
