"""The rows of which an expression holds, and columns that the input does not have."""

from types import SimpleNamespace

import pytest

from s3kit.errors import Fault, Usage
from s3kit.filter.expression import Expression
from s3kit.filter.where import Where
from s3kit.manifest.row import Row


def where(text, batches, extras=(), has_header=True):
    """Return the keys of the rows that stay."""
    source = SimpleNamespace(extras=lambda: extras, has_header=lambda: has_header)
    return [row.key for rows in Where(Expression(text), source)(iter(batches)) for row in rows]


def test_rows_stay_where_it_is_true():
    """Not where it is not known; what makes no sense stays."""
    rows = [Row("b", "big", size="2048"), Row("b", "small", size="1"), Row("b", "unknown"),
            Row("b", "nonsense", state="failed", verbatim={"key": "nonsense"})]
    assert where("size > 1K", [rows]) == ["big", "nonsense"]
    assert where("not size > 1K", [rows]) == ["small", "nonsense"]


def test_a_column_that_the_input_does_not_have():
    """Of CSV that is known before the first row, of XML after the last."""
    rows = [[Row("b", "k")], [Row("b", "l")]]
    with pytest.raises(Usage, match="--where: at character 1, 'siez > 1': there is no column"):
        where("siez > 1", rows)
    with pytest.raises(Fault, match="there is no column 'siez'") as told:
        where("siez > 1", rows, has_header=False)
    assert told.value.status == 3
    assert where("\"siez\" > 1", rows) == [] and where("siez > 1", []) == []
    assert where("siez is empty", rows, ["siez"]) == ["k", "l"]
    assert where("siez is empty", rows, ["siez"], has_header=False) == ["k", "l"]
