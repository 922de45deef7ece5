"""Manifests as streams: recognised by their bytes, whole or said to be cut, written all or not at
all.
"""

import gzip
import os
import sys
import threading
import tracemalloc

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from limits import file_size

from s3kit.errors import Cut, Fault
from s3kit.manifest import foreign
from s3kit.manifest.row import COLUMNS, FAILED, Row
from s3kit.manifest.streams import BLOCK, Input, Output, expand

EXTRAS = ["note", "size class"]
ROWS = [Row("photos", "2024/a.jpg", "3sL4kq", size="7", etag="0" * 32,
            extra={"note": "n", "size class": "small"}), Row(
                "photos", "a\nb, \"c\" & <d>", "null", state="failed", error='two, "words"',
                extra={"note": "1\n2", "size class": "x"}),
        Row("photos", "=1+1", is_delete_marker="true", extra={"note": "😀", "size class": "-"})]
NAMED = [Row("photos", "2024/a.jpg")]    # what a list of keys can name
PLAIN, GZIP, ZSTD = bytes, gzip.compress, zstandard.ZstdCompressor().compress


def write(form, rows, extras=(), end=True):
    """Return the bytes that Output writes to a descriptor."""
    read, out = os.pipe()
    output = Output(form, fd=out)
    os.close(out)
    output.write(rows, extras)
    (output.close if end else output.abandon)()
    with open(read, "rb") as file:
        return file.read()


class Read:
    """What came of reading a manifest from a pipe or a file: rows, fault, and the Input."""

    def __init__(self, data, tmp_path=None, step=None, **options):
        self.rows, self.fault = [], None
        data = data.encode() if isinstance(data, str) else data
        fd, self.feeder = self.pipe(data, step) if tmp_path is None else self.file(data, tmp_path)
        self.input = Input(fd, "m", **options)
        try:
            for rows in self.input.batches():
                self.rows += rows
        except Fault as fault:
            self.fault = fault
        os.close(fd)
        if self.feeder:
            self.feeder.join()

    def pipe(self, data, step):
        """Return a pipe that a thread feeds, `step` bytes at a time."""
        read, out = os.pipe()

        def feed():
            with open(out, "wb", 0) as file:
                try:
                    for start in range(0, len(data), step or max(1, len(data))):
                        piece = data[start:start + (step or len(data))]
                        while piece:
                            piece = piece[file.write(piece):]
                except BrokenPipeError:
                    pass            # the reader had its reasons to leave

        thread = threading.Thread(target=feed)
        thread.start()
        return read, thread

    def file(self, data, tmp_path):
        """Return a file that holds the data."""
        path = tmp_path / "m"
        path.write_bytes(data)
        return os.open(path, os.O_RDONLY), None


# Recognition.

@pytest.mark.parametrize("pack", [PLAIN, GZIP, ZSTD])
@pytest.mark.parametrize("form", ["csv", "xml"])
@pytest.mark.parametrize("step", [None, 1])
def test_either_form_whatever_it_is_called(form, pack, step):
    """The first bytes tell form and compression, however slowly they come."""
    read = Read(pack(write(form, ROWS, EXTRAS)), step=step)
    assert (read.rows, read.fault, read.input.form) == (ROWS, None, form)
    assert (read.input.extras, read.input.warnings) == (EXTRAS, [])


@pytest.mark.parametrize("lead", [b"\xef\xbb\xbf", b"\n\n", b" \n"])
@pytest.mark.parametrize("form", ["csv", "xml"])
def test_blanks_and_a_mark_of_order_before_it(form, lead):
    """What editors and shells put before the first line changes nothing."""
    if form == "csv" and b" " in lead:
        lead = b"\n"
    read = Read(lead + write(form, ROWS, EXTRAS))
    assert (read.rows, read.fault) == (ROWS, None)


