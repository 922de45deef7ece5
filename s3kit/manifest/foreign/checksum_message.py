"""The message of a "Compute checksum" task: JSON, as S3 has written it or as CSV tools have left it
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-compute-checksums.html).
"""

import base64
import json
import re

from s3kit.etags import bare
from s3kit.proof.checksums import DIGEST_BYTES

ESCAPE = re.compile(r"\\+u00([0-9A-Fa-f]{2})")       # S3 writes `=` as \u003d
# A name and its value where quotes are doubled, single, escaped, or not there.
PAIR = re.compile(r"""["'\\]*([A-Za-z_0-9]+)["'\\]*\s*[:=]\s*["'\\]*([^"'\\,{}\s]*)""")


def take(row, message):
    """Give a row the checksum that a message tells of, if any. Raises ValueError where it
    contradicts itself.

    It is S3's own word on the bytes, and on which ETag they had.
    """
    if "checksum" not in message.lower():
        return
    told = read(message)
    algorithm = told.get("checksumalgorithm", "")
    if not algorithm:
        return
    row.etag = bare(told.get("etag", ""))
    row.checksum_algorithm, row.checksum_type = algorithm, told.get("checksumtype", "")
    row.checksum = checksum_in(told)


def read(message):
    """Return {name in lower case, without underscores: text} of a message."""
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        found = dict(PAIR.findall(ESCAPE.sub(lambda match: chr(int(match[1], 16)), message)))
    return {name.replace("_", "").lower(): value.strip() for name, value in found.items()
            if isinstance(value, str)}


def checksum_in(told):
    """Return the checksum that is told of, in base64, with the number of parts if it has one.

    Raises ValueError where there is none, or two that differ, or of another length than its
    algorithm's.
    """
    text, dash, count = told.get("checksumbase64", "").partition("-")
    try:
        value = base64.b64decode(text, validate=True) if text else None
        by_hex = bytes.fromhex(told["checksumhex"]) if told.get("checksumhex") else None
    except ValueError:
        raise ValueError("the checksum is not in base64 and hexadecimal") from None
    if not value and not by_hex:
        raise ValueError("the task succeeded, and told no checksum")
    if value and by_hex and value != by_hex:
        raise ValueError("the checksum in base64 is not the one in hexadecimal")
    value = value or by_hex
    if len(value) != DIGEST_BYTES.get(told["checksumalgorithm"].lower(), len(value)):
        raise ValueError(f"the checksum has {len(value)} bytes: it is not a "
                         f"{told['checksumalgorithm']}")
    return base64.b64encode(value).decode() + dash + count
