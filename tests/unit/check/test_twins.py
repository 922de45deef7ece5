"""Rows that come twice."""

from s3kit.check import twins
from s3kit.check.twins import Twins
from s3kit.manifest.row import Row


def test_the_first_place_is_told(monkeypatch):
    """In order of the later places, across what is written together."""
    monkeypatch.setattr(twins, "TOGETHER", 2)
    base = Twins()
    for place, (key, version) in enumerate([("a", ""), ("b", "1"), ("a", "1"), ("b", "1"),
                                            ("a", ""), ("a", ""), ("b", "")]):
        base.add(Row("x", key, version), place)
    assert list(base.found()) == [(3, 1), (4, 0), (5, 0)]


def test_names_are_not_joined_to_others():
    """Where one ends and the next begins matters."""
    base = Twins()
    base.add(Row("b", "k", "1"), 1)
    base.add(Row("b", "k1"), 2)
    assert list(base.found()) == []
