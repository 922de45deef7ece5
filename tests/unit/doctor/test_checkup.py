"""What hangs is left behind: name servers, which no test may ask for real."""

import socket
import time
from types import SimpleNamespace

import pytest

from s3kit.doctor import checkup, route
from s3kit.doctor.finding import FAULT, OK, UNKNOWN, WARNING
from s3kit.s3.address import Endpoint

OPTIONS = {"profile": None, "region": "us-east-1", "endpoint_url": None, "no_sign_request": False,
           "request_payer": None, "ca_bundle": None, "no_verify_ssl": False, "bucket": [],
           "buckets": 1000, "together": 4}


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """No settings of this machine's."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "AWS_PROFILE",
                 "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in {"AWS_CONFIG_FILE": tmp_path / "config",
                        "AWS_SHARED_CREDENTIALS_FILE": tmp_path / "credentials",
                        "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
                        "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, str(value))


@pytest.mark.parametrize("hangs", (True, False))
def test_a_name_server_that_hangs_or_knows_nothing(monkeypatch, hangs):
    """Amazon's name leads nowhere: said in time, and nothing more is tried on that way."""
    def look_up(*_, **__):
        if hangs:
            time.sleep(30)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(checkup, "SECONDS", 1.0)
    monkeypatch.setattr(checkup, "LEAST", 0.5)
    asked = []
    monkeypatch.setattr(route.Wire, "probe", lambda *_: asked.append(1))
    checked = checkup.Checkup(SimpleNamespace(**OPTIONS))
    began = time.monotonic()
    found = {finding.what: finding for finding in checked.findings()}
    assert time.monotonic() - began < 10 and not asked
    assert (found["dns"].state == FAULT
            and ("no answer" if hangs else "not known") in found["dns"].seen)
    assert (found["credentials"].state == found["network"].state == UNKNOWN
            and checked.status(found.values()) == 3)
    assert list(checked.buckets()) == []


@pytest.mark.parametrize("url, env, proxy", (("https://s3.amazonaws.com",
                                              {"https_proxy": "http://p:1"}, "http://p:1"), (
                                                  "https://s3.amazonaws.com",
                                                  {"HTTPS_PROXY": "p:1"}, "p:1"), (
                                                      "https://s3.amazonaws.com",
                                                      {"http_proxy": "http://p:1"}, ""),
                                             ("http://h", {"http_proxy": "p:1"}, "p:1"),
                                             ("http://h", {"HTTP_PROXY": "p:1"}, ""), (
                                                 "http://h", {"all_proxy": "socks5://p:1"},
                                                 "socks5://p:1"), (
                                                     "https://s3.amazonaws.com", {
                                                         "https_proxy": "p:1",
                                                         "no_proxy": ".amazonaws.com"}, ""), (
                                                             "http://127.0.0.1:80", {
                                                                 "http_proxy": "p:1",
                                                                 "no_proxy": "localhost,127.0.0.1"},
                                                             ""), ("http://h", {
                                                                 "http_proxy": "p",
                                                                 "NO_PROXY": "*"}, ""),))
def test_proxies(monkeypatch, url, env, proxy):
    """As libcurl chooses them."""
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert route.proxy_of(url) == proxy


@pytest.mark.parametrize("proxy, shown", (("http://user:pass@h:1", "http://h:1"),
                                          ("user:p@ss@h:1", "h:1"), ("h:1", "h:1")))
def test_passwords_of_proxies(proxy, shown):
    """Not shown."""
    assert route.shown(proxy) == shown


@pytest.mark.parametrize("days, verify, state",
                         ((100, True, OK), (3, True, WARNING), (100, False, WARNING)))
def test_certificates(days, verify, state):
    """Good, ending, or not looked at."""
    way = route.Route("https://s3.amazonaws.com")
    way.transfer = SimpleNamespace(errno=0, status=403)
    way.seen = {"certificate": {"Subject": "C=US, CN=*.s3.amazonaws.com", "Expire date":
                                time.strftime("%b %d %H:%M:%S %Y GMT",
                                              time.gmtime(time.time() + (days + 0.5) * 86400))}}
    (found,) = way.trust("https", verify)
    assert (found.state == state
            and f"certificate of *.s3.amazonaws.com, good for {days} days" in found.seen)


def test_plain_http():
    """Not over a network."""
    (found,) = route.Route("http://s3.example.test").trust("http", True)
    assert found.state == WARNING


def test_the_root_user():
    """May do everything, and should not."""
    checked = checkup.Checkup(SimpleNamespace(**OPTIONS))
    found = checked.identity({"Arn": "arn:aws:iam::1:root", "Account": "1"}, "")
    assert found.state == WARNING and found.facts["account"] == "1"


def test_buckets_in_regions(monkeypatch):
    """Where nothing but keys is set, Amazon's URLs are made without boto3; else by it, a client for
    each region.
    """
    from s3kit.s3.session import Session
    plain = Session(SimpleNamespace(**OPTIONS)).located({"aaa": "us-east-1", "bbb": "eu-west-1"})
    monkeypatch.setenv("AWS_SDK_UA_APP_ID", "x")         # whatever plain does not know
    session = Session(SimpleNamespace(**OPTIONS))
    assert session.plain is None and session.home().url == "https://s3.amazonaws.com"
    made = session.located({"aaa": "us-east-1", "bbb": "eu-west-1"})
    assert ([made[name].region for name in ("aaa", "bbb")]
            == [plain[name].region for name in ("aaa", "bbb")] == ["us-east-1", "eu-west-1"])
    assert made["bbb"].url == plain["bbb"].url == "https://bbb.s3.eu-west-1.amazonaws.com"
    assert isinstance(made["aaa"], Endpoint) and made["aaa"].access_key == "key"


def test_a_destination_that_does_not_answer(monkeypatch, capsys):
    """On a server that is gone: it is said, the rest is there, and nobody waits."""
    from s3kit.commands import doctor
    from s3kit.doctor import destination
    monkeypatch.setattr(destination, "findings", lambda *_: time.sleep(30))
    monkeypatch.setattr(checkup, "SECONDS", 1.0)
    monkeypatch.setattr(checkup, "LEAST", 0.5)
    args = doctor.build_parser().parse_args(["--endpoint-url", "http://127.0.0.1:1", "-d", "/gone"])
    began = time.monotonic()
    assert doctor.examine(args) == 3 and time.monotonic() - began < 10
    out = capsys.readouterr().out
    assert "destination\tfault\t'/gone' does not answer" in out and "network\tfault" in out
