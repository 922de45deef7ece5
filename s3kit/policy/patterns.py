"""Patterns of `*`, `?` and policy variables, as IAM has them in resources and in conditions.

IAM User Guide, reference_policies_variables and reference_policies_elements_resource.
"""

import re
from functools import lru_cache

VARIABLE = re.compile(r"\$\{([^}]*)\}")
ANY, ONE = object(), object()           # `*` and `?` in a pattern


def like(wanted, given, asker, has_variables):
    """Return whether a text is like a pattern of `*` and `?`, variables filled in."""
    pattern = filled(wanted, asker, has_variables)
    return None if pattern is None else matches(tuple(pattern), given)


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
