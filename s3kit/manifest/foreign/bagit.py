"""BagIt: a folder that says in manifest-ALG.txt what lies below its data/ (RFC 8493,
https://www.rfc-editor.org/rfc/rfc8493), and the text of such a manifest.

The names of a bag are held in memory, some 400 bytes a file.
"""

import os
import re
from itertools import chain
from unicodedata import normalize

from s3kit.disk.paths import is_inside
from s3kit.errors import Cut, Fault, of_file
from s3kit.manifest import base
from s3kit.manifest.foreign.bagit_tags import (ENCODED, PAYLOAD, STRONGEST, TAGS, Entry,
                                               check_declaration, check_tags, entries, fetched,
                                               file_count)
from s3kit.manifest.foreign.sums import hashes_of, name_of, nonsense
from s3kit.manifest.row import COLUMNS, LISTED, column_of, from_values
from s3kit.proof.given import given
from s3kit.text import visible

WRITTEN = ("sha256", "sha512", "blake2b", "sha384", "sha224", "sha1", "md5")
URL = "fetch_url"
TOGETHER = 1000


class Bag(base.Reader):
    """The rows of a bag: iterate over `batches`."""

    form = "bagit"

    def __init__(self, path, bucket):
        self.top = path if os.path.isdir(path) else os.path.dirname(path) or "."
        self.declaration = "bagit.txt" if os.path.isdir(path) else os.path.basename(path)
        self.name, self.bucket = path, bucket
        self.extras, self.count = [], 0
        self.files, self.lists, self.wrong, self.fetch = {}, {}, [], {}
        self.listed = set()

    def batches(self):
        """Yield lists of rows. Raises Fault, and Cut, at the end where rows are missing."""
        version = self.load()
        names = list(dict.fromkeys(chain(*self.lists.values(), self.fetch)))
        self.listed = set(names)
        places = {}
        for start in range(0, len(names), TOGETHER):
            rows = [self.row(name, version, places) for name in names[start:start + TOGETHER]]
            self.count += len(rows)
            yield rows
        if self.wrong:
            self.count += len(self.wrong)
            yield self.wrong
        self.check_whole(len(names), places)

    def load(self):
        """Read all but the payload; return the bag's version, as (major, minor)."""
        self.files = {name: self.read(name) for name in self.tag_files()}
        try:
            version = check_declaration(self.files.get(self.declaration))
            check_tags(self.files)
            for name, data in self.files.items():
                match = PAYLOAD.fullmatch(name)
                if match:
                    self.take(match[1].lower(), name, data)
            self.fetch, wrong = fetched(self.files.get("fetch.txt", b""))
        except (Cut, Fault) as fault:
            raise type(fault)(f"{self.name}: {fault}") from None
        if not self.lists:
            raise Fault(f"{self.name}: a bag has a manifest-ALGORITHM.txt, and this has none")
        self.wrong += [failed(text, why) for text, why in wrong]
        kinds = [kind for kind in STRONGEST if kind in self.lists]
        self.lists = {kind: self.lists[kind] for kind in [
            *kinds, *(kind for kind in self.lists if kind not in kinds)]}
        self.extras = [*list(self.lists)[bool(kinds):], *([URL] if self.fetch else [])]
        return version

    def tag_files(self):
        """Return the names of the bag's own files that are read, in order."""
        try:
            found = sorted(os.listdir(self.top))
        except OSError as error:
            raise of_file("read", self.top, error) from None
        return [name for name in found if name == self.declaration or TAGS.fullmatch(name)]

    def read(self, name):
        """Return the bytes of one of the bag's own files."""
        path = os.path.join(self.top, name)
        if not os.path.isfile(path):
            raise Fault(f"cannot read '{path}': not a file")
        try:
            with open(path, "rb") as file:
                return file.read()
        except OSError as error:
            raise of_file("read", path, error) from None

    def take(self, kind, name, data):
        """Take the lines of a manifest."""
        kind = "blake2b" if kind == "blake2b512" else kind
        if column_of(kind) in COLUMNS or kind == URL or kind in self.lists:
            raise Fault(f"'{name}' is not the name of a manifest")
        self.lists[kind] = found = {}
        for line, text, digest, path in entries(data):
            where = f"{name}, line {line}"
            if digest is None:
                self.wrong.append(failed(text, f"{where}: not a line of a bag's manifest"))
            elif path in found and found[path].digest != digest:
                self.wrong.append(failed(text, f"{where}: another digest of the name before"))
            else:
                found[path] = Entry(digest, line, name)

    def row(self, name, version, places):
        """Return the Row of a name that is in a manifest or in fetch.txt; `places` are the files
        that came so far, by their names.
        """
        told = {kind: found[name] for kind, found in self.lists.items() if name in found}
        entry = next(iter(told.values()), None)
        try:
            missing = [kind for kind in self.lists if kind not in told]
            if missing and (version >= (1, 0) or not told):
                raise ValueError(f"'{visible(name)}' is not in manifest-{missing[0]}.txt")
            place = self.place_of(name)
            if places.setdefault(place, name) != name:
                raise ValueError(f"'{visible(place)}' is named twice")
            digests = [given(kind, told[kind].digest) for kind in STRONGEST if kind in told]
        except ValueError as error:
            where = f"{entry.file}, line {entry.line}" if entry else "fetch.txt"
            return failed(name, f"{where}: {error}")
        url, size = self.fetch.get(name, ("", ""))
        text, digest = place.replace("%", "%25"), (digests or [""])[0]
        cells = dict.fromkeys(COLUMNS, "") | {
            "bucket": self.bucket, "key": text.removeprefix("data/"), "path": text, "size": size,
            "state": LISTED, "digest": digest}
        extra = {column: told[column].digest if column in told else "" for column in self.extras
                 if column != URL and not digest.startswith(f"{column}:")}
        if self.fetch:
            extra[URL] = url
        return from_values(list(cells.values()), entry.line, extra, unit=f"{entry.file}, line")

    def place_of(self, name):
        """Return the path of the file that a manifest's name means.

        bagit-python writes `%` as it is, where the RFC has %25: the file that is there says who
        wrote it. Raises ValueError for what does not lie below data/.
        """
        place = ENCODED.sub(lambda match: chr(int(match[1], 16)), name)
        if place != name and self.has(name) and (not self.has(place) or place in self.listed):
            place = name
        if not place.startswith("data/") or not is_inside(place) or "\0" in place:
            raise ValueError(f"'{visible(name)}' does not lie below data/")
        return place

    def has(self, name):
        """Return whether a file lies in the bag; a name that leads out of it is not looked for."""
        return is_inside(name) and os.path.lexists(os.path.join(self.top, name))

    def check_whole(self, count, places):
        """Raise Cut where the manifests name fewer files, or more, than the bag says it has; where
        nothing vouches for them, if one ends within a line, or a file is in none of them.
        """
        said = file_count(self.files.get("bag-info.txt", b""))
        for number in said:
            if number != count:
                raise Cut(f"{self.name}: Payload-Oxum says {number:,} files, the manifests name "
                          f"{count:,}")
        vouched = any(name.lower().startswith("tagmanifest-") for name in self.files)
        for name, data in self.files.items():
            if PAYLOAD.fullmatch(name) and data and not data.endswith((b"\n", b"\r")):
                if not vouched:
                    raise Cut(f"{self.name}: {name} was cut: its last line has no end")
        if not vouched and not said:
            # macOS has names in another Unicode form than they were given in
            known = {normalize("NFC", place) for place in places}
            for path in self.payload():
                if normalize("NFC", path) not in known and path not in self.listed:
                    raise Cut(f"{self.name}: '{visible(path)}' is there, in no manifest")

    def payload(self):
        """Yield the paths of the files below data/."""
        for folder, _, files in os.walk(os.path.join(self.top, "data")):
            for name in files:
                yield os.path.relpath(os.path.join(folder, name), self.top)


