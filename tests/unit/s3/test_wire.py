"""The data plane's requests: nothing of one is left on the handle that the next one gets."""

import os
import socket
import struct
import threading
import time

import pytest
from fakes3.characters import CHARACTERS

from s3kit.errors import Fault
from s3kit.listing.listing import Listing
from s3kit.s3 import failures, stalls, verdicts
from s3kit.s3.address import Endpoint
from s3kit.s3.answer import LARGEST, TOO_LARGE
from s3kit.s3.content import Content
from s3kit.s3.headers import said
from s3kit.s3.wire import Wire

BODY = (b'<RestoreRequest '
        b'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Days>1</Days></RestoreRequest>')


def ask(wire, endpoint, url, **options):
    """Return the answered Transfer of one request."""
    transfer = wire.start(None, endpoint, url, **options)
    while wire.active:
        wire.turn(0.5)
    return transfer


@pytest.fixture
def endpoint(fake):
    """A bucket with one archived object."""
    fake.bucket("b")
    fake.put("b", "k", b"body", storage_class="GLACIER")
    return Endpoint("b", f"{fake.url}/b", "us-east-1", fake.access_key, fake.secret_key)


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_a_body_is_not_signed_again(fake, endpoint, method):
    """What follows a POST on its connection has no body, and is signed so."""
    wire = Wire(1)
    assert ask(wire, endpoint, endpoint.object_url("k", "restore="), method="POST",
               body=BODY).status == 202
    after = ask(wire, endpoint,
                endpoint.object_url("k") if method != "GET" else f"{endpoint.url}?list-type=2",
                method=method)
    assert after.status in (200, 204), after.code
    assert fake.connections == 1


def test_headers_are_not_sent_again(fake, endpoint):
    """A request without headers of its own has none of the one before: a condition would be another
    object's.
    """
    wire = Wire(1)
    assert ask(wire, endpoint, endpoint.object_url("k"), method="HEAD",
               headers=['If-Match: "other"']).status == 412
    assert ask(wire, endpoint, endpoint.object_url("k"), method="HEAD").status == 200
    assert "if-match" not in fake.log[-1].headers and fake.connections == 1


@pytest.mark.parametrize("method, query",
                         [("GET", "list-type=2"), ("GET", "versioning="), ("POST", "delete=")])
@pytest.mark.parametrize("chunked", [False, True])
def test_an_answer_without_end_does_not_fill_memory(fake, endpoint, method, query, chunked):
    """Where it is kept to be parsed: it is cut off, says why, and is not asked for again."""
    fake.fault("endless", method=method, key="", chunked=chunked, times=None)
    wire = Wire(1)
    answer = ask(wire, endpoint, f"{endpoint.url}?{query}", method=method, body=BODY)
    assert (answer.code == TOO_LARGE and answer.errno and not answer.body
            and answer.kept <= LARGEST + (1 << 20))
    assert verdicts.verdict_of(answer) == verdicts.WRONG
    assert said(answer) == "the answer has more than 16 MiB, which no answer of S3's has"


def test_an_error_without_end_does_not_fill_memory(fake, endpoint):
    """Where the body of an object was expected: an error says all in its first bytes."""
    fake.put("b", "k", b"body")
    fake.fault("html", status=404, body=b"x" * (3 << 20), times=None)
    taken = []
    answer = ask(Wire(1), endpoint, endpoint.object_url("k"),
                 sink=lambda transfer, data: taken.append(data))
    assert not taken and answer.code == "HTTP404" and answer.kept < 1 << 20


def test_the_largest_page_is_taken(fake, endpoint):
    """Up to the limit nothing is cut."""
    fake.fault("html", body=b"x" * LARGEST, times=1)
    answer = ask(Wire(1), endpoint, f"{endpoint.url}?list-type=2")
    assert answer.status == 200 and not answer.errno and len(answer.body) == LARGEST


def test_a_listing_without_end(fake, endpoint):
    """Each question is asked once; of whether there are versions with the first page."""
    fake.fault("endless", key="", times=None)
    for question, asked in ((Listing().is_versioned, 2),
                            (lambda endpoint: list(Listing().pages(endpoint)), 1)):
        before = len(fake.log)
        with pytest.raises(Fault, match="more than 16 MiB"):
            question(endpoint)
        assert len(fake.log) == before + asked


def test_certificates_of_any_path(fake, endpoint, tmp_path):
    """A path is bytes: a letter that is not ASCII is no fault of the thread that uses it."""
    bundle = tmp_path / "schl\u00fcssel.pem"
    bundle.write_text("")
    answer = ask(Wire(1), endpoint._replace(ca_bundle=str(bundle)), endpoint.object_url("k"),
                 method="HEAD")
    assert answer.status == 200


