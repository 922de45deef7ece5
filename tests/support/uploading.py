"""Uploads to the fake S3 by boto3 and by plain HTTP, for the fake's own tests."""

import base64
import hashlib
import http.client
from urllib.parse import quote
from xml.etree import ElementTree

import botocore.session
import fakes3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

SESSION = botocore.session.Session()        # one for all tests: it caches the service model
PLAIN = {"request_checksum_calculation": "when_required"}       # boto3 adds no checksum


def client_of(s3, **config):
    """Return a client of the fake that tries once; the caller closes it."""
    config = Config(retries={"total_max_attempts": 1}, read_timeout=10, **{**PLAIN, **config})
    return SESSION.create_client("s3", endpoint_url=s3.url, region_name=s3.home, config=config,
                                 aws_access_key_id=s3.access_key,
                                 aws_secret_access_key=s3.secret_key)


def refused(call, *arguments, **options):
    """Return (status, code, message) of the error that a call ends in."""
    with pytest.raises(ClientError) as caught:
        call(*arguments, **options)
    answer = caught.value.response
    return (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"],
            answer["Error"].get("Message", ""))


def code(call, *arguments, **options):
    """Return (status, code) of the error that a call ends in."""
    return refused(call, *arguments, **options)[:2]


def digest(algorithm, body):
    """Return a checksum as S3 writes it."""
    return fakes3.b64(fakes3.DIGESTS[algorithm](body))


def md5(body):
    """Return a Content-MD5."""
    return base64.b64encode(hashlib.md5(body).digest()).decode()


def ask(s3, method, key, headers=None, body=None, query="", timeout=10):
    """Send one request about an object of bucket `b` that nobody signs; return (status, {header in
    lower case: value}, body), or (0, {}, exception) where no answer came.
    """
    connection = http.client.HTTPConnection("127.0.0.1", s3.port, timeout=timeout)
    try:
        connection.request(method, f"/b/{quote(key)}{query}", body, headers or {})
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, answer.read()
    except (OSError, http.client.HTTPException) as error:
        return 0, {}, error
    finally:
        connection.close()


def error_of(answer):
    """Return the code of what ask() returned; of an answer without one an empty text."""
    if not answer[2] or isinstance(answer[2], Exception):
        return ""
    return ElementTree.fromstring(answer[2]).findtext("Code") or ""


class Uploading:
    """One multipart upload to bucket `b`, by boto3.

    `declared` are arguments of create_multipart_upload; `parts` is what the completion lists.
    """

    def __init__(self, client, key="k", **declared):
        self.client = client
        self.made = client.create_multipart_upload(Bucket="b", Key=key, **declared)
        self.where = {"Bucket": "b", "Key": key, "UploadId": self.made["UploadId"]}
        self.parts = []

    def part(self, n, body, listed=True, **more):
        """Upload a part, with what `more` says; list it with the same; return the answer."""
        answer = self.client.upload_part(**self.where, PartNumber=n, Body=body, **more)
        sums = {name: value for name, value in more.items() if name.startswith("Checksum")}
        self.parts.append({"PartNumber": n, "ETag": answer["ETag"], **(sums if listed else {})})
        return answer

    def complete(self, **more):
        """Complete it; return the answer."""
        return self.client.complete_multipart_upload(
            **self.where, MultipartUpload={"Parts": self.parts}, **more)

    def refused(self, **more):
        """Return (code, message) of the error in which a completion ends."""
        return refused(self.complete, **more)[1:]
