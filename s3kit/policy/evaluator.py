"""What a bucket policy says of a request: explicit deny, then allow, then nothing. Pure: no
network, no clock.

Everything is answered with True, False or None for "cannot be known here": a key that only the
request will have, an operator that we do not know. A Deny that may hold counts as one that does
wherever somebody could be locked out. Rules: IAM User Guide, reference_policies_evaluation-logic,
_condition_operators, _multi-value-conditions, _principal.
"""

import ipaddress
import re
from functools import lru_cache
from typing import NamedTuple

from s3kit.policy.documents import FIRST_VERSION, ROOT, listed, texts
from s3kit.units import parse_time

DENY, MAY_DENY, ALLOW, MAY_ALLOW, UNSAID = "deny", "deny?", "allow", "allow?", "-"
BARRED = (DENY, MAY_DENY)
ACCOUNT = re.compile(r"\d{12}")
SESSION = re.compile(r"arn:[a-z-]+:sts::(\d{12}):assumed-role/([^/]+)/.+")
# the unique id that S3 shows of a principal that was deleted
GONE = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,}")
VARIABLE = re.compile(r"\$\{([^}]*)\}")
ANY, ONE = object(), object()           # `*` and `?` in a pattern


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


def every(answers):
    """Return whether all hold: one that does not decides, one that cannot be known leaves it open.
    """
    answers = list(answers)
    return False if False in answers else None if None in answers else True


def some(answers):
    """Return whether any holds."""
    answers = list(answers)
    return True if True in answers else None if None in answers else False


def opposite(holds):
    """Return the contrary, where it can be known."""
    return None if holds is None else not holds


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
    if ACCOUNT.fullmatch(account):
        return account == asker.account and (asker.kind == "root" or not is_allow)
    session = SESSION.fullmatch(value)
    if session and asker.kind == "role" and session.groups() == (
            asker.account, asker.arn.rpartition("/")[2]):
        return value == asker.session if asker.session else None
    return False if GONE.fullmatch(value) else value == asker.arn


# --- conditions


def meets(condition, asker, has_variables):
    """Return whether a Condition holds: all its operators, and of each all its keys."""
    return every(holds(operator, key.lower(), texts(values), asker, has_variables)
                 for operator, keys in condition.items() for key, values in keys.items())


def holds(operator, key, wanted, asker, has_variables):
    """Return whether one operator holds for one key."""
    if operator == "Null":
        given = asker.context.get(key)
        return None if given is None else some((not given) == (value.lower() == "true")
                                               for value in wanted)
    among, _, name = operator.rpartition(":")
    name, is_optional = name.removesuffix("IfExists"), name.endswith("IfExists")
    negated, compare = OPERATORS.get(name, (None, None))
    given = asker.context.get(key)
    if compare is None or among not in ("", "ForAnyValue", "ForAllValues") or given is None:
        return None
    if not given:
        return is_optional or among == "ForAllValues" or negated and among != "ForAnyValue"
    if len(given) > 1 and not among:
        return None
    each = [one_holds(compare, negated, value, wanted, asker, has_variables) for value in given]
    return every(each) if among == "ForAllValues" else some(each)


def one_holds(compare, negated, given, wanted, asker, has_variables):
    """Return whether one value of a request is any of the wanted ones, or none of them if the
    operator says so.
    """
    found = some(compare(given, value, asker, has_variables) for value in wanted)
    return opposite(found) if negated else found


def equals(given, wanted, asker, has_variables):
    """Return whether two texts are equal, variables filled in."""
    pattern = filled(wanted, asker, has_variables, wild=False)
    return None if pattern is None else given == "".join(pattern)


def equals_ignoring_case(given, wanted, asker, has_variables):
    """Return whether two texts are equal but for their case."""
    pattern = filled(wanted, asker, has_variables, wild=False)
    return None if pattern is None else given.lower() == "".join(pattern).lower()


def like(wanted, given, asker, has_variables):
    """Return whether a text is like a pattern of `*` and `?`, variables filled in."""
    pattern = filled(wanted, asker, has_variables)
    return None if pattern is None else matches(tuple(pattern), given)


def arn_like(given, wanted, asker, has_variables):
    """Return whether an ARN is like another: each of its six parts by itself.

    ArnEquals is the same as ArnLike.
    """
    theirs, ours = wanted.split(":", 5), given.split(":", 5)
    if VARIABLE.search(wanted) or wanted == "*":
        return like(wanted, given, asker, has_variables)
    if len(theirs) < 6 or len(ours) < 6:
        return None             # nobody says what that is like
    return every(like(their, our, asker, has_variables) for their, our in zip(theirs, ours))


