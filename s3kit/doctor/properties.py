"""What a bucket is set to, and what of that touches a migration: asked in S3's own words, read
without its models.

What a server does not know, or we may not see, is not a fault of the bucket. Only S3's own words
count: its codes, and documents with the root elements that it gives them. A listing, the page of a
proxy or nothing at all tells of no setting.
"""

from s3kit.doctor.finding import FAULT, NOTE, OK, UNKNOWN, WARNING, Finding
from s3kit.doctor.settings import READERS
from s3kit.errors import Fault
from s3kit.listing import pages
from s3kit.s3 import snowball, unfinished, verdicts
from s3kit.s3.asking import LISTINGS
from s3kit.s3.headers import is_of_s3, said
from s3kit.s3.xml import local, parse
from s3kit.text import count

ASKS = {"region": "location=", "versioning": "versioning=", "encryption": "encryption=",
        "lock": "object-lock=", "public": "publicAccessBlock=", "lifecycle": "lifecycle=",
        "uploads": unfinished.uploads_query(),
        "list": "encoding-type=url&list-type=2&max-keys=1"}
# The root elements of the answers (the pages of GetBucketLocation and the others below
# https://docs.aws.amazon.com/AmazonS3/latest/API/), and those that SeaweedFS 4 and moto 5 send.
ROOTS = {"region": ("LocationConstraint", "CreateBucketConfiguration"),
         "versioning": ("VersioningConfiguration", "GetBucketVersioningResponse"),
         "encryption": ("ServerSideEncryptionConfiguration",), "lock": ("ObjectLockConfiguration",),
         "public": ("PublicAccessBlockConfiguration",), "lifecycle": ("LifecycleConfiguration",),
         "uploads": unfinished.UPLOADS,
         "list": ("ListBucketResult",)}
# S3's codes for what was never set
# (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html); moto's spelling of one of
# them beside it.
NEVER_SET = {"NoSuchLifecycleConfiguration", "NoSuchPublicAccessBlockConfiguration",
             "ObjectLockConfigurationNotFoundError",
             "ServerSideEncryptionConfigurationNotFoundError", "NoSuchObjectLockConfiguration"}
RIGHTS = {"region": "s3:GetBucketLocation", "versioning": "s3:GetBucketVersioning",
          "encryption": "s3:GetEncryptionConfiguration",
          "lock": "s3:GetBucketObjectLockConfiguration", "public": "s3:GetBucketPublicAccessBlock",
          "lifecycle": "s3:GetLifecycleConfiguration",
          "uploads": "s3:ListBucketMultipartUploads", "list": "s3:ListBucket",
          "read": "s3:GetObject"}
PARSERS = {"list": pages.read, "uploads": unfinished.read}     # of what has keys
PUT_LIFECYCLE = "disable the rule until you are done (aws s3api put-bucket-lifecycle-configuration)"


