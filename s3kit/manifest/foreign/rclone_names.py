"""Keys as rclone writes them, in all that it lists.

It writes control characters and names like `..` otherwise than they are
(https://rclone.org/overview/#encoding); some keys are then written alike.
"""

import re

# Symbols that stand for control characters, and with a quote before them for themselves.
SYMBOLS = re.compile("(\u201b?)([\u2401-\u241f\u2421])")
DELETE = "\u2421"
UNSURE = re.compile("\u201b(?![\u2401-\u241f\u2421])|(?:^|/)\uff0e\uff0e?(?:/|$)")
WHY_UNSURE = "rclone writes other keys in the same way: which it is nobody can tell"


def key_of(path):
    """Return the key that rclone writes as `path`."""
    return SYMBOLS.sub(meant, path)


def meant(match):
    """Return the character that a symbol stands for."""
    quote, symbol = match.groups()
    if quote:
        return symbol
    return "\x7f" if symbol == DELETE else chr(ord(symbol) - 0x2400)


def is_unsure(path):
    """Return whether other keys are written as `path` as well."""
    return UNSURE.search(path) is not None
