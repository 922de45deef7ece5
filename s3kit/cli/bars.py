"""A line on the terminal for each stage of a pipeline, drawn by the last of them that is at work.

The cursor stays at the beginning of the first line. So whoever has something to say, of any stage,
clears that line, writes, and the next picture comes below.
"""

import os
import sys

from s3kit.cli.messages import put
from s3kit.runs import pipelines
from s3kit.runs.facts import facts_of
from s3kit.text import visible

LEAST_BAR = 60          # columns of a terminal that has room for a bar


class Bars:
    """The lines of a terminal: how many are there."""

    def __init__(self):
        self.height = 0

    def draw(self, snapshots):
        """Show Snapshots, in the order of the pipe, with one write."""
        columns = width()
        left = pipelines.left_of(snapshots)
        lines = [line_of(each, columns, left if each is snapshots[-1] else each.left)
                 for each in snapshots]
        self.height = len(lines)
        put("\r" + "\x1b[K\n".join(lines) + "\x1b[J" + back(self.height))

    def clear(self):
        """Take them away."""
        if self.height:
            put("\r\x1b[J")
            self.height = 0


def back(height):
    """Return what brings the cursor back to the first of so many lines."""
    return (f"\x1b[{height - 1}A" if height > 1 else "") + "\r"


def width():
    """Return how many columns may be written without a terminal's wrapping the line."""
    try:
        return max(20, os.get_terminal_size(2).columns - 1)
    except OSError:
        return 79


def line_of(snapshot, columns, left):
    """Return the line of a Snapshot, so many columns wide at most, with `left` seconds to go."""
    from tqdm import tqdm
    name = f"{snapshot.command:<11} "
    facts = ", ".join(facts_of(snapshot, left))
    share = snapshot.share
    if share is None or columns < LEAST_BAR:
        return visible(name + facts)[:columns]
    text = visible(f" {facts}").replace("{", "(").replace("}", ")")
    bar = tqdm.format_meter(snapshot.done, snapshot.total, 0, ncols=columns, ascii=not is_utf8(),
                            bar_format=f"{name}{share:4.0%} |{{bar}}|{text}")
    return bar[:columns]


def is_utf8():
    """Whether the terminal takes the blocks that bars are drawn with."""
    return "utf" in (getattr(sys.stderr, "encoding", None) or "").lower()
