"""A limit to the bytes a second that one worker takes."""

import time


class Rate:
    """`most` bytes a second (0: as many as come), on a Wire, whose transfers are paused where they
    come faster.
    """

    def __init__(self, most, wire):
        self.most, self.wire = most, wire
        self.tokens, self.filled = most, time.monotonic()
        self.halted = []        # transfers that are paused

    @property
    def is_spent(self):
        """Whether nothing more may be asked for now."""
        return self.tokens < 0

    def fill(self):
        """Count the time that has passed, and let paused transfers go on."""
        if not self.most:
            return
        now = time.monotonic()
        self.tokens = min(self.most, self.tokens + (now - self.filled) * self.most)
        self.filled = now
        if self.tokens > 0:
            transfers, self.halted = self.halted, []
            for transfer in transfers:
                self.wire.resume(transfer)

    def may_send(self, transfer):
        """Return whether more of a body may be sent now; else its transfer is taken up again when
        it may.
        """
        if self.most and self.tokens < 0:
            self.halted.append(transfer)
            return False
        return True

    def sent(self, count):
        """Count bytes that went."""
        if self.most:
            self.tokens -= count

    def spend(self, transfer, count):
        """Count bytes that came; pause their transfer where that was too much."""
        if self.most:
            self.tokens -= count
            if self.tokens < 0 and transfer.sink:
                self.halted.append(transfer)
                self.wire.pause(transfer)
