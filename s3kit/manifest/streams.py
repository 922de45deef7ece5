"""Manifests as streams: open, recognise by the first bytes, read whole rows, hold them to their end
mark.
"""

import codecs
import os
import re
import stat
import zlib

from s3kit.disk.durable import PUBLIC, Replacement
from s3kit.errors import Cut, Fault, of_file
from s3kit.manifest import csv_form, foreign
from s3kit.text import count

BLOCK = 1 << 17
STEP = 256  # bytes of zstd at a time: 4 of them may be 128 KiB, and zstandard bounds no output
SNIFF = 16
BOM = b"\xef\xbb\xbf"
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
FOREIGN = {rb"\s*[\[{]\s*[\"\[\]{}]": "JSON",
           rb"%%%% HASHDEEP": "hashdeep's output", rb"PAR1[\x00-\x1f\x80-\xff]": "Parquet",
           rb"ORC[\x00-\x1f\x80-\xff]": "ORC", rb"PK\x03\x04": "a zip archive",
           rb"\xff\xfe|\xfe\xff|(?:[^\0]\0){3}|(?:\0[^\0]){3}": "UTF-16 text",
           rb"\0{8}": "zeros", rb"BZh[0-9]1AY": "bzip2", rb"\xfd7zXZ": "xz", rb"%PDF-": "a PDF"}
# What stands in no text, or is not UTF-8; NUL may end names.
NO_TEXT = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f\udc80-\udcff]")


class Input:
    """One manifest to read, whatever its form or compression: iterate over `batches`.

    `form`, `extras` and `marked` are known once the first batch has come. `total` is the size in
    bytes of a regular file, else None, and `taken` how many of them were read, for progress. The
    parameter `form` says what the first bytes do not show: a foreign form (see manifest.foreign).
    `fd` is None where a subclass has another source of bytes. `hash`, set before the first batch,
    takes all bytes as they are read; None after that means that they were not read as a stream.
    """

    hash = None

    def __init__(self, fd, name, bucket="", columns=None, form=None):
        self.fd, self.name = fd, name
        self.bucket, self.columns = bucket, columns
        self.told = form
        status = None if fd is None else os.fstat(fd)
        self.is_file = status is not None and stat.S_ISREG(status.st_mode)
        self.total = status.st_size if self.is_file else None
        self.taken = 0
        self.reader = None
        self.warnings = []

    @property
    def form(self):
        """The form to write what was read here: `csv` or `xml`."""
        return "xml" if self.reader and self.reader.form == "xml" else "csv"

    @property
    def shards(self):
        """The marks of the shards that came so far, one a manifest; '' of what is not one."""
        return list(self.reader.shards if self.reader else ()) or [""]

    @property
    def is_foreign(self):
        """Whether the form is another tool's, known once the first batch has come."""
        return self.reader is not None and self.reader.form not in ("csv", "xml")

    @property
    def extras(self):
        """The names of unknown columns seen so far."""
        return self.reader.extras if self.reader else []

    def batches(self):
        """Yield lists of rows, as they come.

        Raises Cut at the end if the end mark is missing or untrue.
        """
        if foreign.needs_path(self.told):
            yield from self.opened(self.told)
            return
        blocks = named(expand(self.raw_blocks()), self.name)
        first = next_of(blocks)
        if not first.removeprefix(BOM).strip() and self.told is None:
            raise Cut(f"{self.name}: the input is empty, not even a header came")
        form = self.told or self.recognised(first)
        if foreign.needs_path(form):
            yield from self.opened(form)
            return
        reader = self.reader = self.reader_of(form)
        reader.is_by_hand = self.is_file
        rows = reader.feed(first)
        while True:
            if rows:
                yield rows
            if reader.stop:
                raise type(reader.stop)(f"{self.name}: {reader.stop}")
            block = next(blocks, b"")
            if not block:
                break
            rows = reader.feed(block)
        rows = reader.close()
        if rows:
            yield rows
        if reader.stop:
            raise type(reader.stop)(f"{self.name}: {reader.stop}")
        self.check_end()

    def shard_of_head(self):
        """Return the mark of the shard that the first bytes show, or ''; no more is read, and of
        other tools' forms, which may name much to read, nothing but that they are these.
        """
        first = next_of(expand(self.raw_blocks()))
        form = self.told or self.recognised(first)
        if form not in ("csv", "xml", "ndjson"):
            return ""
        self.reader = self.reader_of(form)
        self.reader.feed(first)
        return self.shards[0]

    def raw_blocks(self):
        """Yield what the descriptor gives."""
        while True:
            try:
                block = os.read(self.fd, BLOCK)
            except OSError as error:
                raise of_file("read", self.name, error) from None
            if not block:
                return
            self.taken += len(block)
            if self.hash:
                self.hash.update(block)
            yield block

    def recognised(self, first):
        """Return the form that the first bytes show."""
        head = first.removeprefix(BOM).lstrip()
        try:
            form = foreign.recognised(head)
        except Fault as fault:
            raise Fault(f"{self.name}: {fault}") from None
        if form:
            return form
        for magic, what in FOREIGN.items():
            if re.match(magic, first) or re.match(magic, head):
                raise Fault(f"{self.name}: this looks like {what}, not like a manifest")
        if head.startswith(b"<"):
            return "xml"
        if not is_text(head):
            raise Fault(f"{self.name}: this is not UTF-8 text, as manifests are")
        if b"\0" in head.partition(b"\n")[0]:
            raise Fault(f"{self.name}: names end with NUL here: -0 --bucket B takes a list of them")
        return "csv"

    def reader_of(self, form):
        """Return the reader for a form that is a stream of bytes."""
        if form == "csv":
            return csv_form.Reader(self.bucket, self.columns)
        if form == "xml":
            from s3kit.manifest import xml_form
            return xml_form.Reader(self.bucket, self.columns)
        return foreign.reader(form, self.bucket, self.columns)

    def opened(self, form):
        """Yield lists of rows of a form that is more than a stream of bytes."""
        if self.fd in (None, 0):
            raise Fault(f"{self.name}: {foreign.FORMS[form].what} must be given by name")
        self.reader, self.hash = foreign.opened(form, self.name, self.bucket, self.columns), None
        yield from self.reader.batches()

    def check_end(self):
        """Hold the input to its end marks.

        A count that is untrue only warns in a file, which a person may have edited, and in a bare
        input, which is a piece that somebody took from another by hand.
        """
        reader = self.reader
        if reader.comments:
            self.warnings.append(
                f"{self.name}: {count(reader.comments, 'line')} with '#' first taken as a comment; "
                "in a key that begins so it is written %23")
        if reader.lacks_end:
            self.warnings.append(f"{self.name}: the last line has no end: if the list was cut, "
                                 "that line names something else")
        if reader.marked and not reader.ended:
            raise Cut(f"{self.name}: the input was cut: no end mark after {reader.count:,} rows")
        for said, came in reader.miscounts:
            message = f"{self.name}: the end mark says {said:,} rows, {came:,} came"
            if reader.marked and not self.is_file:
                raise Cut(message)
            self.warnings.append(message)
        if len(set(self.shards)) > 1:
            self.warnings.append(
                f"{self.name}: several shards follow one another, and what is written says that of "
                f"the first, '{self.shards[0]}' (s3-filter --merge takes them as files)")


