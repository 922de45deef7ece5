"""Faults while a request arrives: what happens to its body before it is there.

These kinds get the head of a request alone and return an Interruption.
"""

from dataclasses import dataclass

from fakes3.answers import Response
from fakes3.errors import S3Error
from fakes3.faults import ARRIVAL, kind

LINGER = 2.0                        # seconds to go on reading, at most, after an early answer


@dataclass
class Interruption:
    """What happens once `at` bytes of a body have come (None: half of it): for `seconds` nothing is
    read; then `response` ends the connection, or, without one, the request goes on.
    """

    at: int = None
    response: Response = None
    seconds: float = 0.0

    def due(self, request, received):
        """Return whether it is time."""
        at = self.at
        if at is None:
            at = int(request.headers.get("content-length", "0")) // 2
        return received >= at


@kind("cut", stage=ARRIVAL)
def cut(s3, request, response, at=None, end="reset"):
    """The connection ends when `at` bytes of the request's body have come (None: half of it), by
    `reset` or `close`; nothing is carried out.
    """
    return Interruption(at, Response(0).sabotage(refuse=True, end=end))


@kind("early", stage=ARRIVAL)
def early(s3, request, response, at=None, code="SlowDown", status=None, headers=None):
    """An error is answered when `at` bytes of the request's body have come (None: half of it), then
    the connection ends; nothing is carried out. A client that waits for 100 Continue gets it only
    where `at` is more than 0.
    """
    error = S3Error(code, None, status, headers)
    return Interruption(at, error.response(request).sabotage(end="close"))


@kind("deaf", stage=ARRIVAL)
def deaf(s3, request, response, at=None, seconds=3600.0):
    """Nothing is read for `seconds` when `at` bytes of the request's body have come (None: half of
    it); then the request goes on.
    """
    return Interruption(at, seconds=seconds)
