"""Listings that come in one answer, in no order, as Snowball's S3 adapter has them: it knows no
pages, no markers and no delimiters.
https://docs.aws.amazon.com/snowball/latest/developer-guide/using-adapter-supported-api.html

An answer that was cut looks like a whole one, so the same is asked until two answers in a row have
as many objects. Each is read as it comes, and put in order on our disk.
"""

from typing import NamedTuple
from urllib.parse import quote

from lxml import etree

from s3kit.errors import Fault, NoVersions
from s3kit.listing.sequence import Sequence
from s3kit.manifest.entries import FIELDS, rows_of
from s3kit.manifest.sorter import OBJECT, Sorter
from s3kit.s3 import verdicts
from s3kit.s3.asking import fault_of, once_more, rest
from s3kit.s3.patience import Patience
from s3kit.s3.xml import BEFORE, local, read_encoded, refuse_doctype, unreadable

ANSWERS = 4             # that are asked for, until two in a row have as many objects
ROWS = 1000             # that are handed on together


class NoPages(Fault):
    """The listings of a server have no pages."""


class Batch(NamedTuple):
    """What is handed on together, with the face of a Page: rows, and the prefixes beside them."""

    bucket: str
    rows: list
    prefixes: list


class Unpaged:
    """The listing of one prefix, on the wire of a Listing. Raises NoVersions for one of versions.
    """

    def __init__(self, listing, endpoint, prefix, versions=False):
        self.listing, self.endpoint, self.prefix = listing, endpoint, prefix
        if versions:
            raise NoVersions(f"the server does not list the versions of '{endpoint.bucket}': it is "
                             "Snowball's S3 adapter")

    def batches(self, delimiter=""):
        """Yield Batches in order of keys; keys with a delimiter after the prefix come together.

        Raises NoAccess or Fault.
        """
        bucket, last = self.endpoint.bucket, ""
        sequence, batch = Sequence(bucket), Batch(bucket, [], [])
        for row in self.rows():
            group = group_of(row.key, self.prefix, delimiter)
            if not group:
                batch.rows.append(row)
            elif group != last:
                batch.prefixes.append(group)
            last = group
            if len(batch.rows) + len(batch.prefixes) == ROWS:
                sequence.take(batch)
                yield batch
                batch = Batch(bucket, [], [])
        if batch.rows or batch.prefixes:
            sequence.take(batch)
            yield batch

    def rows(self):
        """Return all rows, in order of keys. Raises NoAccess or Fault."""
        counts = []
        while len(counts) < ANSWERS:
            found, count = self.answer()
            if counts[-1:] == [count]:
                return found
            counts.append(count)
        raise Fault(f"the listing of '{self.endpoint.bucket}' comes in one answer, which has "
                    f"{', '.join(f'{count:,}' for count in counts)} objects each time that it is "
                    "asked for: nobody knows which is whole (does somebody write there?)")

    def answer(self):
        """Return (Sorter of the rows, how many they are) of one answer; what did not come, or makes
        no sense, is asked for again. Raises NoAccess or Fault.
        """
        patience = Patience()
        while True:
            found, reading = Sorter(OBJECT), Reading(self.endpoint.bucket)
            transfer = self.ask(reading, found)
            try:
                if verdicts.verdict_of(transfer) != verdicts.OK or transfer.errno:
                    raise reading.fault or fault_of(transfer, f"list s3://{self.endpoint.bucket}")
                reading.end()
                found.add(self.below(reading.take()))
                return found, reading.count
            except Fault:
                self.endpoint, wait = once_more(transfer, self.endpoint, patience,
                                                self.listing.renew)
                if wait is None:
                    raise
            rest(wait, self.listing.check)

    def ask(self, reading, found):
        """Ask, and put what comes into the Sorter; return the Transfer."""
        listing, query = self.listing, "encoding-type=url"
        query += f"&prefix={quote(self.prefix, safe='')}" if self.prefix else ""
        listing.requests += 1
        transfer = listing.wire.start(None, self.endpoint, f"{self.endpoint.url}?{query}",
                                      sink=reading.sink, is_patient=True)
        while listing.wire.is_under_way(transfer):
            listing.check()
            listing.wire.turn(0.5)
            found.add(self.below(reading.take()))
        return transfer

    def below(self, rows):
        """Return those of rows that have the prefix, of which the server may take no notice."""
        return [row for row in rows if row.key.startswith(self.prefix)] if self.prefix else rows


