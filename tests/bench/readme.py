"""README's table of figures, in Markdown, from what the bench measured."""

import re
import textwrap

from goals import GOALS
from peers import PEERS
from report import duel, fault, good, medians


FROM, TO = "<!-- make bench writes this -->\n", "<!-- until here -->\n"


def write(path, text):
    """Put a text between the marks of a file that has them, else into a file of its own."""
    old = path.read_text() if path.exists() else ""
    found = re.sub(f"(?<={re.escape(FROM)}).*(?={re.escape(TO)})", lambda _: f"\n{text}\n", old,
                   flags=re.S)
    path.write_text(found if FROM in old and TO in old else text)


def markdown(facts, tables):
    """Return what was measured, and a row for each table that the goals name and one of PEERS wins,
    in their order.

    A cell is wall seconds / CPU seconds; the last column the least of the peers' by s3kit's, bold
    where s3kit is behind.
    """
    known = {table["title"]: table for table in tables}
    titles = [title for title in dict.fromkeys(goal.title for goal in GOALS) if title in known]
    rows = [["work", "s3kit", *PEERS, "best peer / s3kit"],
            ["---"] * (len(PEERS) + 3)]
    rows += [row_of(known[title]) for title in titles if is_won_by_one(known[title])]
    return f"{told(facts)}\n\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def told(facts):
    """Return when, on what, and of which versions the figures are."""
    peers = ", ".join(f"{name} {facts['peers'][name]}" for name in PEERS if name in facts["peers"])
    return textwrap.fill(
        "A quick run, which has too little to do. " * facts["quick"]
        + f"Measured by `make bench` on {facts['date']}, commit "
        f"{facts['s3kit'].rpartition('commit ')[2]}, with {facts['cores']} cores and "
        f"{facts['file system']}, beside {peers}. Medians of at most {facts['rounds']} runs, all "
        "tools in turn; wall seconds / CPU seconds of all processes. The last column is the best "
        "peer's by s3kit's: wall, CPU, and wall where the peer's files are flushed to the disk, "
        "too, as s3kit's always are. Bold: s3kit is behind.", 118)


def is_won_by_one(table):
    """Return whether the best of a table's peers has a column."""
    best = duel(table)
    return bool(best) and any(tool["needs"] in PEERS for tool in table["tools"]
                              if tool["name"] == best["wall"][0])


def row_of(table):
    """Return the cells of a table's row."""
    best = duel(table)
    ratios = [f"{best[figure][1]:.2f}" for figure in ("wall", "cpu", "flushed") if figure in best]
    ratios = [f"**{text}**" if float(text) < 1 else text for text in ratios]
    middle, ours = medians(table), good(table, True)[0]
    cells = [cell(table, program, middle) for program in PEERS]
    return [table["about"], seconds(middle[ours]), *cells, " / ".join(ratios)]


def cell(table, program, middle):
    """Return what a table says of a peer: of its first tool that does the whole work."""
    for tool in table["tools"]:
        if tool["needs"] == program and tool["rival"]:
            return "failed" if fault(table, tool) else seconds(middle[tool["name"]])
    return ""


def seconds(figures):
    """Return wall and CPU seconds with two digits that say something."""
    return " / ".join(f"{figures[name]:.{1 if figures[name] < 9.95 else 0}f}"
                      if figures[name] >= 0.95 else f"{figures[name]:.2f}"
                      for name in ("wall", "cpu"))
