"""Deleting object versions in S3: which request for which, and every answer held against what was asked.

A version id names bytes that never change, so a thousand go in one request. What can change under its name (an object
of a bucket without versions, the `null` version) is deleted one by one, on the condition that its ETag is still the one
that was proven; so are keys that XML cannot carry. DeleteObject's and DeleteObjects' rules: failures.md section 3, no. 6
to 8 and 14, 15.
"""

import os
import re
import time
from typing import NamedTuple
from urllib.parse import quote
from xml.sax.saxutils import escape

from s3kit.manifest.row import CONFLICT, FAILED, LOCKED, PRUNED
from s3kit.s3 import verdicts
from s3kit.s3.calls import AGAIN, Call, passing
from s3kit.s3.headers import clean_etag, said
from s3kit.s3.patience import delay
from s3kit.s3.wire import Wire
from s3kit.s3.xml import local, parse

MOST = 1000             # keys of one request
UNCARRIED = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")
LOCKS = re.compile("object lock|legal hold|retention|mfa", re.I)
OVERWRITTEN = "it was overwritten since: another object is there now"


class Doomed(NamedTuple):
    """What a row wants deleted. `etag` is the condition where the name alone does not say which bytes.

    `url` is presigned, for keys that libcurl cannot sign; `is_frozen` says that nobody can overwrite the null version now.
    """

    endpoint: object
    key: str
    version_id: str
    etag: str = ""
    url: str = ""
    is_frozen: bool = False

    @property
    def is_alone(self):
        """Whether it needs a request of its own."""
        return bool(self.etag or self.url) or bool(UNCARRIED.search(self.key))


class Removed(NamedTuple):
    """What became of it: a row's state, or AGAIN (`slow` if S3 said so), EXPIRED, FATAL; and why."""

    state: str
    error: str = ""
    slow: bool = False


class Removal(Call):
    """Deletes a batch of Doomed, of any buckets; their outcomes are Removed."""

    def begin(self):
        """Send what goes together, bucket by bucket, and the rest one by one."""
        together = {}
        for place, doomed in enumerate(self.jobs):
            if doomed.is_alone:
                self.send_one(place)
            else:
                together.setdefault(doomed.endpoint, {}).setdefault((doomed.key, doomed.version_id), []).append(place)
        for endpoint, found in together.items():
            names = list(found)
            for at in range(0, len(names), MOST):
                self.send_many(endpoint, {name: found[name] for name in names[at:at + MOST]})

    def send_one(self, place, method="DELETE", condition=True):
        """Ask about one version with a request of its own."""
        doomed = self.jobs[place]
        headers = [f'If-Match: "{doomed.etag}"'] if doomed.etag and condition else []
        query = f"versionId={quote(doomed.version_id, safe='')}" if doomed.version_id else ""
        url = doomed.url if method == "DELETE" and doomed.url else doomed.endpoint.object_url(doomed.key, query)
        self.send((place, method, condition), doomed.endpoint, url, method=method, headers=headers, signed_url=url is doomed.url)

    def send_many(self, endpoint, named):
        """Ask for up to MOST versions at once; `named` is {(key, version id): places}."""
        objects = "".join(f"<Object><Key>{escape(key)}</Key>" + (f"<VersionId>{escape(version)}</VersionId>" if version else "")
                          + "</Object>" for key, version in named)
        body = f'<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{objects}</Delete>'.encode()
        self.post(named, endpoint, f"{endpoint.url}?delete=", body)

    def answered(self, transfer, places):
        """Take an answer."""
        if isinstance(places, dict):
            self.take_many(transfer, places)
        else:
            self.take_one(transfer, *places)

    def take_one(self, transfer, place, method, condition):
        """Take what S3 says of one version."""
        doomed = self.jobs[place]
        if method == "HEAD":
            self.take_look(transfer, place)
        elif transfer.status == 412 and doomed.version_id and doomed.is_frozen and condition:
            self.send_one(place, "HEAD", condition=False)      # S3 compares with the current version: is it another's ETag?
        elif is_done(transfer):
            marker = not doomed.version_id and transfer.headers.get("x-amz-delete-marker") == "true"
            self.finish(place, Removed(FAILED, "the bucket has versions: S3 made a delete marker, and kept the object") if marker
                        else Removed(PRUNED))
        else:
            self.finish(place, refusal(transfer))

    def take_look(self, transfer, place):
        """Take what S3 says of a null version with others on top: it goes if it is the one that was proven."""
        if transfer.status == 200 and clean_etag(transfer.headers) == self.jobs[place].etag:
            self.send_one(place, condition=False)
        elif transfer.status == 200:
            self.finish(place, Removed(CONFLICT, OVERWRITTEN))
        else:
            self.finish(place, refusal(transfer))

    def take_many(self, transfer, named):
        """Hold the answer against the question, key by key; nothing that S3 does not name is taken for deleted."""
        told = told_in(transfer.body) if is_done(transfer) else dict.fromkeys(named, refusal(transfer))
        for name, places in named.items():
            for place in places:
                self.finish(place, told.get(name) or Removed(AGAIN, "S3's answer does not say what became of it"))


def heeds_conditions(endpoint, version_id):
    """Return whether a bucket's server heeds If-Match on deletes, tried on a key that nobody has.

    Amazon's says 404 then. One that says that it has deleted would delete as well what took a proven object's place.
    """
    url = endpoint.object_url(f"s3kit-no-such-key-{os.urandom(16).hex()}", f"versionId={version_id}" if version_id else "")
    for tries in range(4):
        transfer = Wire.once(endpoint, url, method="DELETE", headers=[f'If-Match: "{"0" * 32}"'])
        if verdicts.verdict_of(transfer) not in (verdicts.AGAIN, verdicts.SLOW):
            break
        time.sleep(delay(tries))
    return not 200 <= transfer.status < 300


def told_in(body):
    """Return {(key, version id): Removed} of a DeleteResult. Raises Fault where it is none."""
    found = {}
    for element in parse(body):
        said_of = {local(child.tag): child.text or "" for child in element}
        name = said_of.get("Key", ""), said_of.get("VersionId", "")
        if local(element.tag) == "Deleted":
            found[name] = Removed(PRUNED)
        elif local(element.tag) == "Error":
            code, message = said_of.get("Code", ""), said_of.get("Message", "")
            found[name] = judged(verdicts.verdict(400 if code else 500, code), code, message)
    return found


def is_done(transfer):
    """Return whether S3 says that it did what it was asked; a 200 may bring an error nevertheless."""
    return 200 <= transfer.status < 300 and not transfer.errno and not transfer.code


def refusal(transfer):
    """Return the Removed of a request that did not go well."""
    verdict = verdicts.verdict_of(transfer)
    if transfer.errno and verdict in (verdicts.OK, verdicts.AGAIN):
        return Removed(AGAIN, transfer.failure)
    return judged(verdict, transfer.code, transfer.message, said(transfer))


def judged(verdict, code, message, text=""):
    """Return the Removed that a verdict on S3's words means."""
    text = text or f"S3 says {code}" + (f": {message}" if message else "")
    kind = passing(verdict)
    if kind:
        return Removed(kind, text, slow=verdict == verdicts.SLOW)
    if verdict == verdicts.CHANGED:
        return Removed(CONFLICT, OVERWRITTEN)
    if verdict == verdicts.VANISHED:
        return Removed(PRUNED)      # by an earlier run that was cut, or by others: it is gone, and its proof is here
    return Removed(LOCKED if LOCKS.search(message) else FAILED, text)
