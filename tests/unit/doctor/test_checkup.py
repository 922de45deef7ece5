"""What hangs is left behind: name servers, which no test may ask for real."""

import socket
import time
from types import SimpleNamespace

import pytest
from unit.doctor.conftest import OPTIONS

from s3kit.doctor import aside, checkup, route
from s3kit.doctor.finding import FAULT, UNKNOWN
from s3kit.s3.address import Endpoint


@pytest.mark.parametrize("hangs", (True, False))
def test_a_name_server_that_hangs_or_knows_nothing(monkeypatch, hangs):
    """Amazon's name leads nowhere: said in time, and nothing more is tried on that way."""
    def look_up(*_, **__):
        if hangs:
            time.sleep(30)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(aside, "SECONDS", 1.0)
    monkeypatch.setattr(aside, "LEAST", 0.5)
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
    monkeypatch.setattr(aside, "SECONDS", 1.0)
    monkeypatch.setattr(aside, "LEAST", 0.5)
    args = doctor.build_parser().parse_args(["--endpoint-url", "http://127.0.0.1:1", "-d", "/gone"])
    began = time.monotonic()
    assert doctor.examine(args) == 3 and time.monotonic() - began < 10
    out = capsys.readouterr().out
    assert "destination\tfault\t'/gone' does not answer" in out and "network\tfault" in out


def test_names_on_one_line():
    """Five, and how many more."""
    assert checkup.few("a") == "a" and checkup.few("abcde") == "a, b, c, d, e"
    assert checkup.few("abcdefg") == "a, b, c, d, e and 2 more"
