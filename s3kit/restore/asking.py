"""Requests for archived versions, and about them.

How many versions stand is read from pages of the listing, which show a thousand with one request;
HEAD is sent only for what no listing shows: the archive tiers of Intelligent-Tiering, and what a
server leaves out.
"""

from typing import NamedTuple
from urllib.parse import quote

from s3kit.errors import Fault, NoVersions
from s3kit.listing import extras
from s3kit.listing.continuation import marker_query
from s3kit.listing.pages import Page
from s3kit.manifest.row import FAILED, KEY_BYTES, VANISHED
from s3kit.restore.answers import (
    AGAIN,
    Status,
    refusal,
    status_in_row,
    status_of_head,
    status_of_request,
)
from s3kit.s3 import verdicts
from s3kit.s3.calls import Call
from s3kit.storage_classes import TIERING

TIERS = ("Standard", "Bulk", "Expedited")
SLICE = 250             # versions that one connection looks for, page after page


class StatusQuery(NamedTuple):
    """Asks how a version stands: by HEAD, or by a listing."""

    endpoint: object
    key: str
    version_id: str
    etag: str = ""
    by_head: bool = False


class RestoreRequest(NamedTuple):
    """Asks for a version.

    No `days` for Intelligent-Tiering, whose objects move instead of being copied.
    """

    endpoint: object
    key: str
    version_id: str
    days: int
    tier: str

    @property
    def body(self):
        """The document that S3 takes."""
        days = f"<Days>{self.days}</Days>" if self.days else ""
        return ('<RestoreRequest xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                f"{days}<GlacierJobParameters><Tier>{self.tier}</Tier></GlacierJobParameters>"
                "</RestoreRequest>").encode()


class Walk(NamedTuple):
    """Places of StatusQueries about one bucket, in order of their keys, for its pages.

    `refusal` says why they are asked for without extras.
    """

    endpoint: object
    versions: bool
    places: list
    refusal: str = ""


class ArchiveCall(Call):
    """StatusQueries and RestoreRequests, of any buckets; their outcomes are Statuses."""

    def begin(self):
        """Send each request for a version, each HEAD, and the first pages."""
        listed = {}
        for place, job in enumerate(self.jobs):
            if isinstance(job, RestoreRequest):
                self.send_request(place)
            elif job.by_head:
                self.send_head(place)
            else:
                listed.setdefault((job.endpoint, bool(job.version_id)), []).append(place)
        for (endpoint, versions), places in listed.items():
            places.sort(key=lambda place: self.jobs[place].key)
            for at in range(0, len(places), SLICE):
                self.send_page(Walk(endpoint, versions, places[at:at + SLICE]))

    def send_request(self, place):
        """Ask for a version."""
        job = self.jobs[place]
        url = job.endpoint.object_url(job.key, "restore=", job.version_id)
        self.post((self.take_request, place), job.endpoint, url, job.body)

    def send_head(self, place):
        """Look at one version."""
        job = self.jobs[place]
        url = job.endpoint.object_url(job.key, version_id=job.version_id)
        self.send((self.take_head, place), job.endpoint, url, method="HEAD")

    def send_byte(self, place):
        """Ask for a version's first byte: the answer to a HEAD has no body to say what is wrong."""
        job = self.jobs[place]
        url = job.endpoint.object_url(job.key, version_id=job.version_id)
        self.send((self.take_byte, place), job.endpoint, url, headers=["Range: bytes=0-0"])

    def take_byte(self, transfer, place):
        """Take why a HEAD was answered with 404: only S3's own word means gone."""
        found = refusal(transfer)._replace(by_head=True)
        if found.state == VANISHED:
            found = found._replace(error="S3 has it no more")
        is_there = 200 <= transfer.status < 300 and not transfer.code
        if is_there or transfer.code == "InvalidObjectState":
            found = Status(AGAIN, "S3 answers HEAD with 404, and GET not", by_head=True)
        self.finish(place, found)

    def send_page(self, walk):
        """Ask for the page that begins with the first key of a walk."""
        marker = just_before(self.jobs[walk.places[0]].key)
        if walk.versions:
            query = ["versions=", *[marker_query(marker)] * bool(marker)]
        else:
            query = ["list-type=2", *[f"start-after={quote(marker, safe='')}"] * bool(marker)]
        query = "&".join(sorted([*query, "encoding-type=url", "max-keys=1000"]))
        self.send((self.take_page, walk), walk.endpoint, f"{walk.endpoint.url}?{query}",
                  headers=extras.headers(walk.endpoint, walk.refusal))

    def answered(self, transfer, places):
        """Take an answer."""
        take, about = places
        take(transfer, about)

    def take_request(self, transfer, place):
        """Take what S3 says to a request for a version."""
        self.finish(place, status_of_request(transfer))

    def take_head(self, transfer, place):
        """Take what S3 says of one version."""
        job = self.jobs[place]
        found = status_of_head(transfer, job)
        if found.state == FAILED and transfer.status in (404, 405):
            self.send_byte(place)
        else:
            self.finish(place, found)

    def take_page(self, transfer, walk):
        """Take a page: what it shows is settled, a later page or HEAD must say the rest."""
        verdict = verdicts.verdict_of(transfer)
        refused = extras.refusal_in(transfer, extras.headers(walk.endpoint, walk.refusal))
        if refused:
            self.send_page(walk._replace(refusal=refused))
            return
        try:
            if verdict == verdicts.OK and not transfer.errno:
                extras.learn(walk.endpoint, walk.refusal)
                self.settle(Page(walk.endpoint.bucket, transfer.body, walk.versions), walk)
                return
            trouble = refusal(transfer)
        except NoVersions as fault:
            trouble = Status(FAILED, str(fault))
        except Fault as fault:
            trouble = Status(AGAIN, str(fault))
        for place in walk.places:
            if trouble.state == FAILED and transfer.code != "NoSuchBucket":
                self.send_head(place)       # the listing is not for us, or not there
            else:
                self.finish(place, trouble)

    def settle(self, page, walk):
        """Settle what a page shows."""
        found = {(row.key, row.version_id): row for row in page.rows}
        if not walk.versions:
            found = {(row.key, ""): row for row in page.rows}
        last = max((row.key for row in page.rows), default=None)
        later = []
        for place in walk.places:
            job = self.jobs[place]
            row = found.get((job.key, job.version_id))
            if row:
                self.settle_row(place, row)
            elif page.next and place != walk.places[0] and (last is None or job.key > last):
                later.append(place)
            else:
                self.send_head(place)
        if later:
            self.send_page(walk._replace(places=later))

    def settle_row(self, place, row):
        """Settle a version by its entry in a listing."""
        status = status_in_row(row, self.jobs[place])
        if status:
            self.finish(place, status)
        else:
            self.send_head(place)


def terms(storage_class, archive_tier, days, tier):
    """Return the (days, tier) that S3 takes for a class, nearest to those that are wanted."""
    is_deep = storage_class == "DEEP_ARCHIVE" or archive_tier == "DEEP_ARCHIVE_ACCESS"
    tier = "Standard" if is_deep and tier == "Expedited" else tier
    return None if storage_class == TIERING else days, tier


def just_before(key):
    """Return a key with (almost) nothing between it and `key`: what a listing begins after."""
    head, last = key[:-1], ord(key[-1])
    if last <= 1:
        return head
    before = head + chr(0xD7FF if last == 0xE000 else last - 1)
    return before if len(before.encode()) + 4 > KEY_BYTES else f"{before}\U0010ffff"
