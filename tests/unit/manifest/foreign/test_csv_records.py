"""CSV without a header, in pieces, and the short way for files in which all is quoted."""

import csv
import io

from hypothesis import example, given
from hypothesis import strategies as st

from s3kit.errors import Cut, Fault
from s3kit.manifest.csv_form import HOLD
from s3kit.manifest.foreign.csv_records import Records, quoted_columns

CELLS = st.text(st.sampled_from('a",\n%é'), max_size=4)


def read(*pieces):
    """Return (lines, records) of pieces."""
    records, lines, found = Records(), [], []
    for numbers, rows in [*(records.feed(piece) for piece in pieces), records.close()]:
        lines += numbers
        found += rows
    return lines, found


@given(st.lists(st.lists(CELLS, min_size=1, max_size=3), max_size=9), st.integers(1, 30),
       st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_as_csv_has_written(records, step, quoting):
    """Whatever the pieces."""
    text = io.StringIO()
    csv.writer(text, quoting=quoting, lineterminator="\n").writerows(records)
    data = text.getvalue().encode()
    assert read(*(data[at:at + step] for at in range(0, len(data), step)))[1] == records


@given(st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=6), st.integers(1, 4))
@example([["a", "b"], ["c", "d"]], 2)
@example([["", "a"], ["", ""]], 2)
@example([[""], ["", "", ""]], 2)
def test_the_short_way_is_the_same(records, width):
    """Either it gives what csv gives, or nothing."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(records)
    columns = quoted_columns(text.getvalue(), width)
    assert columns is None or list(zip(*columns)) == list(map(tuple, records))
    plain = all(len(record) == width and not any(set('"\n') & set(cell) for cell in record)
                for record in records)
    assert (columns is not None) == (plain and bool(records))


@given(st.text(st.sampled_from('a",\n'), max_size=24), st.integers(1, 3))
def test_the_short_way_of_any_text(text, width):
    """What is not what it looks like is left to csv."""
    columns = quoted_columns(text, width)
    if columns is not None:
        assert list(zip(*columns)) == list(map(tuple, csv.reader(io.StringIO(text, newline="\n"),
                                                                 strict=True)))


def test_lines_are_counted():
    """A record is named by the line on which it begins; empty lines count, a mark does not."""
    assert read(b'\xef\xbb\xbfa,"x\n', b'y"\n\n', b"b\r\n", b"c") == (
        [1, 4, 5], [["a", "x\ny"], ["b"], ["c"]])


def test_what_is_not_csv():
    """It is a record of its own; what never ends is cut."""
    assert read(b'a\n"b"c\nd\n') == ([1, 2, 3], [["a"], None, ["d"]])
    for data, kind, why in ((b'a\n"b\nc\n', Cut, "line 2: a quote is opened and never closed"),
                            (b'a\n"' + b"a\n" * HOLD, Fault, "line 2: no end of the record")):
        records = Records()
        found = records.feed(data)[1] + records.close()[1]
        assert found == [["a"]] and str(records.stop).startswith(why)
        assert type(records.stop) is kind
    assert read(b"\xff\n")[1] == [["\udcff"]]


def test_lenient():
    """What is nearly CSV is read somehow, and no line of it is lost, be it in another's quote."""
    for data, expected in ((b'{"a":"b","c":"d"}\nx\n', [['{"a":"b"', 'c:"d"}'], ["x"]]),
                           (b'"a\nb"c\nx\n', [["a\n"], ['b"c'], ["x"]]),
                           (b'1,"a\n2,b\n3,"c" d\nx\n',
                            [["1", "a\n"], ["2", "b"], ["3", "c d"], ["x"]]),
                           (b'"a"b\rc\nx\n', [None, ["x"]])):
        records = Records(is_lenient=True)
        assert records.feed(data)[1] + records.close()[1] == expected and not records.stop
