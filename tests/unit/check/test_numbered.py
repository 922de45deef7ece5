"""Rows with their lines."""

import os

import pytest

from s3kit.check.numbered import NumberedInput

TEXT = '# mine\nbucket,key\nb,"a\nb"\n\n# two\nb,c\nb,"x"y\n,\nb,d'
XML = ('<manifest xmlns="urn:s3kit:manifest:1"><object bucket="b" key="a"/>\n'
       '<object bucket="b" key="c"/><end rows="2"/></manifest>')


def numbered(tmp_path, text):
    """Return ([(number, key)], the input) of a manifest."""
    (tmp_path / "m").write_text(text)
    fd = os.open(tmp_path / "m", os.O_RDONLY)
    source = NumberedInput(fd, "m")
    found = [(number, row.key) for some in source.numbered() for number, row in some]
    os.close(fd)
    return found, source


def test_lines(tmp_path):
    """Comments and blank lines count; a row has the line on which it ends."""
    found, source = numbered(tmp_path, TEXT)
    assert found == [(4, "a\nb"), (7, "c"), (8, ""), (10, "d")]
    assert source.has_lines and source.reader.header_line == 2


def test_lines_of_a_long_file(tmp_path):
    """Whatever block a row is in."""
    found, _ = numbered(tmp_path, "b,k\n" * 100_000)
    assert [number for number, _ in found] == list(range(1, 100_001))


@pytest.mark.parametrize("text", [XML])
def test_rows(tmp_path, text):
    """A form without lines."""
    found, source = numbered(tmp_path, text)
    assert found == [(1, "a"), (2, "c")] and not source.has_lines
