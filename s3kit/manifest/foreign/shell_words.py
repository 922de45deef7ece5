"""Words as a shell takes them from a line, without anything else that a shell does
(https://pkg.go.dev/github.com/kballard/go-shellquote, which s5cmd takes them with).
"""

import re

PIECE = re.compile(r"""'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^'"\\ \t\n]+)|([ \t\n]+)""",
                   re.DOTALL)
# In double quotes a backslash quotes these, and stands for itself before all else.
IN_DOUBLE = re.compile(r'\\([$`"\\])')


def words_of(text):
    """Return the words of a line, at least one. Raises ValueError where a quote is not closed."""
    words, at, is_open = [], 0, False
    while at < len(text):
        match = PIECE.match(text, at)
        if not match:
            raise ValueError("a quote is opened and never closed, or a backslash quotes nothing")
        at = match.end()
        single, double, escaped, plain, blank = match.groups()
        if blank is not None:
            is_open = False
            continue
        if not is_open:
            words.append("")
        is_open = True
        if double is not None:
            double = IN_DOUBLE.sub(r"\1", double)
        words[-1] += next(piece for piece in (single, double, escaped, plain) if piece is not None)
    return words
