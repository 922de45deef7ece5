"""Where a redirected request may go.

S3 answers 307 where DNS does not know a new bucket's place yet, and 301 where a bucket has another
address; what comes there must be signed for it, with the same method and body
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html and RESTRedirect.html, in the
same place). A proxy or a web server redirects, too, to whatever it likes.

A redirect is followed if it asks for the same key and query, by the same scheme, of a server that
the user's keys are meant for already: the same one, the bucket in its name or in its path, or, at
Amazon's S3, another of its hosts ("the system will issue redirects only to hosts within the
domain"). It holds for one request. All others are told as they came: where they point is said.
"""

import re
from urllib.parse import parse_qsl, unquote, urlsplit

STATUSES = (301, 302, 307, 308)
MOST = 3                # redirects of one request that are followed
REGION = r"[a-z]{2}(?:-[a-z]+){1,2}-[0-9]"
# The hosts that are S3's alone: neither those of websites nor a customer's own.
# https://docs.aws.amazon.com/general/latest/gr/s3.html
HOSTS = re.compile(rf"s3(-fips)?(?:-external-1)?(?:\.dualstack)?(?:[.-]({REGION}))?"
                   r"\.(amazonaws\.com(?:\.cn)?)")
ENDPOINT = re.compile(rb"<Endpoint>([^<]*)</Endpoint>")


def pointed(transfer):
    """Return where the answer to a Transfer points: a URL, or a host alone, or ''."""
    named = ENDPOINT.search(transfer.body[:1 << 16])
    return transfer.headers.get("location", "") or (
        named[1].decode("utf-8", "replace") if named else "")


def further(transfer):
    """Return (Endpoint, URL) to which a request is to be sent again, None where it is answered."""
    if transfer.status not in STATUSES or transfer.hops >= MOST:
        return None
    endpoint, url, *_ = transfer.request
    told = transfer.headers.get("x-amz-bucket-region", "")
    if transfer.status == 301 and told not in ("", endpoint.region):
        return None             # that the region is wrong is said with what to do
    rest = url[len(endpoint.url):]
    path, _, query = rest.partition("?")
    try:
        there = urlsplit(absolute(pointed(transfer), endpoint, path))
        there.port
    except ValueError:
        return None
    if "@" in there.netloc or there.query and values(there.query) != values(query):
        return None
    for base, region in bases(endpoint, (there.hostname or "").lower(), told):
        if is_same(there, urlsplit(base + path)):
            return endpoint._replace(url=base, region=region), base + rest
    return None


def absolute(where, endpoint, path):
    """Return the whole URL of what a request for a path below an Endpoint was pointed to."""
    home = urlsplit(endpoint.url)
    if where.startswith("//"):
        return f"{home.scheme}:{where}"
    if where.startswith("/"):
        return f"{home.scheme}://{home.netloc}{where}"
    if where and "/" not in where:          # the host of an <Endpoint>
        is_named = where.lower().startswith(f"{endpoint.bucket}.") or not endpoint.bucket
        return f"{home.scheme}://{where}{'' if is_named else f'/{endpoint.bucket}'}{path}"
    return where


def bases(endpoint, host, told):
    """Yield (URL of the bucket, region) of all places that an Endpoint's keys are meant for, as far
    as a `host` is concerned; `told` is the region that the answer named.
    """
    yield endpoint.url, endpoint.region
    home, bucket = urlsplit(endpoint.url), endpoint.bucket
    if bucket and home.path == f"/{bucket}":
        server = home.netloc
    elif bucket and not home.path and home.netloc.startswith(f"{bucket}."):
        server = home.netloc[len(bucket) + 1:]
    else:
        return
    servers = {server: endpoint.region}
    mine, other = HOSTS.fullmatch(server), HOSTS.fullmatch(host.removeprefix(f"{bucket}."))
    if mine and other and mine[3] == other[3] and (other[1] or not mine[1]):
        is_region = re.fullmatch(REGION, told)
        servers[other[0]] = told if is_region else other[2] or endpoint.region
    for name, region in servers.items():
        yield f"{home.scheme}://{name}/{bucket}", region
        yield f"{home.scheme}://{bucket}.{name}", region


def is_same(there, mine):
    """Return whether two split URLs name the same path of the same port."""
    return (there.scheme == mine.scheme and (there.hostname, there.port or default(there))
            == (mine.hostname, mine.port or default(mine))
            and unquote(there.path or "/", errors="surrogateescape")
            == unquote(mine.path or "/", errors="surrogateescape"))


def default(parts):
    """Return the port of a scheme."""
    return 443 if parts.scheme == "https" else 80


def values(query):
    """Return what a query string says, in whatever order and encoding."""
    return sorted(parse_qsl(query, keep_blank_values=True, errors="surrogateescape"))
