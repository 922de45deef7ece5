"""The way to a server: its proxy, its certificate, and where it ends."""

import socket
import time
from types import SimpleNamespace

import pytest

from s3kit.doctor import route
from s3kit.doctor.finding import FAULT, NOTE, OK, UNKNOWN, WARNING


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


def way(url="https://s3.example.test", **known):
    """Return a Route that has been gone, with what is known of it."""
    made = route.Route(url)
    for name, value in known.items():
        setattr(made, name, value)
    return made


def answered(status=403, errno=0, failure="", **headers):
    """Return a Transfer's answer."""
    return SimpleNamespace(status=status, errno=errno, failure=failure,
                           headers={name.replace("_", "-"): value
                                    for name, value in headers.items()})


SEEN = {"certificate": {}, "connected": 0.01, "secured": 0.02, "answered": 0.03,
        "address": "10.1.1.1"}


@pytest.mark.parametrize("known, state, seen, advice", (
    ({}, UNKNOWN, "there is no address", ""),
    ({"addresses": ["10.1.1.1"]}, FAULT, "no answer", "firewall"),
    ({"transfer": answered(0, 7, "refused")}, FAULT, "refused", "is the endpoint right"),
    ({"transfer": answered(0, 6, "unknown")}, FAULT, "unknown", "see dns"),
    ({"transfer": answered(0, 60, "expired")}, FAULT, "expired", "see tls"),
    ({"transfer": answered(0, 99, "odd")}, FAULT, "odd", "try again"),
    ({"transfer": answered(0, 7, "refused"), "proxy": "http://u:secret@p:1"}, FAULT, "refused",
     "the proxy http://p:1 is in the way"),
    ({"transfer": answered(200, content_type="text/html")}, FAULT, "a web page answers", "log in"),
    ({"transfer": answered(200, content_type="text/html", x_amz_id_2="x"), "seen": SEEN}, OK,
     "answers in 30 ms, connected after 10, TLS after 20", ""),
    ({"transfer": answered(403, content_type="text/html"), "seen": SEEN | {"secured": 0}}, OK,
     "answers in 30 ms, connected after 10", "")))
def test_where_the_way_ends(known, state, seen, advice):
    """Each end has its own advice, and no password is shown."""
    made = way(**known)
    found = made.reached()
    assert (found.what, found.state) == ("network", state)
    assert found.seen.endswith(seen) or seen in found.seen
    assert advice in found.advice and "secret" not in found.line()
    assert made.is_good == (state == OK)


@pytest.mark.parametrize("known, state, seen", (
    ({"fault": "not known"}, FAULT, "s3.example.test: not known"),
    ({}, FAULT, "s3.example.test: no answer from the name server"),
    ({"addresses": ["10.1.1.1", "10.1.1.2", "10.1.1.3"], "found": 0.005}, OK,
     "s3.example.test is 10.1.1.1 and 2 more, in 5 ms"),
    ({"addresses": ["s3.example.test"]}, "", "")))
def test_names(known, state, seen):
    """An address has no name to be looked up."""
    assert [(found.state, found.seen) for found in way(**known).names()] == (
        [(state, seen)] if state else [])


@pytest.mark.parametrize("date, seconds", ((None, None), ("Fri, 13 Nov 2026 12:00:00 GMT", 0),
                                           ("Fri, 13 Nov 2026 12:00:30 GMT", -29),
                                           ("Fri, 13 Nov 2026 11:59:00 GMT", 61)))
def test_how_far_our_clock_is_ahead(monkeypatch, date, seconds):
    """A server tells whole seconds: what is within them is not a difference."""
    monkeypatch.setattr(route.time, "time", lambda: 1794571201.0)       # 12:00:01
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [
        (0, 0, 0, "", ("10.1.1.1", 0)), (0, 0, 0, "", ("10.1.1.1", 0))])
    monkeypatch.setattr(route.Wire, "probe", lambda *_: (
        answered(**({"date": date} if date else {})), SEEN))
    made = route.Route("https://s3.example.test")
    made.go(None, 1)
    assert made.addresses == ["10.1.1.1"] and made.ahead == seconds


def test_a_proxy():
    """One that is used is named without its password."""
    assert route.proxy_finding("").state == OK
    found = route.proxy_finding("http://u:secret@p:1")
    assert found.state == NOTE and found.seen == "http://p:1, from the environment"


@pytest.mark.parametrize("host, is_here", (("localhost", True), ("127.8.0.1", True), ("::1", True),
                                           ("128.0.0.1", False), (None, False)))
def test_this_machine(host, is_here):
    """Nobody is on the way to it."""
    assert route.is_loopback(host) == is_here
