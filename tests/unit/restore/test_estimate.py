"""What rows say of what they cost."""

from types import SimpleNamespace

import pytest

from s3kit.manifest.row import Row
from s3kit.restore.estimate import estimate
from s3kit.restore.pricing import Prices

ROWS = [Row("b", "a", size="5", storage_class="GLACIER"), Row("b", "b", storage_class="STANDARD"),
        Row("b", "c", storage_class="DEEP_ARCHIVE"), Row("b", "d"),
        Row("b", "e", storage_class="GLACIER", restore="ongoing"),
        Row("b", "f", storage_class="GLACIER", restore="ready until 2012-12-21T00:00:00Z"),
        Row("b", "g", storage_class="INTELLIGENT_TIERING"),
        Row("b", "h", storage_class="GLACIER", state="verified"),
        Row("b", "left out", storage_class="GLACIER")]


@pytest.mark.parametrize("in_place, again", [(False, False), (True, False), (False, True)])
def test_which_rows_are_counted(in_place, again):
    """Those that a run would ask for; all others stay in a FILE that is rewritten."""
    kept = []
    args = SimpleNamespace(days=7, max_pending=1, max_pending_size=None, tier="Expedited",
                           in_place=in_place, again=again, rules=[(False, False, "left*")],
                           min_size=None, max_size=None, newer=None, older=None, storage_class=None)
    found = estimate(args, Prices(), [ROWS[:4], ROWS[4:]], kept.append)
    assert found.found == {("GLACIER", "Expedited"): [1 + again, 5, int(again)],
                           ("DEEP_ARCHIVE", "Standard"): [1, 0, 1]}
    assert found.others == {
        "of unknown storage class": 1, "asked for already": 1, "readable already": 1,
        "INTELLIGENT_TIERING: those in an archive tier come back free of charge, unless "
        "Expedited": 1}
    assert kept == (ROWS if in_place else ROWS[:-1]) and found.rounds() == 2 + again
