"""What spreadsheets make of cells, told from what was meant; without any I/O.

Excel and LibreOffice write numbers of more than 11 digits as `1.05E+06`, put separators between
thousands where the cell's format says so, and replace what looks like a formula by an error such as
`#NAME?`.
"""

import re

from s3kit.units import number

# Compiled when they are needed, which no command is at its start.
ERROR = r"#(?:NAME\?|VALUE!|REF!|NUM!|NULL!|N/A|DIV/0!|SPILL!|CALC!)"
ROUNDED_TOKEN = r"[-+]?\d(?:[.,]\d+)?E\+\d{1,3}"      # without `+` it may be hexadecimal
ROUNDED = r"(?i)[-+]?\d(?:[.,]\d+)?E\+?\d{1,3}"
GROUPED = "\\d{1,3}(?:([,.'’_ \u00a0\u202f])\\d{3})(?:\\1\\d{3})*"
POINT = r"(\d+)[.,]0*"


def why_no_size(text):
    """Return what a spreadsheet or an editor has made of a size, to be put after a sentence, or ''.
    """
    if re.fullmatch(ROUNDED, text):
        return ": a spreadsheet has rounded it, and what it was is lost"
    if re.fullmatch(GROUPED, text):
        return f": without separators it is {re.sub('[^0-9]', '', text)}"
    point = re.fullmatch(POINT, text)
    if point:
        return f": without the decimal point it is {point[1]}"
    return ": there are blanks around it" if number(text.strip()) is not None else ""


def why_spoilt(column, text):
    """Return why a version id or ETag is none any more, or ''.

    No version id of S3's has a `#`, for it stands in URLs; `E+` after digits alone is nobody's.
    """
    if re.fullmatch(ERROR, text):
        return f"{column} '{text}' is a spreadsheet's error: what was there is lost"
    if re.fullmatch(ROUNDED_TOKEN, text):
        return f"{column} '{text}' was rounded by a spreadsheet: what it was is lost"
    return ""
