"""Deleting object versions in S3: which request for which, and every answer held against what was
asked.

A version id names bytes that never change, so a thousand go in one request (DeleteObjects). What
can change under its name (an object of a bucket without versions, the `null` version) is deleted
one by one, on the condition that its ETag is still the one that was proven; so are keys that XML
cannot carry, what an answer about several does not name, and all versions where a server does not
know DeleteObjects.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html and API_DeleteObject.html
"""

import os
import re
import time
from html import escape
from typing import NamedTuple

from s3kit.etags import is_same, quoted
from s3kit.manifest.row import CONFLICT, FAILED, PRUNED
from s3kit.prune.removed import (
    OVERWRITTEN,
    Removed,
    is_done,
    is_unsupported,
    refusal,
    refusal_of_many,
    results_in,
)
from s3kit.prune.copies import Sought, refused, seen_in
from s3kit.s3 import verdicts
from s3kit.s3.address import is_amazon_s3
from s3kit.s3.calls import Call
from s3kit.s3.capabilities import KNOWN, MANY_DELETES
from s3kit.s3.headers import clean_etag, said, version_in
from s3kit.s3.patience import delay
from s3kit.s3.verdicts import AGAIN
from s3kit.s3.wire import Wire

MOST = 1000             # keys of one request
UNCARRIED = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")


class Doomed(NamedTuple):
    """What a row wants deleted. `etag` is the condition where the name alone does not say which
    bytes.

    `is_frozen` says that nobody can overwrite the null version now; `is_single`, that answers about
    several do not come through.
    """

    endpoint: object
    key: str
    version_id: str
    etag: str = ""
    is_frozen: bool = False
    is_single: bool = False

    @property
    def is_alone(self):
        """Whether it needs a request of its own."""
        return self.is_single or bool(self.etag) or bool(UNCARRIED.search(self.key))


class Removal(Call):
    """Deletes a batch of Doomed, of any buckets; their outcomes are Removed. Copies that are Sought
    are looked at; their outcomes are Seen.
    """

    def __init__(self, control, jobs):
        super().__init__(control, jobs)
        self.unsure = set()     # places of jobs that an answer did not name

    def begin(self):
        """Send what goes together, bucket by bucket, and the rest one by one."""
        together = {}
        for place, doomed in enumerate(self.jobs):
            if isinstance(doomed, Sought):
                self.send_one(place, "HEAD")
            elif doomed.is_alone or KNOWN.lacks(doomed.endpoint, MANY_DELETES):
                self.send_one(place)
            else:
                named = together.setdefault(doomed.endpoint, {})
                named.setdefault((doomed.key, doomed.version_id), []).append(place)
        for endpoint, found in together.items():
            names = list(found)
            for at in range(0, len(names), MOST):
                self.send_many(endpoint, {name: found[name] for name in names[at:at + MOST]})

    def send_one(self, place, method="DELETE", condition=True):
        """Ask about one version with a request of its own."""
        doomed = self.jobs[place]
        headers = [f"If-Match: {quoted(doomed.etag)}"] if doomed.etag and condition else []
        headers += ["Range: bytes=0-0"] * (method == "GET")
        url = doomed.endpoint.object_url(doomed.key, version_id=doomed.version_id)
        self.send((place, method, condition), doomed.endpoint, url, method=method, headers=headers)

    def send_many(self, endpoint, named):
        """Ask for up to MOST versions at once; `named` is {(key, version id): places}."""
        objects = "".join(
            f"<Object><Key>{escape(key)}</Key>"
            + (f"<VersionId>{escape(version)}</VersionId>" if version else "") + "</Object>"
            for key, version in named)
        body = ('<Delete '
                f'xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{objects}</Delete>'.encode())
        self.post(named, endpoint, f"{endpoint.url}?delete=", body)

    def answered(self, transfer, places):
        """Take an answer."""
        if isinstance(places, dict):
            self.take_many(transfer, places)
            return
        place, method, condition = places
        if isinstance(self.jobs[place], Sought):
            self.take_copy(transfer, place, method)
        else:
            take = {"DELETE": self.take_delete, "HEAD": self.take_head, "GET": self.take_byte}[
                method]
            take(transfer, place, condition)

    def take_delete(self, transfer, place, condition):
        """Take what S3 says of one version."""
        doomed = self.jobs[place]
        if transfer.status == 412 and condition and (
                doomed.is_frozen or not verdicts.is_wordless(transfer)):
            # S3 compares with the current version: is the ETag another version's? SeaweedFS and
            # others answer so, too, where nothing is there.
            self.send_one(place, "HEAD", condition=False)
        elif not is_done(transfer):
            self.finish(place, refusal(transfer))
        elif transfer.body.strip():         # S3 answers with 204 and no body
            self.finish(place, Removed(AGAIN, "the answer is not S3's: it is a page"))
        elif has_made_marker(transfer, doomed.version_id):
            self.finish(place, Removed(FAILED,
                                       "the bucket has versions: S3 made a delete marker, and kept "
                                       "the object", is_kept=True))
        else:
            self.finish(place, Removed(PRUNED))

    def take_head(self, transfer, place, condition):
        """Take the head of what was not deleted: a null version with others on top goes if it is
        the one that was proven.
        """
        if transfer.status in (404, 405):
            self.send_one(place, "GET", condition=False)       # this answer has no words
        elif transfer.status != 200:
            self.finish(place, refusal(transfer))
        elif self.jobs[place].is_frozen and is_same(clean_etag(transfer.headers),
                                                    self.jobs[place].etag):
            self.send_one(place, condition=False)
        else:
            self.finish(place, Removed(CONFLICT, OVERWRITTEN, is_kept=True))

    def take_byte(self, transfer, place, condition):
        """Take why there is no head of what was not deleted."""
        if transfer.status == 405 and verdicts.is_of_marker(transfer):
            self.finish(place,
                        Removed(CONFLICT, "it was replaced since: a delete marker is there now"))
        elif is_done(transfer):
            self.finish(place, Removed(AGAIN, "S3 answers HEAD with 404, and GET not"))
        else:
            self.finish(place, refusal(transfer))

    def take_copy(self, transfer, place, method):
        """Take the head of a copy, or why there is none, for an answer to HEAD has no words."""
        seen = seen_in(transfer) if method == "HEAD" else refused(transfer)
        if seen:
            self.finish(place, seen)
        else:
            self.send_one(place, "GET")

    def take_many(self, transfer, named):
        """Hold the answer against the question, key by key.

        What S3 does not name, or refuses without a reason, it is asked about alone: deleting a
        version twice is right (see API_DeleteObject.html).
        """
        everything = [place for places in named.values() for place in places]
        if is_unsupported(transfer):
            KNOWN.learn(transfer.endpoint, MANY_DELETES, said(transfer))
            self.send_each(everything)
            return
        if not is_done(transfer):
            self.finish_all(everything, refusal_of_many(transfer))
            return
        found = results_in(transfer.body, named)
        for name, places in named.items():
            outcome = found.get(name)
            if outcome and not outcome.is_vague:
                self.finish_all(places, outcome)
                continue
            self.unsure.update(() if outcome else places)
            self.send_each(places)

    def send_each(self, places):
        """Ask about versions one by one."""
        for place in places:
            self.send_one(place)

    def finish_all(self, places, outcome):
        """Put the same outcome in several places."""
        for place in places:
            self.finish(place, outcome)

    def finish(self, place, outcome):
        """Put a job's outcome in its place; S3 kept nothing for sure where an answer left it out.
        """
        if place in self.unsure:
            outcome = outcome._replace(is_kept=False)
        super().finish(place, outcome)


