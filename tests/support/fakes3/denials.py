"""Faults that answer something else."""

from fakes3.answers import Response
from fakes3.errors import ERRORS, S3Error, elsewhere
from fakes3.faults import kind


# What a bare status means: the last code that has it, but for these.
USUAL_CODES = {**{usual: code for code, (usual, _) in ERRORS.items()}, 400: "InvalidRequest",
               403: "AccessDenied", 404: "NoSuchKey", 409: "OperationAborted"}


@kind("error200", replaces=True)
def error200(s3, request, response, code="InternalError", message=None):
    """A 200 whose body is an <Error> document."""
    return S3Error(code, message, status=200).response(request).sabotage()


@kind("html", replaces=True)
def html(s3, request, response,
         body=b"<html><body><h1>Please log in to this network</h1></body></html>", status=200):
    """An HTML page: with 200 as captive portals give, with an error as proxies do."""
    return Response(status, {"Content-Type": "text/html"}, body).sabotage()


@kind("status", replaces=True)
def status(s3, request, response, status=503, code=None, message=None, headers=None, elements=None):
    """An S3 error of this status and code."""
    error = S3Error(code or USUAL_CODES[status], message, status, headers, **(elements or {}))
    return error.response(request).sabotage()


@kind("page", replaces=True)
def page(s3, request, response, status=404):
    """The page of a proxy or of another server: this status, and not a word of S3's."""
    body = f"<html><body><h1>{status}</h1></body></html>".encode()
    return Response(status, {"Content-Type": "text/html"},
                    b"" if request.method == "HEAD" else body).sabotage()


@kind("redirect", replaces=True)
def redirect(s3, request, response, status=301, region="eu-west-1", location=None):
    """301 PermanentRedirect names the region, 307 TemporaryRedirect the place [API
    ErrorResponses].
    """
    if status != 301:
        location = location or s3.url + request.path
    error = elsewhere(request, region,
                      "PermanentRedirect" if status == 301 else "TemporaryRedirect", location)
    error.status = status
    return error.response(request).sabotage()


@kind("refuse", replaces=True)
def refuse(s3, request, response):
    """The connection closes at once, without a word."""
    return Response(0).sabotage(refuse=True, end="close")
