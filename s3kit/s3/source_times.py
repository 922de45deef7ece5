"""When a file was modified before it was uploaded, as its uploader noted it in the object's
metadata: S3 itself keeps no time but that of the upload.

`mtime` is rclone's, and ours: seconds since 1970, with a fraction (https://rclone.org/s3/).
s3cmd and mc note attributes of files, mc with nanoseconds behind `#`
(https://github.com/s3tools/s3cmd, https://github.com/minio/mc). `file-mtime` is that of DataSync,
Storage Gateway and FSx for Lustre: nanoseconds that end in `ns`, else milliseconds
(https://docs.aws.amazon.com/fsx/latest/LustreGuide/posix-metadata-support.html). What s3sync notes
is when S3 stored the object at first (https://github.com/nidor1998/s3sync).
"""

import re
from urllib.parse import parse_qsl

from s3kit.s3.description import META
from s3kit.units import known_ns

SECOND = 10**9
FIRST, LAST = -(1 << 33) * SECOND, (1 << 34) * SECOND   # 1697 and 2514, beyond which none is meant
NO_TIME = -1            # no time, wherever times are nanoseconds
SECONDS = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]*))?")
ATTRIBUTE = re.compile(r"(?:^|/)mtime:(-?)([0-9]{1,12})(?:\.([0-9]*)|#([0-9]{1,9}))?(?=/|$)")
COUNT = re.compile(r"(-?[0-9]{1,20})(ns)?")


def noted_in(headers):
    """Return the time that an answer's headers note, in nanoseconds since 1970, or None."""
    return noted(headers, META)


def noted_in_pairs(text):
    """Return the time that a row's column `metadata` notes, in nanoseconds, or None."""
    return noted(dict(parse_qsl(text, keep_blank_values=True)))


def noted(metadata, prefix=""):
    """Return the first time that metadata note and that can be meant, in nanoseconds, or None;
    `prefix` stands before their names.
    """
    for name, read in READERS.items():
        text = metadata.get(prefix + name)
        found = read(text.strip()) if text else None
        if found is not None and FIRST < found < LAST and found != NO_TIME:
            return found
    return None


def seconds(text):
    """Return the nanoseconds of `1700000000.5`, or None."""
    match = SECONDS.fullmatch(text)
    return match and nanoseconds(match)


def attribute(text):
    """Return the nanoseconds of `uid:0/mtime:1700000000/...`, or None."""
    match = ATTRIBUTE.search(text)
    return match and nanoseconds(match, match[4])


def nanoseconds(match, more=None):
    """Return the nanoseconds of the sign, the seconds and the fraction that were matched, and of
    `more` nanoseconds.
    """
    found = int(match[2]) * SECOND + int(f"{match[3] or '':0<9.9}") + int(more or 0)
    return -found if match[1] else found


def counted(text):
    """Return the nanoseconds of `1700000000500000000ns`, or of milliseconds; or None."""
    match = COUNT.fullmatch(text)
    return match and int(match[1]) * (1 if match[2] else 10**6)


READERS = {"mtime": seconds, "s3cmd-attrs": attribute, "mc-attrs": attribute,
           "file-mtime": counted, "s3sync_origin_last_modified": known_ns}