DOTTED = ["..", "../x", "./x", "a/..", "a/../b", "a/.", "a/./b c", "a/../\u00e9+%"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "POST"])
def test_keys_with_dot_segments_are_those_keys(fake, endpoint, method):
    """libcurl would ask for `b` in place of `a/../b`, and for the bucket in place of `a/..`; what
    comes after on the same connection is signed by libcurl again.
    """
    wire = Wire(1)
    for key in DOTTED:
        fake.put("b", key, b"body", storage_class="GLACIER" if method == "POST" else "STANDARD")
        asked = ask(wire, endpoint, endpoint.object_url(key, "restore=" * (method == "POST")),
                    method=method, body=BODY if method == "POST" else b"")
        assert asked.status in (200, 202, 204) and fake.log[-1].key == key, asked.code
        assert ask(wire, endpoint, endpoint.object_url("k"), method="HEAD").status == 200
    assert fake.connections == 1


def test_dot_segments_without_credentials(fake, endpoint):
    """A public bucket's keys are asked for as they are, and unsigned."""
    fake.sign = False
    fake.put("b", "a/../b", b"body")
    endpoint = endpoint._replace(access_key="", secret_key="")
    assert ask(Wire(1), endpoint, endpoint.object_url("a/../b")).body == b"body"
    assert "authorization" not in fake.log[-1].headers


# --- bodies that are sent


def content_of(body):
    """Return the Content of a PUT."""
    return Content(body, len(body))


def put(wire, endpoint, key, body, **options):
    """Put an object; return the Transfer."""
    return ask(wire, endpoint, endpoint.object_url(key), method="PUT",
               headers=["x-amz-content-sha256: UNSIGNED-PAYLOAD", "Expect:"],
               body=content_of(body), **options)


@pytest.mark.parametrize("size", [0, 1, 70_000, 3 << 20])
def test_a_body(fake, endpoint, size):
    """All of it, and how long it is; what it took is told."""
    body = os.urandom(size)
    answer = put(Wire(1), endpoint, "new", body)
    assert answer.status == 200 and fake.get("b", "new").body == body
    assert fake.log[-1].headers["content-length"] == str(size)
    assert "transfer-encoding" not in fake.log[-1].headers
    assert answer.size == size and answer.waited <= answer.took


def test_bodies_one_after_another(fake, endpoint):
    """Each has its own length."""
    wire = Wire(1)
    for body in (b"long" * 50_000, b"", b"short", b"x" * 100_000):
        assert put(wire, endpoint, "new", body).status == 200
        assert fake.get("b", "new").body == body
    assert fake.connections == 1


@pytest.mark.parametrize("method, query", [("GET", ""), ("HEAD", ""), ("DELETE", ""),
                                           ("POST", "restore="), ("PUT", "")])
@pytest.mark.parametrize("before", [b"", b"body" * 50_000])
def test_what_follows_a_put_has_its_own_body(fake, endpoint, method, query, before):
    """Or none, on the same connection, and is signed so."""
    wire = Wire(1)
    assert put(wire, endpoint, "new", before).status == 200
    if method == "PUT":
        after = put(wire, endpoint, "newer", b"")
    else:
        key = "k" if method == "POST" else "new"
        after = ask(wire, endpoint, endpoint.object_url(key, query), method=method,
                    body=BODY if method == "POST" else b"")
    assert after.status in (200, 202, 204), after.code
    request = fake.log[-1]
    assert request.method == method and request.body == (BODY if method == "POST" else b"")
    assert request.headers.get("content-length", "0") == str(len(request.body))
    assert not {"transfer-encoding", "expect"} & {*request.headers}
    assert method == "PUT" or "UNSIGNED-PAYLOAD" not in request.headers.get(
        "x-amz-content-sha256", "")
    assert put(wire, endpoint, "new", b"again").status == 200
    assert fake.get("b", "new").body == b"again" and fake.connections == 1


def test_a_body_is_sent_again_after_a_redirect(fake, endpoint):
    """From its beginning."""
    fake.character = CHARACTERS["redirecting"]()
    body = os.urandom(1 << 20)
    answer = put(Wire(1), endpoint, "new", body)
    assert answer.status == 200 and answer.hops == 1 and fake.get("b", "new").body == body
    assert [one.status for one in fake.log] == [307, 200]


