"""Bucket policies: what their Denies refuse, of the one action that nothing else depends on.

Statements of other actions are kept and not enforced: tests are about what clients put.
"""

import json
from fnmatch import fnmatchcase

from fakes3.errors import S3Error

ACTION = "s3:GetBucketVersioning"


def enforce(s3, request):
    """Refuse GetBucketVersioning where the bucket's policy denies it to `s3.user`, an ARN; None: a
    server that does not enforce policies.
    """
    bucket = s3.buckets.get(request.bucket)
    if not (bucket and bucket.policy and s3.user and not request.key and request.method == "GET"
            and "versioning" in request.query):
        return
    context = s3.character.context(s3.user)
    try:
        statements = json.loads(bucket.policy)["Statement"]
    except (ValueError, KeyError):
        return      # what a test has put there, to see what others make of it
    for each in statements if isinstance(statements, list) else [statements]:
        if each["Effect"] == "Deny" and names(each, s3.user) and all(
                s3.character.holds(operator, key, listed(values), context)
                for operator, keys in each.get("Condition", {}).items()
                for key, values in keys.items()):
            raise S3Error("AccessDenied")


def names(statement, user):
    """Return whether a statement is about the action, and about who asks."""
    acts = any(fnmatchcase(ACTION.lower(), pattern.lower())
               for pattern in listed(statement.get("Action", statement.get("NotAction"))))
    who = statement.get("Principal", statement.get("NotPrincipal"))
    meant = who == "*" or bool({"*", user} & set(listed(who.get("AWS", []))))
    return acts == ("Action" in statement) and meant == ("Principal" in statement)


def context_of(user):
    """Return the condition keys of a request by somebody who is not a service
    [IAM reference_policies_condition-keys].
    """
    found = {"aws:PrincipalArn": user, "aws:PrincipalIsAWSService": "false"}
    return found | ({"aws:username": user.rpartition("/")[2]} if ":user/" in user else {})


def holds(operator, key, wanted, context):
    """Return whether one key of a Condition holds: of a key that a request has not, what negates
    does [IAM reference_policies_elements_condition_operators].
    """
    name = operator.removesuffix("IfExists")
    if key not in context:
        return operator != name or "Not" in name
    return any(fits(name, context[key], value) for value in wanted) != ("Not" in name)


def fits(name, given, wanted):
    """Return whether a value is the wanted one, by an operator's name without its Not."""
    return (fnmatchcase(given, wanted) if "Like" in name or name.startswith("Arn")
            else given == wanted)


def listed(value):
    """Return a value in a list."""
    return value if isinstance(value, list) else [value]
