"""Bucket policies as documents: read strictly, compared by what they mean, merged by Sid, measured
as S3 does.

A document is the JSON as people write it, with `Statement` always a list. The names of elements are
those of the IAM User Guide (reference_policies_elements). What is not understood is refused here:
servers accept documents that they cannot read again (moto 5 takes `{`, and then fails on every
call).
"""

import json
import re

from s3kit.errors import Fault

# bytes that S3 takes of a policy, blanks not counted (S3 User Guide, bucket-policies)
MOST = 20 * 1024
FIRST_VERSION = "2008-10-17"        # that of a document which names none; knows no policy variables
OURS = "S3Kit"              # begins the Sids of statements that s3-policy writes
VERSIONS = (FIRST_VERSION, "2012-10-17")
PAIRS = (("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource"))
ELEMENTS = {"Sid", "Effect", "Condition", *sum(PAIRS, ())}
PRINCIPALS = {"AWS", "Service", "Federated", "CanonicalUser"}
SID = re.compile(r"[^\x00-\x1f\x7f]*")         # IAM knows letters and digits; S3 has taken more
ACTION = re.compile(r"\*|[A-Za-z0-9*?-]+:[A-Za-z0-9*?]+")
RESOURCE = re.compile(r"\*|arn:[a-z*?-]+:[^:]*:[^:]*:[^:]*:.+", re.DOTALL)
# the whole of an account, or of a tenant of Ceph's
ROOT = re.compile(r"arn:[a-z-]+:iam::(\d{12}|[\w.-]*):root")


class Broken(Fault):
    """A document that is not a bucket policy."""


def parse(text):
    """Return the document that a text is. Raises Broken, which says what is wrong with it."""
    return checked(loaded(text))


def readable(text):
    """Return a policy as a document, or None if there is none, or none that could be read."""
    try:
        return text and parse(text)
    except Broken:
        return None


def loaded(text):
    """Return what a JSON text is. Raises Broken."""
    try:
        found = json.loads(text, object_pairs_hook=once, parse_constant=no_number)
        compact(found).encode()  # half a character, which JSON can escape, can be sent by nobody
    except (ValueError, RecursionError) as error:
        raise Broken(f"this is not JSON: {error}") from None
    return found


def once(pairs):
    """Return a dict of JSON's pairs.

    Raises Broken for a name that is there twice: readers differ on which one counts.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise Broken(f"'{next(name for name in names if names.count(name) > 1)}' is there twice")
    return found


def no_number(text):
    """Raise Broken for NaN and the infinities, which Python reads and JSON does not know."""
    raise Broken(f"{text} is not a JSON number")


def checked(found):
    """Return a document with its statements in a list, if it can be a bucket policy.

    Raises Broken.
    """
    if not isinstance(found, dict):
        raise Broken("a policy is a JSON object: {\"Version\": ..., \"Statement\": [...]}")
    unknown = found.keys() - {"Version", "Id", "Statement"}
    if unknown:
        raise Broken(f"a policy has no '{min(unknown)}'")
    if found.get("Version", FIRST_VERSION) not in VERSIONS:
        raise Broken(f"Version is one of {' and '.join(VERSIONS)}")
    statements = found.get("Statement")
    statements = [statements] if isinstance(statements, dict) else statements
    if not isinstance(statements, list) or not statements:
        raise Broken("a policy has statements")
    if not isinstance(found.get("Id", ""), str):
        raise Broken("Id is a text")
    for at, statement in enumerate(statements, 1):
        fault = fault_of(statement)
        if fault:
            raise Broken(f"statement {at}{name_of(statement)}: {fault}")
    sids = [statement["Sid"] for statement in statements if statement.get("Sid")]
    if len(set(sids)) < len(sids):
        raise Broken(
            f"two statements have the Sid '{next(sid for sid in sids if sids.count(sid) > 1)}'")
    return found | {"Statement": statements}


def name_of(statement):
    """Return ` (SID)` of a statement, if it has one."""
    sid = statement.get("Sid") if isinstance(statement, dict) else None
    return f" ({sid})" if isinstance(sid, str) and sid else ""


def fault_of(statement):
    """Return what keeps a statement from being one of a bucket policy, or ''."""
    if not isinstance(statement, dict):
        return "it is not a JSON object"
    unknown = statement.keys() - ELEMENTS
    if unknown:
        return f"there is no element '{min(unknown)}'"
    if statement.get("Effect") not in ("Allow", "Deny"):
        return "Effect is Allow or Deny"
    if not isinstance(statement.get("Sid", ""), str) or not SID.fullmatch(statement.get("Sid", "")):
        return "Sid is a text, best of letters and digits"
    for name, other in PAIRS:
        if (name in statement) == (other in statement):
            return f"it has {name} or {other}, and not both"
    return (fault_of_principal(statement.get("Principal", statement.get("NotPrincipal")))
            or fault_of_texts("Action", statement, ACTION)
            or fault_of_texts("Resource", statement, RESOURCE)
            or fault_of_condition(statement.get("Condition", {})))


def fault_of_texts(name, statement, form):
    """Return what is wrong with Action or Resource, or their opposites, or ''."""
    values = listed(statement.get(name, statement.get(f"Not{name}")))
    wrong = [value for value in values if not isinstance(value, str) or not form.fullmatch(value)]
    if wrong or not values:
        return f"{json.dumps(wrong[0]) if wrong else 'nothing'} is not a valid {name}"
    return ""


def fault_of_principal(principal):
    """Return what is wrong with a Principal, or ''. A `*` inside of an ARN is none of IAM's."""
    if principal == "*":
        return ""
    if not isinstance(principal, dict) or not principal:
        return "Principal is \"*\" or {\"AWS\": [ARN, ...]}"
    if principal.keys() - PRINCIPALS:
        return f"there is no Principal '{min(principal.keys() - PRINCIPALS)}'"
    for kind, values in principal.items():
        for value in listed(values):
            if not isinstance(value, str) or not value or ("*" in value or "?" in value) and (
                    kind, value) != ("AWS", "*"):
                return f"{json.dumps(value)} is not a Principal ('*' stands alone, for all)"
        if not listed(values):
            return f"Principal names no {kind}"
    return ""


def fault_of_condition(condition):
    """Return what is wrong with the shape of a Condition, or ''."""
    if not isinstance(condition, dict):
        return "Condition is {OPERATOR: {KEY: VALUE}}"
    for operator, keys in condition.items():
        if not isinstance(keys, dict) or not keys:
            return f"Condition {operator} has no {{KEY: VALUE}}"
        for key, values in keys.items():
            if not all(isinstance(value, (str, bool, int, float)) for value in listed(values)):
                return f"Condition {operator} {key} has values that are no texts"
    return ""


def listed(value):
    """Return a value that may be alone as a list."""
    return value if isinstance(value, list) else [value]


def texts(value):
    """Return values as the texts that they stand for."""
    return [str(each).lower() if isinstance(each, bool) else str(each) for each in listed(value)]


def compact(document):
    """Return a document as it is sent and as S3 counts it: without a blank.

    Raises ValueError for a number that JSON cannot write, as 1e999, which Python reads as infinity.
    """
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def pretty(document):
    """Return a document as people read and edit it."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def check_size(document):
    """Raise Fault if S3 would not take a document because of its size."""
    size = len(compact(document).encode())
    if size > MOST:
        raise Fault(
            f"the policy has {size:,} bytes, {size - MOST:,} more than the {MOST:,} that S3 takes")