def group_of(key, prefix, delimiter):
    """Return the common prefix that a key belongs to, '' of one that stands for itself."""
    at = key.find(delimiter, len(prefix)) if delimiter else -1
    return key[:at + len(delimiter)] if at >= 0 else ""


class Reading:
    """Reads a listing of objects of a bucket while it comes: `sink` gets the bytes, `take` returns
    the rows so far, `end` says whether it was one. `count` is how many objects it has.

    `fault` is what was wrong when `sink` broke off.
    """

    def __init__(self, bucket):
        self.bucket, self.fault, self.count = bucket, None, 0
        self.parser = etree.XMLPullParser(
            events=("end",), tag="{*}Contents", resolve_entities=False, no_network=True,
            load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True)
        self.has_begun, self.key = False, None
        self.names, self.top = {}, {}
        self.entries, self.rows = [], []

    def sink(self, transfer, data):
        """Take a piece of the body; return what libcurl wants to hear."""
        try:
            self.feed(data)
        except (etree.XMLSyntaxError, Fault) as error:
            self.fault = error if isinstance(error, Fault) else unreadable(error)
            return -1
        return None

    def feed(self, data):
        """Take a piece of the body."""
        data = data if self.has_begun else data.lstrip(BEFORE)
        if not data:
            return
        self.has_begun = True
        self.parser.feed(data)
        for _, entry in self.parser.read_events():
            self.drop_before(entry)
            self.entries.append(self.fields_of(entry))
            if len(self.entries) == ROWS:
                self.turn()

    def drop_before(self, entry):
        """Let go of what came before an entry; what is said of all of them is kept."""
        parent = entry.getparent()
        while (before := entry.getprevious()) is not None:
            self.note(before)
            parent.remove(before)

    def note(self, element):
        """Keep the text of an element that is no entry."""
        name = local(element.tag)
        if name != "Contents":
            self.top[name] = element.text or ""

    def fields_of(self, entry):
        """Return the texts of an entry as columns_of has them."""
        found = {}
        for child in entry:
            tag = child.tag
            name = self.names.get(tag) or self.names.setdefault(tag, local(tag))
            found.setdefault(name, child.text or "")
        return ["", *(found.get(name, "") for name in FIELDS)]

    def turn(self):
        """Make rows of the entries. Raises Fault."""
        self.key = self.key or self.reader()
        self.rows += rows_of(self.bucket, list(zip(*self.entries)), self.key, False)
        self.count += len(self.entries)
        self.entries = []

    def reader(self):
        """Return what reads a key, as far as the server has said how it writes them."""
        return read_encoded if self.top.get("EncodingType", "").strip() == "url" else str

    def take(self):
        """Return the rows that have come since the last time."""
        rows, self.rows = self.rows, []
        return rows

    def end(self):
        """Raise Fault where what came was not the whole listing."""
        try:
            root = self.parser.close()
        except etree.XMLSyntaxError as error:
            raise unreadable(error) from None
        for child in root.iterchildren("*"):
            self.note(child)
        if self.entries:
            self.turn()
        refuse_doctype(root)
        if local(root.tag) != "ListBucketResult":
            raise Fault(f"the listing of '{self.bucket}' is not one: <{local(root.tag)}>")
        if self.top.get("IsTruncated", "").strip().lower() not in ("false", ""):
            raise Fault(f"the listing of '{self.bucket}' says that it goes on, and has no pages")
        if self.key not in (None, self.reader()):
            raise Fault(f"the listing of '{self.bucket}' says after its keys how they are written")
