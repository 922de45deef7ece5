"""What bucket policies say: whether two say the same, in what they differ, and what is made of two.
"""

import json

from s3kit.errors import Fault
from s3kit.policy.documents import (
    FIRST_VERSION,
    OURS,
    ROOT,
    VERSIONS,
    Broken,
    compact,
    listed,
    parse,
    texts,
)


def meaning(statement):
    """Return a statement with all that means the same written in the same way: order, lists of one,
    case where none counts.

    S3 stores `"*"` and `["*"]`, an account and its root's ARN as it likes.
    """
    found = {"Effect": statement["Effect"], "Sid": statement.get("Sid", "")}
    for name in ("Action", "NotAction"):
        if name in statement:
            found[name] = sorted({value.lower() for value in listed(statement[name])})
    for name in ("Resource", "NotResource"):
        if name in statement:
            found[name] = sorted(set(listed(statement[name])))
    for name in ("Principal", "NotPrincipal"):
        if name in statement:
            value = {"AWS": "*"} if statement[name] == "*" else statement[name]
            found[name] = {kind: sorted({ROOT.sub(r"\1", each) for each in listed(values)})
                           for kind, values in value.items()}
    if statement.get("Condition"):
        found["Condition"] = {operator: {key.lower(): sorted(set(texts(values))) for key,
                                         values in keys.items()} for operator,
                              keys in statement["Condition"].items()}
    return found


def canonical(document):
    """Return a text that is the same for documents that say the same; that of no policy is empty.
    """
    if document is None:
        return ""
    statements = sorted(json.dumps(meaning(statement), sort_keys=True)
                        for statement in document["Statement"])
    return json.dumps([document.get("Version", FIRST_VERSION), document.get("Id", ""), *statements])


def same(text, other):
    """Return whether two policies, as texts or None for none, say the same; broken ones only if
    they are equal.
    """
    try:
        return canonical(text and parse(text)) == canonical(other and parse(other))
    except Broken:
        return text == other


def merged(base, statements, without=(), overwrite=False):
    """Return a document with the statements of `base` (or None), but those of Sids in `without`,
    and ours.

    One of ours takes the place of one of the same Sid only if that is ours, too, or with
    `overwrite`. Raises Fault.
    """
    kept = [each for each in base["Statement"]
            if not each.get("Sid") or each["Sid"] not in without] if base else []
    known = {statement["Sid"]: at for at, statement in enumerate(kept) if statement.get("Sid")}
    meant = [meaning(statement) for statement in kept]
    for statement in statements:
        sid = statement.get("Sid", "")
        if sid in known:
            if meant[known[sid]] != meaning(statement) and not (sid.startswith(OURS) or overwrite):
                raise Fault(
                    f"the live policy has another statement with the Sid '{sid}' (--overwrite "
                    "replaces it)")
            kept[known[sid]] = statement
        elif meaning(statement) not in meant:
            kept.append(statement)
    if not kept:
        return None
    head = ({name: base[name] for name in ("Version", "Id") if name in base} if base
            else {"Version": VERSIONS[-1]})
    if head.get("Version", FIRST_VERSION) == FIRST_VERSION and "${" in compact(statements):
        if "${" in compact(base):
            raise Fault(
                f"the live policy is of version {FIRST_VERSION}, where '${{' means nothing, and "
                f"the template needs {VERSIONS[-1]}")
        head["Version"] = VERSIONS[-1]
    return head | {"Statement": kept}


class Change:
    """One statement that differs between two documents: `old` or `new` is None where there is none.
    """

    def __init__(self, old, new):
        self.old, self.new = old, new
        self.sid = (new or old).get("Sid", "")


def changes(old, new):
    """Return the Changes from one document (or None) to another (or None), in the order of their
    statements.
    """
    before = list(old["Statement"]) if old else []
    found, left = [], list(new["Statement"]) if new else []
    for statement in before:
        equal = [each for each in left if meaning(each) == meaning(statement)]
        named = [each
                 for each in left if statement.get("Sid") and each.get("Sid") == statement["Sid"]]
        if equal:
            left.remove(equal[0])
        elif named:
            left.remove(named[0])
            found.append(Change(statement, named[0]))
        else:
            found.append(Change(statement, None))
    return found + [Change(None, statement) for statement in left]
