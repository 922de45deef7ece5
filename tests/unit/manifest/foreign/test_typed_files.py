"""Parquet and ORC: values of any type as text."""

import io
from datetime import datetime, timedelta, timezone

import pyarrow
import pyarrow.orc
import pyarrow.parquet
import pytest

from s3kit.manifest.foreign import typed_files

TIME = datetime(2025, 1, 2, 3, 4, 5, 678000, timezone.utc)


@pytest.mark.parametrize("values, kind, expected", [
    ([True, False, None], pyarrow.bool_(), ["true", "false", ""]),
    ([(1 << 63) - 1, 0, None], pyarrow.int64(), ["9223372036854775807", "0", ""]),
    (["007", "", None], pyarrow.string(), ["007", "", ""]),
    (["é\n", None], pyarrow.large_string(), ["é\n", ""]),
    (["a", "a", None], pyarrow.dictionary(pyarrow.int32(), pyarrow.string()), ["a", "a", ""]),
    (["é".encode(), b"\xff", None], pyarrow.binary(), ["é", "\udcff", ""]),
    ([TIME, TIME.replace(microsecond=0), None], pyarrow.timestamp("ms", "UTC"),
     ["2025-01-02T03:04:05.678Z", "2025-01-02T03:04:05.000Z", ""]),
    ([TIME.astimezone(timezone(timedelta(hours=2)))], pyarrow.timestamp("ns", "+02:00"),
     ["2025-01-02T03:04:05.678Z"]),
    ([TIME.replace(tzinfo=None)], pyarrow.timestamp("us"), ["2025-01-02T03:04:05.678Z"]),
    ([TIME.date()], pyarrow.date32(), ["2025-01-02"])])
def test_texts(values, kind, expected):
    """As CSV has them; times in UTC."""
    assert typed_files.texts(pyarrow.array(values, kind)) == expected


def test_text_that_is_none():
    """What claims to be UTF-8 and is not is seen later, in the row."""
    broken = pyarrow.array([b"\xff", b"a", None]).view(pyarrow.string())
    assert typed_files.texts(broken) == ["\udcff", "a", ""]


@pytest.mark.parametrize("kind", ["Parquet", "ORC"])
def test_in_batches(kind):
    """Memory holds some thousand rows, whatever the file's own groups; rows are numbered through.
    """
    rows, out = 2 * typed_files.ROWS + 1, io.BytesIO()
    table = pyarrow.table({"key": [str(at) for at in range(rows)]})
    if kind == "Parquet":
        pyarrow.parquet.write_table(table, out, row_group_size=rows)
    else:
        pyarrow.orc.write_table(table, out)
    found = list(typed_files.batches(io.BytesIO(out.getvalue()), kind, "x", "b"))
    assert all(len(columns[0]) <= typed_files.ROWS for _, columns, _ in found)
    assert [text for _, columns, _ in found for text in columns[0]] == table["key"].to_pylist()
    assert [first for *_, first in found][:2] == [1, 1 + len(found[0][1][0])]
