"""Whether the conditions of a statement hold for who asks: the operators of IAM's conditions.

Everything is answered with True, False or None for "cannot be known here". Rules: IAM User Guide,
reference_policies_elements_condition_operators and reference_policies_condition-logic-multiple-
context-keys-or-values.
"""

import ipaddress
import re

from s3kit.policy.documents import texts
from s3kit.policy.patterns import VARIABLE, filled, like
from s3kit.units import parse_iso

NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
SECONDS = re.compile(r"[0-9]{5,}(\.[0-9]+)?")      # since 1970


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
    if not NUMBER.fullmatch(text):
        raise ValueError(text)
    return float(text)


def moment(text):
    """Return the seconds since 1970 that a date means, or a number that is one already.

    Raises ValueError.
    """
    return float(text) if SECONDS.fullmatch(text) else parse_iso(text).timestamp()


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
