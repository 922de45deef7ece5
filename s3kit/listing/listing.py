"""Listing through the data plane: pages fetched by libcurl, several at once, and handed on in
order.

One connection lists one page after the other, each asked for while the one before is used. Where
that leaves us waiting, the range of keys is split among more connections (segments). Rows come in
the server's order: key, then newest version first.
"""

import time
from copy import copy
from urllib.parse import quote

from s3kit.errors import Fault, NoVersions
from s3kit.listing import ending, extras
from s3kit.listing.census import Census, is_doubted
from s3kit.listing.continuation import marker_query
from s3kit.listing.lateness import Lateness
from s3kit.listing.pages import Page
from s3kit.listing.segments import Segments
from s3kit.listing.sequence import Sequence
from s3kit.listing.unpaged import NoPages, Unpaged
from s3kit.s3 import asking, snowball, verdicts
from s3kit.s3.asking import fault_of, once_more
from s3kit.s3.patience import Patience
from s3kit.s3.window import Alone
from s3kit.s3.wire import Wire
from s3kit.units import date_ns

CONNECTIONS = 32        # where nobody says how many: more pages are not parsed in time


class Listing:
    """Lists one bucket after the other over up to `connections`. Raises NoAccess or Fault.

    `check()` is called often and may raise; `renew(endpoint)` returns one with newer credentials,
    or raises NoCredentials.
    """

    def __init__(self, check=lambda: None, connections=1, renew=None):
        self.wire = Wire(connections)
        self.check, self.renew = check, renew
        self.connections = connections
        self.requests = 0
        self.begun = None       # the Run of objects whose first page was asked for already

    def is_versioned(self, endpoint, prefix=""):
        """Return whether a bucket is or was versioned; None where nobody tells us.

        The first page of the prefix's objects is asked for in the same moment, for `pages`. Raises
        NoAccess or Fault.
        """
        begun = self.begun = Run(self, endpoint, prefix, False, "")
        begun.ask(may_split=False)
        try:
            status = asking.versioning(endpoint, self.renew, self.check, self.wire, begun.early)
        except BaseException:
            self.wire.stop()
            raise
        return None if status is None else bool(status)

    def run(self, endpoint, prefix, versions, delimiter):
        """Return a Run: the one that has begun, if it is of the same."""
        begun, self.begun = self.begun, None
        if begun and not (versions or delimiter) and (begun.endpoint.bucket, begun.prefix) == (
                endpoint.bucket, prefix):
            return begun
        self.wire.stop()
        return Run(self, endpoint, prefix, versions, delimiter)

    def pages(self, endpoint, prefix="", versions=False, delimiter=""):
        """Yield the Pages of a bucket's prefix, those that follow asked for while one is in use; of
        a server that has none Batches (see unpaged).
        """
        has_begun = False
        try:
            for page in self.whole(endpoint, prefix, versions, delimiter):
                has_begun = True
                yield page
        except NoPages:
            if has_begun:
                raise
            self.wire.stop()
            yield from Unpaged(self, endpoint, prefix, versions).batches(delimiter)
        finally:
            self.wire.stop()

    def whole(self, endpoint, prefix, versions, delimiter):
        """Yield the Pages. Raises Fault where the server has left something out."""
        run, census = self.run(endpoint, prefix, versions, delimiter), Census()
        for page in run.pages():
            if run.is_doubted:
                census.add(page)
            yield page
        if census.is_needed:
            self.count(census, run.began, endpoint, prefix, delimiter)

    def count(self, census, began, endpoint, prefix, delimiter):
        """Hold a listing of versions that began at a moment against one of objects. Raises Fault.

        What may have come since is to be shown by one more.
        """
        def anew(versions):
            """Return the pages of another listing."""
            return self.run(endpoint, prefix, versions, delimiter).pages()

        for page in anew(versions=False):
            census.hold(page, began)
        if census.young and not census.missing:
            for page in anew(versions=True):
                census.see_again(page)
        census.conclude(endpoint.bucket)


class Question:
    """A request for a page of a segment, and what is known of it.

    `refusal` says why it is asked without extras, `before` is the page before an empty last one,
    where the question is whether that can be right (see ending).
    """

    def __init__(self, segment, query):
        self.segment, self.query, self.patience = segment, query, Patience()
        self.refusal, self.before, self.empty, self.sent = "", None, None, []