class Raw:
    """A server of one test's own: `serve(connection, number)` for each connection, in a thread."""

    def __init__(self, serve, room=None):
        self.listener = socket.socket()
        if room:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.serve, self.open = serve, []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        self.endpoint = Endpoint("b", f"http://127.0.0.1:{self.listener.getsockname()[1]}/b")

    def run(self):
        """Serve until the listener is closed."""
        number = 0
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            number += 1
            self.open.append(connection)
            try:
                self.serve(connection, number)
            except OSError:
                pass            # the client is gone

    def close(self):
        """End."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.open:
            connection.close()
        self.thread.join(10)


def read_head(file):
    """Return the Content-Length of a request whose head is read from a file."""
    length = 0
    while (line := file.readline()) not in (b"\r\n", b""):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return length


OK = b"HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 0\r\n\r\n"


def test_a_body_is_sent_again_where_the_connection_was_dead():
    """A server hangs up as the next request comes: that is sent on another connection, whole, by
    libcurl where it hears of it before it has sent some of the body, else when it is tried again.
    """
    came, body = [], os.urandom(4 << 20)

    def serve(connection, number):
        file = connection.makefile("rb")
        length = read_head(file)
        came.append(file.read(length))
        connection.sendall(OK)
        if number == 1:
            file.readline()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            file.close()
            connection.close()

    raw, wire = Raw(serve), Wire(1)
    try:
        assert put(wire, raw.endpoint, "k", b"first").status == 200
        answer = put(wire, raw.endpoint, "k", body)
        if answer.status != 200:
            assert verdicts.verdict_of(answer) == verdicts.AGAIN, answer.failure
            answer = put(wire, raw.endpoint, "k", body)
        assert answer.status == 200, answer.failure
        assert came == [b"first", body]
    finally:
        wire.stop()
        raw.close()


@pytest.fixture
def hasty(monkeypatch):
    """What stalls is cut after a second."""
    monkeypatch.setattr(stalls, "STALLED_SECONDS", 1)
    monkeypatch.setattr(stalls, "LOOK_SECONDS", 0.1)


def test_a_body_that_does_not_go(hasty):
    """The server takes no more: the request is cut, and the handle can be used again."""
    ended, wire = threading.Event(), Wire(2)
    raw = Raw(lambda connection, number: ended.wait(30), room=1 << 16)
    try:
        begun = time.monotonic()
        answer = put(wire, raw.endpoint, "k", bytes(32 << 20))
        assert answer.errno == failures.TIMED_OUT
        assert answer.failure == "the server took no byte for 1 s"
        assert 1 <= time.monotonic() - begun < 15 and not wire.active
        assert verdicts.verdict_of(answer) == verdicts.AGAIN
    finally:
        ended.set()
        wire.stop()
        raw.close()


def test_a_body_that_goes_slowly(hasty):
    """It is not cut, though it takes several times as long as nothing may."""
    wire = Wire(1)

    def serve(connection, number):
        file = connection.makefile("rb", buffering=1 << 12)
        left = read_head(file)
        end = time.monotonic() + 2
        while left:
            left -= len(file.read(min(left, 1 << 15)))
            time.sleep(0.05 if time.monotonic() < end else 0)
        connection.sendall(OK)

    raw = Raw(serve, room=1 << 12)
    try:
        begun = time.monotonic()
        answer = put(wire, raw.endpoint, "k", bytes(12 << 20))
        assert answer.status == 200, answer.failure
        assert time.monotonic() - begun > 1.5
    finally:
        wire.stop()
        raw.close()


def test_the_answer_to_a_body_may_take_longer_than_a_stall(fake, endpoint, hasty):
    """As long as the setting says; then it is cut."""
    wire = Wire(1)
    fake.fault("hang", method="PUT", key="new", seconds=1.6)
    answer = put(wire, endpoint, "new", b"body")
    assert answer.status == 200 and 1.5 < answer.waited <= answer.took
    fake.fault("hang", method="PUT", key="new", seconds=30)
    answer = put(wire, endpoint._replace(read_timeout=1), "new", b"body")
    assert answer.errno == failures.TIMED_OUT
    assert answer.failure == "no answer for 1 s (--read-timeout)"


def test_a_body_that_is_held_back(fake, endpoint, hasty):
    """By its giver, for longer than nothing may go; then it goes on."""
    wire, since, body = Wire(1), time.monotonic(), os.urandom(1 << 20)
    content = Content(body, len(body),
                      lambda: not 0 < content.at or time.monotonic() - since > 1.6)
    transfer = wire.start(None, endpoint, endpoint.object_url("new"), method="PUT", body=content,
                          headers=["x-amz-content-sha256: UNSIGNED-PAYLOAD", "Expect:"])
    while wire.active:
        wire.turn(0.1)
        if transfer.is_paused and time.monotonic() - since > 1.6:
            wire.resume(transfer)
    assert transfer.status == 200 and fake.get("b", "new").body == body
    assert time.monotonic() - since > 1.6


def test_a_body_that_ends_early(fake, endpoint):
    """A file became shorter: the request fails, nothing is stored, and the next one does well."""
    wire, content = Wire(1), content_of(b"short")
    content.size, content.view = 100, memoryview(b"short")
    content.piece = lambda at, count: bytes(content.view[at:at + count])
    transfer = wire.start(None, endpoint, endpoint.object_url("new"), method="PUT", body=content,
                          headers=["x-amz-content-sha256: UNSIGNED-PAYLOAD", "Expect:"])
    end = time.monotonic() + 20
    while wire.active:
        wire.turn(0.5)
        assert time.monotonic() < end
    assert transfer.errno and verdicts.verdict_of(transfer) == verdicts.AGAIN
    assert fake.get("b", "new") is None
    assert put(wire, endpoint, "new", b"whole").status == 200


def test_an_error_before_all_was_sent(fake, endpoint):
    """A server that refuses at once need not take the rest."""
    refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    def serve(connection, number):
        read_head(connection.makefile("rb", buffering=1))
        connection.sendall(refusal)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1 << 16):
            pass

    raw, wire = Raw(serve, room=1 << 14), Wire(1)
    try:
        answer = put(wire, raw.endpoint, "k", bytes(16 << 20))
        assert answer.status == 403 and verdicts.verdict_of(answer) == verdicts.DENIED
    finally:
        wire.stop()
        raw.close()