@pytest.mark.parametrize("data, what", [
    (b'{"Buckets": []}', "JSON"), (b'\xef\xbb\xbf{"Buckets": []}', "JSON"),
    (b'[{"Key": "a"}]', "JSON"),
    (b'\n  {"sourceBucket":"b"}', "JSON"),
    (b"%%%% HASHDEEP-2.0\n%%%% size,md5,filename\n", "hashdeep's output"),
    (b"PAR1\x15\x04\x15" + bytes(20), "Parquet"), (b"ORC\x11\0\0\x0a" + bytes(20), "ORC"),
    (b"PK\x03\x04\x14\0\x06\0" + bytes(20), "a zip archive"),
    ("bucket,key\n".encode("utf-16"), "UTF-16 text"),
    ("bucket,key\n".encode("utf-16-be"), "UTF-16 text"), (bytes(4096), "zeros"),
    ("bucket,key\n".encode("utf-16-le"), "UTF-16 text"),
    (b"\xfe\xff" + "bucket,key\n".encode("utf-16-be"), "UTF-16 text"),
    (b"BZh91AY&SY" + bytes(20), "bzip2"), (b"\xfd7zXZ\0\0\x04" + bytes(20), "xz")])
def test_foreign_formats_are_named(data, what):
    """A file of another kind is named for what it is, compressed or not, and yields no row."""
    for pack in (PLAIN, GZIP):
        read = Read(pack(data))
        if what:
            assert str(read.fault) == f"m: this looks like {what}, not like a manifest"
        assert not [row for row in read.rows if row.state != FAILED]


@pytest.mark.parametrize("data, says", [
    (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "this is not UTF-8 text, as manifests are"),
    (b"\x7fELF\x02\x01\x01" + bytes(9), "this is not UTF-8 text, as manifests are"),
    (b"head.tsv" + bytes(92) + b"0000644\0", "this is not UTF-8 text, as manifests are"),
    (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "this looks like a PDF, not like a manifest"),
    (b"a.txt\0b.txt\0", "names end with NUL here: -0 --bucket B takes a list of them")])
@pytest.mark.parametrize("bucket", ["", "b"])
def test_what_no_row_can_be_in_is_told_at_once(data, says, bucket):
    """In one line, not once a row."""
    read = Read(data, bucket=bucket)
    assert (read.rows, str(read.fault)) == ([], f"m: {says}")


def test_rows_that_are_no_text_leave_the_others():
    """Names of another encoding, and what was cut within a character."""
    names = [b"caf\xe9.txt", "\u65e5\u672c.txt".encode(), b"plain.txt"]
    read = Read(b"".join(b"b," + name + b"\n" for name in names))
    assert ([bool(row.error) for row in read.rows], read.fault) == ([True, False, False], None)
    name = "\u65e5" * 2000
    assert [row.error for row in Read(f"b,a{name[:300]}\nb,{name}\n".encode()).rows] == [
        "", "line 2: the key is longer than 1024 bytes"]


@pytest.mark.parametrize("key", ["PKG-INFO", "ORCHARD/a.jpg", "PAR1S/b", "BZhang.txt",
                                 "[draft] a.txt", "{id}.txt"])
def test_keys_that_begin_like_foreign_formats(key):
    """A list of keys is no zip archive because its first key begins with PK."""
    read = Read(f"{key}\nb.txt\n".encode(), bucket="b", columns=["key"])
    assert ([row.key for row in read.rows], read.fault) == ([key, "b.txt"], None)


@pytest.mark.parametrize("data", [b"", b"\n", b" \n\n", b"\xef\xbb\xbf"])
def test_nothing_is_not_an_empty_bucket(data):
    """An input without even a header was cut: `s3-manifest` writes one for an empty bucket."""
    for pack in (PLAIN, GZIP, ZSTD):
        read = Read(pack(data))
        assert ((type(read.fault), str(read.fault))
                == (Cut, "m: the input is empty, not even a header came"))


@pytest.mark.parametrize("form", ["csv", "xml"])
def test_an_empty_bucket(form):
    """A manifest without rows is whole."""
    read = Read(write(form, []))
    assert (read.rows, read.fault) == ([], None)


# Cuts.

@pytest.mark.parametrize("pack", [PLAIN, GZIP, ZSTD])
@pytest.mark.parametrize("form", ["csv", "xml"])
def test_cut_at_every_byte(form, pack):
    """Wherever the input ends, the rows are the first of the true ones, each whole, and the cut is
    said.
    """
    data = pack(write(form, ROWS, EXTRAS))
    # the newline after </manifest> says nothing
    enough = len(data) - (form == "xml" and pack is PLAIN)
    wrong = []
    for length in range(len(data) + 1):
        read = Read(data[:length])
        is_prefix = read.rows == ROWS[:len(read.rows)]
        is_said = (type(read.fault) is Cut) == (length < enough)
        if not (is_prefix and is_said):
            wrong.append((length, data[:length][-20:], read.rows, read.fault))
    assert wrong == []


