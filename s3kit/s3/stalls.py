"""Requests from which too little comes.

libcurl has one limit for a slow server and for one that has not begun to answer; a store that
thinks for a minute about a listing must not be cut like a transfer that has stopped.
"""

import time

STALLED_BYTES, STALLED_SECONDS = 1024, 30     # slower than this for so long is cut
LOOK_SECONDS = 1.0              # between two looks

SENDING, WAITING, RECEIVING = "sending", "waiting", "receiving"


class Stalls:
    """Watches the Transfers of `busy`, {handle: Transfer}; `count(handle)` is how many bytes of
    bodies went or came.

    The first byte of an answer may take as long as the Endpoint's `read_timeout` says (0: for
    ever); bytes of bodies go and come at STALLED_BYTES a second, or are cut after STALLED_SECONDS.
    An answer that may come in drops has the `read_timeout` for each of them.
    """

    def __init__(self, busy, count):
        self.busy, self.count, self.looked = busy, count, time.monotonic()
        # Transfer: (its phase, how many bytes, slow since when, how many bytes then)
        self.marks = {}

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
        phase = phase_of(transfer)
        count = self.count(curl) if phase != WAITING else 0
        had, before, since, start = self.marks.get(transfer, (None, 0, now, count))
        is_timed = phase == WAITING or transfer.is_patient and phase == RECEIVING
        least = 1 if is_timed else STALLED_BYTES * passed
        if had != phase or phase != WAITING and count - before >= least:
            since, start = now, count
        self.marks[transfer] = phase, count, since, start
        limit = transfer.endpoint.read_timeout
        if is_timed and 0 < limit <= now - since:
            return f"no answer for {limit:g} s (--read-timeout)"
        if not is_timed and now - since >= STALLED_SECONDS:
            few = f"fewer than {STALLED_BYTES:,} bytes a second" if count > start else "no byte"
            what = f"the server took {few}" if phase == SENDING else f"{few} came"
            return f"{what} for {STALLED_SECONDS} s"
        return ""


def phase_of(transfer):
    """Return whether a request is SENDING its body, WAITING for its answer or RECEIVING that."""
    if transfer.kept > 0 or transfer.headers is not None:
        return RECEIVING
    return SENDING if transfer.content and not transfer.content.is_sent else WAITING
