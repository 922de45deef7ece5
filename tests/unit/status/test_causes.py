"""Errors by cause."""

from s3kit.manifest.row import Row
from s3kit.status import causes
from s3kit.status.causes import Causes


def test_rows_of_one_cause_are_one():
    """The first is the example; the most rows come first."""
    found = Causes()
    found.add(Row("b", "x", state="vanished"), 0, True)
    for key in ("a", "it's", "c"):
        found.add(Row("b", key, "v", state="missing", error=f"there is no file 'b/{key}'",
                      path=f"b/{key}"), 5, False)
    found.add(Row("b", "d", state="failed", error="there is no file 'd'"), 0, True)
    first, second = found.facts()
    assert first == {
        "cause": "there is no file '...'", "rows": 4, "bytes": 15, "rows_of_unknown_size": 1,
        "states": {"missing": 3, "failed": 1}, "error": "there is no file 'b/a'",
        "example": {"bucket": "b", "key": "a", "version_id": "v"},
        "advice": "s3-fetch tries it again"}
    assert second["cause"] == "vanished, and the row does not say why"
    assert second["advice"].startswith("the row is out of date")


def test_causes_are_bounded(monkeypatch):
    """Nothing is lost: the rest is counted together; and no cell of any length is kept."""
    monkeypatch.setattr(causes, "MOST_CAUSES", 2)
    found = Causes()
    for letter in "wxyz":
        found.add(Row("b", "k" * 5000, state="failed", error=letter * 5000), 2, False)
    facts = found.facts()
    assert len(facts) == 2 and found.others.facts() == {"rows": 2, "bytes": 4,
                                                        "rows_of_unknown_size": 0}
    assert all(len(each["error"]) == 1000 and len(each["example"]["key"]) == 1024
               for each in facts)
