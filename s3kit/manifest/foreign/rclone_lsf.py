"""What `rclone lsf` writes: paths, or with --format the columns that it was asked for.

Nothing in it says which columns these are, nor what stands between them: `;`, which is not quoted,
or with --csv a comma (https://rclone.org/commands/rclone_lsf/).
"""

import re

from s3kit.errors import Fault
from s3kit.manifest.foreign import pairs
from s3kit.manifest.foreign.pairs import nonsense
from s3kit.manifest.foreign.plain import plain_row, spoil
from s3kit.manifest.foreign.rclone_names import WHY_UNSURE, is_unsure, key_of
from s3kit.manifest.foreign.text_lines import Lines
from s3kit.manifest.row import COLUMNS, Row, column_of
from s3kit.proof.given import BYTES, given
from s3kit.units import known_ns

SEPARATOR = ";"
OURS = ("key", "size", "last_modified", "storage_class")
NAMES = {"tier": "storage_class", "modtime": "ModTime", "time": "ModTime", "hash": "hash"}
NO_HASH = ("", "ERROR", "UNSUPPORTED")
ZONE = re.compile(r".*T.*(Z|[+-]\d\d:\d\d)")
DIRECTORY = ("a directory, or a key that ends in '/': rclone lsf does not say which "
             "(-R --files-only leaves them out)")


class Table:
    """What the columns mean: `names` in order, and `extras`, those that mean none of ours."""

    def __init__(self, bucket, columns):
        self.bucket = bucket
        self.names = [meaning(name) for name in columns or ["key"]]
        kinds = ["digest" if is_hash(name) else name for name in self.names if name]
        if "key" not in kinds:
            raise Fault("one of the columns must be 'key', which rclone calls the path")
        if len(set(kinds)) < len(kinds):
            raise Fault("two of the columns mean the same")
        self.extras = [name for name in kinds if name not in (*OURS, "digest")]
        if "last_modified" in kinds and "ModTime" not in kinds:
            self.extras.append("ModTime")

    def row(self, cells, text, line):
        """Return the Row of a line's cells, of which `text` is the whole; a failed one where they
        make no sense.
        """
        where = f"line {line}"
        if len(cells) != len(self.names):
            return nonsense(self.bucket, text, line, f"{len(cells)} columns, not {len(self.names)}")
        said = dict(zip(self.names, cells))
        path = said.pop("key")
        extra = {name: said.get(name, "") for name in self.extras} if self.extras else None
        columns = {"bucket": self.bucket, "key": key_of(path)}
        why = why_not(path, said)
        if why:
            return spoil(Row(**columns, extra=extra), where, why)
        try:
            digest = digest_of(said)
        except ValueError as error:
            return spoil(Row(**columns, extra=extra), where, str(error))
        time = said.get("last_modified", "")
        if time and not has_zone(time):
            extra["ModTime"], time = extra["ModTime"] or time, ""
        columns |= {"size": said.get("size", ""), "digest": digest, "last_modified": time,
                    "storage_class": said.get("storage_class", "")}
        return plain_row(columns, where, extra)


def why_not(path, said):
    """Return why a line does not name an object, or ''."""
    if path.endswith("/"):
        return DIRECTORY
    if said.get("size", "").startswith("-"):
        return "a directory, or an object of which rclone does not know the size"
    return WHY_UNSURE if is_unsure(path) else ""


def meaning(name):
    """Return what a name of --columns means: one of OURS, a hash, '' for one to be left out, or a
    column of the user's own. Raises Fault for one that rclone lsf does not write.
    """
    low = name.strip().lower()
    if low == "ignore":
        return ""
    if low in NAMES or low in BYTES:
        return NAMES.get(low, low)
    column = column_of(name)
    if column in COLUMNS and column not in OURS:
        raise Fault(f"rclone lsf writes no column '{column}': name it otherwise, or Ignore")
    return column if column in OURS else name.strip()


def is_hash(name):
    """Return whether a column has hashes."""
    return name == "hash" or name in BYTES


def digest_of(said):
    """Return the hash of a line as rows have it, '' where there is none.

    Raises ValueError where it is not of the kind named, or of a kind that nobody named.
    """
    kind = next(filter(is_hash, said), None)
    text = said[kind].strip() if kind else ""
    if text in NO_HASH:
        return ""
    if kind == "hash" and len(text) != 2 * BYTES["md5"]:
        raise ValueError(f"a hash of {len(text)} digits may be of several kinds: name the column "
                         "sha1, sha256 or what it is")
    return given("md5" if kind == "hash" else kind, text)


def has_zone(text):
    """Return whether a time says of which zone it is; rclone's default does not."""
    return ZONE.fullmatch(text) is not None and known_ns(text) is not None


class Reader(Lines):
    """Reads lines whose columns have `;` between them."""

    form = "rclone-lsf"

    def __init__(self, bucket="", columns=None):
        super().__init__(bucket)
        self.table = Table(bucket, columns)
        self.extras = self.table.extras

    def row(self, text):
        """Return the Row of a line, None of an empty one. A path alone may have the separator in
        it.
        """
        if not text:
            return None
        is_alone = len(self.table.names) == 1
        return self.table.row([text] if is_alone else text.split(SEPARATOR), text, self.line)


class CsvReader(pairs.Reader):
    """Reads lines of CSV."""

    form = "rclone-lsf-csv"

    def __init__(self, bucket="", columns=None):
        super().__init__(bucket)
        self.table = Table(bucket, columns)
        self.extras = self.table.extras

    def row_of(self, cells, line):
        """Return the Row of one record."""
        if cells is None:
            return nonsense(self.bucket, "", line, "not CSV")
        return self.table.row(cells, ",".join(cells), line)


def reader(form, bucket, columns):
    """Return a reader of what rclone lsf writes. Raises Fault."""
    return {Reader.form: Reader, CsvReader.form: CsvReader}[form](bucket, columns)
