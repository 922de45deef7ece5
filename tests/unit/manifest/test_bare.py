"""What people write into bare manifests besides rows."""

import pytest

from s3kit.errors import Fault
from s3kit.manifest import bare


@pytest.mark.parametrize("line, is_it", [
    ("# photos of 2024\n", True), ("#\n", True), ('# say "hi", and\n', True), ("#ending\n", True),
    ("#s3kit manifest 2\n", False), ("# S3Kit Manifest 1\n", False), ("#end rows=1,234\n", False),
    ("#shard 1/4\n", False), ("#NAME?,a\n", False), ("#N/A\n", False)])
def test_comments(line, is_it):
    """Not our marks, spoilt ones neither, and not the errors of spreadsheets."""
    assert bare.is_comment(line, True) is is_it


@pytest.mark.parametrize("line", ["#bucket,key\n", "# Bucket, Key, Version ID\n", "#key\n",
                                  "#key,Stored-At\n"])
def test_a_header_is_not_a_comment(line):
    """Or cells would be taken for those of other columns."""
    with pytest.raises(Fault, match="a header begins without '#'"):
        bare.is_comment(line, True)
    assert bare.is_comment(line, False)


@pytest.mark.parametrize("cells, is_first, is_it", [
    (["# note", "", ""], False, True), (["  ", " ", "\t"], False, True), (["sep=", ""], True, True),
    (["sep=", ""], False, False), (["# note", "key"], False, False), (["#NAME?", ""], False, False),
    (["photos", ""], False, False)])
def test_records_that_say_nothing(cells, is_first, is_it):
    """In quotes, or with the empty cells that a spreadsheet adds."""
    assert bare.says_nothing(cells, is_first) is is_it


@pytest.mark.parametrize("check, text, word", [
    (bare.check_separator, "bucket;key", "';'"), (bare.check_separator, "bucket\tkey", "tabs"),
    (bare.check_first_line, '"bucket";"key"\n', "';'"),
    (bare.check_first_line, '"say ""hi"" "\t"key"\n', "tabs"),
    (bare.check_first_line, "bucket,key\rphotos,a\r", "CR alone")])
def test_other_separators(check, text, word):
    """Of columns, with quotes and without, and of lines."""
    with pytest.raises(Fault, match=word):
        check(text)


def test_a_row_is_not_a_separator():
    """A quoted cell may hold semicolons; a row may be broken CSV for its own reasons."""
    bare.check_first_line('"a;b"c,d\r\n')
    bare.check_separator("key")
