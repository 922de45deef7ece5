"""The runs of a user on the whole screen, for as long as one likes to look; drawn by rich."""

import os
import select
import time
from contextlib import contextmanager

from s3kit.runs import pipelines
from s3kit.runs.facts import amount, how_much
from s3kit.runs.pace import show_left
from s3kit.status.live import heading, lines, says, wrong_of
from s3kit.text import visible
from s3kit.units import show_span

FRAME_SECONDS = 0.5
LINE_SECONDS = 60.0         # without a terminal


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
    from rich.text import Text
    shown = sorted(groups, key=lambda group: (not pipelines.is_at_work(group),
                                              -min(each.began for each in group)))
    parts, room = [], height - 1
    for number, group in enumerate(shown):
        if room < len(group) + 1:
            parts.append(Text(f"and {len(shown) - number:,} more runs", style="dim"))
            break
        parts.append(Text(visible(heading(group)), style="bold", no_wrap=True,
                          overflow="ellipsis"))
        parts.append(stages(group, columns))
        room -= len(group) + 1
        workers, more = workers_of(group, room - 1)
        if workers:
            parts.append(worker_table(workers))
            room -= len(workers)
        if more:
            parts.append(Text(f"  and {more:,} more workers", style="dim"))
            room -= 1
    if not groups:
        parts.append(Text(next(lines(groups, unread))))
    return Group(*parts)


def stages(group, columns):
    """Return the table of a pipeline's stages, a line each."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text
    table = Table.grid(padding=(0, 1), expand=any(each.share is not None for each in group))
    for justify, ratio in (("left", None), ("left", None), ("right", None), ("left", 1),
                           ("left", None), ("right", None), ("right", None), ("right", None)):
        table.add_column(justify=justify, ratio=ratio, no_wrap=True, overflow="ellipsis")
    for each in group:
        share, wrong = each.share, wrong_of(each)
        is_over = bool(each.ended)
        style = "red" if wrong or is_over and each.status else "green" if is_over else ""
        table.add_row(
            f"  {each.command}", Text(says(each), style=style),
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
    found = [(each, worker) for each in group if not each.ended for worker in each.workers
             if worker["name"]]
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
        table.add_row(f"    {worker['pid']}", visible(worker["name"]), share,
                      f"{amount(each._replace(unit='B'), worker['speed'])}/s",
                      show_span(max(0.0, now - worker["since"])))
    return table
