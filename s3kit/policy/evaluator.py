"""What a bucket policy says of a request: explicit deny, then allow, then nothing. Pure: no
network, no clock.

Everything is answered with True, False or None for "cannot be known here": a key that only the
request will have, an operator that we do not know. A Deny that may hold counts as one that does
wherever somebody could be locked out. Rules: IAM User Guide, reference_policies_evaluation-logic,
_condition_operators, _multi-value-conditions, _principal.
"""

import re
from typing import NamedTuple

from s3kit.policy.conditions import every, meets, opposite, some
from s3kit.policy.documents import FIRST_VERSION, ROOT, listed
from s3kit.policy.patterns import glob, like

DENY, MAY_DENY, ALLOW, MAY_ALLOW, UNSAID = "deny", "deny?", "allow", "allow?", "-"
BARRED = (DENY, MAY_DENY)
ACCOUNT = re.compile(r"\d{12}")
SESSION = re.compile(r"arn:[a-z-]+:sts::(\d{12}):assumed-role/([^/]+)/.+")
# the unique id that S3 shows of a principal that was deleted
GONE = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,}")


class Asker(NamedTuple):
    """Who asks: `kind` is user, role, root, service or nobody; `context` the condition keys (in
    small letters) known.

    A key whose value is () is known to be absent; one that is not there is not known. `session` is
    the ARN of an assumed role's session, where it is known.
    """

    arn: str
    kind: str
    account: str = ""
    context: dict = {}
    session: str = ""


class Answer(NamedTuple):
    """What a document says of a request, and which statements said it."""

    verdict: str
    sids: tuple = ()

    @property
    def is_barred(self):
        """Return whether the request is, or may be, denied."""
        return self.verdict in BARRED


def answer(document, asker, action, resource):
    """Return the Answer of a document (None: there is no policy) to one request."""
    found = {DENY: [], MAY_DENY: [], ALLOW: [], MAY_ALLOW: []}
    for at, statement in enumerate(document["Statement"] if document else (), 1):
        holds = applies(statement, asker, action, resource, document.get("Version", FIRST_VERSION))
        if holds is not False:
            verdict = DENY if statement["Effect"] == "Deny" else ALLOW
            (found[verdict if holds else f"{verdict}?"]
             .append(statement.get("Sid") or f"statement {at}"))
    for verdict in (DENY, MAY_DENY, ALLOW, MAY_ALLOW):
        if found[verdict]:
            return Answer(verdict, tuple(found[verdict]))
    return Answer(UNSAID)


def applies(statement, asker, action, resource, version):
    """Return whether a statement speaks of a request."""
    has_variables = version != FIRST_VERSION
    return every((names_action(statement, action),
                  names_resource(statement, resource, asker, has_variables),
                  names_principal(statement, asker),
                  meets(statement.get("Condition", {}), asker, has_variables)))


# --- actions, resources, principals


def names_action(statement, action):
    """Return whether Action or NotAction has an action; case does not count."""
    found = any(glob(pattern.lower(), action.lower())
                for pattern in listed(statement.get("Action", statement.get("NotAction"))))
    return found if "Action" in statement else not found


def names_resource(statement, resource, asker, has_variables):
    """Return whether Resource or NotResource has a resource."""
    found = some(like(pattern, resource, asker, has_variables)
                 for pattern in listed(statement.get("Resource", statement.get("NotResource"))))
    return found if "Resource" in statement else opposite(found)


def names_principal(statement, asker):
    """Return whether Principal or NotPrincipal has who asks.

    NotPrincipal spares somebody only if it names the account, too, and of a role the session:
    whoever forgot one has locked himself out, so what is not all there is not known.
    """
    is_allow = statement["Effect"] == "Allow"
    if "Principal" in statement:
        return some(is_named(kind, value, asker, is_allow) for kind,
                    value in named_in(statement["Principal"]))
    found = list(named_in(statement["NotPrincipal"]))
    if not some(is_named(kind, value, asker, True) for kind, value in found):
        return opposite(some(is_named(kind, value, asker, True) for kind, value in found))
    accounts = {ROOT.sub(r"\1", value) for kind, value in found if kind == "AWS"}
    whole = asker.kind in ("root", "service",
                           "nobody") or asker.account in accounts and asker.kind == "user"
    return False if whole or "*" in accounts else None


def named_in(principal):
    """Yield (kind, name) of a Principal."""
    if principal == "*":
        yield "AWS", "*"
        return
    for kind, values in principal.items():
        yield from ((kind, value) for value in listed(values))


def is_named(kind, value, asker, is_allow):
    """Return whether one name of a Principal is that of who asks.

    An account's name is, in a Deny, everybody in it; in an Allow it leaves it to the account, so
    that nobody but its root is allowed anything by this alone.
    """
    if kind == "AWS" and value == "*":
        return True
    if kind == "Service":
        return asker.kind == "service" and asker.arn == value
    if kind == "CanonicalUser":
        # an account, in a name that IAM does not tell
        return None if asker.kind != "service" else False
    if kind == "Federated" or asker.kind in ("service", "nobody"):
        return False
    account = ROOT.sub(r"\1", value)
    if ACCOUNT.fullmatch(account) or ROOT.fullmatch(value) or account == asker.account:
        return account == asker.account and (asker.kind == "root" or not is_allow)
    session = SESSION.fullmatch(value)
    if session and asker.kind == "role" and session.groups() == (
            asker.account, asker.arn.rpartition("/")[2]):
        return value == asker.session if asker.session else None
    return False if GONE.fullmatch(value) else value == asker.arn
