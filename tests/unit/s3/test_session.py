"""Who we are, and the Endpoints of the buckets in use."""

from datetime import datetime, timezone
from types import SimpleNamespace

import pytest
from conftest import set_aws

from s3kit.errors import Fault, NoCredentials, NoSuchBucket
from s3kit.s3 import regions
from s3kit.s3.session import Session

OPTIONS = {"profile": None, "region": "eu-west-1", "endpoint_url": None, "no_sign_request": False,
           "request_payer": None, "ca_bundle": None, "no_verify_ssl": False, "read_timeout": 300}
LOCAL = {"endpoint_url": "http://127.0.0.1:9000"}
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """No settings of this machine's; two keys."""
    set_aws(monkeypatch, KEYS | {"AWS_CONFIG_FILE": tmp_path / "config",
                                 "AWS_EC2_METADATA_DISABLED": "true",
                                 "AWS_SHARED_CREDENTIALS_FILE": tmp_path / "credentials"})


def session_of(is_plain=False, **options):
    """Return a Session that asks boto3 unless it `is_plain`."""
    session = Session(SimpleNamespace(**OPTIONS | options))
    session.plain = session.plain if is_plain else None
    return session


def test_the_keys_of_the_settings(monkeypatch):
    """With a token, where there is one; and how they were found."""
    session = session_of()
    assert session.credentials() == ("key", "secret", "")
    assert session.origin() == ("env", None)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    assert session_of().credentials() == ("key", "secret", "token")
    assert session_of(no_sign_request=True).credentials() == ("", "", "")


def test_when_the_keys_expire():
    """As botocore has it."""
    session, until = session_of(), datetime(2030, 1, 1, tzinfo=timezone.utc)
    found = SimpleNamespace(method="sso", _expiry_time=until)
    session.clients.session = SimpleNamespace(get_credentials=lambda: found)
    assert session.origin() == ("sso", until)


