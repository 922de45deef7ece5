"""Requests from which too little comes.

libcurl has one limit for a slow server and for one that has not begun to answer; a store that
thinks for a minute about a listing must not be cut like a transfer that has stopped.
"""

import time

STALLED_BYTES, STALLED_SECONDS = 1024, 30     # slower than this for so long is cut
LOOK_SECONDS = 1.0              # between two looks
TIMED_OUT = 28                  # CURLE_OPERATION_TIMEDOUT


class Stalls:
    """Watches the Transfers of `busy`, {handle: Transfer}; `count(handle)` is how many bytes came.

    The first byte of a body may take as long as the Endpoint's `read_timeout` says (0: for ever);
    those after it come at STALLED_BYTES a second, or are cut after STALLED_SECONDS.
    """

    def __init__(self, busy, count):
        self.busy, self.count, self.looked = busy, count, time.monotonic()
        self.marks = {}         # Transfer: (whether bytes have come, how many, slow since when)

    def forget(self, transfer):
        """Begin to count anew: it is over, or was paused."""
        self.marks.pop(transfer, None)

    def found(self):
        """Return [(handle, why, for people)] of the requests to be cut; looks once a second."""
        now = time.monotonic()
        passed = now - self.looked
        if passed < LOOK_SECONDS:
            return []
        self.looked = now
        return [(curl, why) for curl, transfer in self.busy.items()
                if not transfer.is_paused and (why := self.why_cut(curl, transfer, now, passed))]

    def why_cut(self, curl, transfer, now, passed):
        """Return why a request is cut at a moment, `passed` seconds after the last look, or ''."""
        has_begun = transfer.kept > 0 or transfer.headers is not None
        count = self.count(curl) if has_begun else 0
        had_begun, before, since = self.marks.get(transfer, (None, 0, now))
        if had_begun != has_begun or has_begun and count - before >= STALLED_BYTES * passed:
            since = now
        self.marks[transfer] = has_begun, count, since
        limit = transfer.endpoint.read_timeout
        if has_begun and now - since >= STALLED_SECONDS:
            return (f"Operation too slow. Less than {STALLED_BYTES} bytes/sec transferred the last "
                    f"{STALLED_SECONDS} seconds")
        if not has_begun and 0 < limit <= now - since:
            return f"no answer came for {limit:g} seconds (--read-timeout)"
        return ""
