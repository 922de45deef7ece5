"""What people read of policies: statements in IAM's words, what differs, and the table of
principals and actions.
"""

import re

from s3kit.policy.documents import listed, texts
from s3kit.policy.evaluator import UNSAID, answer
from s3kit.policy.meaning import canonical, changes
from s3kit.policy.template import arn_of
from s3kit.text import count

ACTIONS = ("s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:ListBucket",
           "s3:GetObject", "s3:PutObject", "s3:DeleteObject")
KEY = "any-key"
VERB = re.compile(r"([A-Z][a-z]*|)(.*)", re.DOTALL)
OUTSIDE = ("other accounts", "without signature")      # to whom a policy that says nothing says no


def differences(old, new):
    """Return lines on how two documents (or None) differ, each statement that does in words."""
    lines = []
    for change in changes(old, new):
        sid = change.sid or "a statement without Sid"
        if not change.old:
            lines += [f"+ {sid}", *(f"+   {line}" for line in words(change.new))]
        elif not change.new:
            lines += [f"- {sid}", *(f"-   {line}" for line in words(change.old))]
        else:
            was, will = words(change.old), words(change.new)
            lines += [f"~ {sid}", *(f"-   {line}" for line in was if line not in will),
                      *(f"+   {line}" for line in will if line not in was)]
    if old and new and not lines and canonical(old) != canonical(new):
        lines.append("~ Version or Id of the document")
    return lines


def told(old, new):
    """Return in a few words how two documents (or None) differ."""
    found = changes(old, new)
    parts = [(sum(not each.old for each in found), "added"),
             (sum(bool(each.old and each.new) for each in found), "changed"),
             (sum(not each.new for each in found), "removed")]
    return ", ".join(f"{count(number, 'statement')} {word}" for number,
                     word in parts if number) or "no statement differs"


def words(statement):
    """Return a statement as lines in IAM's own words, a value a line."""
    return [f"Effect {statement['Effect']}", *principals_of(statement),
            *(f"{name} {value}" for element in ("Action", "Resource")
              for name in (element, f"Not{element}") if name in statement
              for value in listed(statement[name])),
            *(f"Condition {operator} {key} {', '.join(texts(values))}"
              for operator, keys in statement.get("Condition", {}).items()
              for key, values in keys.items())]


def principals_of(statement):
    """Yield whom a statement names, or spares."""
    for name in ("Principal", "NotPrincipal"):
        found = statement.get(name, {})
        if found == "*":
            yield f"{name} *"
            continue
        yield from (f"{name} {kind} {each}" for kind, values in found.items()
                    for each in listed(values))


def table(bucket, old, new, circle, principals=(), actions=(), key=KEY):
    """Return lines: who may do what by one document, and by another where that differs (`- >
    deny`).
    """
    rows = rows_of(bucket, old, new, circle, principals, actions, key)
    columns = [[action.removeprefix("s3:"), *(cell(*cells[at]) for _, cells in rows)] for at,
               action in enumerate(actions or ACTIONS)]
    columns = [["", *(name for name, _ in rows)], *joined(columns)]
    widths = [max(map(len, column)) for column in columns]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths)).rstrip()
            for line in zip(*columns)]


def cell(was, will):
    """Return what a table says of one principal and one action."""
    return was if was == will else f"{was} > {will}"


def joined(columns):
    """Return columns, those that say the same of actions named alike as one: Get/Put/DeleteObject.
    """
    found = []
    for head, *cells in columns:
        verb, rest = VERB.fullmatch(head).groups()
        if found and found[-1][1:] == cells and VERB.fullmatch(
                found[-1][0].rpartition("/")[2])[2] == rest:
            found[-1][0] = f"{found[-1][0].removesuffix(rest)}/{head}"
        else:
            found.append([head, *cells])
    return found


def rows_of(bucket, old, new, circle, principals=(), actions=(), key=KEY):
    """Return [(who, [(verdict before, verdict after), ...])], a verdict for each action."""
    bucket_arn = arn_of(bucket, circle)
    asking = [(circle.name_of(arn), circle.asker(arn))
              for arn in dict.fromkeys([*circle.exempt, *principals])]
    found = []
    for name, asker in asking + circle.strangers():
        cells = []
        for action in actions or ACTIONS:
            resource = f"{bucket_arn}/{key}" if is_of_objects(action) else bucket_arn
            cells.append(tuple("no" if said == UNSAID and name in OUTSIDE else said for said in (
                answer(document, asker, action, resource).verdict for document in (old, new))))
        found.append((name, cells))
    return found


def is_of_objects(action):
    """Return whether an action is asked of an object, not of its bucket."""
    name = action.partition(":")[2]
    return "Bucket" not in name and ("Object" in name or name in (
        "AbortMultipartUpload", "ListMultipartUploadParts", "BypassGovernanceRetention",
        "ReplicateDelete", "ReplicateTags"))
