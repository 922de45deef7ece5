"""README's table, as the bench writes it."""

import pytest
from readme import markdown, seconds

from unit.bench.tables import table, tool


def test_rows():
    """In the order of the goals; where s3kit is behind, the ratio is bold."""
    behind = table("medium", tool("s3kit fetch", [2], 3), tool("s5cmd cp", [1], 6, needs="s5cmd"),
                   tool("rclone copy", [9], needs="rclone", status=1), about="1,000 x 1 MiB")
    ahead = table("small", tool("s3kit fetch", [2], 3), tool("aws s3 cp", [20], 30, needs="aws"),
                  about="10,000 x 4 KiB")
    assert markdown([behind, ahead]).splitlines()[2:] == [
        "| 10,000 x 4 KiB | 2.0 / 3.0 |  |  |  | 20 / 30 | 10.00 / 10.00 |",
        "| 1,000 x 1 MiB | 2.0 / 3.0 | 1.0 / 6.0 | failed |  |  | **0.50** / 2.00 |"]


def test_what_has_no_column_has_no_row():
    """Tables that others win, that nobody wins, or that no goal names."""
    ours = tool("s3kit fetch", [2])
    other = tool("s5cmd cp", [1], needs="s5cmd")
    assert markdown([table("verify-small", ours, tool("md5sum", [1], needs="md5sum")),
                     table("small", ours), table("unknown", ours, other)]).count("\n") == 2


@pytest.mark.parametrize("wall, text", [(0.123, "0.12"), (0.949, "0.95"), (0.95, "0.9"),
                                        (9.94, "9.9"), (12.4, "12"), (123.6, "124")])
def test_seconds(wall, text):
    """Two digits."""
    assert seconds({"wall": wall, "cpu": 1}) == f"{text} / 1.0"