def has_made_marker(transfer, version_id):
    """Return whether an answer to DELETE says that a delete marker was made, and not that one with
    this version id is gone.
    """
    told = version_in(transfer.headers)
    return verdicts.is_of_marker(transfer) and (not version_id or told not in ("", version_id))


def why_unheeded(endpoint, version_id):
    """Return why If-Match on deletes cannot be relied on in a bucket, or '': tried on a key that
    nobody has.

    Amazon's answers with an error then. A server that says that it has deleted would delete as well
    what took a proven object's place; an answer without a code of S3's says nothing. Google's says
    NoSuchKey of what is not there, with a condition or without
    (https://docs.cloud.google.com/storage/docs/xml-api/delete-object): that says nothing either.
    """
    key = f"s3kit-no-such-key-{os.urandom(16).hex()}"
    url = endpoint.object_url(key, version_id=version_id)
    transfer = try_delete(endpoint, url, [f'If-Match: "{"0" * 32}"'])
    if is_done(transfer):
        return ("the server does not heed If-Match when it deletes: what took the object's place "
                "would go with it")
    unknown = f"nobody knows whether the server heeds If-Match when it deletes: {said(transfer)}"
    verdict = verdicts.verdict_of(transfer)
    if verdict == verdicts.VANISHED:
        return "" if is_done(try_delete(endpoint, url)) else unknown
    # whoever may delete some keys alone cannot try another; of Amazon's it is known
    is_known = verdict == verdicts.DENIED and is_amazon_s3(endpoint.url)
    return "" if is_known or transfer.status == 412 else unknown


def try_delete(endpoint, url, headers=()):
    """Return the Transfer of a DELETE of what is not there, tried again as long as that may help.
    """
    for tries in range(4):
        transfer = Wire.once(endpoint, url, method="DELETE", headers=headers)
        if verdicts.verdict_of(transfer) not in (verdicts.AGAIN, verdicts.SLOW):
            break
        time.sleep(delay(tries))
    return transfer
