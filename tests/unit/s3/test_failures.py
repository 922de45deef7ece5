"""What people read where libcurl ended a request."""

import pytest

from s3kit.s3 import failures
from s3kit.s3.address import Endpoint
from s3kit.s3.wire import Wire

URL = "https://user:secret@s3.example.com:444/b/k"
PLACE = "'s3.example.com:444'"
REFUSED, RESET = 111, 104       # the system's


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    """No proxy but that of the test."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("errno, text, facts, said", [
    (6, "Could not resolve host: s3.example.com", {},
     f"the name of the server {PLACE} is not known"),
    (7, "Failed to connect to s3.example.com:444 after 0 ms: Could not connect to server",
     {"oserror": REFUSED}, f"cannot connect to {PLACE}: Connection refused"),
    (7, "Failed", {}, f"cannot connect to {PLACE}"),
    (18, "end of response with 97 bytes missing", {},
     "the connection ended before all bytes had come"),
    (28, "Connection timed out after 10001 milliseconds", {"is_sent": False, "seconds": 10.001},
     f"no connection to {PLACE} within 10 s"),
    (28, "Operation timed out", {"seconds": 4.9}, "no whole answer within 5 s"),
    (35, "TLS connect error: error:0A00010B:SSL routines::wrong version number", {},
     f"no TLS connection to {PLACE}: wrong version number"),
    (35, "Recv failure: Connection reset by peer", {"oserror": RESET},
     f"no TLS connection to {PLACE}: Connection reset by peer"),
    (52, "Empty reply from server", {}, "the connection ended without an answer"),
    (55, "Send failure: Connection reset by peer", {"oserror": RESET},
     "the connection broke while bytes were sent: Connection reset by peer"),
    (56, "Recv failure: Connection reset by peer", {"oserror": RESET},
     "the connection broke: Connection reset by peer"),
    (56, "chunk hex-length char not a hex digit: 0x78", {}, "the connection broke"),
    (1, "Received HTTP/0.9 when not allowed", {}, f"what {PLACE} answers is not HTTP"),
    (60, "SSL certificate problem: self-signed certificate", {},
     "the server's certificate is not to be trusted: self-signed certificate (see --ca-bundle)"),
    (60, "SSL: no alternative certificate subject name matches target host name 'x::y'", {},
     "the server's certificate is not to be trusted: no alternative certificate subject name "
     "matches target host name 'x::y' (see --ca-bundle)")])
def test_libcurls_errors_in_our_words(errno, text, facts, said):
    """What the system says of it stays, and what was asked, without its password."""
    assert failures.told(errno, text, URL, **facts) == said


@pytest.mark.parametrize("errno, text, said", [(1, 'Protocol "htp" not supported', ""),
                                               (92, "stream error", ""),
                                               (92, "", "libcurl error 92")])
def test_what_has_no_words_of_ours(errno, text, said):
    """libcurl's are better than none."""
    assert failures.told(errno, text, URL) == (said or text)


@pytest.mark.parametrize("errno, text, said", [
    (5, "Could not resolve proxy: p", "the name of the proxy 'p:3' is not known"),
    (7, "Failed", f"cannot connect to {PLACE} over the proxy 'p:3'"),
    (35, "TLS connect error: error:0A000126:SSL routines::unexpected eof while reading",
     f"no TLS connection to {PLACE} over the proxy 'p:3': unexpected eof while reading"),
    (97, "User was rejected by the SOCKS5 server (1 1).",
     f"the proxy 'p:3' does not lead to {PLACE}: User was rejected by the SOCKS5 server (1 1).")])
def test_a_proxy_is_named(monkeypatch, errno, text, said):
    """It may be what is wrong; who asks it stays secret."""
    monkeypatch.setenv("https_proxy", "http://me:secret@p:3")
    assert failures.told(errno, text, URL) == said


def test_of_requests_that_are_sent(fake):
    """libcurl tells enough for it: nothing listens; the answer breaks off; the connection ends."""
    assert Wire.once(Endpoint("b", "http://127.0.0.1:1/b")).failure == (
        "cannot connect to '127.0.0.1:1': Connection refused")
    fake.bucket("b")
    fake.put("b", "k", b"body")
    endpoint = Endpoint("b", f"{fake.url}/b", "us-east-1", fake.access_key, fake.secret_key)
    for kind, said in (("short", "the connection ended before all bytes had come"),
                       ("reset", "the connection broke: Connection reset by peer")):
        fake.fault(kind, key="k")
        assert Wire.once(endpoint, endpoint.object_url("k")).failure == said