def next_of(blocks):
    """Return enough of the first blocks to recognise the form.

    A manifest of ours shows at once what it is, and is not kept waiting; documents of others may
    begin with much that they have in common.
    """
    first = b""
    while len(first) < SNIFF or len(first) < foreign.HEAD and is_vague(first):
        block = next(blocks, b"")
        if not block:
            break
        first += block
    return first


def is_vague(first):
    """Return whether the first bytes may be those of many a document, XML or JSON."""
    head = first.removeprefix(BOM).lstrip()
    return head[:1] in (b"<", b"{", b"[") and b"<manifest" not in head


def is_text(first):
    """Return whether the first bytes are UTF-8 text, of which some rows may be spoilt."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    text = decoder.decode(first[:foreign.HEAD])
    return "\0\0" not in text and len(NO_TEXT.findall(text)) <= len(text) / 4


def named(blocks, name):
    """Yield the blocks; a Cut among them is said with the input's name."""
    try:
        yield from blocks
    except Cut as cut:
        raise Cut(f"{name}: {cut}") from None


def expand(blocks):
    """Yield the blocks decompressed, if their first bytes say that they are gzip or zstd."""
    first = next_of(blocks)
    if first.startswith(GZIP):
        yield from gunzip(first, blocks)
    elif first.startswith(ZSTD):
        yield from unzstd(first, blocks)
    elif first and (GZIP.startswith(first) or ZSTD.startswith(first)):
        raise Cut("the compressed data was cut")
    else:
        if first:
            yield first
        yield from blocks


