"""The signature of one request, by botocore, where libcurl cannot make it.

libcurl percent-encodes the name that it is given, as in `Credential=account%3Auser/...`, which no
server knows; access keys of Swift have a colon, others a slash or a plus sign.
"""

import re

from s3kit.s3.address import S3

UNCHANGED = re.compile(r"[A-Za-z0-9._~-]*")


def is_libcurls(endpoint):
    """Return whether libcurl signs for an Endpoint as its server wants it: it sends the access key
    as it is, and encodes the path once, as for S3 alone.
    """
    return UNCHANGED.fullmatch(endpoint.access_key) is not None and endpoint.service == S3


HASH = "x-amz-content-sha256"


def signed(endpoint, method, url, headers, body=b""):
    """Return the headers (`Name: value`) with those that sign them, for a request to an Endpoint.

    `url` is percent-encoded already, as it will be sent. What the headers say of the hash of the
    body counts, if they do: it need not be in memory. As libcurl has it, `Name:` is a header that
    is not sent, and `Name;` one that is empty.
    """
    from botocore.auth import S3SigV4Auth       # not with the module: it takes 0.15 s, and is rare
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    request = AWSRequest(method, url, data=body)
    unsent = [line for line in headers if line.endswith(":")]
    for name, colon, value in (line.partition(":") for line in headers if line not in unsent):
        request.headers[name if colon else name.removesuffix(";")] = value.strip()
    keys = Credentials(endpoint.access_key, endpoint.secret_key, endpoint.token or None)
    signer = S3SigV4Auth(keys, endpoint.service, endpoint.region)
    if told := request.headers.get(HASH):
        signer.payload = lambda request: told
    signer.add_auth(request)
    return [f"{name}: {value}" if value else f"{name};"
            for name, value in request.headers.items()] + unsent
