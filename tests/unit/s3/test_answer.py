"""An answer as libcurl hands it over: its head, its body, and the error document in it."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.s3 import answer
from s3kit.s3.address import Endpoint
from s3kit.s3.answer import ERROR_DOCUMENT, LARGEST, TOO_LARGE, Transfer

ERROR = (b'<?xml version="1.0"?>\n<Error><Code>NoSuchKey</Code>'
         b"<Message>The specified key does not exist.</Message></Error>")


def made(*head, sink=None):
    """Return a Transfer with the pieces of a head, as libcurl hands them over."""
    transfer = Transfer(None, Endpoint("b", "http://h/b"), sink)
    transfer.curl = SimpleNamespace(head=list(head))
    return transfer


@pytest.mark.parametrize("head, status, headers", [
    (b"HTTP/1.1 200 OK\r\nETag: \"a\"\r\nX-B:  c \r\n\r\n", 200, {"etag": '"a"', "x-b": "c"}),
    (b"HTTP/2 204\r\n\r\n", 204, {}),
    (b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 404 Not Found\r\nC: d\r\n\r\n", 404,
     {"c": "d"}),
    (b"HTTP/1.0 200 Connection established\r\n\r\nHTTP/1.1 206 Partial\r\n\r\n", 206, {}),
    (b"HTTP/1.1 \xc2\xb2\r\n\r\n", 0, {}), (b"HTTP/1.1 2\xff0\r\n\r\n", 0, {}),
    (b"HTTP/1.1\r\n\r\n", 0, {}), (b"", 0, {})])
def test_the_head(head, status, headers):
    transfer = made(head)
    transfer.read_head()
    assert (transfer.status, transfer.headers) == (status, headers)


@given(st.lists(st.binary(max_size=30), max_size=5))
def test_any_head_is_read(pieces):
    transfer = made(*pieces)
    transfer.read_head()
    assert transfer.status >= 0 and all(map(str.islower, filter(str.isalpha, transfer.headers)))


def test_an_object_goes_to_its_sink():
    came = []
    transfer = made(b"HTTP/1.1 200 OK\r\n\r\n", sink=lambda _, data: came.append(data))
    transfer.take(b"one")
    transfer.take(b"two")
    transfer.conclude(0, "")
    assert came == [b"one", b"two"] and transfer.body == b"" and not transfer.code


def test_an_error_does_not_go_to_the_sink():
    came = []
    transfer = made(b"HTTP/1.1 404 Not Found\r\n\r\n", sink=lambda _, data: came.append(data))
    transfer.take(ERROR)
    transfer.conclude(0, "")
    assert not came
    assert (transfer.code, transfer.message) == ("NoSuchKey", "The specified key does not exist.")


def test_an_error_without_end_is_ended():
    transfer = made(b"HTTP/1.1 500 Oh\r\n\r\n", sink=print)
    piece = b"x" * 1024
    taken = [transfer.take(piece) for _ in range(answer.ERROR_BYTES // 1024 + 1)]
    assert taken[-1] == -1 and set(taken[:-1]) == {None}


def test_a_body_without_end_is_ended():
    transfer = made(b"HTTP/1.1 200 OK\r\n\r\n")
    piece = b"x" * (1 << 20)
    taken = [transfer.take(piece) for _ in range((LARGEST >> 20) + 1)]
    transfer.conclude(23, "Failed writing body")
    assert taken[-1] == -1 and set(taken[:-1]) == {None}
    assert transfer.is_too_large and transfer.code == TOO_LARGE and transfer.body == b""
    assert transfer.failure == "the answer has more than 16 MiB, which no answer of S3's has"


@pytest.mark.parametrize("status, body, code", [
    (200, b"<ListBucketResult/>", ""), (200, ERROR, "NoSuchKey"),
    (200, b"<Error>cut", ERROR_DOCUMENT), (200, b"<Errors>none</Errors>", ""),
    (200, b" \n" * 5000 + ERROR, "NoSuchKey"), (200, b" " * 60000 + ERROR, "NoSuchKey"),
    (200, b'<?xml version="1.0"?>\n' + b" \n" * 5000 + ERROR.partition(b"\n")[2], "NoSuchKey"),
    (200, b" \n" * 5000 + b"<CompleteMultipartUploadResult/>", ""),
    (500, b"", "HTTP500"), (503, b"<html>busy</html>", "HTTP503"), (404, ERROR, "NoSuchKey")])
def test_the_code(status, body, code):
    transfer = made(b"HTTP/1.1 %d X\r\n\r\n" % status)
    transfer.take(body)
    transfer.conclude(0, "")
    assert transfer.code == code


def test_no_answer():
    transfer = made()
    transfer.conclude(7, "connection refused")
    assert (transfer.status, transfer.errno, transfer.failure) == (0, 7, "connection refused")


@pytest.mark.parametrize("method, is_put", [("PUT", True), ("POST", False), ("GET", False)])
def test_the_content_is_a_puts(method, is_put):
    """The body of a POST is bytes, that libcurl has whole."""
    transfer = made()
    body = object()
    transfer.request = (transfer.endpoint, "http://h/b/k", method, [], None, body)
    assert transfer.content is (body if is_put else None)


def test_another_answer():
    """Nothing of the one before is left, as after a redirect; but whether it comes in drops."""
    transfer = Transfer(None, Endpoint("b", "http://h/b"), None, is_patient=True)
    transfer.curl = SimpleNamespace(head=[b"HTTP/1.1 307 Moved\r\nA: b\r\n\r\n"])
    transfer.keep(ERROR)
    transfer.conclude(0, "")
    assert transfer.code == "NoSuchKey" and transfer.kept
    transfer.begin()
    assert (transfer.status, transfer.headers, transfer.code, transfer.body, transfer.kept) == (
        0, None, "", b"", 0)
    assert transfer.is_patient and not made().is_patient
