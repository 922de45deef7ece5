"""The two sides of a relay as a file of settings describes them, and what people must know of them.
"""

import os
import re
import stat
from typing import NamedTuple
from urllib.parse import urlsplit

from s3kit.errors import Usage
from s3kit.s3.address import parse_s3

# What stands in samples where a key belongs.
PLACEHOLDER = re.compile(
    r"[x*.?-]+|<.*>|\{.*\}|\$\{?\w+\}?|todo|change[_ -]?me|none|null|"
    r"(?:(?:your|my|the|a|source|destination|aws|s3|secret|access|session)[_ -]?)*"
    r"(?:key|token)(?:[_ -]?id)?(?:[_ -]?here)?", re.IGNORECASE)
OTHERS = stat.S_IRGRP | stat.S_IROTH


class SideConfig(NamedTuple):
    """One side: where it is and how it is reached, as the options of the same names say it.

    `keys` is None, or (access key, secret key, session token or ''), which no repr shows.
    """

    address: str
    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    ca_bundle: str | None = None
    no_verify_ssl: bool = False
    no_sign_request: bool = False
    request_payer: str | None = None
    keys: tuple | None = None

    def __repr__(self):
        """Return what may be shown."""
        return f"SideConfig({self.address!r}, {self.endpoint_url!r}, {self.region!r})"

    @property
    def is_adapter(self):
        """Whether this is the S3 adapter of a Snowball Edge, which has plain HTTP; the S3
        compatible storage on newer devices has HTTPS alone.
        """
        return self.region == "snow" and (self.endpoint_url or "").startswith("http://")


def keys_of(part, names, warnings):
    """Return the keys of a part of the settings, None where it has none or samples' placeholders.

    `names` are those of the access key, the secret key and, maybe, the session token. Raises Usage
    where one is there without the other. What people must know is appended to `warnings`.
    """
    found = [part.text(name) for name in names]
    given = ["" if text is None or PLACEHOLDER.fullmatch(text.strip()) else text for text in found]
    given += [""] * (3 - len(given))
    if any(given):
        for name, text in zip(names[:2], given):
            if not text:
                raise part.wrong(name, "is missing: keys come in pairs")
        return tuple(given)
    if any(found):
        warnings.append(f"{part.where}{names[0]} is no key but stands for one: those of the "
                        "profile or the environment are used")
    return None


def endpoint_of(part, name, text):
    """Return the URL `text` of a setting. Raises Usage where it is none, or has a password."""
    try:
        url = urlsplit(text)
        is_url = (url.scheme in ("http", "https") and url.hostname and url.port != 0
                  and "@" not in text and not re.search(r"\s", text))
    except ValueError:
        is_url = False
    if not is_url:
        raise part.wrong(name, "is not a URL (https://host, or http://host:8080)")
    return text


def checked_address(part, name, address):
    """Return the S3 address of a setting. Raises Usage where it is none."""
    try:
        parse_s3(address)
    except Usage as error:
        raise part.wrong(name, f"makes no sense: {error}") from None
    return address


def about_device(name, side):
    """Yield what people must know of a side that is a device; `name` is the side's."""
    if side.is_adapter:
        yield (f"{name}: http and the region 'snow' mean the adapter of a Snowball Edge, which has "
               "no versions, lists all in one answer and cannot be asked which parts it has")


def about_keys(path, sides):
    """Yield what people must know of a file with keys of one of the sides in it."""
    if any(side.keys for side in sides):
        yield (f"'{path}' has keys in it: a profile or the environment keeps them out of files "
               "that are copied and shown")
        found = os.stat(path)
        if stat.S_ISREG(found.st_mode) and found.st_mode & OTHERS:
            yield f"'{path}' has keys in it, and others can read it (chmod 600 does away with that)"
