"""The lines of a bag's own files."""

import pytest

from s3kit.errors import Cut, Fault
from s3kit.manifest.foreign.bagit_tags import (check_declaration, check_tags, entries, fetched,
                                               file_count)


def test_lines_of_a_manifest():
    """They end in LF, CR or both; before the name are blanks, and with some tools an asterisk."""
    assert list(entries(b"AB  data/a\r\ncd\t*./data/ b \r\rno\n")) == [
        (1, "AB  data/a", "ab", "data/a"), (2, "cd\t*./data/ b ", "cd", "data/ b "),
        (4, "no", None, None)]


def test_the_declaration():
    said = b"BagIt-Version: %s\r\nTag-File-Character-Encoding: utf-8"
    assert check_declaration(said % b"0.97") == (0, 97)
    for data in (None, b"", said % b"2.0", said % b"x", said.replace(b"utf-8", b"UTF-16") % b"1.0"):
        with pytest.raises(Fault):
            check_declaration(data)


def test_tag_manifests():
    """An algorithm that we do not know holds nothing."""
    empty = "d41d8cd98f00b204e9800998ecf8427e"
    files = {"manifest-md5.txt": b"", "tagmanifest-crc9.txt": b"",
             "tagmanifest-md5.txt": f"{empty} manifest-md5.txt\n{empty} other\n".encode()}
    check_tags(files)
    with pytest.raises(Cut, match="changed or cut"):
        check_tags(files | {"manifest-md5.txt": b"x"})
    with pytest.raises(Cut, match="does not name manifest-sha1.txt"):
        check_tags(files | {"manifest-sha1.txt": b""})


def test_what_is_to_be_fetched():
    found, wrong = fetched(b"http://x 5 data/a b\nftp://y - data/c\nhttp://x data/d\n")
    assert found == {"data/a b": ("http://x", "5"), "data/c": ("ftp://y", "")}
    assert wrong == [("http://x data/d", "fetch.txt, line 3: not URL, length and name")]


def test_the_count_of_files():
    assert file_count(b"Source: x\npayload-oxum: 10.3\n") == [3] and file_count(b"") == []
    with pytest.raises(Cut):
        file_count(b"Payload-Oxum: 10\n")
