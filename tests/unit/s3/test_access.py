"""How S3 is reached in one run: buckets asked for once, and one place where credentials expire."""

import contextlib
import json
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from conftest import set_aws
from fakes3 import Credential

from s3kit.errors import Fault, NoAccess, NoCredentials, NoSuchBucket
from s3kit.s3 import access
from s3kit.s3.access import EXPIRED, Access
from s3kit.s3.address import Endpoint

OPTIONS = SimpleNamespace(profile=None, region=None, endpoint_url=None, no_sign_request=False,
                          request_payer=None, ca_bundle=None, no_verify_ssl=False, read_timeout=300)


class StubSession:
    """A Session whose credentials are what a test says."""

    def __init__(self, options):
        self.endpoints, self.generation, self.key, self.calls = {}, 0, "old", []

    def endpoint(self, bucket):
        """Know a bucket, once."""
        self.calls.append(bucket)
        if bucket == "gone":
            raise NoSuchBucket("bucket 'gone' does not exist")
        self.endpoints[bucket] = Endpoint(bucket, f"http://h/{bucket}", access_key=self.key,
                                          generation=self.generation)
        return self.endpoints[bucket]

    def refresh(self):
        """Take the key that there is now."""
        self.calls.append("refresh")
        if all(endpoint.access_key == self.key for endpoint in self.endpoints.values()):
            return []
        self.generation += 1
        self.endpoints = {bucket: endpoint._replace(access_key=self.key, generation=self.generation)
                          for bucket, endpoint in self.endpoints.items()}
        return list(self.endpoints.values())


@pytest.fixture
def stub(monkeypatch):
    """An Access on a StubSession; `entered` counts the contexts in which a signal ends a wait."""
    monkeypatch.setattr(access, "Session", StubSession)
    entered = []

    @contextlib.contextmanager
    def at_once():
        entered.append(True)
        yield

    made = Access(OPTIONS, at_once)
    made.entered = entered
    return made


def test_a_bucket_is_asked_for_once(stub):
    """And within a context that a signal may end."""
    assert not stub.known("b")
    assert stub.endpoint("b") is stub.endpoint("b")
    assert stub.known("b") and stub.session.calls == ["b"] and len(stub.entered) == 1


def test_a_missing_bucket_is_not_known(stub):
    """Its fault has a type."""
    with pytest.raises(NoSuchBucket):
        stub.endpoint("gone")
    assert not stub.known("gone")


def test_credentials_are_looked_at_once_a_minute(stub, monkeypatch):
    """However often it is asked; all buckets get the new ones."""
    now = [1000.0]
    monkeypatch.setattr(access.time, "monotonic", lambda: now[0])
    stub.looked = 1000.0
    stub.endpoint("a"), stub.endpoint("b")
    stub.session.key = "new"
    assert stub.fresh() == [] and "refresh" not in stub.session.calls
    now[0] += 60
    assert ({(one.bucket, one.access_key, one.generation) for one in stub.fresh()}
            == {("a", "new", 1), ("b", "new", 1)})
    assert stub.generation == 1 and stub.fresh() == []
    assert stub.session.calls.count("refresh") == 1
    now[0] += 60
    assert stub.fresh() == [] and stub.session.calls.count("refresh") == 2


def test_who_comes_second_gets_what_was_renewed(stub):
    """Many requests expire together: the first one renews, the others get the same."""
    old = stub.endpoint("b")
    stub.session.key = "new"
    assert [one.access_key for one in stub.renew(old.generation)] == ["new"]
    assert [one.access_key for one in stub.renew(old.generation)] == ["new"]
    assert stub.renewed(old).access_key == "new"
    assert stub.session.calls.count("refresh") == 1


def test_what_cannot_be_renewed_is_said(stub):
    """With what to do; also where the newest have expired in their turn."""
    old = stub.endpoint("b")
    with pytest.raises(NoCredentials, match=f"^{EXPIRED}$"):
        stub.renew(old.generation)
    with pytest.raises(NoCredentials, match="^ExpiredToken: it has; renew the credentials and run"):
        stub.renew(old.generation, "ExpiredToken: it has")
    stub.session.key = "new"
    new = stub.renewed(old)
    with pytest.raises(NoCredentials):
        stub.renewed(new)


# --- on a real server

@pytest.fixture
def strict(monkeypatch, fake, tmp_path):
    """The fake with a bucket `b`, in this process's environment."""
    set_aws(monkeypatch, {"AWS_CONFIG_FILE": tmp_path / "config",
                          "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
                          "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL_S3": fake.url})
    fake.bucket("b", versioning="Enabled")
    return fake