@pytest.mark.system("minutes")
@pytest.mark.parametrize("pack", [PLAIN, GZIP, ZSTD])
@pytest.mark.parametrize("form", ["csv", "xml"])
def test_rows_before_a_cut_are_given(form, pack):
    """A cut loses only what it cuts: of many rows nearly all come, from compressed input as well.
    """
    many = [Row("photos", f"2024/{number:06}.jpg", size=str(number)) for number in range(20_000)]
    data = pack(write_many(form, many))
    read = Read(data[:len(data) * 9 // 10])
    assert type(read.fault) is Cut
    assert read.rows == many[:len(read.rows)]
    assert len(read.rows) > len(many) // 2


def write_many(form, rows):
    """Return a manifest too long for a pipe that nobody reads yet."""
    from s3kit.manifest import csv_form, xml_form
    writer = (xml_form if form == "xml" else csv_form).Writer()
    return writer.begin([]) + writer.rows(rows) + writer.end(len(rows))


@pytest.mark.parametrize("form", ["csv", "xml"])
def test_abandoned_output_is_a_cut_input(form):
    """A command that gives up writes no end mark, so that the next one knows."""
    read = Read(write(form, ROWS, EXTRAS, end=False))
    assert read.rows == ROWS
    assert str(read.fault) == "m: the input was cut: no end mark after 3 rows"


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_broken_compression(ending, tmp_path):
    """A flipped bit in what Output compressed is seen: both kinds carry a checksum."""
    path = str(tmp_path / f"m{ending}")
    output = Output("csv", path)
    output.write(ROWS, EXTRAS)
    output.close()
    with open(path, "rb") as file:
        data = bytearray(file.read())
    unseen = []
    for at in range(len(data)):
        data[at] ^= 0x10
        read = Read(bytes(data))
        if not read.fault and read.rows != ROWS and any(row.state != FAILED for row in read.rows):
            unseen.append(at)
        data[at] ^= 0x10
    assert unseen == []


@pytest.mark.parametrize("pack", [GZIP, ZSTD])
def test_rubbish_after_compressed_data(pack):
    """What follows a whole compressed manifest is not passed over in silence."""
    read = Read(pack(write("csv", ROWS, EXTRAS)) + b"rubbish")
    assert type(read.fault) is Cut


@pytest.mark.parametrize("pack", [GZIP, ZSTD])
def test_much_in_little(pack):
    """Data that expands a thousandfold comes in blocks, not at once."""
    row = b"b,k" + b"," * 16 + b"\n"
    data = pack(b"#s3kit manifest 1\n" + ",".join(COLUMNS).encode() + b"\n" + row * 100_000
                + b"#end rows=100000\n")
    assert len(data) < 50_000           # so that the pipe takes it all
    read, out = os.pipe()
    os.write(out, data)
    os.close(out)
    largest = max(map(len, Input(read, "m").batches()))
    os.close(read)
    assert largest < 20_000


@pytest.mark.parametrize("pack", [GZIP, ZSTD])
def test_a_bomb_costs_no_memory(pack):
    """A few KB that expand to 64 MiB are never in memory at once."""
    bomb = pack(bytes(64 << 20))
    blocks = [bomb[at:at + BLOCK] for at in range(0, len(bomb), BLOCK)]
    tracemalloc.start()
    assert sum(map(len, expand(iter(blocks)))) == 64 << 20
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 << 20


# Counts.

@pytest.mark.parametrize("form, mark, wrong", [("csv", "#end rows=3", "#end rows=4"),
                                               ("xml", '<end rows="3"/>', '<end rows="4"/>')])
def test_a_wrong_count(form, mark, wrong, tmp_path):
    """In a pipe a wrong count is a cut; in a file that a person may have edited it is a warning."""
    data = write(form, ROWS, EXTRAS).replace(mark.encode(), wrong.encode())
    message = "m: the end mark says 4 rows, 3 came"
    piped = Read(data)
    assert (piped.rows, type(piped.fault), str(piped.fault)) == (ROWS, Cut, message)
    filed = Read(data, tmp_path)
    assert (filed.rows, filed.fault, filed.input.warnings) == (ROWS, None, [message])


def test_a_bare_manifest_promises_nothing(tmp_path):
    """Without our line there is no end mark to miss, in a pipe or in a file."""
    for read in (Read(b"key\na\n", bucket="b"), Read(b"key\na\n", tmp_path, bucket="b")):
        assert (([row.key for row in read.rows], read.fault, read.input.warnings)
                == (["a"], None, []))
        assert not read.input.reader.marked


BARE = "".join(f"b,{number}\n" for number in range(3))


@pytest.mark.parametrize("data, wrong", [(f"{BARE}#end rows=8\n", [(8, 3)]),
                                         (f"{BARE}#end rows=3\n", []),
                                         ("b,k\n#end rows=1\n" * 3, []),
                                         (f"bucket,key\n#end rows=0\n{BARE}#end rows=3\n", []),
                                         (f"bucket,key\n{BARE}#end rows=4\n", [(4, 3)]),
                                         (f"#end rows=2\n{BARE}#end rows=3\n", [(2, 0)]), (
                                             f"{BARE}#end rows=1\n{BARE}#end rows=6\n",
                                             [(1, 3), (6, 3)]),
                                         ("b,k\n#end rows=9\n" * 30, [(9, 1)] * 10),
                                         (f"#end rows=5\n{BARE}", [(5, 0)])])
def test_pieces_by_hand_are_held_to_the_end_marks_in_them(data, wrong, tmp_path):
    """`split`, `tail` and `cat` leave bare rows with an end mark: each that does not fit is a
    warning, in a pipe, too.
    """
    for read in (Read(data, columns=["bucket", "key"]),
                 Read(data, tmp_path, columns=["bucket", "key"])):
        assert read.fault is None and all(row.key for row in read.rows)
        assert read.input.warnings == [f"m: the end mark says {said} rows, {came} came" for said,
                                       came in wrong]


@pytest.mark.parametrize("missing, said, came", [(None, 0, 0), (1, 3, 2), (2, 3, 2)])
def test_a_whole_made_of_pieces_of_which_one_is_empty(missing, said, came, tmp_path):
    """`split -l 1` of header and rows, and `cat` of what is left of the pieces."""
    first, *pieces = write("csv", [Row("b", key) for key in "abc"]).splitlines(keepends=True)
    header, pieces = first + pieces[0], pieces[1:]
    data = header + b"".join(piece for number, piece in enumerate(pieces) if number != missing)
    message = f"m: the end mark says {said} rows, {came} came"
    piped, filed = Read(data), Read(data, tmp_path)
    assert (str(piped.fault) if piped.fault else None) == (message if said else None)
    assert (filed.fault, filed.input.warnings) == (None, [message] if said else [])
    assert type(Read(data.rpartition(b"#end")[0]).fault) is Cut         # the last piece, too


def test_every_untrue_end_mark_of_a_file_is_named(tmp_path):
    """Two whole manifests one after another, both edited."""
    data = write("csv", ROWS, EXTRAS)
    both = data.replace(b"rows=3", b"rows=5") + data.replace(b"rows=3", b"rows=1")
    read = Read(both, tmp_path)
    assert read.input.warnings == ["m: the end mark says 5 rows, 3 came",
                                   "m: the end mark says 1 rows, 3 came"]


@pytest.mark.parametrize("pack", [PLAIN, GZIP, ZSTD])
def test_one_after_another(pack):
    """`cat` of two CSV manifests is one manifest, compressed members included."""
    data = write("csv", ROWS, EXTRAS)
    read = Read(pack(data) + pack(data))
    assert (read.rows, read.fault) == (ROWS + ROWS, None)


@pytest.mark.parametrize("counts", [(1, 3), (3, 1), (1, 5), (0, 6)])
def test_every_count_is_held_to(counts):
    """A wrong count is one in the first of two manifests as well, even if the sum is right."""
    data = write("csv", ROWS, EXTRAS)
    both = b"".join(data.replace(b"rows=3", f"rows={count}".encode()) for count in counts)
    assert type(Read(both).fault) is Cut


def test_a_cut_one_before_a_whole_one():
    """`cat cut.csv whole.csv`: the cut in the middle is seen wherever it is."""
    data = write("csv", ROWS, EXTRAS)
    unseen = [data[:length][-20:] for length in range(len(b"#s3kit manifest 1"), len(data) - 1)
              if not Read(data[:length].removesuffix(b"\n") + b"\n" + data).fault]
    assert unseen == []


@pytest.mark.parametrize("data, why", [
    (b"#s3kit manifest 2", "m: manifest version 2 is newer than this s3kit reads"),
    (b"bucket;key", "m: columns are separated by ';': a manifest's are by ','"),
    (b"key,size,key", "m: two columns of the header have the same name")])
def test_a_fault_in_a_last_line_without_its_end(data, why):
    """A fault is one without the newline after it, too: not an empty manifest."""
    assert str(Read(data).fault) == why


def test_faults_name_the_input():
    """Whatever ends the reading says which input it was."""
    for data in (b"#s3kit manifest 2\n", b"<a/>", b"{}", b"", GZIP(b"key\n")[:-3],
                 write("xml", ROWS)[:-20]):
        assert str(Read(data).fault).startswith("m: ")


def test_progress_of_a_file(tmp_path):
    """How far a file is read is known in its own bytes; a pipe has no total."""
    data = GZIP(write("csv", ROWS, EXTRAS))
    read = Read(data, tmp_path)
    assert read.input.total == read.input.taken == len(data)
    assert Read(data).input.total is None


def test_an_error_while_reading(tmp_path):
    """The system's reason is said, and by what name."""
    fd = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(Fault, match="cannot read 'm': Is a directory"):
        list(Input(fd, "m").batches())
    os.close(fd)


# Conversions.

@pytest.mark.parametrize("first, second", [("csv", "xml"), ("xml", "csv")])
def test_there_and_back(first, second):
    """csv -> xml -> csv and xml -> csv -> xml are the identity, unknown columns included."""
    data = write(first, ROWS, EXTRAS)
    other = Read(data)
    back = Read(write(second, other.rows, other.input.extras))
    assert write(first, back.rows, back.input.extras) == data


@settings(deadline=None, max_examples=50)       # threads and pipes wait for their turn
@given(st.lists(st.builds(Row, st.just("b"), st.text(st.characters(exclude_categories=("Cs",)),
                                                     min_size=1, max_size=9), error=st.text(
                                                         st.characters(
                                                             exclude_categories=("Cs", "Cc"),
                                                             exclude_characters="\ufffe\uffff"),
                                                         max_size=9)), max_size=4))
def test_any_rows_there_and_back(rows):
    """What one form holds the other holds too."""
    xml = Read(write("xml", Read(write("csv", rows)).rows))
    assert (xml.rows, xml.fault) == (rows, None)


@pytest.mark.parametrize("attributes", ['Note="1" note="2"', 'a="1" a_x0020_="2"', '_x0053_ize="3"',
                                        'Size="3"', 'size="1" Size="3"', 'xml:lang="en"'])
def test_csv_made_of_any_xml_can_be_read(attributes):
    """Whatever names unknown attributes have, the columns made of them have names that differ."""
    read = Read('<manifest xmlns="urn:s3kit:manifest:1">'
                f'<object bucket="b" key="a" {attributes}/><end rows="1"/></manifest>')
    again = Read(write("csv", read.rows, read.input.extras))
    assert (again.fault, [row.key for row in again.rows]) == (None, ["a"])


def test_late_columns_are_counted_as_lost():
    """A CSV's header is out with the first rows: a column that comes later is named as lost."""
    read, out = os.pipe()
    output = Output("csv", fd=out)
    os.close(out)
    output.write(ROWS[:1], ["note"])
    output.write(ROWS[1:], ["note", "late"])
    output.close()
    os.close(read)
    assert output.lost == {"late"}


def test_rows_go_out_at_once():
    """A later stage starts as soon as the first row is there, not when a buffer is full."""
    read, out = os.pipe()
    output = Output("csv", fd=out)
    os.close(out)
    output.write(ROWS[:1])
    assert b"2024/a.jpg" in os.read(read, 1 << 16)
    output.close()
    assert os.read(read, 100) == b"#end rows=1\n"
    os.close(read)


# Output to a file.

UNPACK = {".csv": PLAIN, ".xml": PLAIN, ".csv.gz": gzip.decompress,
          ".csv.zst": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data)}


@pytest.mark.parametrize("ending", UNPACK)
def test_output_to_a_file(ending, tmp_path):
    """A file appears whole, with the permissions that `>` gives, compressed by its name, and reads
    back.
    """
    path = tmp_path / f"m{ending}"
    form = "xml" if "xml" in ending else "csv"
    output = Output(form, str(path))
    output.write(ROWS[:2], EXTRAS)
    assert not path.exists()
    output.write(ROWS[2:], EXTRAS)
    output.close()
    assert UNPACK[ending](path.read_bytes()) == write(form, ROWS, EXTRAS)
    assert Read(path.read_bytes()).rows == ROWS
    assert os.listdir(tmp_path) == [path.name]
    (tmp_path / "by a shell").write_bytes(b"")
    assert path.stat().st_mode == (tmp_path / "by a shell").stat().st_mode


@pytest.mark.parametrize("ending", UNPACK)
def test_the_old_file_stays_if_the_new_one_is_not_finished(ending, tmp_path):
    """Abandoned after many rows: the old file is as it was, and nothing lies beside it."""
    path = tmp_path / f"m{ending}"
    path.write_bytes(b"old")
    output = Output("csv", str(path))
    for _ in range(100):
        output.write(ROWS * 100, EXTRAS)
    output.abandon()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [path.name]


def test_rewriting_the_file_that_is_read(tmp_path):
    """`-i`: the input stays readable to its end while its replacement is written."""
    path = tmp_path / "m.csv"
    path.write_bytes(write("csv", ROWS, EXTRAS))
    fd = os.open(path, os.O_RDONLY)
    source, output = Input(fd, "m"), Output("csv", str(path))
    for rows in source.batches():
        output.write(rows + rows, source.extras)
    output.close()
    os.close(fd)
    assert Read(path.read_bytes()).rows == ROWS + ROWS


def test_the_same_rows_compress_to_the_same_bytes(tmp_path):
    """No time and no name in the gzip header: equal manifests are equal files."""
    for name in ("a.gz", "b.gz"):
        output = Output("csv", str(tmp_path / name))
        output.write(ROWS, EXTRAS)
        output.close()
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_output_that_nobody_takes():
    """A reader that left is a BrokenPipeError, and a full disk an OSError: never silence."""
    read, out = os.pipe()
    os.close(read)
    for fd in (out, os.open("/dev/full", os.O_WRONLY)):
        output = Output("csv", fd=fd)
        os.close(fd)
        with pytest.raises(OSError):
            output.write(ROWS)
        output.abandon()


def test_a_form_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    """zstd without its library is a Fault, and nothing has been made beside the file."""
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(Fault, match="zstd needs the library"):
        Output("csv", str(tmp_path / "m.csv.zst"))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["m.csv", "m.csv.gz", "m.csv.zst"])
