"""Whether a listing waits for the network, which more requests at once would hide, and not for a
CPU or for whoever reads what it writes.
"""

import time

BEARABLE = 0.004        # seconds of waiting for a page


class Lateness:
    """Seconds in which the process did not run: `waited` for pages, and `lost` while it was at work
    on them, to others that use the CPU or to a reader that is slower. Each page counts half as much
    as the one after it.
    """

    def __init__(self):
        self.waited = self.lost = 0.0
        self.wall, self.cpu = time.monotonic(), time.process_time()

    def idle(self):
        """Return the seconds since the last call in which the process did not run."""
        wall, cpu = time.monotonic(), time.process_time()
        found = wall - self.wall - (cpu - self.cpu)
        self.wall, self.cpu = wall, cpu
        return max(0.0, found)

    def begin(self):
        """Note that the work ends and a wait begins."""
        self.lost += self.idle()

    def end(self):
        """Note that a wait ends."""
        self.waited += self.idle()

    def turn_page(self):
        """Note that a page was used."""
        self.waited, self.lost = self.waited / 2, self.lost / 2

    def is_felt(self):
        """Return whether pages are waited for longer than is bearable, and than work is held up."""
        return self.waited > max(BEARABLE, self.lost)
