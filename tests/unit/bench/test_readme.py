"""README's table, as the bench writes it."""

from pathlib import Path

import pytest
from readme import FROM, TO, markdown, seconds, write

from unit.bench.tables import table, tool

FACTS = {"s3kit": "/checkout, commit abc", "date": "2026-11-28", "cores": 2, "rounds": 3,
         "quick": False, "file system": "ext4", "peers": {"s5cmd": "v2.3.0"}}


def test_rows():
    """In the order of the goals; where s3kit is behind, the ratio is bold."""
    behind = table("medium", tool("s3kit fetch", [2], 3),
                   tool("s5cmd cp", [1], 6, needs="s5cmd", sync=1.5),
                   tool("rclone copy", [9], needs="rclone", status=1), about="1,000 x 1 MiB")
    ahead = table("small", tool("s3kit fetch", [2], 3),
                  tool("aws s3 cp", [20], 30, needs="aws", sync=1), about="10,000 x 4 KiB")
    text = markdown(FACTS, [behind, ahead])
    assert text.startswith("Measured by `make bench` on 2026-11-28, commit abc, with 2 cores and "
                           "ext4, beside s5cmd v2.3.0. Medians of at most 3")
    assert text.splitlines()[-2:] == [
        "| 10,000 x 4 KiB | 2.0 / 3.0 |  |  |  | 20 / 30 | 10.00 / 10.00 / 10.50 |",
        "| 1,000 x 1 MiB | 2.0 / 3.0 | 1.0 / 6.0 | failed |  |  | **0.50** / 2.00 / 1.25 |"]


def test_what_has_no_column_has_no_row():
    """Tables that others win, that nobody wins, or that no goal names."""
    ours = tool("s3kit fetch", [2])
    other = tool("s5cmd cp", [1], needs="s5cmd")
    text = markdown(FACTS, [table("verify-small", ours, tool("md5sum", [1], needs="md5sum")),
                            table("small", ours), table("unknown", ours, other)])
    assert text.endswith("| --- |\n")


def test_written_into_its_place(tmp_path):
    """Between the marks, again and again; into a file of its own where there are none."""
    page = tmp_path / "README.md"
    page.write_text(f"before\n{FROM}old\n{TO}after\n")
    for text in ("| first \\1 |\n", "| second |\n"):
        write(page, text)
        assert page.read_text() == f"before\n{FROM}\n{text}\n{TO}after\n"
    for _ in range(2):
        write(tmp_path / "new", "| text |\n")
        assert (tmp_path / "new").read_text() == "| text |\n"


def test_readme_has_the_place():
    """Once."""
    text = (Path(__file__).parents[3] / "README.md").read_text()
    assert text.count(FROM) == text.count(TO) == 1 and text.index(FROM) < text.index(TO)


@pytest.mark.parametrize("wall, text", [(0.123, "0.12"), (0.949, "0.95"), (0.95, "0.9"),
                                        (9.94, "9.9"), (12.4, "12"), (123.6, "124")])
def test_seconds(wall, text):
    """Two digits."""
    assert seconds({"wall": wall, "cpu": 1}) == f"{text} / 1.0"
