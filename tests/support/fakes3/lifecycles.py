"""Lifecycle rules: kept, told of in answers, and obeyed where they end uploads.

Objects are not expired: s3.delete() is there for that.
"""

import re
from datetime import datetime
from xml.etree import ElementTree

from fakes3.answers import Response
from fakes3.archive import DAY, midnight
from fakes3.checksums import check_content, given_checksum
from fakes3.errors import S3Error
from fakes3.formats import http_date
from fakes3.operations import operation
from fakes3.parameters import bare, parse_xml


@operation("PUT", "bucket", "lifecycle")
def put_lifecycle(s3, request):
    """PutBucketLifecycleConfiguration: whole, with a digest [API
    PutBucketLifecycleConfiguration].
    """
    bucket = s3.need_bucket(request)
    if "content-md5" not in request.headers and not given_checksum(request)[0]:
        raise S3Error("InvalidRequest", "Missing required header for this request: Content-MD5")
    check_content(request)
    tree = parse_xml(request.body, "LifecycleConfiguration")
    rules = tree.findall("Rule")
    if not 1 <= len(rules) <= 1000:
        raise S3Error("MalformedXML")
    for rule in rules:
        actions = [child for child in rule if child.tag not in ("ID", "Status", "Filter", "Prefix")]
        if rule.findtext("Status") not in ("Enabled", "Disabled") or not actions:
            raise S3Error("MalformedXML")
        aborts = rule.find("AbortIncompleteMultipartUpload") is not None
        if aborts and rule.find(".//Tag") is not None:
            raise S3Error("InvalidRequest",
                          "AbortIncompleteMultipartUpload cannot be specified with Tags.")
    bucket.settings["lifecycle"] = "".join(ElementTree.tostring(rule, "unicode") for rule in tree)
    return Response(200)


@operation("DELETE", "bucket", "lifecycle")
def delete_lifecycle(s3, request):
    """DeleteBucketLifecycle: also where there is none."""
    s3.need_bucket(request).settings.pop("lifecycle", None)
    return Response(204, length=None)


def rules_for(bucket, key):
    """Return the rules of a bucket that are on and mean this key, as elements; those that ask for
    tags or sizes never do here.
    """
    rules = bare(ElementTree.fromstring(f"<x>{bucket.settings.get('lifecycle', '')}</x>"))
    return [rule for rule in rules.findall("Rule") if rule.findtext("Status") == "Enabled"
            and not any(rule.iter("Tag")) and not any(rule.iter("ObjectSizeGreaterThan"))
            and not any(rule.iter("ObjectSizeLessThan"))
            and key.startswith(next((prefix.text or "" for prefix in rule.iter("Prefix")), ""))]


def abort_of(bucket, upload):
    """Return (when a rule ends this upload, the rule's id) of the earliest, or None."""
    found = [(midnight(upload.initiated + int(days) * DAY), rule.findtext("ID") or "")
             for rule in rules_for(bucket, upload.key)
             if (days := rule.findtext("AbortIncompleteMultipartUpload/DaysAfterInitiation"))]
    return min(found, default=None)


def abort_headers(bucket, upload):
    """Return the headers that tell when a rule will end this upload [API CreateMultipartUpload]."""
    found = abort_of(bucket, upload)
    return {"x-amz-abort-date": http_date(int(found[0])),
            "x-amz-abort-rule-id": found[1]} if found else {}


def expire_uploads(s3, bucket):
    """End the uploads whose time has come, by the virtual clock."""
    if "AbortIncompleteMultipartUpload" in bucket.settings.get("lifecycle", ""):
        for upload in list(bucket.uploads.values()):
            found = abort_of(bucket, upload)
            if found and found[0] <= s3.clock.now():
                bucket.end_upload(upload)


def expiration_headers(bucket, version):
    """Return the header that tells when a rule will delete this version, the first that says so
    [API PutObject].
    """
    for rule in rules_for(bucket, version.key) if "lifecycle" in bucket.settings else ():
        days, date = rule.findtext("Expiration/Days"), rule.findtext("Expiration/Date")
        if days or date:
            moment = (midnight(version.modified + int(days) * DAY) if days else
                      datetime.fromisoformat(re.sub("Z$", "+00:00", date)).timestamp())
            return {"x-amz-expiration": f'expiry-date="{http_date(int(moment))}", '
                                        f'rule-id="{rule.findtext("ID") or ""}"'}
    return {}
