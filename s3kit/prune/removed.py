"""What became of a version that S3 was asked to delete, by S3's own words.

Only what an answer says of exactly what was asked counts. Whatever else comes (a page, a listing,
keys that are spelled otherwise, fewer of them) says nothing: those versions are asked about again,
each alone.
"""

import re
from typing import NamedTuple

from s3kit.errors import Fault
from s3kit.manifest.row import CONFLICT, FAILED, LOCKED, PRUNED
from s3kit.s3 import verdicts
from s3kit.s3.headers import said
from s3kit.s3.translation import DENIED, MISSING
from s3kit.s3.verdicts import AGAIN, passing
from s3kit.s3.xml import local, parse

LOCKS = re.compile("object lock|legal hold|retention|mfa", re.I)
OVERWRITTEN = "it was overwritten since: another object is there now"
# What a server answers that does not know DeleteObjects, beside pages without a code. No key is
# named in the address of that request, so NoSuchKey says nothing of a version.
UNSUPPORTED = {"MethodNotAllowed", "NotImplemented", "NoSuchKey", "NoSuchVersion"}


class Removed(NamedTuple):
    """What became of it: a row's state, or AGAIN (`slow` if S3 said so), EXPIRED, FATAL; and why.

    `is_kept`: S3 said in its own words that it did not delete. `was_gone`: it was not there before.
    `is_vague`: S3 refused without a reason; asked about this one alone, it may give it.
    """

    state: str
    error: str = ""
    slow: bool = False
    is_kept: bool = False
    was_gone: bool = False
    is_vague: bool = False


def results_in(body, named):
    """Return {(key, version id): Removed} of a DeleteResult, as far as it is about `named`, which
    are such names.

    An entry without a version id, as Swift's, counts where one version of its key was asked for
    (https://opendev.org/openstack/swift/src/branch/master/swift/common/middleware/s3api/controllers
    /multi_delete.py). What two entries say different things of is left out.
    """
    try:
        root = parse(body)
    except Fault:
        return {}
    if local(root.tag) != "DeleteResult":
        return {}
    versions, found, doubtful = {}, {}, set()
    for key, version in named:
        versions.setdefault(key, []).append(version)
    for element in root.iterchildren("*"):
        told = {local(child.tag): child.text or "" for child in element.iterchildren("*")}
        key, version = told.get("Key", ""), told.get("VersionId", "")
        if not version and len(versions.get(key, ())) == 1:
            version, = versions[key]
        outcome = outcome_of(local(element.tag), told, version)
        if outcome and (key, version) in named:
            if found.setdefault((key, version), outcome) != outcome:
                doubtful.add((key, version))
    return {name: outcome for name, outcome in found.items() if name not in doubtful}


def outcome_of(kind, told, version):
    """Return the Removed of an entry of a DeleteResult, None where it is not about the version.

    `kind` is its element, `told` has what it says. Deleted with another DeleteMarkerVersionId means
    that a delete marker was made
    (https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeletedObject.html).
    """
    if kind == "Deleted":
        is_made = told.get("DeleteMarkerVersionId", "") not in ("", version)
        return None if is_made else Removed(PRUNED)
    if kind != "Error":
        return None
    code, message = told.get("Code", ""), told.get("Message", "")
    verdict = verdicts.verdict(400 if code else 500, code)
    found = judged(verdict, code, message)
    return found._replace(is_vague=found.state == FAILED and code in DENIED)


def is_done(transfer):
    """Return whether S3 says that it did what it was asked; a 200 may bring an error nevertheless.
    """
    return 200 <= transfer.status < 300 and not transfer.errno and not transfer.code


def is_unsupported(transfer):
    """Return whether an answer to DeleteObjects is that of a server that does not know it."""
    return (transfer.status in (404, 405, 501) and not transfer.errno
            and (verdicts.is_wordless(transfer) or transfer.code in UNSUPPORTED))


def refusal(transfer):
    """Return the Removed of a request that did not go well."""
    verdict = verdicts.verdict(transfer.status, transfer.code, transfer.errno)
    if transfer.errno and verdict in (verdicts.OK, verdicts.AGAIN):
        return Removed(AGAIN, transfer.failure)
    found = judged(verdict, transfer.code, transfer.message, said(transfer))
    return found._replace(is_kept=False) if verdicts.is_wordless(transfer) else found


def refusal_of_many(transfer):
    """Return the Removed of each version of a request about several that did not go well.

    It cannot say that a version is not there, for no key is in the address of that request.
    """
    found = refusal(transfer)
    return Removed(AGAIN, said(transfer)) if found.was_gone else found


def judged(verdict, code, message, text=""):
    """Return the Removed that a verdict on S3's words means."""
    text = text or f"S3 says {code}" + (f": {message}" if message else "")
    kind = passing(verdict)
    if kind:
        return Removed(kind, text, slow=verdict == verdicts.SLOW)
    if verdict == verdicts.CHANGED:
        return Removed(CONFLICT, OVERWRITTEN, is_kept=True)
    if verdict == verdicts.VANISHED:
        return Removed(PRUNED, was_gone=True)   # by an earlier run that was cut, or by others
    # a bucket that is not there keeps nothing
    return Removed(LOCKED if LOCKS.search(message) else FAILED, text, is_kept=code not in MISSING)
