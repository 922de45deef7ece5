"""What `aws s3api list-object-versions`, `list-objects-v2` and `list-objects` write as JSON.

The CLI puts versions and delete markers into two lists, and so loses how they came between each
other: they are merged again. That needs all entries of a document in memory.
"""

from s3kit.errors import Cut, Fault
from s3kit.manifest import base
from s3kit.manifest.foreign.json_entries import entry_row
from s3kit.manifest.foreign.json_parts import Parts, text_of
from s3kit.manifest.foreign.paging import Paging, bytes_of
from s3kit.manifest.foreign.plain import checked, spoil
from s3kit.manifest.row import Row
from s3kit.units import known_ns

LIMIT = 512 << 20       # bytes of one document, about a million versions
UNNAMED = "unnamed"     # stands for a bucket that is not said yet
PIECE = ("a list without the document that it is of (as --query leaves it) does not show whether "
         "it is whole")
MARKERS = {"Versions": "false", "DeleteMarkers": "true", "Contents": ""}


class Reader(base.Reader):
    """Feed it bytes, it gives back rows: `feed`, then `close`."""

    form = "aws"

    def __init__(self, bucket=""):
        self.bucket = bucket
        self.parts, self.paging = Parts(), Paging()
        self.begin()
        self.count = 0
        self.stop = None

    def begin(self):
        """Begin a document."""
        self.top, self.size = {}, 0
        self.lists = {name: [] for name in (*MARKERS, "CommonPrefixes")}

    def feed(self, data, last=False):
        """Return the rows of the documents that the bytes `data` complete."""
        rows = []
        if self.stop:
            return rows
        self.size += len(data)
        try:
            for name, value, line in self.parts.feed(data, last):
                if name is None:
                    rows += self.document()
                else:
                    self.take(name, value, line)
            self.stop = self.parts.stop
            if self.size > LIMIT:
                raise Fault(f"a document of more than {LIMIT >> 20} MiB is not read: s3-manifest "
                            "--versions lists any number")
        except Fault as fault:
            self.stop = fault
        return rows

    def take(self, name, value, line):
        """Take a member of a document, or an element of one of its lists. Raises Fault."""
        if name == "":
            raise Fault(PIECE)
        if name in MARKERS:
            self.lists[name].append(entry_row(value, self.bucket or UNNAMED, MARKERS[name],
                                              f"line {line}"))
        elif name == "CommonPrefixes":
            key = text_of(value.get("Prefix", "")) if isinstance(value, dict) else text_of(value)
            self.lists[name].append(spoil(Row(self.bucket or UNNAMED, key), f"line {line}",
                                          "a common prefix: what is below it is not listed"))
        else:
            self.top[name] = text_of(value)

    def document(self):
        """Return the rows of a document that has come as a whole. Raises Fault."""
        if self.parts.is_list:      # an empty one, of which no element came
            raise Fault(PIECE)
        lists = self.lists
        rows = lists["Contents"] + merged(lists["Versions"], lists["DeleteMarkers"])
        self.paging.add(self.top, [row.key for row in (rows[:1] + rows[-1:])])
        rows += lists["CommonPrefixes"]
        self.name(rows, self.top.get("Name") or self.bucket)
        self.count += len(rows)
        self.begin()
        return rows

    def name(self, rows, bucket):
        """Give rows their bucket, which the document may say at its end."""
        for number, row in enumerate(rows, self.count + 1):
            if row.bucket != bucket and row.bucket:
                row.bucket = bucket
                if row.verbatim is None:
                    checked(row, f"row {number}")
                else:
                    row.verbatim["bucket"] = bucket

    def close(self):
        """Return the last rows; say what is missing."""
        rows = self.feed(b"", last=True)
        if not self.stop:
            missing = (f"line {self.parts.line}: the document is cut" if self.parts.is_open
                       else self.paging.close())
            self.stop = Cut(missing) if missing else None
        return rows


def merged(versions, markers):
    """Return versions and delete markers in the order in which S3 has them: by the bytes of their
    keys, of a key the newest first.

    What is newer is seen by their times, which are of whole seconds: of the same second a version
    counts as newer than a delete marker, so that it is rather kept than taken for deleted, unless
    the latter is the latest. Among its own kind each stays where the CLI has it.
    """
    if not versions or not markers:
        return versions or markers
    keys = {}
    for kind, rows in enumerate((versions, markers)):
        for row in rows:
            keys.setdefault(row.key, ([], []))[kind].append(row)
    found = []
    for key in sorted(keys, key=bytes_of):
        ours, theirs = keys[key]
        for marker in theirs:
            while ours and is_before(ours[0], marker):
                found.append(ours.pop(0))
            found.append(marker)
        found += ours
    return found


def is_before(version, marker):
    """Return whether a version stands before a delete marker of its key: whether it is newer."""
    if "true" in (version.is_latest, marker.is_latest):
        return version.is_latest == "true"
    return (known_ns(version.last_modified) or 0) >= (known_ns(marker.last_modified) or 0)


def reader(form, bucket, columns):
    """Return a reader of the AWS CLI's JSON."""
    return Reader(bucket)