def give(folder, fake, name):
    """Let the credential_process of `folder`/config give these credentials, good for two minutes.
    """
    fake.credentials[name] = Credential(f"secret of {name}", f"token of {name}")
    until = datetime.now(timezone.utc) + timedelta(minutes=2)
    (folder / "answer").write_text(json.dumps({
        "Version": 1, "AccessKeyId": name, "SecretAccessKey": f"secret of {name}",
        "SessionToken": f"token of {name}", "Expiration": until.isoformat()}))
    ((folder / "config")
     .write_text(f"[default]\ncredential_process = /bin/cat {folder / 'answer'}\n"))


def test_short_lived_credentials(strict, tmp_path):
    """Expired, and renewed within the question."""
    give(tmp_path, strict, "FIRST")
    made = Access(OPTIONS)
    assert made.endpoint("b").access_key == "FIRST"
    strict.credentials["FIRST"].expired = True
    give(tmp_path, strict, "SECOND")
    assert made.versioning("b") == made.versioning("b") == "Enabled"
    assert made.generation == 1 and made.endpoint("b").access_key == "SECOND"
    assert len(strict.requests(status=400)) == len(strict.requests(status=200)) == 1
    strict.credentials["SECOND"].expired = True
    made.states.clear()
    with pytest.raises(NoCredentials, match=EXPIRED):
        made.versioning("b")


def test_a_source_that_fails(strict, tmp_path):
    """Is one line, and a lack of credentials."""
    give(tmp_path, strict, "FIRST")
    made = Access(OPTIONS)
    old = made.endpoint("b")
    (tmp_path / "answer").unlink()
    with pytest.raises(NoCredentials) as caught:
        made.renew(old.generation)
    assert "\n" not in str(caught.value)


def test_keys_that_are_written_down_are_not_renewed(strict, monkeypatch):
    """Nobody looks for others."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", strict.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", strict.secret_key)
    made = Access(OPTIONS)
    old = made.endpoint("b")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    with pytest.raises(NoCredentials):
        made.renew(old.generation)


def test_versioning(strict, monkeypatch):
    """What S3 says of it, whether or not it may be asked, and of a bucket that is not there."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", strict.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", strict.secret_key)
    strict.bucket("never"), strict.bucket("closed")
    made = Access(OPTIONS)
    assert (made.versioning("b"), made.versioning("never")) == ("Enabled", "")
    strict.fault("status", status=403, code="AccessDenied", bucket="closed", key="", times=None)
    assert made.versioning("closed") is None
    with pytest.raises(NoSuchBucket) as caught:
        made.versioning("not-there")
    assert caught.value.code == "NoSuchBucket"
    strict.credentials.clear()
    with pytest.raises(NoAccess, match="InvalidAccessKeyId") as caught:
        Access(OPTIONS).versioning("b")
    assert not isinstance(caught.value, NoCredentials)


def test_no_credentials_at_all(strict):
    """Said at the first bucket."""
    with pytest.raises(NoCredentials, match="no credentials found"):
        Access(OPTIONS).endpoint("b")


@pytest.mark.system("minutes")
@pytest.mark.parametrize("name, word", [("ACCESS_KEY_ID", "access key"),
                                        ("SECRET_ACCESS_KEY", "secret key"),
                                        ("SESSION_TOKEN", "session token")])
@pytest.mark.parametrize("value", ["schl\u00fcssel", "line\nfeed"])
def test_keys_that_cannot_be_sent(strict, monkeypatch, name, word, value):
    """A copy and paste that went wrong is said where the keys come from, and what they are is not
    shown.
    """
    for each in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"):
        monkeypatch.setenv(f"AWS_{each}", value if each == name else "fine")
    with pytest.raises(NoCredentials,
                       match=f"^the {word} has a character that is not a printable ASCII "
                       "one") as caught:
        Access(OPTIONS).endpoint("b")
    assert value not in str(caught.value) and "\n" not in str(caught.value)


def test_a_name_that_no_bucket_has(strict, monkeypatch):
    """Is a bucket's fault, and not one of the access."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", strict.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", strict.secret_key)
    for name in ("b\u00fccket", "a b", "a/b", ""):
        with pytest.raises(NoSuchBucket):
            Access(OPTIONS).endpoint(name)
    assert not strict.log and issubclass(NoSuchBucket, Fault)
