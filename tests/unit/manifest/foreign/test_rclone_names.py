"""Keys as rclone writes them."""

import pytest

from s3kit.manifest.foreign.rclone_names import is_unsure, key_of


@pytest.mark.parametrize("path, key", [
    ("x\u240ay", "x\ny"), ("x\u201b\u240ay", "x\u240ay"), ("\u2421", "\x7f"), ("a%20b", "a%20b"),
    ("\u241b[31m", "\x1b[31m"), ("\u2420", "\u2420")])
def test_symbols(path, key):
    assert key_of(path) == key and not is_unsure(path)


@pytest.mark.parametrize("path", ["\uff0e\uff0e/a", "a/\uff0e", "\u201bFF", "a\u201b"])
def test_two_keys_that_are_written_alike(path):
    assert is_unsure(path)
