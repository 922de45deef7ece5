"""The files of a bag that say what it is and holds (RFC 8493, sections 2.1 and 2.2)."""

import re
from collections import namedtuple

from s3kit.errors import Cut, Fault
from s3kit.proof.given import given, hash_of
from s3kit.units import number

Entry = namedtuple("Entry", "digest line file")
PAYLOAD = re.compile(r"manifest-([a-z][a-z0-9_]*)\.txt", re.IGNORECASE)
TAG = re.compile(r"tagmanifest-([a-z][a-z0-9_]*)\.txt", re.IGNORECASE)
TAGS = re.compile(rf"(?:bag-info|fetch)\.txt|{PAYLOAD.pattern}|{TAG.pattern}", re.IGNORECASE)
ENCODED = re.compile("%(0D|0A|25)", re.IGNORECASE)
LINE = re.compile(r"([0-9A-Fa-f]+)[ \t]+\*?(.+)", re.DOTALL)
FETCH = re.compile(r"([!-~]+)[ \t]+(-|[0-9]+)[ \t]+(.+)", re.DOTALL)
STRONGEST = ("sha512", "blake2b", "sha384", "sha256", "sha224", "sha1", "md5")


def lines_of(data):
    """Return [(number, text)] of the lines that say something; they end in LF, CR or both."""
    text = data.decode("utf-8-sig", "surrogateescape")
    return [(at, line) for at, line in enumerate(re.split("\r\n|\n|\r", text), 1) if line.strip()]


def entries(data):
    """Yield (number, line, digest, name) of a manifest's lines, without digest and name where one
    makes no sense.
    """
    for at, line in lines_of(data):
        match = LINE.fullmatch(line)
        yield (at, line, match[1].lower(), named(match[2])) if match else (at, line, None, None)


def named(text):
    """Return a name without `./` before it."""
    while text.startswith("./"):
        text = text[2:].lstrip("/")
    return text


def labels(data):
    """Yield (label, value) of `Label: value` lines, the label in small letters."""
    for _, line in lines_of(data):
        label, _, value = line.partition(":")
        yield label.strip().lower(), value.strip()


def check_declaration(data):
    """Return the version, as (major, minor), that bagit.txt says. Raises Fault."""
    if data is None:
        raise Fault("not a bag: it has no bagit.txt")
    told = dict(labels(data))
    match = re.fullmatch("([0-9]{1,4})[.]([0-9]{1,4})", told.get("bagit-version", ""), re.ASCII)
    if not match or int(match[1]) > 1:
        raise Fault(f"bagit.txt: a BagIt-Version of '{told.get('bagit-version', '')}' is not known")
    encoding = told.get("tag-file-character-encoding", "")
    if encoding.upper() not in ("UTF-8", "UTF8"):
        raise Fault(f"bagit.txt: an encoding of '{encoding}' is not read, only UTF-8")
    return int(match[1]), int(match[2])


def check_tags(files):
    """Hold the files {name: bytes} that are read to the tag manifests among them.

    Raises Cut where one is missing or another, or a tag manifest names not every manifest.
    """
    for name, data in files.items():
        match = TAG.fullmatch(name)
        if not match or match[1].lower() not in STRONGEST:
            continue
        told = {path: digest for _, _, digest, path in entries(data) if digest}
        for path, digest in told.items():
            if path in files:
                check_tag(name, match[1].lower(), path, digest, files[path])
            elif TAGS.fullmatch(path):
                raise Cut(f"{path} is missing, which {name} names")
        for path in files:
            if PAYLOAD.fullmatch(path) and path not in told:
                raise Cut(f"{name} does not name {path}")


def check_tag(name, kind, path, digest, data):
    """Raise Cut where the bytes of a file are not those that a tag manifest says."""
    try:
        given(kind, digest)
    except ValueError as error:
        raise Cut(f"{name}: {error}") from None
    found = hash_of(kind, len(digest) // 2)
    found.update(data)
    if found.hexdigest() != digest:
        raise Cut(f"{path} is not the file that {name} says: it was changed or cut")


def fetched(data):
    """Return ({name: (URL, size)}, [(line, what is wrong)]) of fetch.txt; a size may be ''."""
    found, wrong = {}, []
    for at, line in lines_of(data):
        match = FETCH.fullmatch(line)
        if match:
            found[named(match[3])] = match[1], match[2].replace("-", "")
        else:
            wrong.append((line, f"fetch.txt, line {at}: not URL, length and name"))
    return found, wrong


def file_count(data):
    """Return the numbers of payload files that bag-info.txt says, usually one.

    Raises Cut where it cannot be read.
    """
    found = []
    for label, value in labels(data):
        if label == "payload-oxum":
            count = number(value.partition(".")[2])
            if count is None:
                raise Cut(f"bag-info.txt: a Payload-Oxum of '{value}' is not OCTETS.FILES")
            found.append(count)
    return found