def test_a_full_disk(name, tmp_path):
    """The old file is kept, the error is raised at the latest by `close`, and abandoning takes the
    remains away.
    """
    path = tmp_path / name
    path.write_bytes(b"old")
    output = Output("csv", str(path))
    with file_size(50):
        with pytest.raises(OSError):
            output.write(ROWS, EXTRAS)
            output.close()
        output.abandon()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [name]


# --- foreign forms


def test_a_form_that_is_told(tmp_path):
    """It is read as told, whatever its first bytes look like, compressed or not; an empty list is
    one.
    """
    data = b"#s3kit manifest 1\n{a}\n<manifest\n"
    for pack in (PLAIN, GZIP, ZSTD):
        read = Read(pack(data), tmp_path, bucket="b", form="keys")
        assert [row.key for row in read.rows] == data.decode().splitlines()
        assert (read.fault, read.input.form) == (None, "csv")
    read = Read(b"", tmp_path, bucket="b", form="keys")
    assert (read.rows, read.fault) == ([], None)


def test_a_form_without_an_end_mark_is_held_back():
    """A pipe's reader gets all of it or nothing; a fault in between leaves nothing behind."""
    assert write("keys", NAMED) == b"2024/a.jpg\n"
    assert write("keys", NAMED, end=False) == b""
    read, out = os.pipe()
    output = Output("keys", fd=out)
    os.close(out)
    output.write(NAMED)
    with pytest.raises(Fault, match="end of its line"):
        output.write([Row("photos", "a\nb")])
    output.abandon()
    with open(read, "rb") as file:
        assert file.read() == b""


