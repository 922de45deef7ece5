"""Asking S3 for archived versions and after them: requests, and what its answers mean (Amazon S3
API Reference, RestoreObject).

Where many versions stand is read from pages of the listing, which tell of a thousand with one
request; HEAD is asked only of what no listing shows: the archive tiers of Intelligent-Tiering, and
what a server leaves out.
"""

import re
from typing import NamedTuple
from urllib.parse import quote

from s3kit.errors import Fault
from s3kit.listing.pages import Page, marker_query
from s3kit.manifest.row import FAILED, KEY_BYTES, VANISHED
from s3kit.s3 import verdicts
from s3kit.s3.calls import AGAIN, Call, passing
from s3kit.s3.headers import clean_etag, date_ns, said
from s3kit.units import from_epoch

ARCHIVED_CLASSES = ("GLACIER", "DEEP_ARCHIVE")
TIERING = "INTELLIGENT_TIERING"
TIERS = ("Standard", "Bulk", "Expedited")
SLICE = 250             # versions that one connection looks for, page after page
WANTS_RESTORE = "x-amz-optional-object-attributes: RestoreStatus"
RESTORE = re.compile(r'ongoing-request="(true|false)"(?:,\s*expiry-date="([^"]+)")?')
UNSUPPORTED_TEXT = "Retrieval option is not supported"
CHANGED = "the object was changed since it was listed"

# Where a version stands: in its archive; asked for; readable as a copy; readable, and in no
# archive.
COLD, ONGOING, READY, ONLINE = "cold", "ongoing", "ready", "online"
# What else may come of a request, beside what comes of any (see control). The rest is a row's
# state: FAILED or VANISHED.
UNAVAILABLE, UNSUPPORTED = "unavailable", "unsupported"


class Look(NamedTuple):
    """Asks where a version stands: by HEAD, or by a listing.

    `url` is presigned, for keys that libcurl cannot sign.
    """

    endpoint: object
    key: str
    version_id: str
    etag: str = ""
    by_head: bool = False
    url: str = ""


class Ask(NamedTuple):
    """Asks for a version; no `days` for Intelligent-Tiering, whose objects move instead of being
    copied.
    """

    endpoint: object
    key: str
    version_id: str
    days: int
    tier: str
    url: str = ""

    @property
    def body(self):
        """The RestoreRequest."""
        days = f"<Days>{self.days}</Days>" if self.days else ""
        return ('<RestoreRequest '
                f'xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{days}<GlacierJobParameters>'
                f'<Tier>{self.tier}</Tier></GlacierJobParameters></RestoreRequest>').encode()


class Said(NamedTuple):
    """What S3 says of a version; `until` with READY, class, tier and size from a look, `by_head` if
    it was one by HEAD.
    """

    state: str
    error: str = ""
    until: str = ""
    storage_class: str = ""
    tier: str = ""
    size: str = ""
    by_head: bool = False
    slow: bool = False


class Walk(NamedTuple):
    """Places of Looks at one bucket in order of their keys, which pages of its listing are to tell
    of.
    """

    endpoint: object
    versions: bool
    places: list


class Thaw(Call):
    """Looks and Asks, of any buckets; their outcomes are Said."""

    def begin(self):
        """Send each Ask and each HEAD, and the first pages."""
        listed = {}
        for place, job in enumerate(self.jobs):
            if isinstance(job, Ask):
                self.send_ask(place)
            elif job.by_head:
                self.send_head(place)
            else:
                listed.setdefault((job.endpoint, bool(job.version_id)), []).append(place)
        for (endpoint, versions), places in listed.items():
            places.sort(key=lambda place: self.jobs[place].key)
            for at in range(0, len(places), SLICE):
                self.send_page(Walk(endpoint, versions, places[at:at + SLICE]))

    def send_ask(self, place):
        """Ask for a version."""
        job = self.jobs[place]
        query = "restore=" + (f"&versionId={quote(job.version_id, safe='')}" if job.version_id
                              else "")
        self.post((self.take_ask, place), job.endpoint,
                  job.url or job.endpoint.object_url(job.key, query), job.body,
                  signed_url=bool(job.url))

    def send_head(self, place):
        """Look at one version."""
        job = self.jobs[place]
        query = f"versionId={quote(job.version_id, safe='')}" if job.version_id else ""
        self.send((self.take_head, place), job.endpoint,
                  job.url or job.endpoint.object_url(job.key, query), method="HEAD",
                  signed_url=bool(job.url))

    def send_byte(self, place):
        """Ask for a version's first byte: the answer to a HEAD has no body that could say what is
        wrong.
        """
        job = self.jobs[place]
        query = f"versionId={quote(job.version_id, safe='')}" if job.version_id else ""
        self.send((self.take_byte, place), job.endpoint, job.endpoint.object_url(job.key, query),
                  headers=["Range: bytes=0-0"])

    def take_byte(self, transfer, place):
        """Take why a HEAD was answered with 404: only S3's own word means gone."""
        found = refusal(transfer)._replace(by_head=True)
        if found.state == VANISHED:
            found = found._replace(error="S3 has it no more")
        if transfer.code == "InvalidObjectState" or (200 <= transfer.status < 300
                                                     and not transfer.code):
            found = Said(AGAIN, "S3 answers HEAD with 404, and GET not", by_head=True)
        self.finish(place, found)

    def send_page(self, walk):
        """Ask for the page that begins with the first key of a walk."""
        marker = just_before(self.jobs[walk.places[0]].key)
        if walk.versions:
            query = ["versions=", *[marker_query(marker)] * bool(marker)]
        else:
            query = ["list-type=2", *[f"start-after={quote(marker, safe='')}"] * bool(marker)]
        self.send((self.take_page, walk), walk.endpoint,
                  f"{walk.endpoint.url}?"
                  f"{'&'.join(sorted([*query, 'encoding-type=url', 'max-keys=1000']))}",
                  headers=[WANTS_RESTORE])

    def answered(self, transfer, places):
        """Take an answer."""
        take, about = places
        take(transfer, about)

    def take_ask(self, transfer, place):
        """Take what S3 says to a request for a version."""
        self.finish(place, reply(transfer))

    def take_head(self, transfer, place):
        """Take what S3 says of one version."""
        if transfer.status == 200 and not transfer.errno:
            found = seen_in(transfer.headers, self.jobs[place])
        else:
            found = refusal(transfer)._replace(by_head=True)
        if found.state == FAILED and transfer.status in (404, 405) and not self.jobs[place].url:
            self.send_byte(place)
            return
        if found.state == VANISHED:
            found = found._replace(error="S3 has it no more")  # the answer to a HEAD has no words
        elif found.state == FAILED and transfer.status == 403:
            found = found._replace(error="S3 says 403, as it does for AccessDenied")
        self.finish(place, found)

    def take_page(self, transfer, walk):
        """Take a page: what it shows is settled, what comes after it is asked for, and HEAD must
        say the rest.
        """
        verdict = verdicts.verdict_of(transfer)
        try:
            if verdict == verdicts.OK and not transfer.errno:
                self.settle(Page(walk.endpoint.bucket, transfer.body, walk.versions), walk)
                return
            trouble = refusal(transfer)
        except Fault as fault:
            trouble = Said(AGAIN, str(fault))
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
        if row.storage_class == TIERING:
            self.send_head(place)           # no listing knows its tier
        elif row.is_marker:
            self.finish(place, Said(VANISHED, "it is a delete marker"))
        elif is_other(self.jobs[place], row.etag):
            self.finish(place, Said(FAILED, CHANGED))
        else:
            ready, until = row.restore.startswith("ready"), row.restore.removeprefix("ready until ")
            state = (ONGOING if row.restore == "ongoing" else READY if ready else COLD
                     if row.storage_class in ARCHIVED_CLASSES else ONLINE)
            self.finish(place, Said(state, until=until if ready else "",
                                    storage_class=row.storage_class, size=row.size))