def gunzip(first, blocks):
    """Yield gzip blocks expanded, member after member.

    Raises Cut where the last member is not whole.
    """
    block, engine = first, zlib.decompressobj(31)
    try:
        while block:
            if engine.eof:
                engine = zlib.decompressobj(31)
            out = engine.decompress(block, BLOCK)
            if out:
                yield out
            block = engine.unused_data if engine.eof else engine.unconsumed_tail
            block = block or next(blocks, b"")
    except zlib.error as error:
        raise Cut(f"the gzip data is broken: {error}") from None
    if not engine.eof:
        raise Cut("the gzip data was cut")


def zstd_module():
    """Return the zstandard library. Raises Fault where it is not installed."""
    try:
        import zstandard
    except ImportError:
        raise Fault("zstd needs the library 'zstandard' (pip install s3kit[zstd])") from None
    return zstandard


def unzstd(first, blocks):
    """Yield zstd blocks expanded. Raises Cut where the data is broken or cut."""
    zstandard = zstd_module()
    block, engine = first, zstandard.ZstdDecompressor().decompressobj()
    try:
        while block:
            if engine.eof:
                engine = zstandard.ZstdDecompressor().decompressobj()
            out = engine.decompress(block[:STEP])
            for start in range(0, len(out), BLOCK):
                yield out[start:start + BLOCK]
            block = engine.unused_data + block[STEP:] or next(blocks, b"")
    except zstandard.ZstdError as error:
        raise Cut(f"the zstd data is broken: {error}") from None
    if not engine.eof:
        raise Cut("the zstd data was cut")


class Output:
    """A manifest being written, to a descriptor, an open `file`, or (atomically) to a path whose
    name says whether it is gzip or zstd.

    The header goes out with the first rows, so that a later stage starts at once. `close` writes
    the end mark, `abandon` does not; either raises OSError where the rows were not written. A
    form without an end mark is held back on disk until it is whole, for nobody could tell
    that it is not. `shard`, set before the first rows, is the mark for the head.
    """

    shard = ""

    def __init__(self, form="csv", path=None, fd=1, file=None):
        self.form = form
        self.count = 0
        self.begun = False
        self.lost = set()
        self.held = None
        self.file, self.place = None, Replacement(path, PUBLIC) if path else None
        raw = self.place.file if path else file or os.fdopen(os.dup(fd), "wb", 0)
        try:
            self.file = compressed(raw, path or "")
        except BaseException:
            self.abandon()
            raise
        self.writer = None

    def write(self, rows, extras=()):
        """Write rows and hand them on at once."""
        if not self.begun:
            self.begin(extras)
        if self.form in ("csv", "bare") and extras:
            self.lost.update(name for name in extras if name not in self.writer.extras)
        self.put(self.writer.rows(rows))
        self.count += len(rows)

    def begin(self, extras=()):
        """Write the header."""
        self.writer = writer_of(self.form)
        self.writer.shard = self.shard
        if not self.writer.is_marked and not (self.place and self.place.beside):
            from tempfile import TemporaryFile
            self.held = TemporaryFile()
        self.put(self.writer.begin(extras))
        self.begun = True

    def put(self, data):
        """Write all of `data`, or hold it back; a pipe takes it in pieces."""
        file, view = self.held or self.file, memoryview(data)
        while view:
            view = view[file.write(view):]

    def close(self):
        """Write the end mark and make sure that everything is out."""
        if not self.begun:
            self.begin()
        self.put(self.writer.end(self.count))
        if self.held:
            self.let_go()
        self.file.flush()
        if self.place:
            if self.file is not self.place.file:
                self.file.close()
            self.place.commit()
        else:
            self.file.close()

    def let_go(self):
        """Write what was held back."""
        held, self.held = self.held, None
        held.seek(0)
        for block in iter(lambda: held.read(BLOCK), b""):
            self.put(block)
        held.close()

    def abandon(self):
        """Stop without an end mark; a file that was to be replaced stays as it was."""
        if self.place:
            self.place.abandon()
        elif self.file:
            self.file.close()


def writer_of(form):
    """Return a writer of a form."""
    if form in ("csv", "bare"):
        return csv_form.Writer() if form == "csv" else csv_form.BareWriter()
    if form == "xml":
        from s3kit.manifest import xml_form
        return xml_form.Writer()
    return foreign.writer(form)


def compressed(raw, path):
    """Return a file to write to that compresses into `raw` as the path's ending says."""
    if path.endswith(".gz"):
        import gzip
        return gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6, mtime=0)
    if path.endswith((".zst", ".zstd")):
        return zstd_module().ZstdCompressor(write_checksum=True).stream_writer(raw, closefd=False)
    return raw