def test_a_file_of_a_form_without_an_end_mark(tmp_path):
    """It is replaced when all is written."""
    path = tmp_path / "keys.txt.gz"
    for end, expected in (("abandon", False), ("close", True)):
        output = Output("keys", str(path))
        output.write(NAMED)
        getattr(output, end)()
        assert path.exists() == expected
    assert gzip.decompress(path.read_bytes()) == b"2024/a.jpg\n"


@pytest.mark.parametrize("step", [1, 7, None])
@pytest.mark.parametrize("head", [b"<manifest", b"<?xml version='1.0'?>\n<manifest"])
def test_a_manifest_of_ours_is_recognised_in_pieces(head, step):
    """However short they are."""
    read = Read(head + b" xmlns='urn:s3kit:manifest:1'><end rows='0'/></manifest>", step=step)
    assert (read.rows, read.fault) == ([], None)


def test_several_signs_are_asked_back(monkeypatch):
    """Nothing is guessed; what may be many things is looked at beyond the first piece."""
    monkeypatch.setattr(foreign, "FORMS", {
        name: foreign.Form("keys", name, sign=sign)
        for name, sign in (("one", rb"\{"), ("two", rb"\{\}"), ("three", rb"x"))})
    for step in (1, None):
        read = Read(b"{}" + bytes(30), step=step)
        assert str(read.fault) == "m: this can be one or two: say which with --from"
    assert foreign.recognised(b"xyz") == "three"


