"""Requests, and the answers to them."""

from dataclasses import dataclass, field

from fakes3.formats import NS


@dataclass(eq=False)
class Request:
    """One request: what `hook` sees, and the record in `log`.

    `status` is 0 until it is answered.
    """

    n: int
    time: float
    connection: int
    method: str
    path: str                       # as sent
    query_string: str               # as sent
    headers: dict                   # lower-case names
    bucket: str = ""
    key: str = ""
    query: dict = field(default_factory=dict)
    body: bytes = b""               # dropped from the log when larger than 64 KiB
    status: int = 0
    bytes_sent: int = 0             # of the body
    problem: Exception = None       # why the target makes no sense
    signing: tuple = None           # signing key, date, scope, signature: the seed of signed chunks
    trailers: dict = field(default_factory=dict)
    unchecked: bool = False         # the server does not look at the digests of the body

    def __repr__(self):
        return (f"<{self.n} {self.method} {self.bucket}/{self.key!r}?{self.query_string} "
                f"{self.status}>")


@dataclass
class Response:
    """One answer, with what a fault does to it on the wire."""

    status: int = 200
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    length: object = True  # Content-Length: True the body's, None no such header, or a number
    end: str = "keep"               # then: keep, close, reset
    raw: bytes = b""                # more header lines
    plain: bool = True              # False: leaves by the slow path, where the fields below count
    wait: float = 0.0               # before the headers
    at: int = None                  # after so many bytes of the body: call `action`, wait `pause`
    pause: float = 0.0
    action: object = None
    rate: float = 0.0               # bytes per second
    later: list = ()                # after the body: (seconds, bytes or what returns them)
    endless: bytes = b""            # after that, again and again until the client is gone
    refuse: bool = False            # close without a word

    def sabotage(self, **changes):
        """Change fields and take the slow path."""
        self.plain = False
        for name, value in changes.items():
            setattr(self, name, value)
        return self


def document(root, content):
    """Return a 200 with an XML document."""
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NS}">{content}</{root}>'
    return Response(200, {"Content-Type": "application/xml"}, body.encode())
