"""The only boto3: where other services are asked."""

from types import SimpleNamespace

import pytest

from s3kit.s3.session import Session

OPTIONS = {"profile": None, "region": "eu-west-1", "endpoint_url": None, "no_sign_request": False,
           "request_payer": None, "ca_bundle": None, "no_verify_ssl": False}


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """No settings of this machine's."""
    for name, value in {"AWS_CONFIG_FILE": tmp_path / "config",
                        "AWS_SHARED_CREDENTIALS_FILE": tmp_path / "credentials",
                        "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}.items():
        monkeypatch.setenv(name, str(value))


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
    assert (Session(SimpleNamespace(**OPTIONS | {"endpoint_url": option})).service("sts")
            .meta.endpoint_url == expected)


def test_a_service_that_is_not_waited_for():
    """With seconds: asked once, and for so long."""
    config = Session(SimpleNamespace(**OPTIONS)).service("sts", 2).meta.config
    assert ((config.connect_timeout, config.read_timeout, config.retries)
            == (2, 2, {"total_max_attempts": 1, "mode": config.retries["mode"]}))


def test_one_session_for_all_clients():
    """Credentials are looked for once, also where a bucket is elsewhere."""
    session = Session(SimpleNamespace(**OPTIONS))
    assert session.home().region == session.client.meta.region_name == "eu-west-1"
    before = session.session
    assert session.client_in("us-west-2").meta.region_name == "us-west-2"
    assert session.session is before and session.client.meta.region_name == "eu-west-1"
    assert (session.client_in("eu-west-1") is session.client
            and session.client_in("us-west-2") is session.client_in("us-west-2"))
