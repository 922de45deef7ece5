"""S3 addresses as people write them, and how a bucket is reached."""

import re
import shlex
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from s3kit.errors import Usage
from s3kit.units import READ_TIMEOUT
from s3kit.text import is_unicode

# What may be a bucket's name at all, as botocore has it; only it understands ARNs of access points.
NAME = re.compile(r"[A-Za-z0-9._-]{1,255}|arn:[!-~]+")
# What people put before a bucket's name where s3:// belongs; then the name.
MEANT = re.compile(r"(?:s3:/*|arn:aws[a-z-]*:s3:::)?([A-Za-z0-9][A-Za-z0-9._-]{0,254}(?:/.*)?)",
                   re.IGNORECASE | re.DOTALL)
FILES = (".csv", ".xml", ".json", ".txt", ".gz", ".zst", ".zstd")      # how no bucket is called

# Below which names Amazon's services are, in all of its partitions
# (https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json).
AMAZONS = ("amazonaws.com", "api.aws", "amazonaws.com.cn", "api.amazonwebservices.com.cn",
           "amazonaws.eu", "api.amazonwebservices.eu", "c2s.ic.gov", "api.aws.ic.gov",
           "sc2s.sgov.gov", "api.aws.scloud", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk",
           "csp.hci.ic.gov", "api.aws.hci.ic.gov")
S3 = "s3"           # the name of the service in signatures
OF_S3 = re.compile(r"s3(?:express)?(?:-.*)?")       # a part of the host's name


def is_amazons(url):
    """Return whether a URL is of a host in Amazon's domains: a service, or a customer's machine."""
    return (urlsplit(url).hostname or "").rstrip(".").endswith(tuple(f".{end}" for end in AMAZONS))


@lru_cache(256)     # every request of an upload asks it, of the few URLs of a run
def is_amazon_s3(url):
    """Return whether a URL is Amazon's own S3: its endpoint, a bucket's or an access point's.

    A server of one's own may run on a machine of Amazon's (ec2-...compute.amazonaws.com).
    """
    return is_amazons(url) and any(map(OF_S3.fullmatch, urlsplit(url).hostname.split(".")))


def is_name(bucket):
    """Return whether a text can be a bucket's name, or an ARN in its place."""
    return NAME.fullmatch(bucket) is not None


def parse_s3(text):
    """Return (bucket, key or prefix) of `s3://bucket/prefix`. Raises Usage if it is none."""
    if not text.startswith("s3://"):
        raise Usage(f"'{text}' is not an S3 address (s3://bucket/prefix){question(text)}")
    bucket, _, rest = text[5:].partition("/")
    if not bucket:
        raise Usage(f"'{text}' names no bucket")
    if not is_name(bucket):
        raise Usage(f"'{text}': '{bucket}' cannot be the name of a bucket")
    if not is_unicode(rest):
        raise Usage(f"'{text}' is not UTF-8 text, as all keys are")
    return bucket, rest


def question(text):
    """Return `: did you mean s3://BUCKET/?` for a text that may be meant so, or ''."""
    meant = MEANT.fullmatch(text)
    if not meant or text.endswith(FILES):
        return ""
    address = f"s3://{meant[1]}" if "/" in meant[1] else f"s3://{meant[1]}/"
    return f": did you mean {shlex.quote(address)}?"


class Endpoint(NamedTuple):
    """How to reach one bucket: all that the data plane needs to know, asked once of boto3.

    `url` is the bucket's own, without a slash at its end; `proxy` is left to libcurl and the
    environment. `checksum_mode`: whether objects are asked for with their checksums, which the
    settings may deny (response_checksum_validation). `read_timeout`: seconds that an answer may
    take to begin, 0 for any. `service` is the name that signatures are for. The secret parts never
    show in a repr.
    """

    bucket: str
    url: str
    region: str = "us-east-1"
    access_key: str = ""
    secret_key: str = ""
    token: str = ""
    ca_bundle: str = ""
    verify: bool = True
    request_payer: str = ""
    generation: int = 0
    checksum_mode: bool = True
    read_timeout: float = READ_TIMEOUT
    service: str = S3

    def __repr__(self):
        """Return what may be shown."""
        return f"Endpoint({self.bucket!r}, {self.url!r}, {self.region!r})"

    def object_url(self, key, query="", version_id=""):
        """Return the URL of a key, or of one of its versions; `query` is an encoded query string.
        """
        named = f"versionId={quote(version_id, safe='')}" if version_id else ""
        query = f"{query}&{named}" if query and named else query or named
        return f"{self.url}/{quote(key, safe='/~')}" + (f"?{query}" if query else "")


def has_dots(key):
    """Return whether a key has `.` or `..` components, which libcurl will not sign as they are."""
    return ("/." in key or key.startswith(".")) and any(part in (".", "..")
                                                        for part in key.split("/"))
