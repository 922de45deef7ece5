"""What is said of credentials, and of whom they are."""

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from unit.doctor.conftest import OPTIONS

from s3kit.doctor.account import SOON, Account
from s3kit.doctor.aside import Late, Limit
from s3kit.doctor.finding import FAULT, NOTE, OK, UNKNOWN, WARNING
from s3kit.errors import Fault


def account(url="https://s3.amazonaws.com", method="env", keys=("AKIAEXAMPLE", "s", ""), **options):
    """Return an Account whose keys were found."""
    made = Account(SimpleNamespace(**OPTIONS | options), None, SimpleNamespace(url=url), Limit())
    made.method, made.keys = method, keys
    return made


def answer(status=200, code="", errno=0, body=b""):
    """Return what ListBuckets was answered with."""
    return SimpleNamespace(status=status, code=code, errno=errno, body=body, headers={},
                           failure="broken", message="")


def test_the_root_user():
    """May do everything, and should not."""
    found = account().identity({"Arn": "arn:aws:iam::1:root", "Account": "1"}, "")
    assert found.state == WARNING and found.facts["account"] == "1"
    assert account().identity({"Arn": "arn:aws:iam::1:user/me"}, "").state == OK


@pytest.mark.parametrize("url, error, state, seen", (
    ("https://s3.amazonaws.com", Late(), UNKNOWN, "STS did not answer"),
    ("https://s3.amazonaws.com", Fault("S3 says AccessDenied: no"), UNKNOWN,
     "STS says AccessDenied: no"),
    ("http://mine.test", Late(), NOTE, "this server does not say; its buckets are of me")))
def test_a_server_that_does_not_say_who_we_are(url, error, state, seen):
    """One of one's own need not; Amazon's should."""
    found = account(url).identity(error, "me")
    assert (found.state, found.seen) == (state, seen)


@pytest.mark.parametrize("left, method, state", (
    (SOON + 60, "env", OK), (SOON - 60, "env", WARNING), (-60, "env", WARNING),
    (SOON - 60, "iam-role", OK)))
def test_how_long_credentials_are_good(left, method, state):
    """What ends soon is warned of, unless it is renewed by itself."""
    expiry = datetime.now(timezone.utc) + timedelta(seconds=left)
    found = account(method=method, keys=("AKIAEXAMPLE", "s", "t")).credentials(expiry, answer())
    assert found.state == state and "key ...MPLE" in found.seen and found.facts["temporary"]
    assert bool(found.advice) == (state == WARNING)


def test_credentials_that_nobody_takes():
    """S3's own word for it, what to do, and no key in full."""
    made = account(method="sso", profile="work")
    found = made.credentials(None, answer(400, "ExpiredToken"))
    assert made.cut and found.state == FAULT and "ExpiredToken" in found.seen
    assert found.advice == "aws sso login --profile work" and "AKIA" not in found.line()
    made = account()
    assert made.credentials(None, None).state == UNKNOWN and not made.cut
    assert made.credentials(None, answer()).seen.endswith("not temporary")


@pytest.mark.parametrize("given, named, state, is_cut", (
    (answer(body=b"<ContinuationToken>"), [], OK, False), (answer(), [], OK, False),
    (answer(403, "AccessDenied"), [], UNKNOWN, False), (answer(0), [], None, True),
    (None, [], None, True), (answer(501, "NotImplemented"), [], FAULT, True),
    (answer(501, "NotImplemented"), ["b"], NOTE, False),
    (answer(400, "ExpiredToken"), [], None, False)))
def test_the_list_of_buckets(given, named, state, is_cut):
    """What is said elsewhere is not said twice; named buckets need no list."""
    made = account(bucket=named)
    found = list(made.list_of_buckets(given))
    assert [each.state for each in found] == ([state] if state else []) and made.cut == is_cut
    if given and given.body:
        assert "and more" in found[0].seen


def test_there_are_no_credentials():
    """Where none are found, and where SSO has to be asked again."""
    made = account(profile="work")
    assert made.no_credentials("no credentials found").seen == "none were found"
    assert made.no_credentials("the SSO session has expired").advice == (
        "aws sso login --profile work")
    assert "~/.aws/config" in made.no_credentials("cannot read").advice
    nobody = account(no_sign_request=True)
    (found,) = nobody.findings(None, None)
    assert found.state == NOTE and not nobody.cut
