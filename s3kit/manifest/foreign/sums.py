"""Files of checksums, as md5sum, sha256sum, b2sum and xxhsum write and check them: GNU's lines
`HASH  NAME`, and BSD's `ALGORITHM (NAME) = HASH`.

https://www.gnu.org/software/coreutils/manual/html_node/cksum-output-modes.html,
https://github.com/Cyan4973/xxHash/blob/dev/cli/xxhsum.1.md
"""

import base64
import re

from s3kit.disk.paths import is_inside
from s3kit.errors import Fault
from s3kit.manifest import base
from s3kit.manifest.foreign.text_lines import FileNames
from s3kit.manifest.row import COLUMNS, FAILED, LISTED, Row, from_values
from s3kit.proof.checksums import FULL_OBJECT
from s3kit.proof.given import given, is_given, taken_apart

# What the hashes of a form's lines are, by the number of their digits.
KINDS = {"md5sum": {32: "md5"}, "sha1sum": {40: "sha1"}, "sha224sum": {56: "sha224"},
         "sha256sum": {64: "sha256"}, "sha384sum": {96: "sha384"}, "sha512sum": {128: "sha512"},
         "b2sum": {digits: "blake2b" for digits in range(2, 130, 2)},
         "xxhsum": {8: "xxh32", 16: "xxh64", 32: "xxh128"}}
TAGS = {"MD5": "md5", "SHA1": "sha1", "SHA224": "sha224", "SHA256": "sha256", "SHA384": "sha384",
        "SHA512": "sha512", "SHA2-224": "sha224", "SHA2-256": "sha256", "SHA2-384": "sha384",
        "SHA2-512": "sha512", "XXH32": "xxh32", "XXH64": "xxh64", "XXH3": "xxh3",
        "XXH128": "xxh128"}
GNU = r"(\\?)(XXH3_)?([0-9A-Fa-f]+) [ *](.+)"
BSD = r"(\\?)([A-Z0-9-]+|BLAKE2b(?:-\d+)?)(_LE)? ?\((.+)\) ?= ?([0-9A-Fa-f]+)"
ESCAPES = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}
S3S = {"MD5": "md5", "SHA1": "sha1", "SHA256": "sha256", "SHA512": "sha512", "XXHASH64": "xxh64",
       "XXHASH3": "xxh3", "XXHASH128": "xxh128"}


class Reader(FileNames):
    """Feed it bytes, it gives back rows: `feed`, then `close`."""

    def __init__(self, form, bucket):
        super().__init__(bucket)
        self.form, self.kinds = form, KINDS[form]
        self.gnu, self.bsd = re.compile(GNU, re.DOTALL), re.compile(BSD, re.DOTALL)

    def row(self, line):
        """Return the Row of one line; an empty one and a comment are none."""
        if not line or line.startswith("#"):
            return None
        try:
            digest, name = self.parsed(line)
            return row_of(self.bucket, name, digest, self.line)
        except ValueError as error:
            return nonsense(line, f"line {self.line}: {error}")

    def parsed(self, line):
        """Return (digest, name) of a line. Raises ValueError where it makes no sense."""
        match = self.gnu.fullmatch(line)
        if match:
            escaped, prefix, text, name = match.groups()
            kind = "xxh3" if prefix and self.form == "xxhsum" else self.kinds.get(len(text))
            if not kind or prefix and kind != "xxh3":
                raise ValueError(f"{len(text)} digits are not what {self.form} writes")
        else:
            match = self.bsd.fullmatch(line)
            if not match:
                raise ValueError(f"not a line of {self.form}")
            escaped, tag, is_little, name, text = match.groups()
            kind = kind_of(tag, text)
            if is_little:
                text = "".join(reversed(re.findall("..", text)))
        return given(kind, text), unescaped(name) if escaped and self.end == "\n" else name


def kind_of(tag, text):
    """Return the algorithm that a BSD line's tag means. Raises ValueError for an unknown one."""
    if tag.startswith("BLAKE2b"):
        if len(text) * 4 != int(tag[8:] or 512):
            raise ValueError(f"{len(text)} digits are not a digest of {tag}")
        return "blake2b"
    if tag not in TAGS:
        raise ValueError(f"a digest of an unknown kind, {tag}")
    return TAGS[tag]


