"""ETags: opaque to us, kept and sent back as they came (RFC 9110, 8.8.3).

Quotes belong to HTTP: a row has `abc` where S3 says `"abc"`. A weak one stays as it is, `W/"abc"`.
"""


def bare(text):
    """Return the ETag in a header or an element as rows have it."""
    return text if text.startswith("W/") else text.strip('"')


def quoted(etag):
    """Return a row's ETag as a header has it."""
    return etag if etag.startswith("W/") else f'"{etag}"'


def old(etag):
    """Return an ETag as rows and ledgers had it before 0.2: lower case, never weak."""
    return etag.removeprefix("W/").strip('"').lower()


def is_same(one, other):
    """Return whether two ETags are of the same bytes; one may be spelt as before 0.2, or weak where
    something on the way has changed it (a proxy that compresses).
    """
    return one == other or one == old(other) or old(one) == other
