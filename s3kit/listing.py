"""Listing through the data plane: pages fetched by libcurl, several at once, and handed on in order.

One connection lists one page after the other, each asked for while the one before is used. Where that
leaves us waiting, the range of keys is split among more connections (segments). Rows come in the server's
order: key, then newest version first.
"""

import time
from urllib.parse import quote

from s3kit import retry
from s3kit.answer import said
from s3kit.errors import Fault, NoAccess
from s3kit.pages import Page, marker_query
from s3kit.segments import Segments
from s3kit.wire import Wire

TRIES = 6
BEARABLE = 0.004        # seconds of waiting for a page; where it is more, the listing is split
WANTS_RESTORE = "x-amz-optional-object-attributes: RestoreStatus"
NO_ACCESS = (retry.DENIED, retry.EXPIRED, retry.REFUSED, retry.SKEWED, retry.UNTRUSTED)
PASSING = (retry.AGAIN, retry.SLOW, retry.OK)       # OK: the connection broke after the status line


class Listing:
    """Lists one bucket after the other over up to `connections`. Raises NoAccess or Fault."""

    def __init__(self, check=lambda: None, connections=1):
        self.wire = Wire(connections)
        self.check = check
        self.connections = connections
        self.requests = 0

    def is_versioned(self, endpoint):
        """Return whether a bucket is or was versioned; None where we may not ask."""
        status = self.versioning(endpoint)
        return None if status is None else bool(status)

    def versioning(self, endpoint):
        """Return Enabled, Suspended or '' (never versioned); None where we may not ask. Raises NoAccess or Fault."""
        transfer = self.patiently(endpoint, "?versioning=")
        verdict = retry.verdict(transfer.status, transfer.code, transfer.errno)
        if verdict == retry.OK:
            return Page.versioning(transfer.body)
        if verdict == retry.DENIED:
            return None
        kind = NoAccess if verdict in NO_ACCESS else Fault
        raise kind(f"cannot use bucket '{endpoint.bucket}': {said(transfer)}")

    def patiently(self, endpoint, query):
        """Return the answer to one question, asked again as often as makes sense."""
        for tries in range(TRIES):
            transfer = self.wire.start(None, endpoint, endpoint.url + query)
            while self.wire.is_under_way(transfer):
                self.check()
                self.wire.turn(0.5)
            verdict = retry.verdict(transfer.status, transfer.code, transfer.errno)
            if verdict in PASSING and (transfer.errno or verdict != retry.OK):
                self.rest(retry.delay(tries, base=0.5))
            else:
                break
        return transfer

    def rest(self, seconds):
        """Wait, in pieces short enough to be interrupted."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.check()
            time.sleep(min(0.2, max(0.0, end - time.monotonic())))

    def pages(self, endpoint, prefix="", versions=False, delimiter=""):
        """Yield the Pages of a bucket's prefix, those that follow asked for while one is in use."""
        run = Run(self, endpoint, prefix, versions, delimiter)
        try:
            yield from run.pages()
        finally:
            self.wire.stop()


class Run:
    """The listing of one prefix: what is under way, and what is to be asked again later."""

    def __init__(self, listing, endpoint, prefix, versions, delimiter):
        self.listing, self.wire, self.endpoint, self.versions = listing, listing.wire, endpoint, versions
        self.fixed = ["versions="] if versions else ["list-type=2"]
        self.fixed += ["encoding-type=url", "max-keys=1000"]
        if delimiter:
            self.fixed.append(f"delimiter={quote(delimiter, safe='')}")
        if prefix:
            self.fixed.append(f"prefix={quote(prefix, safe='')}")
        self.segments = Segments(1 if delimiter else listing.connections, prefix, versions)
        self.throttle = retry.Throttle(listing.connections)
        self.asked = {}         # Transfer: (segment, query, tries)
        self.later = []         # (when, segment, query, tries)
        self.waited = 0.0

    def pages(self):
        """Yield the Pages in order."""
        while not self.segments.is_done:
            page = self.segments.ready()
            self.ask(may_split=page is None and self.waited > BEARABLE)
            if page is not None:
                self.turn(0)
                yield page
                self.waited /= 2
            elif not self.segments.is_done:
                self.turn(0.5)

    def ask(self, may_split):
        """Start what requests may be started now."""
        now = time.monotonic()
        for again in [again for again in self.later if again[0] <= now]:
            self.later.remove(again)
            self.start(*again[1:])
        while self.throttle.room(len(self.asked) + len(self.later), now) > 0:
            segment = self.segments.choose(may_split)
            if not segment:
                return
            self.start(segment, segment.query or self.beginning(segment.after), 0)

    def beginning(self, marker):
        """Return the query for the first page after a key, which need not exist."""
        if not marker:
            return ""
        return marker_query(marker) if self.versions else f"start-after={quote(marker, safe='')}"

    def start(self, segment, query, tries):
        """Ask for a page."""
        self.listing.requests += 1
        url = f"{self.endpoint.url}?{'&'.join(sorted([*self.fixed, query] if query else self.fixed))}"
        self.asked[self.wire.start(None, self.endpoint, url, headers=[WANTS_RESTORE])] = segment, query, tries

    def turn(self, seconds):
        """Wait at most so long for answers, and take them."""
        self.listing.check()
        if self.later:
            seconds = min(seconds, max(0.0, min(self.later)[0] - time.monotonic()))
        began = time.monotonic()
        answered = self.wire.turn(seconds)
        self.waited += time.monotonic() - began
        for transfer in answered:
            segment, query, tries = self.asked.pop(transfer)
            verdict = retry.verdict(transfer.status, transfer.code, transfer.errno)
            if verdict == retry.OK and not transfer.errno:
                self.throttle.grow()
                self.take(segment, query, transfer.body)
            elif verdict in PASSING and tries < TRIES - 1 and segment in self.segments.open:
                if verdict == retry.SLOW:
                    self.throttle.shrink(time.monotonic())
                self.later.append((time.monotonic() + retry.delay(tries, base=0.5), segment, query, tries + 1))
            elif not self.segments.fail(segment):
                kind = NoAccess if verdict in NO_ACCESS else Fault
                raise kind(f"cannot list s3://{self.endpoint.bucket}: {said(transfer)}")

    def take(self, segment, query, body):
        """Take a segment's page; only the head's must make sense, others can be asked for in its way."""
        try:
            page = Page(self.endpoint.bucket, body, self.versions)
            if query and page.next == query:
                raise Fault(f"the listing of '{self.endpoint.bucket}' goes in circles")
        except Fault:
            if not self.segments.fail(segment):
                raise
            return
        self.segments.take(segment, page)