def test_no_keys(monkeypatch):
    """Or keys that no header can carry, which are not shown."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sécret")
    with pytest.raises(NoCredentials, match="the secret key has a character") as caught:
        session_of().credentials()
    assert "cret;" not in str(caught.value)
    for name in KEYS:
        monkeypatch.delenv(name)
    with pytest.raises(NoCredentials, match="^no credentials found"):
        session_of().credentials()


def test_keys_that_change(monkeypatch):
    """All buckets in use get them, in a new generation; where each is, is not asked again."""
    asked = []
    monkeypatch.setattr(Session, "find_region",
                        lambda self, bucket: asked.append(bucket) or "eu-west-1")
    session = session_of()
    assert session.refresh() == []
    before = [session.endpoint(bucket) for bucket in ("aaa", "bbb")]
    assert session.refresh() == [] and session.generation == 0
    monkeypatch.setattr(session, "credentials", lambda: ("new", "other", "token"))
    after = session.refresh()
    assert after == [one._replace(access_key="new", secret_key="other", token="token",
                                  generation=1) for one in before]
    assert session.refresh() == [] and session.generation == 1 and asked == ["aaa", "bbb"]
    assert session.endpoint("aaa") is after[0]
    assert session.endpoint("ccc")[2:6] == ("eu-west-1", "new", "other", "token")


def test_written_keys_do_not_change(monkeypatch):
    """They are not looked at again."""
    session = session_of(is_plain=True, **LOCAL)
    session.endpoint("bucket")
    monkeypatch.setattr(session, "credentials", None)
    assert session.plain and session.refresh() == [] and session.generation == 0


def test_s3_itself():
    """It is reached without keys; those that there are, are not looked for."""
    session = session_of()
    session.credentials = None
    assert session.home()[:4] == ("", "https://s3.eu-west-1.amazonaws.com", "eu-west-1", "")
    assert session_of(no_verify_ssl=True, **LOCAL).home().verify is False
    assert session_of(region="aws-global").home().region == "us-east-1"


@pytest.mark.parametrize("is_plain", [True, False])
def test_a_bucket_in_its_own_region(monkeypatch, is_plain):
    """With boto3 and without; it is asked for once, with the keys and what else requests need."""
    asked = []
    for name in ("ask_region", "find_region"):
        monkeypatch.setattr(regions, name, lambda *_: asked.append(1) or "us-west-2")
    session = session_of(is_plain, request_payer="requester")
    assert bool(session.plain) == is_plain
    found = session.endpoint("bucket")
    assert found is session.endpoint("bucket") and asked == [1]
    assert found[:6] == ("bucket", "https://bucket.s3.us-west-2.amazonaws.com", "us-west-2",
                         "key", "secret", "")
    assert (found.verify, found.request_payer, found.generation) == (True, "requester", 0)
    assert session.located({"bucket": "us-west-2"}) == {"bucket": found} and asked == [1]


@pytest.mark.parametrize("is_plain", [True, False])
def test_a_bucket_of_a_server_of_ones_own(monkeypatch, is_plain):
    """It has no region to be asked for."""
    for name in ("ask_region", "find_region"):
        monkeypatch.setattr(regions, name, None)
    session = session_of(is_plain, **LOCAL)
    assert session.is_custom() and bool(session.plain) == is_plain
    assert session.endpoint("bucket")[:3] == ("bucket", "http://127.0.0.1:9000/bucket",
                                              "eu-west-1")
    assert (session.located({"bucket": "us-west-2"})["bucket"]
            == session.endpoint("bucket"))


@pytest.mark.parametrize("bucket", ["", "a b", "../x", "x" * 256])
def test_what_no_bucket_is_called(bucket):
    """Nothing is asked."""
    session = session_of()
    session.credentials = None
    with pytest.raises(NoSuchBucket, match="cannot be the name of a bucket"):
        session.endpoint(bucket)
    assert not session.endpoints


def test_an_endpoint_with_other_letters(monkeypatch):
    """The name is to be written as DNS has it."""
    monkeypatch.setattr(regions, "reach_of", lambda client, bucket: ("http://bücher", "x", "s3"))
    with pytest.raises(Fault, match="write its name in ASCII"):
        session_of(**LOCAL).endpoint("bucket")


def test_a_region_with_a_line_feed():
    """It would end a header; botocore lets it pass."""
    with pytest.raises(Fault, match="cannot use the region"):
        session_of(**LOCAL | {"region": "garage\n"}).endpoint("bucket")


@pytest.mark.parametrize("wanted, checks", [("when_required", False), ("when_supported", True)])
def test_checksums_that_the_settings_do_not_want(monkeypatch, wanted, checks):
    """They are not asked for: some servers refuse the header."""
    monkeypatch.setenv("AWS_RESPONSE_CHECKSUM_VALIDATION", wanted)
    session = Session(SimpleNamespace(**OPTIONS | LOCAL))
    assert session.endpoint("bucket").checksum_mode is checks


def test_the_buckets_that_there_are(fake, monkeypatch):
    """With when they were made."""
    fake.bucket("aaa"), fake.bucket("bbb")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", fake.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", fake.secret_key)
    found = dict(session_of(endpoint_url=fake.url, region=None).buckets())
    assert {"aaa", "bbb"} <= set(found) and all(when.tzinfo for when in found.values())


def test_buckets_come_in_pages(fake, monkeypatch):
    """As many as the server likes; a page that comes again ends the list."""
    for number in range(23):
        fake.bucket(f"b{number:02d}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", fake.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", fake.secret_key)
    fake.hook = lambda request: request.query.setdefault("max-buckets", "5")
    session = session_of(endpoint_url=fake.url, region=None)
    names = [name for name, _ in session.buckets()]
    assert names == sorted(set(names)) and {f"b{number:02d}" for number in range(23)} <= set(names)

    def begin_again(request):
        """Show the first page, whatever was asked for."""
        request.query = {"max-buckets": "5"}

    fake.hook = begin_again
    with pytest.raises(Fault, match="goes in circles"):
        session.buckets()


@pytest.mark.parametrize("answer, found", [
    ({}, None), ({"Buckets": [{}]}, None), ({"Buckets": []}, []),
    ({"Buckets": [{"Name": "b"}]}, [("b", None)])])
def test_a_list_of_buckets_that_is_none(answer, found):
    """A page without them is an error, a server that does not say when they were made is not."""
    session = session_of(**LOCAL)
    session.clients.made[""] = SimpleNamespace(list_buckets=lambda: answer)
    if found is None:
        with pytest.raises(Fault, match="does not answer with a list of buckets"):
            session.buckets()
    else:
        assert session.buckets() == found


def test_other_clients():
    """They are those of Clients, of one boto3 session."""
    session = session_of(**LOCAL)
    assert session.home().region == session.client.meta.region_name == "eu-west-1"
    before = session.clients.session
    session.service("sts")
    assert session.clients.session is before
    assert session.client is session.clients.home
    assert session.service("sts", 2).meta.config.read_timeout == 2
