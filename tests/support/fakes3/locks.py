"""Object Lock: retention and holds of what is written, and the digests that S3 wants then."""

from datetime import datetime
from xml.etree import ElementTree

from fakes3.archive import DAY
from fakes3.errors import S3Error
from fakes3.formats import iso
from fakes3.parameters import bare

LOCK = "x-amz-object-lock-"


def lock_of(s3, bucket, request):
    """Return what a Version keeps: retention, (mode, until) or None, and held; from the request or
    from the bucket's default retention [UG object-lock].
    """
    mode, until = (request.headers.get(LOCK + name) for name in ("mode", "retain-until-date"))
    hold = request.headers.get(f"{LOCK}legal-hold")
    if (mode or until or hold) and "object-lock" not in bucket.settings:
        raise S3Error("InvalidRequest", "Bucket is missing Object Lock Configuration")
    if bool(mode) != bool(until):
        raise S3Error("InvalidArgument", f"{LOCK}retain-until-date and {LOCK}mode must both be "
                      "supplied", ArgumentName=f"{LOCK}mode" if until else
                      f"{LOCK}retain-until-date")
    if mode and mode not in ("GOVERNANCE", "COMPLIANCE"):
        raise S3Error("InvalidArgument", "Unknown wormMode directive.", ArgumentName=f"{LOCK}mode",
                      ArgumentValue=mode)
    if not mode:
        return {"retention": default_retention(s3, bucket), "held": hold == "ON"}
    moment = datetime.fromisoformat(until.replace("Z", "+00:00")).timestamp()
    if moment <= s3.clock.now():
        raise S3Error("InvalidArgument", "The retain until date must be in the future!",
                      ArgumentName=f"{LOCK}retain-until-date", ArgumentValue=until)
    return {"retention": (mode, moment), "held": hold == "ON"}


def default_retention(s3, bucket):
    """Return (mode, until) that a bucket gives to what is written now, or None."""
    content = bucket.settings.get("object-lock", "")
    rule = bare(ElementTree.fromstring(f"<x>{content}</x>")).find("Rule/DefaultRetention")
    if rule is None:
        return None
    days = int(rule.findtext("Days") or 365 * int(rule.findtext("Years")))
    return rule.findtext("Mode"), s3.clock.now() + days * DAY


def need_digest(request, algorithm, terms, what):
    """Refuse what is written under a lock without a digest of its body; x-amz-content-sha256 does
    not count [seen: versitygw#1776, s3cmd#1436].
    """
    if (terms["retention"] or terms["held"]) and not (
            algorithm or "content-md5" in request.headers):
        raise S3Error("InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is required "
                      f"for Put {what} requests with Object Lock parameters")


def lock_headers(version):
    """Return the headers by which reads tell of locks."""
    headers = {f"{LOCK}legal-hold": "ON"} if version.held else {}
    if version.retention:
        mode, until = version.retention
        headers[f"{LOCK}mode"] = mode
        headers[f"{LOCK}retain-until-date"] = iso(until)
    return headers


def is_locked(s3, version):
    """Return whether a version cannot be deleted now."""
    return version.held or bool(version.retention and version.retention[1] > s3.clock.now())
