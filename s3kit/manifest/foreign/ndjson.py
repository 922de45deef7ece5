"""NDJSON: rows of ours as objects, one a line; those of s3ls are read, too.

Every column is text by its own name, empty ones are left out, and keys are as they are, for JSON
can carry them all. The first line says what follows and the last one that it was whole, so that
one that was cut shows it. A row that made no sense has its columns in `verbatim`.

s3ls: https://github.com/nidor1998/s3ls-rs
"""

from json import JSONEncoder

from s3kit.errors import Cut, Fault
from s3kit.etags import bare
from s3kit.manifest import base
from s3kit.manifest.foreign.json_entries import entry_row
from s3kit.manifest.foreign.json_lines import Lines
from s3kit.manifest.foreign.json_parts import text_of
from s3kit.manifest.foreign.plain import checked, spoil
from s3kit.manifest.row import COLUMNS, FAILED, FLAGS, OPTIONAL, Row, column_of
from s3kit.manifest.shards import mark_of
from s3kit.units import number

HEAD, VERSION = "s3kit_manifest", "1"
OURS = frozenset(COLUMNS)
PLAIN = JSONEncoder(ensure_ascii=False, separators=(",", ":"))
ESCAPED = JSONEncoder(separators=(",", ":"))


class Reader(Lines):
    """Reads NDJSON."""

    form = "ndjson"

    def __init__(self, bucket=""):
        super().__init__(bucket)
        self.counted = 0            # rows that an end mark of a bare input has counted
        self.objects = 0
        self.shards = []

    def take(self, entry, line):
        """Return the Row of an object, None where it is not one."""
        if (len(entry) == 1 or HEAD in entry) and self.note(entry, line):
            return None
        if self.ended:
            raise Cut(f"line {line}: something follows the end mark")
        where = f"line {line}"
        if isinstance(entry.get("verbatim"), dict):
            return kept(entry)
        if "Key" in entry:
            kind = entry.get("DeleteMarker") is True
            self.objects += not kind
            marker = str(kind).lower() if kind or "VersionId" in entry else ""
            return entry_row(entry, self.bucket, marker, where)
        if set(entry) == {"Prefix"}:
            return spoil(Row(self.bucket, text_of(entry["Prefix"])), where,
                         "a common prefix: what is below it is not listed")
        return self.ours(entry, where)

    def note(self, entry, line):
        """Take a line that is not a row, but says something of them; return whether it was one."""
        if HEAD in entry:
            if not self.ended and (self.marked or self.count):
                raise Cut(f"line {line}: a new manifest begins before the end mark of the last")
            if text_of(entry[HEAD]) != VERSION:
                raise Fault(f"manifest version {text_of(entry[HEAD])} is newer than this s3kit "
                            "reads")
            self.marked, self.ended, self.count, self.counted = True, False, 0, 0
            self.shards.append(mark_of(text_of(entry.get("shard"))))
            if isinstance(entry.get("extras"), list):
                self.know(map(text_of, entry["extras"]))
            return True
        name, value = next(iter(entry.items()), ("", None))
        if len(entry) != 1 or not isinstance(value, dict):
            return False
        if name == "end":
            self.end(value.get("rows"), self.count - self.counted)
            self.ended, self.counted = self.marked, self.count
        elif name == "Summary":
            self.end(value.get("TotalObjects"), self.objects)
        return name in ("end", "Summary")

    def end(self, said, came):
        """Take how many rows an end mark says; what is not a number is -1."""
        said = number(text_of(said))
        if said != came:
            self.miscounts.append((-1 if said is None else said, came))

    def know(self, names):
        """Remember the names of unknown columns."""
        self.extras += [name for name in names if name not in self.extras]

    def ours(self, entry, where):
        """Return the Row of an object that has our columns' names, and others."""
        if OURS.issuperset(entry) and {str}.issuperset(map(type, entry.values())):
            row = Row(**entry)
        else:
            row, twice = self.named(entry)
            if twice:
                return spoil(row, where, f"the column '{twice}' is there twice")
        row.bucket = row.bucket or self.bucket
        if row.is_latest not in FLAGS or row.is_delete_marker not in FLAGS:
            row.is_latest, row.is_delete_marker = (
                text.strip().lower() for text in (row.is_latest, row.is_delete_marker))
        return checked(row, where)

    def named(self, entry):
        """Return the Row of an object, and the column that has two values, or ''."""
        columns, extra, twice = {}, {}, ""
        for name, value in entry.items():
            column, text = column_of(name), text_of(value)
            if column not in OURS and column not in OPTIONAL:
                extra[name] = text
                continue
            into = columns if column in OURS else extra
            twice = column if column in into else twice
            into[column] = bare(text) if name == "ETag" else text
        self.know(extra)
        return Row(**columns, extra=extra or None), twice


def kept(entry):
    """Return the row that made no sense when it was read first, as it was."""
    cells = {name: text_of(value) for name, value in entry["verbatim"].items() if name in OURS}
    extra = {name: text_of(value) for name, value in entry.items()
             if name not in ("verbatim", "state", "error")}
    return Row(**cells | {"state": FAILED, "error": text_of(entry.get("error", ""))},
               extra=extra or None, verbatim=cells)


class Writer(base.Writer):
    """Turns rows to bytes: `begin`, `rows` as often as wanted, `end`."""

    is_marked = True

    def begin(self, extras):
        """Return the first line; `extras` are the unknown columns to carry along."""
        self.extras = list(extras)
        head = {HEAD: VERSION, "shard": self.shard, "extras": self.extras}
        return line({name: value for name, value in head.items() if value})

    def rows(self, rows):
        """Return the lines of `rows`."""
        return b"".join(line(members(row)) for row in rows)

    def end(self, count):
        """Return the end mark."""
        return line({"end": {"rows": count}})


def members(row):
    """Return the members of a row's object."""
    if row.verbatim is None:
        found = {name: value for name in COLUMNS if (value := getattr(row, name))}
    else:
        found = {"state": row.state, "error": row.error,
                 "verbatim": {name: value for name, value in row.verbatim.items()
                              if value and name not in ("state", "error")}}
    return found | {name: value for name, value in (row.extra or {}).items() if value}


def line(entry):
    """Return the line of an object; a lone surrogate, from what was no UTF-8, is escaped."""
    try:
        return f"{PLAIN.encode(entry)}\n".encode()
    except UnicodeEncodeError:
        return f"{ESCAPED.encode(entry)}\n".encode()


def reader(form, bucket, columns):
    """Return a reader of NDJSON."""
    return Reader(bucket)


def writer(form):
    """Return a writer of NDJSON."""
    return Writer()
