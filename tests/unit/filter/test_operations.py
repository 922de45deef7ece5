"""Operations, in the order in which rows pass them."""

from types import SimpleNamespace

from unit.filter.strategies import Given

from s3kit.filter.operations import operations
from s3kit.manifest.row import Row

NOTHING = {"rules": None, "min_size": None, "max_size": None, "newer": None, "older": None,
           "storage_class": None, "state": None, "latest": None, "markers": None, "merge": False,
           "at": None, "undelete": False, "minus": (), "common": (), "extra": False, "dest": ".",
           "sort": None, "shard": None, "shard_index": None, "shards": None, "where": (),
           "skip": None, "first": None, "sample": None, "seed": None}


def test_sets_then_selection_then_order_then_number():
    """What is chosen is chosen among what the sets give; the first are the first in order."""
    args = SimpleNamespace(**NOTHING | {"merge": True, "minus": ("other",), "state": ["failed"],
                                        "sort": [("key", True)], "skip": 1, "first": 1})
    rows = [Row("b", key, state="failed") for key in "abcd"]
    given = Given([rows, [Row("b", "c", state="listed")]])
    batches = given.batches()
    for operation in operations(args, given, lambda path: Given([[Row("b", "d")]]), print):
        batches = operation(batches)
    assert [row.key for rows in batches for row in rows] == ["a"]
