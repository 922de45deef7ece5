"""What is put before a policy that shuts others out, where a server's ways are not known: its
Denies, of an action whose loss harms nobody.

Some servers do not know aws:PrincipalArn, and a Deny that spares nobody they know could not be
taken back.
"""

from s3kit.errors import Fault
from s3kit.policy.documents import FIRST_VERSION, compact, parse
from s3kit.policy.evaluator import answer
from s3kit.policy.template import RECOVERY, arn_of

REHEARSAL = "S3KitRehearsal"            # the Sid of what is put to see how a server takes a Deny
HARMLESS = "s3:GetBucketVersioning"     # and what it denies


def rehearsal(intent):
    """Return the old policy of an Intent with the Denies of the new one that could bar the caller,
    of a harmless action, as text; None if it has none.
    """
    old, document = intent.documents
    trial = [harmless(statement, f"{REHEARSAL}{number or ''}",
                      arn_of(intent.bucket, intent.circle))
             for number, statement in enumerate(barring(document, intent))]
    if not trial:
        return None
    version = max(each.get("Version", FIRST_VERSION) for each in (old, document) if each)
    return compact({"Version": version, "Statement": (old["Statement"] if old else []) + trial})


def barring(document, intent):
    """Yield the statements that deny recovery to somebody whom nobody named."""
    _, stranger = intent.circle.strangers()[0]
    bucket = arn_of(intent.bucket, intent.circle)
    for statement in document["Statement"]:
        alone = {"Version": document.get("Version", FIRST_VERSION), "Statement": [statement]}
        if statement["Effect"] == "Deny" and any(answer(alone, stranger, action, bucket).is_barred
                                                 for action in RECOVERY):
            yield statement


def harmless(statement, sid, bucket):
    """Return a statement that says the same of HARMLESS, of the bucket with this ARN."""
    kept = {name: value for name, value in statement.items()
            if name not in ("Action", "NotAction", "Resource", "NotResource")}
    return kept | {"Sid": sid, "Action": HARMLESS, "Resource": bucket}


def without_rehearsal(document):
    """Return a document without what a killed rehearsal left in it, or None if nothing else is
    there.
    """
    if not document:
        return None
    kept = [each for each in document["Statement"] if not each.get("Sid", "").startswith(REHEARSAL)]
    return document | {"Statement": kept} if kept else None


def cleaned(text):
    """Return a live policy as if no rehearsal had been killed in it."""
    if not text or REHEARSAL not in text:
        return text
    try:
        document = parse(text)
    except Fault:
        return text
    kept = without_rehearsal(document)
    return (text if kept and len(kept["Statement"]) == len(document["Statement"])
            else kept and compact(kept))