def terms(storage_class, archive_tier, days, tier):
    """Return the (days, tier) that S3 takes for a class, nearest to those that are wanted."""
    is_deep = storage_class == "DEEP_ARCHIVE" or archive_tier == "DEEP_ARCHIVE_ACCESS"
    return (None if storage_class == TIERING else days,
            "Standard" if is_deep and tier == "Expedited" else tier)


def just_before(key):
    """Return a key with (as good as) nothing between it and `key`: a listing that begins after it
    begins with `key`.
    """
    head, last = key[:-1], ord(key[-1])
    if last <= 1:
        return head
    before = head + chr(0xD7FF if last == 0xE000 else last - 1)
    return before if len(before.encode()) + 4 > KEY_BYTES else f"{before}\U0010ffff"


def is_other(job, etag):
    """Return whether an ETag shows that another object lies where the row's did; a version id names
    one for ever.
    """
    return job.version_id in ("", "null") and bool(job.etag and etag) and job.etag != etag


def seen_in(headers, job):
    """Return the Said of a version's headers."""
    if is_other(job, clean_etag(headers)):
        return Said(FAILED, CHANGED, by_head=True)
    storage_class, tier = (headers.get("x-amz-storage-class", "STANDARD"),
                           headers.get("x-amz-archive-status", ""))
    told = RESTORE.search(headers.get("x-amz-restore", ""))
    found = Said(COLD if tier or storage_class in ARCHIVED_CLASSES else ONLINE,
                 storage_class=storage_class, tier=tier, size=headers.get("content-length", ""),
                 by_head=True)
    if not told:
        return found
    if told[1] == "true":
        return found._replace(state=ONGOING)
    expires = date_ns(told[2] or "")
    return found._replace(state=READY,
                          until=from_epoch(expires // 10**9) if expires is not None else "")


def reply(transfer):
    """Return the Said of an answer to an Ask (Amazon S3 API Reference, RestoreObject, "Errors")."""
    code, text = transfer.code, said(transfer)
    if transfer.status == 202 and not transfer.errno and not code:
        return Said(ONGOING)
    if transfer.status == 200 and not transfer.errno and not code:
        return Said(READY)          # it was restored before; its days count from now
    if code == "RestoreAlreadyInProgress":
        return Said(ONGOING)
    if code == "GlacierExpeditedRetrievalNotAvailable":
        return Said(UNAVAILABLE, text)
    if code in ("InvalidObjectState", "ObjectAlreadyInActiveTierError"):
        return Said(ONLINE)         # not archived any more
    if UNSUPPORTED_TEXT in transfer.message:
        return Said(UNSUPPORTED, text)
    found = refusal(transfer)
    # a server that has no restores
    return found._replace(state=FAILED) if transfer.status == 405 else found


def refusal(transfer):
    """Return the Said of a request that did not go well."""
    verdict = verdicts.verdict_of(transfer)
    if transfer.errno and verdict in (verdicts.OK, verdicts.AGAIN):
        return Said(AGAIN, transfer.failure)
    state = passing(verdict) or (VANISHED if verdict == verdicts.VANISHED else FAILED)
    return Said(state, said(transfer), slow=verdict == verdicts.SLOW)
