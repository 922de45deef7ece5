"""Which rows stay, by what each says."""

from types import SimpleNamespace

import pytest

from s3kit.filter.selection import Selection
from s3kit.manifest.row import Row

NOTHING = {"rules": None, "min_size": None, "max_size": None, "newer": None, "older": None,
           "storage_class": None, "state": None, "latest": None, "markers": None}
ROWS = {"new": Row("b", "new", "v2", is_latest="true", is_delete_marker="false", state="listed"),
        "old": Row("b", "old", "v1", is_latest="false", is_delete_marker="false", state="failed"),
        "marker": Row("b", "marker", "v3", is_latest="true", is_delete_marker="true",
                      state="listed"),
        "plain": Row("b", "plain"),
        "silent": Row("b", "silent", "v1", state="mismatch"),
        "null": Row("b", "null", "null", state="failed"),
        "nonsense": Row("b", "nonsense", state="failed", verbatim={"key": "nonsense"})}


@pytest.mark.parametrize("given, kept", [
    ({}, "new old marker plain silent null nonsense"),
    ({"state": ["failed", "mismatch"]}, "old silent null nonsense"),
    ({"state": ["none"]}, "plain nonsense"),
    ({"state": ["verified"]}, "nonsense"),
    ({"latest": True}, "new marker plain nonsense"),
    ({"latest": False}, "old nonsense"),
    ({"markers": True}, "marker nonsense"),
    ({"markers": False}, "new old plain silent null nonsense"),
    ({"latest": True, "markers": False}, "new plain nonsense"),
    ({"rules": [(True, False, "n*")], "latest": True}, "new nonsense")])
def test_what_stays(given, kept):
    select = Selection(SimpleNamespace(**NOTHING | given))
    batches = list(select(iter([list(ROWS.values())[:3], list(ROWS.values())[3:]])))
    assert [row.key for rows in batches for row in rows] == kept.split()
    assert all(batches), "an empty batch goes no further"
