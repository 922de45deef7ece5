"""The runs of a user on the whole screen, for as long as one likes to look; drawn by rich."""

import os
import select
import time
from contextlib import contextmanager

from s3kit.runs import pipelines
from s3kit.runs.facts import amount, how_much
from s3kit.runs.pace import show_left
from s3kit.runs.snapshot import DEAD, DONE, FAILED, RUNNING, STALLED
from s3kit.status.live import command_line, heading, lines, says, state_of, trouble, wrong_of
from s3kit.text import visible
from s3kit.units import show_span

FRAME_SECONDS = 0.5
LINE_SECONDS = 60.0         # without a terminal
NAME_WIDTH, STATE_WIDTH = len("  s3-manifest"), len("status 141")


def watch(read, check, write):
    """Show what `read()` returns, (groups, unread), until somebody presses q; without a terminal
    `write` it once a minute until nothing is at work. `check()` raises if a signal came.
    """
    if not os.isatty(1):
        watch_in_lines(read, check, write)
        return
    from rich.console import Console, ConsoleDimensions
    from rich.live import Live
    console = Console()
    with keys() as pressed, Live(console=console, screen=True, auto_refresh=False) as live:
        while not pressed(FRAME_SECONDS):
            check()
            # rich would rather believe an environment that knows of no resize
            console.size = size = ConsoleDimensions(*os.get_terminal_size(1))
            live.update(picture(*read(), *size), refresh=True)


def watch_in_lines(read, check, write):
    """Write the runs once a minute."""
    said = None
    while True:
        groups, unread = read()
        now = time.monotonic()
        is_over = not any(map(pipelines.is_at_work, groups))
        if is_over or said is None or now - said >= LINE_SECONDS:
            said = now
            write("".join(f"{visible(line)}\n" for line in lines(groups, unread)))
        if is_over:
            return
        check()
        time.sleep(FRAME_SECONDS)


@contextmanager
def keys():
    """Within this, what it gives waits so many seconds and returns whether q was pressed."""
    if not os.isatty(0):
        yield lambda seconds: time.sleep(seconds)
        return
    import termios
    import tty
    before = termios.tcgetattr(0)

    def pressed(seconds):
        ready, _, _ = select.select([0], [], [], seconds)
        return bool(ready) and os.read(0, 100)[:1] in (b"q", b"Q", b"")

    try:
        tty.setcbreak(0)
        yield pressed
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def picture(groups, unread, columns, height):
    """Return what rich draws of pipelines: no more lines than there are."""
    from rich.console import Group
    shown = sorted(groups, key=lambda group: (not pipelines.is_at_work(group),
                                              -min(each.began for each in group)))
    parts, room = [], height - 1
    for number, group in enumerate(shown):
        if room < len(group) + 1:
            parts.append(line_of(f"and {len(shown) - number:,} more runs", "dim"))
            break
        drawn, taken = pipeline(group, columns, room)
        parts += drawn
        room -= taken
    if not groups:
        parts.append(line_of(next(lines(groups, unread))))
    return Group(*parts)


def line_of(text, style=""):
    """Return one line, cut where the screen ends."""
    from rich.text import Text
    return Text(visible(text), style=style, no_wrap=True, overflow="ellipsis")


def pipeline(group, columns, room):
    """Return (what rich draws of a pipeline, how many lines that are): its stages, then as much of
    what they had trouble with, and of what workers are at, as there is room for.
    """
    parts = [line_of(heading(group), "bold"), stages(group, columns)]
    told = troubles(group)[:max(0, room - len(group) - 1)]
    parts += map(line_of, told)
    taken = len(group) + 1 + len(told)
    workers, more = workers_of(group, room - taken - 1)
    if workers:
        parts.append(worker_table(workers))
    if more:
        parts.append(line_of(f"  and {more:,} more workers", "dim"))
    return parts, taken + len(workers) + bool(more)


def troubles(group):
    """Return lines about what the stages of a pipeline had trouble with, and of how it goes on."""
    found = [f"  {each.command}: {text.strip()}" for each in group for text in trouble(each)]
    found += [f"  {each.command}: {says(each)}" for each in group
              if each.state() in (DEAD, STALLED)]
    if state_of(group) == DEAD:
        found.append(f"  to go on: {command_line(group)}")
    return found


def stages(group, columns):
    """Return the table of a pipeline's stages, a line each."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text
    table = Table.grid(padding=(0, 1), expand=any(each.share is not None for each in group))
    for justify, ratio, least in (
            ("left", None, NAME_WIDTH), ("left", None, STATE_WIDTH), ("right", None, None),
            ("left", 1, None), ("left", None, None), ("right", None, None), ("right", None, None),
            ("right", None, None)):
        table.add_column(justify=justify, ratio=ratio, min_width=least, no_wrap=True,
                         overflow="ellipsis")
    for each in group:
        share, wrong, state = each.share, wrong_of(each), each.state()
        is_over = state not in (RUNNING, STALLED)
        style = ("red" if wrong or state not in (RUNNING, DONE) else
                 "green" if is_over else "")
        table.add_row(
            f"  {each.command}",
            Text(f"status {each.status}" if state == FAILED else state, style=style),
            "" if share is None else f"{share:.0%}",
            ProgressBar(total=1.0, completed=share, width=None) if share is not None
            and columns >= 80 else "", how_much(each),
            f"{amount(each, each.speed)}/s" if each.speed and not is_over else "",
            show_left(each.left) if each.left >= 0 and not is_over else "",
            Text(f"{wrong:,} wrong", style="red") if wrong else f"{each.count:,} rows"
            if each.unit == "B" else "")
    return table


def workers_of(group, most):
    """Return (workers that something is under way in, how many more there are); `most` of them."""
    found = [(each, worker) for each in group if each.state() in (RUNNING, STALLED)
             for worker in each.workers if worker["name"]]
    most = max(0, most)
    return found[:most], len(found) - most if len(found) > most > 0 else 0


def worker_table(workers):
    """Return the table of what workers are at, a line each."""
    from rich.table import Table
    table = Table.grid(padding=(0, 1), expand=True)
    for justify, ratio in (("right", None), ("left", 1), ("right", None), ("right", None),
                           ("right", None)):
        table.add_column(justify=justify, ratio=ratio, no_wrap=True, overflow="ellipsis")
    now = time.time()
    for each, worker in workers:
        size = worker["size"]
        share = f"{min(1.0, worker['moved'] / size):.0%}" if size else ""
        host = f"{visible(worker['host'])}:" if worker.get("host") else ""
        table.add_row(f"    {host}{worker['pid']}", visible(worker["name"]), share,
                      f"{amount(each._replace(unit='B'), worker['speed'])}/s",
                      show_span(max(0.0, now - worker["since"])))
    return table