def unescaped(name):
    """Return a name whose line begins with a backslash. Raises ValueError for what is no escape."""
    if re.fullmatch(r"(?:[^\\]|\\[\\nr])*", name, re.DOTALL) is None:
        raise ValueError("a backslash in the name escapes nothing")
    return re.sub(r"\\[\\nr]", lambda match: ESCAPES[match[0]], name)


def row_of(bucket, name, digest, line, unit="line"):
    """Return the Row of a file called `name`, below the place that its list is of.

    Raises ValueError where it may lie anywhere else.
    """
    while name.startswith("./"):
        name = name[2:].lstrip("/")
    if not is_inside(name):
        raise ValueError(f"'{name}' is not below the directory that the list is of")
    text = name.replace("%", "%25")
    cells = dict.fromkeys(COLUMNS, "") | {"bucket": bucket, "key": text, "path": text,
                                          "state": LISTED, "digest": digest}
    return from_values(list(cells.values()), line, unit=unit)


def nonsense(line, why):
    """Return the failed Row of a line that makes no sense; without a bucket it names nothing."""
    return Row(state=FAILED, error=why, verbatim={"key": line.replace("%", "%25")})


class Writer(base.Writer):
    """Turns rows to bytes: `begin`, `rows` as often as wanted, `end`."""

    def __init__(self, form):
        self.form, self.kinds = form, set(KINDS[form].values())
        if form == "xxhsum":
            self.kinds.add("xxh3")

    def rows(self, rows):
        """Return the lines of rows. Raises Fault for one that such a file cannot name."""
        return "".join(map(self.line, rows)).encode()

    def line(self, row):
        """Return a row's line."""
        name = name_of(row)
        found = hashes_of(row)
        kind = next((kind for kind in found if kind in self.kinds), None)
        if not kind:
            raise Fault(f"{row.name}: the row has no hash of {self.form}'s")
        mark, name = self.escaped(name)
        if kind == "xxh3":      # "XXH3_" before the digits is known to xxhsum since 0.8.3 only
            return f"{mark}XXH3 ({name}) = {found[kind]}\n"
        return f"{mark}{found[kind]}  {name}\n"

    def escaped(self, name):
        """Return (mark, name) as a line has them.

        xxhsum knows the mark since 0.8.2 only: a name that can do without it has none there.
        """
        special = r"\n|\r\Z" if self.form == "xxhsum" else r"[\n\r\\]"
        if not re.search(special, name):
            return "", name
        return "\\", name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def name_of(row):
    """Return the name of a row's file. Raises Fault where it has none that is safe to look for."""
    if row.verbatim is not None:
        raise Fault(f"{row.error}: it has no place in a list of files")
    if row.is_marker or row.is_latest == "false" and not row.path:
        raise Fault(f"{row.name}: a list of files has no delete markers, nor older versions "
                    "without a file")
    name = row.path or row.key
    if not is_inside(name) or "\0" in name:
        raise Fault(f"{row.name}: '{name}' cannot be the name of a file below a directory")
    return name


def hashes_of(row):
    """Return {algorithm: hexadecimal digits} of the hashes of a whole object that a row has.

    An ETag may be something else than an MD5, and does not count.
    """
    found = {}
    if is_given(row.digest) and taken_apart(row.digest):
        kind, text = taken_apart(row.digest)
        found[kind] = text
    kind = S3S.get(row.checksum_algorithm.upper())
    if kind and row.checksum_type.upper() == FULL_OBJECT and row.checksum:
        try:
            text = base64.b64decode(row.checksum, validate=True).hex()
            given(kind, text)
        except ValueError:
            return found
        found.setdefault(kind, text)
    return found


def reader(form, bucket, columns):
    """Return a reader of a file of checksums."""
    return Reader(form, bucket)


def writer(form):
    """Return a writer of a file of checksums."""
    return Writer(form)
