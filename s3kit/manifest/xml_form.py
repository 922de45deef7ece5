"""Rows to and from XML: streamed, attributes only, no DOCTYPE, bounded depth.

Entities and external files are never loaded (lxml before 6.1 read local files, CVE-2026-41066), and
any DOCTYPE ends the reading.
"""

import re

from lxml import etree

from s3kit.errors import Cut, Fault
from s3kit.manifest import base
from s3kit.manifest.row import COLUMNS, OPTIONAL, column_of, from_values, values
from s3kit.manifest.shards import mark_of
from s3kit.units import number

NAMESPACE = "urn:s3kit:manifest:1"
OPEN = f'<manifest xmlns="{NAMESPACE}">\n'
ATTRIBUTES = tuple(column.replace("_", "-") for column in COLUMNS)
OPTIONAL_ATTRIBUTES = {column: column.replace("_", "-") for column in OPTIONAL}
DEPTH = 8
# bytes that one tag or comment may have: libxml2 keeps hundreds of megabytes before it refuses
HOLD = 1 << 20
ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;",
                         "\r": "&#13;", "\t": "&#9;"})
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# What cannot stand in an attribute's name, and what would read as an escape or belongs to XML
# itself.
NO_NAME = re.compile(r"[^A-Za-z0-9_.-]|^[^A-Za-z_]|_(?=x[0-9A-F]{4,6}_)|^x(?=ml)", re.IGNORECASE)
NAMED = re.compile(r"_x([0-9A-F]{4,6})_")


