"""The documents in which S3 tells a bucket's settings, read without its models."""

from s3kit.s3.unfinished import uploads_in
from s3kit.s3.xml import local, read_encoded
from s3kit.storage_classes import ARCHIVED_CLASSES
from s3kit.units import from_epoch, number

BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def elements(root):
    """Yield (name, element) of an element's children, namespaces left out."""
    for child in root.iterchildren("*"):
        yield local(child.tag), child


def texts(root):
    """Return {name: text} of everything in a document, however deep; of two alike the first counts.
    """
    found = {}
    for child in root.iter("*"):
        found.setdefault(local(child.tag), (child.text or "").strip())
    return found


def read_region(root):
    """Return where a bucket is; an empty answer is us-east-1, EU is eu-west-1
    (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html).
    """
    text = texts(root).get("LocationConstraint", "")
    return {"": "us-east-1", "EU": "eu-west-1"}.get(text, text)


def read_versioning(root):
    """Return Enabled, Suspended or '' (never)."""
    return texts(root).get("Status", "")


def read_encryption(root):
    """Return the default encryption: AES256, or aws:kms and its key."""
    told = texts(root)
    return " ".join(filter(None, (told.get("SSEAlgorithm"), told.get("KMSMasterKeyID"))))


def read_lock(root):
    """Return the default retention of an object lock, or whether there is one."""
    told = texts(root)
    if told.get("ObjectLockEnabled") != "Enabled":
        return None
    span = (f"{told['Days']} days" if "Days" in told else f"{told['Years']} years"
            if "Years" in told else "")
    return f"{told['Mode'].lower()} {span}" if told.get("Mode") and span else "without a default"


def read_public(root):
    """Return whether all four ways to be public are blocked."""
    told = texts(root)
    return all(told.get(name) == "true" for name in BLOCKS)


def read_list(root):
    """Return the first key, or ''."""
    keys = (texts(child).get("Key", "") for name, child in elements(root) if name == "Contents")
    return read_encoded(next(keys, ""))


def read_lifecycle(root):
    """Return the rules: {id, is_on, prefix, is_narrow, deeds, abort_days}; deeds are what a rule
    does that a migration would meet, abort_days how old an upload becomes that nobody finishes.
    """
    return [read_rule(child) for name, child in elements(root) if name == "Rule"]


def read_rule(rule):
    """Return one rule."""
    told = texts(rule)
    aborts = [texts(child).get("DaysAfterInitiation", "") for name, child in elements(rule)
              if name == "AbortIncompleteMultipartUpload"]
    inner = {local(child.tag) for child in rule.iter("*")}
    return {"id": told.get("ID", ""), "is_on": told.get("Status") == "Enabled",
            "prefix": told.get("Prefix", ""),
            "is_narrow": bool(inner & {"Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan"}),
            "abort_days": number(aborts[0]) if aborts else None,
            "deeds": [deed for name,
                      child in elements(rule) for deed in [deed_of(name, texts(child))] if deed]}


def deed_of(name, told):
    """Return (what one action of a rule does, when), or None if it touches no version that can be
    read.
    """
    when = (f"{told['Days']} days after they came" if "Days" in told else f"on {told['Date'][:10]}"
            if "Date" in told else "")
    old = (f"{told['NoncurrentDays']} days after they were replaced" if "NoncurrentDays" in told
           else "")
    if name == "Expiration":
        return ("deletes objects", when) if when else ("removes delete markers that hide nothing",
                                                       "")
    if name == "NoncurrentVersionExpiration":
        return "deletes old versions", old
    if told.get("StorageClass") not in ARCHIVED_CLASSES:
        return None
    if name == "Transition":
        return f"moves objects to {told['StorageClass']}", when
    return (f"moves old versions to {told['StorageClass']}",
            old) if name == "NoncurrentVersionTransition" else None


def read_uploads(root):
    """Return {count, oldest, is_all} of the unfinished uploads on a page: when the oldest began,
    None where nobody knows, and whether there are no others.
    """
    uploads, following = uploads_in(root)
    began = [upload.began for upload in uploads if upload.began is not None]
    return {"count": len(uploads), "oldest": from_epoch(min(began) // 10**9) if began else None,
            "is_all": not following}


READERS = {"region": read_region, "versioning": read_versioning, "encryption": read_encryption,
           "lock": read_lock, "public": read_public, "lifecycle": read_lifecycle,
           "uploads": read_uploads, "list": read_list}