class Run:
    """The listing of one prefix: what is under way, and what is to be asked again later."""

    def __init__(self, listing, endpoint, prefix, versions, delimiter):
        self.listing, self.wire, self.endpoint = listing, listing.wire, endpoint
        self.prefix, self.versions = prefix, versions
        self.fixed = ["versions="] if versions else ["list-type=2"]
        self.fixed += ["encoding-type=url", "max-keys=1000"]
        if delimiter:
            self.fixed.append(f"delimiter={quote(delimiter, safe='')}")
        if prefix:
            self.fixed.append(f"prefix={quote(prefix, safe='')}")
        self.segments = Segments(1 if delimiter else listing.connections, prefix, versions)
        self.window = Alone(listing.connections)
        self.sequence = Sequence(endpoint.bucket)
        self.asked = {}         # Transfer: Question
        self.early = []         # Transfers that were answered while another question was
        self.later = []         # (when, Question)
        self.last = {}          # segment: its last page that said that it goes on
        self.lateness = Lateness()
        self.is_doubted = False
        self.began = None       # nanoseconds since 1970 by the server's clock, where it has said so

    def pages(self):
        """Yield the Pages in order. Raises NoPages where the server is known to have none."""
        self.need_pages()
        while not self.segments.is_done:
            page = self.segments.ready()
            self.ask(may_split=page is None and self.lateness.is_felt())
            if page is not None:
                self.turn(0)
                self.sequence.take(page)
                yield page
                self.lateness.turn_page()
            elif not self.segments.is_done:
                self.turn(0.5)

    def need_pages(self):
        """Raise NoPages where the server is known to have none."""
        if snowball.is_at(self.endpoint):
            raise NoPages(f"the listing of '{self.endpoint.bucket}' has no pages")

    def ask(self, may_split):
        """Start what requests may be started now."""
        now = time.monotonic()
        for again in [again for again in self.later if again[0] <= now]:
            self.later.remove(again)
            self.start(again[1])
        while self.window.room(len(self.asked) + len(self.later), now) > 0:
            segment = self.segments.choose(may_split)
            if not segment:
                return
            self.start(Question(segment, segment.query or self.beginning(segment.after)))

    def beginning(self, marker):
        """Return the query for the first page after a key, which need not exist."""
        if not marker:
            return ""
        return marker_query(marker) if self.versions else f"start-after={quote(marker, safe='')}"

    def start(self, question):
        """Ask for a page."""
        self.listing.requests += 1
        query = [question.query] if question.query else []
        url = f"{self.endpoint.url}?{'&'.join(sorted([*self.fixed, *query]))}"
        question.sent = extras.headers(self.endpoint, question.refusal)
        self.asked[self.wire.start(None, self.endpoint, url, headers=question.sent)] = question

    def turn(self, seconds):
        """Wait at most so long for answers, and take them."""
        self.listing.check()
        if self.later:
            seconds = min(seconds, max(0.0, min(when for when, _ in self.later) - time.monotonic()))
        self.lateness.begin()
        answered = self.early[:] or self.wire.turn(seconds)
        self.early.clear()
        self.lateness.end()
        for transfer in answered:
            question = self.asked.pop(transfer)
            try:
                page = self.read(transfer, question)
                self.window.answered(transfer)
                self.take(question, page)
            except Fault as fault:
                self.again(transfer, question, fault)

    def take(self, question, page):
        """Take the page that a question was answered with."""
        segment = question.segment
        extras.learn(self.endpoint, question.refusal)
        if question.before:
            ending.check(question.before, page)
            page = question.empty
        elif (before := self.last.get(segment)) and before.next == question.query and (
                ending.is_empty(page)):
            doubtful = Question(segment, ending.check_query(before))
            doubtful.before, doubtful.empty = before, page
            self.start(doubtful)
            return
        if page.next and not ending.is_bare(page):
            self.last[segment] = copy(page)     # segments cut it
        self.segments.take(segment, page)

    def read(self, transfer, question):
        """Return the Page that came. Raises NoAccess, NoVersions, NoPages or another Fault where it
        is none.
        """
        if snowball.may_not_know(transfer):
            self.need_pages()
        bucket, verdict = self.endpoint.bucket, verdicts.verdict_of(transfer)
        if verdict != verdicts.OK or transfer.errno:
            fault = fault_of(transfer, f"list s3://{bucket}")
            is_unknown = self.versions and transfer.status in asking.UNKNOWN_STATUSES
            raise NoVersions(str(fault)) if is_unknown else fault
        page = Page(bucket, transfer.body, self.versions)
        self.is_doubted |= self.versions and is_doubted(transfer.headers)
        self.began = self.began or date_ns(transfer.headers.get("date", ""))
        self.segments.splits.is_off |= self.is_doubted      # every beginning is one more border
        if question.query and page.next == question.query:
            raise Fault(f"the listing of '{bucket}' goes in circles")
        return page

    def again(self, transfer, question, fault):
        """Ask again for a page that did not come; raise what was wrong where that is no use and
        nothing goes on without it.
        """
        segment = question.segment
        if isinstance(fault, NoPages):
            raise fault
        if verdicts.verdict_of(transfer) == verdicts.SLOW:
            self.window.slow_down(time.monotonic())
        question.refusal = question.refusal or extras.refusal_in(transfer, question.sent)
        if question.sent and question.refusal:
            self.start(question)
            return
        if isinstance(fault, NoVersions):       # what it does not know it will not learn
            raise fault
        self.endpoint, wait = once_more(transfer, self.endpoint, question.patience,
                                        self.listing.renew)
        if wait is not None and segment in self.segments.open:
            self.later.append((time.monotonic() + wait, question))
        elif not self.segments.fail(segment):
            raise fault
