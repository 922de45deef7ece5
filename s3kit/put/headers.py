"""What an object gets beside its bytes: the headers of PutObject and CreateMultipartUpload.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
"""

import mimetypes
import re
from functools import lru_cache
from urllib.parse import parse_qsl, quote

from s3kit.s3.description import COLUMNS, META
from s3kit.transfer.put_job import TOKEN

COMPRESSED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz",
              "compress": "application/x-compress", "br": "application/octet-stream"}
UNKNOWN = "application/octet-stream"
PLAIN = re.compile("[!-~](?:[ -~]*[!-~])?")     # that goes through a header as it is
NAME = re.compile("[a-z0-9!#$&'*+.^_`|~-]+")    # that may be a header's (RFC 9110, 5.6.2)


@lru_cache(256)
def type_of_suffix(suffix):
    """Return the content type of names with a suffix, for people's browsers."""
    kind, encoding = mimetypes.guess_type(f"x{suffix}")
    return COMPRESSED.get(encoding, UNKNOWN) if encoding else kind or UNKNOWN


def content_type(key):
    """Return the content type of a key, by its suffix."""
    name = key.rpartition("/")[2]
    dot = name.rfind(".")
    return type_of_suffix(name[dot:].lower()) if dot > 0 else UNKNOWN


def mtime_text(mtime_ns):
    """Return a time as rclone writes it: seconds since 1970, with a fraction where there is one
    (https://rclone.org/s3/#modification-times-and-hashes).
    """
    seconds, fraction = divmod(mtime_ns, 10**9)
    if seconds < 0 and fraction:        # -1.5 is a second and a half before
        seconds, fraction = seconds + 1, 10**9 - fraction
        sign = "-" if seconds == 0 else ""
        return f"{sign}{seconds}.{fraction:09d}".rstrip("0")
    return f"{seconds}.{fraction:09d}".rstrip("0").rstrip(".")


def is_metadata(name, text):
    """Return whether a name and a text go through headers as an object's metadata."""
    return NAME.fullmatch(name) is not None and PLAIN.fullmatch(text or "x") is not None


class Headers:
    """Those of every object of one run; `args` are s3-put's."""

    def __init__(self, args):
        self.type = args.content_type
        self.metadata = dict(args.metadata)
        self.fixed = []
        if args.to_storage_class:
            self.fixed.append(f"x-amz-storage-class: {args.to_storage_class}")
        if args.kms_key:
            self.fixed += ["x-amz-server-side-encryption: aws:kms",
                           f"x-amz-server-side-encryption-aws-kms-key-id: {args.kms_key}"]
        if args.tag:
            tags = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}"
                            for name, value in args.tag)
            self.fixed.append(f"x-amz-tagging: {tags}")

    def of(self, row, mtime_ns, token):
        """Return the headers of a row's object, as `Name: value`; `mtime_ns` is its file's, None
        where it has none. What the row says of its source comes before what is guessed, what the
        command line says before that.
        """
        said = row.extra or {}
        told = {name.title(): text for name, column in COLUMNS.items()
                if (text := said.get(column)) and PLAIN.fullmatch(text)}
        told["Content-Type"] = self.type or told.get("Content-Type") or content_type(row.key)
        metadata = {} if mtime_ns is None else {"mtime": mtime_text(mtime_ns)}
        metadata |= {name.lower(): text for name, text in parse_qsl(
            said.get("metadata", ""), keep_blank_values=True) if is_metadata(name.lower(), text)}
        metadata |= self.metadata
        metadata.pop(TOKEN.removeprefix(META), None)
        # a name alone, without a colon, would be left out
        return (*(f"{name}: {text}" for name, text in told.items()), *self.fixed,
                *(f"{META}{name}: {text}" if text else f"{META}{name};"
                  for name, text in metadata.items()), f"{TOKEN}: {token}")
