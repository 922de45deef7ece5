"""The ledger's table of what S3 says of objects besides their bytes."""

import pytest

from s3kit.disk.descriptions import Descriptions
from s3kit.disk.ledger import Ledger
from s3kit.disk.sqlite_errors import Broken

NAME = ("b", "k", "v")


def test_what_was_recorded_is_found(tmp_path):
    """By another connection, too; of another object under that name nothing is known."""
    first = Descriptions(Ledger(tmp_path))
    assert first.find(NAME, "e") is None
    first.record({NAME: ("e", {"metadata": "a=1"}), ("b", "l", ""): ("f", {})})
    second = Descriptions(Ledger(tmp_path))
    assert second.find(NAME, "e") == {"metadata": "a=1"} and second.find(NAME, "other") is None
    assert second.find(("b", "l", ""), "f") == {}
    second.record({NAME: ("other", {"metadata": "a=2"})})
    assert first.find(NAME, "e") is None and first.find(NAME, "other") == {"metadata": "a=2"}


def test_what_cannot_be_recorded_is_said(tmp_path):
    """And nothing of it is there; the ledger can be used on."""
    found = Descriptions(Ledger(tmp_path))
    found.base.execute("CREATE TRIGGER no BEFORE INSERT ON description WHEN NEW.key = 'bad' "
                       "BEGIN SELECT RAISE(FAIL, 'refused'); END")
    with pytest.raises(Broken, match="refused"):
        found.record({NAME: ("e", {}), ("b", "bad", ""): ("e", {})})
    assert found.find(NAME, "e") is None
    found.record({NAME: ("e", {})})
    assert found.find(NAME, "e") == {}
