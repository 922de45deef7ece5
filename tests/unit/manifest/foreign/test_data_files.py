"""Data files: where they lie, and what they must be."""

import hashlib

import pytest

from s3kit.errors import Cut, Fault
from s3kit.manifest.foreign import data_files
from s3kit.manifest.foreign.data_files import DataFile, Folder, check_sum, checked

NAMES = ("files", "MD5checksum", "size", "bucket")


def test_the_nearest_is_taken(tmp_path):
    """The whole key before the end of it, this directory before those above."""
    (tmp_path / "a/b").mkdir(parents=True)
    folder = Folder(str(tmp_path / "a/b/manifest.json"))
    for place, expected in (("k/d/x", "k/d/x"), ("a/d/x", "a/d/x"), ("a/k/d/x", "a/k/d/x"),
                            ("a/b/x", "a/b/x"), ("a/b/d/x", "a/b/d/x")):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        folder.last = folder.top, 0
        assert folder.find("k/d/x") == str(tmp_path / expected)


def test_a_bare_name_lies_beside(tmp_path):
    """What is only called so, somewhere above, is another file."""
    (tmp_path / "a").mkdir()
    (tmp_path / "x").write_bytes(b"")
    folder = Folder(str(tmp_path / "a/manifest.json"))
    for key in ("k/x", "k/../x", "a/\0x"):
        with pytest.raises(Fault):
            folder.find(key)


def test_checked():
    """All bytes come; then the verdict."""
    good = DataFile("k", size=3, md5=hashlib.md5(b"abc").hexdigest())
    assert b"".join(checked(iter([b"ab", b"c"]), good)) == b"abc"
    for blocks, why in (([b"ab"], "has 2 bytes, not 3"), ([b"abd"], "the MD5 of the data file")):
        came = []
        with pytest.raises(Cut, match=why):
            for block in checked(iter(blocks), good):
                came.append(block)
        assert came == blocks
    assert list(checked(iter([b"x"]), DataFile("k"))) == [b"x"]


def test_check_sum():
    """What is no MD5 says nothing."""
    for told in (None, b"", b"not one", hashlib.md5(b"x").hexdigest().upper().encode() + b"\n"):
        check_sum(b"x", told, "m")
    with pytest.raises(Cut, match="m: its MD5"):
        check_sum(b"x", b"0" * 32, "m")


def test_files_in():
    """Sizes as numbers or as text."""
    entry = {"key": "a", "size": "7", "MD5checksum": "AB" * 16}
    assert data_files.files_in({"files": [entry]}, NAMES, "m") == [DataFile("a", "", 7, "ab" * 16)]
    for wrong in ({"key": 7}, {"key": ""}, {"size": -1}, {"MD5checksum": "x"}):
        with pytest.raises(Fault):
            data_files.files_in({"files": [entry | wrong]}, NAMES, "m")


def test_small_files(tmp_path, monkeypatch):
    """A data file in place of the manifest.json is not read into memory."""
    monkeypatch.setattr(data_files, "MOST", 2)
    (tmp_path / "m").write_bytes(b"abc")
    with pytest.raises(Fault, match="is not a manifest.json"):
        data_files.read_whole(str(tmp_path / "m"))
