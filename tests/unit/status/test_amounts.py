"""Counting by kind, in bounded memory."""

from s3kit.status import amounts
from s3kit.status.amounts import NONE, OTHERS, Amounts


def test_amounts_are_sums_by_name():
    """What is not said has a name, too; the most rows come first."""
    found = Amounts()
    for name, *numbers in (("a", 1, 10, 0), ("", 2, 5, 1), ("a", 4, 1, 2)):
        found.add(name, *numbers)
    assert list(found.facts().items()) == [
        ("a", {"rows": 5, "bytes": 11, "rows_of_unknown_size": 2}),
        (NONE, {"rows": 2, "bytes": 5, "rows_of_unknown_size": 1})]


def test_kinds_are_bounded(monkeypatch):
    """Nothing is lost: the rest is counted together, and comes last."""
    monkeypatch.setattr(amounts, "MOST_KINDS", 3)
    found = Amounts()
    for number in range(100):
        found.add(f"k{number}".ljust(100_000), 1, number, 0)
    facts = found.facts()
    assert [name.strip() for name in facts] == ["k0", "k1", "k2", OTHERS]
    assert max(map(len, facts)) == 300
    assert facts[OTHERS] == {"rows": 97, "bytes": sum(range(3, 100)), "rows_of_unknown_size": 0}