def as_bool(given, wanted, *_):
    """Return whether two truths are the same."""
    return given.lower() == wanted.lower() if wanted.lower() in ("true", "false") else None


def in_network(given, wanted, *_):
    """Return whether an address is in a network."""
    try:
        return ipaddress.ip_address(given) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return None


def number(text):
    """Return the number that a text is. Raises ValueError."""
    return float(text)


def moment(text):
    """Return the seconds since 1970 that a date means, or a number that is one already.

    Raises ValueError.
    """
    return float(text) if re.fullmatch(r"\d{5,}(\.\d+)?", text) else parse_time(text).timestamp()


def ordered(read, compare):
    """Return a comparison of what `read` makes of texts; what cannot be read is not known."""
    def compared(given, wanted, *_):
        try:
            return compare(read(given), read(wanted))
        except (ValueError, OverflowError):
            return None
    return compared


ORDERS = {"Equals": lambda a, b: a == b, "LessThan": lambda a, b: a < b,
          "LessThanEquals": lambda a, b: a <= b, "GreaterThan": lambda a, b: a > b,
          "GreaterThanEquals": lambda a, b: a >= b}
# Operator: (whether it says the contrary, comparison of a given and a wanted value).
OPERATORS = {"StringEquals": (False, equals), "StringNotEquals": (True, equals),
             "StringEqualsIgnoreCase": (False, equals_ignoring_case),
             "StringNotEqualsIgnoreCase": (True, equals_ignoring_case),
             "StringLike": (False, lambda given, wanted, *rest: like(wanted, given, *rest)),
             "StringNotLike": (True, lambda given, wanted, *rest: like(wanted, given, *rest)),
             "ArnEquals": (False, arn_like), "ArnLike": (False, arn_like),
             "ArnNotEquals": (True, arn_like), "ArnNotLike": (True, arn_like),
             "Bool": (False, as_bool), "BinaryEquals": (False, equals),
             "IpAddress": (False, in_network), "NotIpAddress": (True, in_network)}
for _name, _read in (("Numeric", number), ("Date", moment)):
    OPERATORS |= {f"{_name}{order}": (False, ordered(_read, compare)) for order,
                  compare in ORDERS.items()}
    OPERATORS[f"{_name}NotEquals"] = (True, ordered(_read, ORDERS["Equals"]))


# --- patterns


def filled(text, asker, has_variables, wild=True):
    """Return the characters of a pattern, `*` and `?` as ANY and ONE if it is `wild`, or None if a
    variable is not known.

    `${*}`, `${?}` and `${$}` are these characters themselves, `${key, 'default'}` has a value for a
    key that is absent.
    """
    found, at = [], 0
    for match in VARIABLE.finditer(text) if has_variables else ():
        found += wildcards(text[at:match.start()], wild)
        name, _, default = match[1].partition(",")
        value = (name if name in ("*", "?", "$")
                 else value_of(name.strip().lower(), default.strip().strip("'"), asker))
        if value is None:
            return None
        found += value
        at = match.end()
    return found + wildcards(text[at:], wild)


def value_of(key, default, asker):
    """Return what a variable stands for, or None if that cannot be known, or the statement then
    means nothing.
    """
    given = asker.context.get(key)
    if given is None or len(given) > 1:
        return None
    return given[0] if given else default or None


def wildcards(text, wild):
    """Return the characters of a text, `*` and `?` as ANY and ONE if they are to be."""
    return [{"*": ANY, "?": ONE}.get(char, char) if wild else char for char in text]


@lru_cache(4096)
def glob(pattern, text):
    """Return whether a text is like a pattern without variables."""
    return matches(tuple(wildcards(pattern, True)), text)


def matches(pattern, text):
    """Return whether a text is like a pattern, without trying again and again where there are many
    `*`.
    """
    at = position = 0
    star = mark = None
    while position < len(text):
        if at < len(pattern) and pattern[at] is ANY:
            star, mark, at = at, position, at + 1
        elif at < len(pattern) and (pattern[at] is ONE or pattern[at] == text[position]):
            at, position = at + 1, position + 1
        elif star is not None:
            mark += 1
            at, position = star + 1, mark
        else:
            return False
    return all(each is ANY for each in pattern[at:])