class Writer(base.Writer):
    """Turns rows to the text of manifest-ALGORITHM.txt: `begin`, `rows` as often as wanted, `end`.

    The algorithm is the first of WRITTEN that all rows have, known at the end alone: all is held.
    """

    def __init__(self):
        self.texts = {kind: bytearray() for kind in WRITTEN}
        self.names = set()

    def rows(self, rows):
        """Take rows. Raises Fault for one that a bag cannot name."""
        for row in rows:
            name, found = payload_of(row), hashes_of(row)
            if name in self.names:
                raise Fault(f"{row.name}: '{name}' is named twice, a bag has it once")
            self.names.add(name)
            left = [kind for kind in self.texts if kind in found]
            if not left:
                raise Fault(f"{row.name}: the row has no digest that a bag can have"
                            f"{' and all rows before it have' if len(self.names) > 1 else ''}")
            self.texts = {kind: self.texts[kind] for kind in left}
            for kind, text in self.texts.items():
                text += f"{found[kind]}  {name}\n".encode()
        return b""

    def end(self, count):
        """Return the text."""
        return bytes(next(iter(self.texts.values())))


def failed(text, why):
    """Return the failed Row of a line or name, as far as it is Unicode text."""
    return nonsense(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"), why)


def payload_of(row):
    """Return the name of a row's file in a bag, encoded.

    A path that is `data/` and the key was read from a bag; but below a destination of ours it is
    that of a bucket called `data`.
    """
    if row.is_latest == "false":
        raise Fault(f"{row.name}: a bag has no older versions")
    name = name_of(row)
    if name != f"data/{row.key}" or row.bucket == "data":
        name = f"data/{name}"
    return re.sub("[%\r\n]", lambda match: f"%{ord(match[0]):02X}", name)


def opened(form, path, bucket, columns):
    """Return what reads the bag at `path`, its folder or its bagit.txt."""
    return Bag(path, bucket)


def writer(form):
    """Return a writer of a bag's manifest."""
    return Writer()
