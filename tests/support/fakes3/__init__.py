"""A strict fake S3 in one thread: real rules, real signatures, a virtual clock, and faults on
demand.

    with FakeS3() as s3:
        s3.bucket("photos", versioning="Enabled")
        s3.put("photos", "2024/a.jpg", b"...", storage_class="GLACIER")
        s3.fault("flip", key="2024/a.jpg", times=2)
        ...                             # a client of s3.url, with s3.access_key, s3.secret_key
        assert [r.status for r in s3.requests(method="GET", key="2024/a.jpg")] == [403]

        s3.fault("rival", step="PutObject")                     # somebody else is faster,
        s3.fault("lost", step="CompleteMultipartUpload")        # or an answer never comes
        ...                             # a client that uploads
        assert not s3.uploads("photos")

Standalone, in tests/support: `python -m fakes3 PORT` prints `READY url` once it listens.

It speaks path-style S3 over HTTP/1.1. What it does not implement it refuses (501), it never
guesses. Where S3's behaviour is known, the place that does it names the source:

    [API X]     Amazon S3 API Reference, docs.aws.amazon.com/AmazonS3/latest/API/API_X.html, for
                operations; .../API/X.html for other pages
    [UG X]      Amazon S3 User Guide, docs.aws.amazon.com/AmazonS3/latest/userguide/X.html
    [RFC 9110]  HTTP Semantics
    [LS]        LocalStack's S3 provider, whose tests are run against AWS
    [seen: X]   an answer of the real S3 quoted in the issues or tests of that public project
    [?]         nobody knows; chosen so that a careful client is not misled

All state lives behind one lock, so tests may seed and look from their own thread while requests
run.
"""

from fakes3.answers import Request, Response
from fakes3.archive import DAY, TIERS, Restore
from fakes3.characters import CHARACTERS
from fakes3.checksums import DIGESTS, MULTIPART_TYPES
from fakes3.connection import Connection
from fakes3.errors import ERRORS, S3Error
from fakes3.faults import KINDS
from fakes3.formats import b64
from fakes3.reading import aim
from fakes3.server import FakeS3
from fakes3.signatures import Credential, signing_key

__all__ = ["CHARACTERS", "DAY", "DIGESTS", "ERRORS", "KINDS", "MULTIPART_TYPES", "TIERS",
           "Connection", "Credential", "FakeS3", "Request", "Response", "Restore", "S3Error", "aim",
           "b64", "signing_key"]
