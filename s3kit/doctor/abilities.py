"""What a server that is not Amazon's can do of what we use, and what is done without it.

Asked of one bucket, and of its first key, by requests that change nothing: that about many
deletions names no key, which S3 answers with MalformedXML.
"""

from typing import NamedTuple

from s3kit.doctor.finding import NOTE, OK, UNKNOWN, Finding
from s3kit.s3.calls import document_headers
from s3kit.s3.capabilities import server_of
from s3kit.s3.wire import Wire

SECONDS = 4.0               # for each request
REFUSED = (400, 405, 501)   # statuses of servers that do not know what they are asked for
NO_KEYS = b'<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></Delete>'
NOBODYS_ETAG = "0" * 32


class Ability(NamedTuple):
    """Something that a server may be able to do: `without` says what is done if not.

    `holds(transfer)` is whether the answer says that it can, None where that does not tell. The
    question is about the first key with `of_key`, else about the bucket.
    """

    name: str
    without: str
    holds: object
    method: str = "GET"
    query: str = ""
    headers: tuple = ()
    of_key: bool = False
    body: bytes = b""


def has_root(root):
    """Return a judge of whether an answer is a document with this root element."""
    def holds(transfer):
        if transfer.status in REFUSED:
            return False
        return root in transfer.body[:512] if transfer.status == 200 else None
    return holds


def status_is(*good):
    """Return a judge of whether an answer has one of these statuses, and not that of one who took
    no notice.
    """
    def holds(transfer):
        if transfer.status in good:
            return True
        return False if transfer.status in (200, *REFUSED) else None
    return holds


def takes_many(transfer):
    """Return whether a server knows DeleteObjects: it finds no key in it."""
    if transfer.code == "MalformedXML" or b"<DeleteResult" in transfer.body[:512]:
        return True
    return False if transfer.status in (404, 405, 501) else None


ABILITIES = (
    Ability("versions", "only objects as they are now are seen", has_root(b"<ListVersionsResult"),
            query="encoding-type=url&max-keys=1&versions="),
    Ability("many deletions in one request", "one by one", takes_many, "POST", "delete=",
            body=NO_KEYS),
    Ability("ranges", "large objects are read whole", status_is(206, 416), of_key=True,
            headers=("Range: bytes=0-0",)),
    Ability("part sizes", "those of multipart objects are found by trying", status_is(206), "HEAD",
            "partNumber=1", of_key=True),
    Ability("checksums", "ETags must do", lambda transfer: None if transfer.status not in (
        200, *REFUSED) else any(name.startswith("x-amz-checksum-") for name in transfer.headers),
            "HEAD", of_key=True, headers=("x-amz-checksum-mode: ENABLED",)),
    Ability("conditions", "what is overwritten meanwhile is found by its bytes", status_is(412),
            "HEAD", of_key=True, headers=(f'If-Match: "{NOBODYS_ETAG}"',)))


def findings(endpoint, key, check, trace):
    """Yield the Findings of a server, a line for what it can do and for each thing that it cannot.

    `endpoint` is one of its buckets, `key` one in it or None; `check()` is called often and may
    raise, `trace(text)` hears each request.
    """
    told = asked(endpoint, key, check, trace)
    server, facts = server_of(endpoint.url), {
        "server": server_of(endpoint.url),
        "abilities": {ability.name: can for ability, can in told.items()}}
    can = [ability.name for ability, holds in told.items() if holds]
    unknown = [ability.name for ability, holds in told.items() if holds is None]
    if can:
        yield Finding("server", OK, f"{server} has {', '.join(can)}", "", facts)
    for ability, holds in told.items():
        if holds is False:
            yield Finding("server", NOTE, f"no {ability.name}: {ability.without}", "", facts)
    if unknown:
        yield Finding("server", UNKNOWN, f"nothing is known of {', '.join(unknown)}", "", facts)


def asked(endpoint, key, check, trace):
    """Return {Ability: whether the server has it, None where that is not known}."""
    wire, told = Wire(len(ABILITIES), SECONDS), dict.fromkeys(ABILITIES)
    for ability in ABILITIES:
        if key or not ability.of_key:
            ask(wire, ability, endpoint, key)
    while wire.active:
        check()
        for transfer in wire.turn(0.5):
            ability = transfer.owner
            trace(f"{ability.method} {ability.name}: {transfer.status or transfer.failure} "
                  f"{transfer.code}".rstrip())
            # an object that came as a whole, in place of a range, was cut off
            if transfer.status and (ability.of_key or not transfer.errno):
                told[ability] = ability.holds(transfer)
    return told


def ask(wire, ability, endpoint, key):
    """Start the request that shows an Ability."""
    url = endpoint.object_url(key, ability.query) if ability.of_key else (
        f"{endpoint.url}?{ability.query}")
    headers = [*ability.headers, *(document_headers(ability.body) if ability.body else ())]
    wire.start(ability, endpoint, url, method=ability.method, headers=headers, body=ability.body,
               most=None if not ability.of_key else 1 << 20)
