"""boto3's clients: one session for all, a client a region, and where other services are asked."""

from types import SimpleNamespace

import pytest
from botocore import UNSIGNED
from botocore.httpsession import get_cert_path
from conftest import set_aws

from s3kit.errors import Fault
from s3kit.s3.clients import Clients

OPTIONS = {"profile": None, "region": "eu-west-1", "endpoint_url": None, "no_sign_request": False,
           "request_payer": None, "ca_bundle": None, "no_verify_ssl": False, "read_timeout": 300}


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """No settings of this machine's."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)     # botocore reads it, too
    set_aws(monkeypatch, {"AWS_CONFIG_FILE": tmp_path / "config",
                          "AWS_SHARED_CREDENTIALS_FILE": tmp_path / "credentials",
                          "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"})


@pytest.mark.parametrize("settings, option, expected", [({}, None,
                                                         "https://sts.eu-west-1.amazonaws.com"), (
                                                             {}, "http://127.0.0.1:9000",
                                                             "http://127.0.0.1:9000"), (
                                                                 {"AWS_ENDPOINT_URL_S3":
                                                                  "http://127.0.0.1:9000"}, None,
                                                                 "http://127.0.0.1:9000"), (
                                                                     {"AWS_ENDPOINT_URL":
                                                                      "http://127.0.0.1:9001"},
                                                                     None, "http://127.0.0.1:9001"),
                                                        ({"AWS_ENDPOINT_URL_STS":
                                                          "http://127.0.0.1:9002"},
                                                         "http://127.0.0.1:9000",
                                                         "http://127.0.0.1:9002")])
def test_other_services(monkeypatch, settings, option, expected):
    """An S3 of one's own is asked for them, too: its keys go nowhere else."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert (Clients(SimpleNamespace(**OPTIONS | {"endpoint_url": option})).service("sts")
            .meta.endpoint_url == expected)


def test_a_service_that_is_not_waited_for():
    """With seconds: asked once, and for so long."""
    config = Clients(SimpleNamespace(**OPTIONS)).service("sts", 2).meta.config
    assert ((config.connect_timeout, config.read_timeout, config.retries)
            == (2, 2, {"total_max_attempts": 1, "mode": config.retries["mode"]}))


def test_one_session_for_all_clients():
    """Credentials are looked for once, also where a bucket is elsewhere."""
    clients = Clients(SimpleNamespace(**OPTIONS))
    assert clients.make(("none", "none")).meta.region_name == "eu-west-1"
    before = clients.session
    assert clients.home.meta.region_name == "eu-west-1"
    assert clients.in_region("us-west-2").meta.region_name == "us-west-2"
    assert clients.session is before and clients.home.meta.region_name == "eu-west-1"
    assert (clients.in_region("eu-west-1") is clients.in_region("") is clients.home
            and clients.in_region("us-west-2") is clients.in_region("us-west-2"))


def test_regions_mean_nothing_on_a_server_of_ones_own():
    """All its buckets are asked for by one client."""
    clients = Clients(SimpleNamespace(**OPTIONS | {"endpoint_url": "http://127.0.0.1:9000"}))
    assert clients.is_custom() and clients.in_region("us-west-2") is clients.home
    assert not Clients(SimpleNamespace(**OPTIONS)).is_custom()


@pytest.mark.parametrize("url, is_custom", [("http://x.amazonaws.com.evil.example", True),
                                            ("https://s3.eu-west-1.api.aws", False)])
def test_whose_endpoint_it_is(url, is_custom):
    """By the end of its name: the keys of another server are not shown to Amazon's STS."""
    clients = Clients(SimpleNamespace(**OPTIONS | {"endpoint_url": url}))
    assert clients.is_custom() is is_custom
    assert (clients.service("sts").meta.endpoint_url == url) is is_custom


@pytest.mark.parametrize("options, expected", [({"no_verify_ssl": True}, False),
                                               ({"ca_bundle": "/dev/null"}, "/dev/null")])
def test_certificates(options, expected):
    """The same for S3 and for other services; or none are looked at."""
    clients = Clients(SimpleNamespace(**OPTIONS | options))
    for client in (clients.home, clients.service("sts")):
        assert client._endpoint.http_session._verify == expected


def test_certificates_of_the_settings(monkeypatch):
    """And without any, botocore's own."""
    (clients := Clients(SimpleNamespace(**OPTIONS))).home
    assert clients.ca_bundle == get_cert_path(True)
    monkeypatch.setenv("AWS_CA_BUNDLE", "/dev/null")
    (clients := Clients(SimpleNamespace(**OPTIONS))).home
    assert clients.ca_bundle == "/dev/null"


def test_no_signature():
    """Where there shall be none."""
    unsigned = Clients(SimpleNamespace(**OPTIONS | {"no_sign_request": True})).home
    assert unsigned.meta.config.signature_version is UNSIGNED
    assert Clients(SimpleNamespace(**OPTIONS)).home.meta.config.signature_version == "s3v4"


def test_what_boto3_cannot_do_is_said():
    """In words of ours."""
    clients = Clients(SimpleNamespace(**OPTIONS | {"profile": "nobody"}))
    with pytest.raises(Fault, match="nobody"):
        clients.home