class Bucket:
    """One bucket, and what the answers of its server said of it; `is_named`: somebody asked for
    this very one.
    """

    def __init__(self, name, region="", is_named=False):
        self.name, self.is_named = name, is_named
        self.told = {"region": region} if region else {}
        self.denied, self.trouble = [], ""
        self.unsaid = {}        # ask: what came in place of S3's own words
        self.is_missing = self.is_unpaged = False
        self.key = None         # one that can be listed

    def take(self, ask, transfer):
        """Take the answer to one of ASKS, or to `read`, a HEAD of the key that was listed."""
        verdict = verdicts.verdict_of(transfer)
        if transfer.code == "NoSuchBucket" or (ask == "head" and is_missing(transfer)):
            self.is_missing = True
        elif transfer.errno:
            self.stumble(ask, transfer.failure)
        elif transfer.code in NEVER_SET:
            self.told[ask] = None
        elif verdict == verdicts.OK:
            self.read(ask, transfer.body)
        elif ask == "head" or (ask == "read" and transfer.status not in (401, 403)):
            pass            # the region was in its headers; or the key went, or lies in an archive
        elif verdict == verdicts.DENIED:
            self.denied.append(ask)
        elif ask == "list" and verdict == verdicts.WRONG and snowball.has_answered(transfer):
            self.is_unpaged = True
        elif ask == "list" or verdict == verdicts.SLOW:
            self.stumble(ask, said(transfer))
        elif verdicts.is_wordless(transfer) or verdict == verdicts.AGAIN:
            self.unsaid[ask] = transfer.code
        if ask == "list" and self.told.get("list"):
            self.key = self.told["list"]

    def stumble(self, ask, text):
        """Note what went wrong with an answer; without uploads all the rest can be done."""
        if ask == "uploads":
            self.unsaid[ask] = text
        else:
            self.trouble = text

    def read(self, ask, body):
        """Take the document that one of ASKS, `read` or `head` was answered with."""
        if ask in ("read", "head"):
            self.told[ask] = True
            return
        try:
            root = PARSERS.get(ask, parse)(body) if body.strip() else None
            is_right = root is not None and local(root.tag) in ROOTS[ask]
            told = READERS[ask](root) if is_right else None
        except Fault as fault:
            if ask != "list" and any(name in body[:512] for name in LISTINGS):
                self.unsaid[ask] = "a listing"      # some keys make it unreadable
            else:
                self.stumble(ask, str(fault))
            return
        name = "nothing" if root is None else f"<{local(root.tag)}>"
        if is_right:
            self.told[ask] = told
        elif ask == "list":
            self.trouble = f"what answers is not S3's listing: {name}"
        else:
            self.unsaid[ask] = name

    @property
    def is_open(self):
        """Whether it is known that nothing keeps the bucket from being made public."""
        return not self.told.get("public", True)

    @property
    def keeps_parts(self):
        """Whether it is known that no rule removes, of any key, what unfinished uploads leave."""
        rules = self.told.get("lifecycle") or ()
        return "lifecycle" in self.told and not any(
            rule["is_on"] and rule["abort_days"] is not None and not rule["prefix"]
            and not rule["is_narrow"] for rule in rules)

    def findings(self):
        """Yield the Findings of the bucket, what it is first."""
        what = f"s3://{self.name}"
        bad = FAULT if self.is_named else WARNING
        facts = {"bucket": self.name,
                 **{name: value for name, value in self.told.items() if name != "list"}}
        if self.is_missing:
            yield Finding(what, bad, "there is no such bucket", "look for it with s3-list", facts)
            return
        yield Finding(what, OK, self.summary() or "there", "", facts)
        if self.trouble:
            yield Finding(what, bad, self.trouble,
                          "try again, or see what the server says elsewhere", facts)
        for ask, verb in (("list", "listed"), ("read", "read")):
            if ask in self.denied:
                yield Finding(what, FAULT if self.is_named else NOTE, f"may not be {verb} by us",
                              f"ask for {RIGHTS[ask]}", facts)
        yield from self.races(what, facts)
        yield from self.notes(what, facts)
        hidden = [ask for ask in ASKS if ask in self.denied and ask != "list"]
        if hidden:
            rights = (", ".join(map(RIGHTS.get, hidden)) if len(hidden) < 4 else
                      "s3:GetBucket*, s3:Get*Configuration and s3:ListBucketMultipartUploads")
            yield Finding(what, UNKNOWN, f"not allowed to see: {', '.join(hidden)}",
                          f"ask for {rights}", facts)
        if self.unsaid:
            yield Finding(what, UNKNOWN, "not answered as S3 would: " + ", ".join(
                f"{ask} ({self.unsaid[ask]})" for ask in ASKS if ask in self.unsaid),
                          "look with the server's own tools", facts)

    def summary(self):
        """Return in some words what the bucket is set to, as far as that was told."""
        told = self.told
        words = [told.get("region") or ""]
        if "versioning" in told:
            words.append({"Enabled": "versioned", "Suspended": "versioning suspended"}
                         .get(told["versioning"], "not versioned"))
        if "encryption" in told:
            words.append(told["encryption"] or "not encrypted by default")
        if "public" in told:
            words.append("public access blocked" if told["public"] else "public access not blocked")
        if told.get("lock"):
            words.append(f"object lock {told['lock']}")
        if "lifecycle" in told:
            rules = told["lifecycle"] or []
            words.append(count(len(rules), "lifecycle rule") if rules else "no lifecycle")
        if "list" in told and not told["list"]:
            words.append("empty")
        return ", ".join(word for word in words if word)

    def races(self, what, facts):
        """Yield what rules do to objects while somebody moves them."""
        for rule in self.told.get("lifecycle") or ():
            where = f" under '{rule['prefix']}'" if rule["prefix"] else ""
            where += " with some tags or sizes" if rule["is_narrow"] else ""
            for deed in rule["deeds"] if rule["is_on"] else ():
                verb, when = deed
                text = f"lifecycle rule '{rule['id']}' {verb}{where} {when}".rstrip()
                yield Finding(what, WARNING, text, PUT_LIFECYCLE, facts)

    def notes(self, what, facts):
        """Yield what will matter later."""
        told = self.told
        if self.is_unpaged:
            yield Finding(what, NOTE, "on Snowball's S3 adapter",
                          "listings come in one answer, which is counted twice; there are no "
                          "versions, conditions and checksums", facts)
        if told.get("lock"):
            yield Finding(what, NOTE, "under object lock",
                          "versions go only when their retention and legal holds end: "
                          "s3-prune marks the others 'locked'", facts)
        if (told.get("encryption") or "").startswith("aws:kms"):
            yield Finding(what, NOTE, "encrypted by KMS",
                          "reading takes kms:Decrypt, too; ETags prove nothing, checksums do",
                          facts)
        uploads = told.get("uploads")
        if uploads and uploads["count"]:
            text = (f"{'' if uploads['is_all'] else 'more than '}"
                    f"{count(uploads['count'], 'unfinished upload')}")
            oldest = f", the oldest from {uploads['oldest'][:10]}" if uploads["oldest"] else ""
            yield Finding(what, NOTE, text + oldest, "their parts are billed, and in no listing of "
                          f"objects: s3-put --uploads --to {what} shows them", facts)
        if told.get("versioning") == "Suspended":
            yield Finding(what, NOTE, "versioning is suspended", "older versions are still there",
                          facts)


def is_missing(transfer):
    """Return whether a HEAD of a bucket was answered with a 404 of S3's own."""
    return transfer.status == 404 and is_of_s3(transfer.headers)
