"""A row on its way."""

from s3kit.manifest.row import Row
from s3kit.pipeline.errand import Errand


def test_an_errand_has_its_row_s_name_and_patience_of_its_own():
    """Two errands are not tried together."""
    first, second = Errand(Row("b", "k", "v"), "job"), Errand(Row("b", "l"))
    assert first.name == ("b", "k", "v") and second.name == ("b", "l", "") and first.job == "job"
    assert first.patience.wait(1, False) is not None and first.patience.wait(1, False) is None
    assert second.patience.wait(1, False) is not None
