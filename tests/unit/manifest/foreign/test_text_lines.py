"""Lists of text, one thing a line."""

import pytest
from foreignruns import read

from s3kit.errors import Cut, Fault
from s3kit.manifest.foreign.text_lines import HOLD, Lines
from s3kit.manifest.row import Row


class Words(Lines):
    """One key a line."""

    def row(self, text):
        """Return the Row of a line, None of an empty one."""
        return Row("b", text, size=str(self.line)) if text else None


@pytest.mark.parametrize("step", [1, None])
def test_lines(step):
    """Also with CR LF, and a byte order mark; they are counted as people do."""
    reader = Words("b")
    rows, stop = read(reader, b"\xef\xbb\xbfa\r\n\r\n\xc3\xa9\xff\n", step)
    assert (rows, stop, reader.count) == (
        [Row("b", "a", size="1"), Row("b", "é\udcff", size="3")], None, 2)


def test_a_line_without_an_end():
    """It is half of one, unless people write such lists, and it lies in a file."""
    for needs_end, is_by_hand in ((True, True), (False, False), (False, True)):
        reader = Words()
        reader.needs_end, reader.is_by_hand = needs_end, is_by_hand
        rows, stop = read(reader, b"a\nb")
        is_taken = is_by_hand and not needs_end
        assert [row.key for row in rows] == (["a", "b"] if is_taken else ["a"])
        assert (isinstance(stop, Cut), reader.lacks_end) == (not is_taken, is_taken)
    assert not reader.stop and reader.count == 2


def test_no_end_at_all():
    stop = read(Words(), b"a\n" + b"x" * (HOLD + 1))[1]
    assert isinstance(stop, Fault) and "line 2: no end" in str(stop)
