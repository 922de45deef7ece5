"""What is put before a policy that shuts others out, where a server's ways are not known: its
Denies, of an action whose loss harms nobody. What could bar the caller must spare them; turned
round, each Deny must refuse the caller.

Some servers do not know aws:PrincipalArn. To one of them a Deny that spares principals by it spares
nobody, and could not be taken back; to another it is about nobody, and keeps nobody out.
"""

from s3kit.errors import Fault
from s3kit.policy.documents import FIRST_VERSION, compact, parse
from s3kit.policy.evaluator import DENY, answer
from s3kit.policy.template import RECOVERY, arn_of

REHEARSAL = "S3KitRehearsal"            # the Sid of what is put to see how a server takes a Deny
HARMLESS = "s3:GetBucketVersioning"     # and what it denies
# What says of a value what another operator denies.
POSITIVE = {name: name.replace("Not", "")
            for name in ("StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike",
                         "ArnNotEquals", "ArnNotLike")}


def rehearsal(intent):
    """Return the old policy of an Intent with the Denies of the new one that could bar the caller,
    of a harmless action, as text; None if it has none.
    """
    bucket = arn_of(intent.bucket, intent.circle)
    trial = [harmless(statement, f"{REHEARSAL}{number or ''}", bucket)
             for number, statement in enumerate(barring(intent.documents[1], intent))]
    return beside_the_old(intent, trial) if trial else None


def turned_rehearsals(intent):
    """Return {the old policy of an Intent with one of the new Denies, of the harmless action and
    turned round so that it refuses the caller, as text: the condition keys that were turned}.

    Denies that would not do so for sure, wherever they are heeded, are left out.
    """
    (old, new), bucket = intent.documents, arn_of(intent.bucket, intent.circle)
    caller, version = known_caller(intent.circle), new.get("Version", FIRST_VERSION)
    found = {}
    for statement in new["Statement"]:
        if statement["Effect"] == "Deny" and statement not in (old["Statement"] if old else ()):
            turned, keys = turned_on(statement, caller)
            trial = harmless(turned, REHEARSAL, bucket)
            alone = {"Version": version, "Statement": [trial]}
            if answer(alone, caller, HARMLESS, bucket).verdict == DENY:
                found[beside_the_old(intent, [trial])] = keys
    return found


def known_caller(circle):
    """Return the caller as an Asker of whom the ARN is known, too, where a Circle lets nothing rest
    on it.
    """
    caller = circle.asker(circle.caller.arn)
    return caller._replace(context={"aws:principalarn": (caller.arn,)} | caller.context)


def beside_the_old(intent, trial):
    """Return an Intent's old policy with more statements, as text."""
    old, document = intent.documents
    version = max(each.get("Version", FIRST_VERSION) for each in (old, document) if each)
    return compact({"Version": version, "Statement": (old["Statement"] if old else []) + trial})


def turned_on(statement, caller):
    """Return (a statement that denies the caller, an Asker, what this one spares them; the
    condition keys that this is done with).
    """
    condition, turned = {}, []
    for operator, keys in statement.get("Condition", {}).items():
        positive = POSITIVE.get(operator.removesuffix("IfExists"))
        for key, values in keys.items():
            given = caller.context.get(key.lower())
            is_turned = bool(positive and given)
            turned += [key] * is_turned
            condition.setdefault(positive if is_turned else operator, {})[key] = (
                given[0] if is_turned else values)
    found = statement | ({"Condition": condition} if condition else {})
    if "NotPrincipal" in found:
        del found["NotPrincipal"]
        found["Principal"] = {"AWS": caller.arn}
    return found, list(dict.fromkeys(turned))


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