class Reader(base.Reader):
    """Feed it bytes, it gives back rows: `feed`, then `close`.

    It is also the parser's target: lxml calls `start`, `end`, `data`, `doctype`.
    """

    form = "xml"
    marked = True

    def __init__(self, bucket="", columns=None):
        self.bucket = bucket
        # "internal" is as safe as False, for without a DOCTYPE there are no entities but XML's own
        # five, and with False lxml hands a target `&#38;` where `&` is meant.
        self.parser = etree.XMLParser(target=self.Target(self), resolve_entities="internal",
                                      no_network=True, load_dtd=False, huge_tree=False)
        self.depth = 0
        self.events = self.held = 0         # what came so far, and the bytes since then
        self.found, self.open_row = [], None
        self.count = 0
        self.declared, self.miscounts = None, []
        self.extras, self.shards = [], [""]
        self.stop = None

    class Target:
        """What lxml calls for each event; a thin layer, so that the reader's own `close` is free.
        """

        def __init__(self, reader):
            self.start, self.doctype = reader.start, reader.doctype
            self.reader = reader

        def end(self, tag):
            """An element ends: only now is a row whole, for libxml2 also starts elements that were
            cut.
            """
            self.reader.events += 1
            self.reader.depth -= 1
            if self.reader.open_row is not None and self.reader.depth == 1:
                self.reader.found.append(self.reader.row(self.reader.open_row))
                self.reader.open_row = None

        def data(self, text):
            """Text between elements says nothing."""
            self.reader.events += 1

        def comment(self, text):
            """A comment is a person's."""
            self.reader.events += 1

        def close(self):
            """The document ends."""

    def feed(self, data):
        """Return the rows that the bytes `data` complete."""
        before = self.events
        try:
            self.parser.feed(data)
            self.held = 0 if self.events > before else self.held + len(data)
            if self.held > HOLD:
                self.stop = Cut(f"row {self.count + 1}: no end of the tag within {HOLD:,} bytes")
        except etree.XMLSyntaxError as error:
            self.stop = Cut(f"the XML is not well-formed: {error.msg}")
        except Fault as fault:
            self.stop = fault
        return self.take()

    def close(self):
        """Return no rows: an element is whole before the input ends, or not at all."""
        try:
            self.parser.close()
        except (etree.XMLSyntaxError, Fault):
            self.ended = False
        return []

    def take(self):
        """Return what was found since the last call."""
        rows, self.found = self.found, []
        self.count += len(rows)
        return rows

    def start(self, tag, attributes):
        """Take an element."""
        self.events += 1
        self.depth += 1
        if self.depth > DEPTH:
            raise Fault("the XML is nested too deep for a manifest")
        name = tag.rpartition("}")[2]
        if self.depth == 1:
            space = tag[1:].partition("}")[0] if tag.startswith("{") else ""
            if name != "manifest" or not space.startswith("urn:s3kit:manifest:"):
                raise Fault(f"<{name}> is not a manifest (<manifest xmlns=\"{NAMESPACE}\">)")
            if space != NAMESPACE:
                raise Fault(
                    f"manifest version {space.rpartition(':')[2]} is newer than this s3kit reads")
            self.shards = [mark_of(attributes.get("shard", ""))]
        elif self.ended:
            raise Cut("something follows the end mark")
        elif name == "end" and self.depth == 2:
            self.ended = True
            declared = number(attributes.get("rows", ""))
            self.declared = -1 if declared is None else declared
            came = self.count + len(self.found)
            if self.declared != came:
                self.miscounts.append((self.declared, came))
        elif name == "object" and self.depth == 2 and tag.startswith(f"{{{NAMESPACE}}}"):
            self.open_row = dict(attributes)
        else:
            raise Fault(f"<{name}> has no place in a manifest")

    def doctype(self, *_):
        """Refuse any DOCTYPE: a manifest needs none, and entities are a way in."""
        raise Fault("a manifest must not have a DOCTYPE")

    def row(self, attributes):
        """Return the Row of one element's attributes."""
        cells = [attributes.pop(name, "") for name in ATTRIBUTES]
        extra = None
        if attributes:
            extra = self.unknown(attributes, cells)
        if self.bucket and not cells[0]:
            cells[0] = self.bucket
        return from_values(cells, self.count + len(self.found) + 1, extra, "row")

    def unknown(self, attributes, cells):
        """Return the unknown columns among attributes, and the optional ones; what only spells one
        of ours otherwise goes to its cell.
        """
        extra = {}
        for name, text in attributes.items():
            name = NAMED.sub(lambda m: chr(int(m[1], 16)), name)
            column = column_of(name)
            if column in COLUMNS:
                at = COLUMNS.index(column)
                cells[at] = cells[at] or text
            elif column in OPTIONAL_ATTRIBUTES:
                extra[column] = extra.get(column) or text
            else:
                extra[name] = text
        self.extras += [name for name in extra if name not in self.extras]
        return extra or None


class Writer(base.Writer):
    """Turns rows to bytes: `begin`, `rows` as often as wanted, `end`."""

    is_marked = True

    def begin(self, extras):
        """Return the first line; unknown columns need no announcement."""
        mark = f' shard="{self.shard}"' if self.shard else ""
        return OPEN.replace(">", f"{mark}>").encode()

    def rows(self, rows):
        """Return one element a row, empty columns left out."""
        return "".join(map(self.element, rows)).encode()

    def element(self, row):
        """Return one row's element."""
        text = " ".join(f'{name}="{attribute(value)}"' for name,
                        value in zip(ATTRIBUTES, values(row)) if value)
        for name, value in (row.extra or {}).items():
            if value:
                name = OPTIONAL_ATTRIBUTES.get(name) or NO_NAME.sub(
                    lambda m: f"_x{ord(m[0]):04X}_", name)
                text += f' {name}="{attribute(value)}"'
        return f"  <object {text}/>\n"

    def end(self, count):
        """Return the end mark and the last tag."""
        return f'  <end rows="{count}"/>\n</manifest>\n'.encode()


def attribute(text):
    """Return `text` as it may stand between double quotes; what XML cannot carry is replaced."""
    if FORBIDDEN.search(text):
        text = FORBIDDEN.sub("\ufffd", text)
    return text.translate(ESCAPES)