def test_what_is_more_than_a_stream_has_a_name(monkeypatch, tmp_path):
    """It is opened by its name, and cannot come on standard input."""
    class Opened:
        form, extras = "db", ["more"]

        def batches(self):
            """Yield what it was opened with."""
            yield [Row("b", "k")]
    form = foreign.Form("keys", "a database", sign=rb"DB", is_stream=False)
    monkeypatch.setattr(foreign, "FORMS", {"db": form})
    monkeypatch.setattr(foreign, "opened", lambda *given: asked.append(given) or Opened())
    asked = []
    for told in ("db", None):
        read = Read(b"DB of another tool", tmp_path, form=told)
        assert (read.rows, read.fault, read.input.extras) == ([Row("b", "k")], None, ["more"])
    assert asked == [("db", "m", "", None)] * 2
    source = Input(0, "standard input", form="db")
    with pytest.raises(Fault, match="standard input: a database must be given by name"):
        list(source.batches())


@pytest.mark.parametrize("data, is_told", [
    ("bucket,key\nb,2024/a", True), ("bucket,key\nb,2024/a\n", False),
    ("bucket,key\nb,2024/a\n#end rows=1", False), ("bucket,key", False)])
def test_a_last_line_without_an_end_may_be_half_of_one(data, is_told, tmp_path):
    """A bare manifest promises nothing: its row is taken, and people are told."""
    for folder in (None, tmp_path):
        read = Read(data, folder)
        assert len(read.rows) == data.count("b,") and not read.fault
        assert read.input.warnings == is_told * [
            "m: the last line has no end: if the list was cut, that line names something else"]


def test_a_comment_that_could_be_a_key_is_told(tmp_path):
    """People hear of it, for the key would be lost unseen."""
    (tmp_path / "m").write_text("key,bucket\n#a\nc,b\n")
    fd = os.open(tmp_path / "m", os.O_RDONLY)
    source = Input(fd, "m")
    assert [row.key for batch in source.batches() for row in batch] == ["c"]
    os.close(fd)
    assert source.warnings == ["m: 1 line with '#' first taken as a comment; in a key that begins "
                               "so it is written %23"]
