"""JSON, one object a line: lines, pieces and ends."""

import pytest
from foreignruns import read

from s3kit.errors import Cut, Fault
from s3kit.manifest.foreign import json_lines
from s3kit.manifest.foreign.plain import plain_row


class Keys(json_lines.Lines):
    """A form of one member."""

    def take(self, entry, line):
        """Return a row, None for an object without a key."""
        return plain_row({"bucket": "b", "key": entry["k"]}, f"line {line}") if entry else None


@pytest.mark.parametrize("step", [1, 5, None])
def test_lines(step):
    """With CR LF, blanks, a byte order mark, nothing at the end, and nonsense between them."""
    data = b'\xef\xbb\xbf{"k": "a"}\r\n\n {}\n[1]\nx\n{"k": "\xff"}\n{"k": "z"}'
    rows, stop = read(Keys(), data, step)
    assert stop is None and [(row.state, row.error) for row in rows] == [
        ("listed", ""), ("failed", "line 4: not an object of JSON"),
        ("failed", "line 5: not an object of JSON"),
        ("failed", "line 6: the key is not Unicode text"), ("listed", "")]


@pytest.mark.parametrize("rest", [b'{"k": "b', b'{"k": "b"', b"{", b"x"])
def test_a_cut_line(rest):
    """The last one, without its end, is not taken for nonsense."""
    rows, stop = read(Keys(), b'{"k": "a"}\n' + rest)
    assert len(rows) == 1 and isinstance(stop, Cut) and str(stop) == "line 2: the input was cut"


def test_a_line_without_end(monkeypatch):
    monkeypatch.setattr(json_lines, "HOLD", 1000)
    rows, stop = read(Keys(), b'{"k": "a"}\n{"k": "' + b"x" * 5000, 100)
    assert len(rows) == 1 and type(stop) is Fault and "line 2: no end" in str(stop)
