"""What the bench says: a table for each case, ratios to s3kit, and a plain SVG of them."""

import statistics
from xml.sax.saxutils import escape

FIGURES = ("wall", "cpu", "memory", "largest", "requests", "connections", "early", "late")
BAR, ROW, LABEL, WIDE = 9, 24, 330, 360
COLOURS = {"wall": "#4878a8", "cpu": "#d0803c"}


def medians(table):
    """Return {tool: {figure: median}} of a table."""
    return {tool["name"]: {figure: statistics.median([run[figure] for run in tool["runs"]])
                           for figure in FIGURES if tool["runs"][0].get(figure) is not None}
            for tool in table["tools"]}


def good(table, ours):
    """Return the names of the tools, ours or the peers, that did all of the work."""
    return [tool["name"] for tool in table["tools"]
            if tool["ours"] == ours and tool["rival"] and not fault(table, tool)]


def fault(table, tool):
    """Return what is wrong with what a tool did, or nothing."""
    for run in tool["runs"]:
        if run["status"]:
            return f"STATUS {run['status']}: {run['error']}"
        if run.get("lacks"):
            return run["lacks"]
    return ""


def duel(table):
    """Return {figure: (best peer, its figure divided by ours)}, or nothing where one side is
    missing.
    """
    middle, ours, peers = medians(table), good(table, True), good(table, False)
    if not ours or not peers or table["title"] == "start":
        return {}
    found = {}
    for figure in ("wall", "cpu", "memory"):
        best = min(peers, key=lambda name: middle[name][figure])
        found[figure] = best, middle[best][figure] / max(middle[ours[0]][figure], 1e-9)
    return found


def show(table):
    """Return the text of one table."""
    middle, ours = medians(table), good(table, True)
    base = middle[ours[0]] if ours else None
    lines = [f"{table['title']}: {table['about']}"]
    if table["quick"]:
        lines[0] += f" (here {table['objects']:,} {table['unit']}s)"
    lines[0] += f"; rounds: {max(len(tool['runs']) for tool in table['tools'])}"
    if table.get("server"):
        lines.append(f"  the server alone: {table['server']}")
    unit = table["unit"]
    lines.append(
        f"  {'':30}{'wall s':>9}{'CPU s':>9}{'MiB':>6}{'largest':>9}{'req/' + unit:>12}"
        f"{'conn/' + unit:>12}" f"{'wall x':>9}{'CPU x':>7}")
    for tool in table["tools"]:
        one = middle[tool["name"]]
        text = f"  {tool['name']:30}{one['wall']:9.3f}{one['cpu']:9.3f}"
        text += f"{one['memory'] / 2**20:6.0f}{one['largest'] / 2**20:9.0f}"
        text += "".join(f"{one[figure]:12.4g}" if figure in one else f"{'-':>12}"
                        for figure in ("requests", "connections"))
        if base:
            text += f"{one['wall'] / base['wall']:9.2f}{one['cpu'] / max(base['cpu'], 1e-9):7.2f}"
        remark = "; ".join(filter(None, (tool["note"], fault(table, tool))))
        lines.append(f"{text}  {remark}".rstrip())
    lines += [f"  {told}" for told in remarks(table, middle, ours)]
    return "\n".join(lines)


def remarks(table, middle, ours):
    """Yield the lines below a table."""
    best = duel(table)
    if best:
        yield "the best peer as a multiple of " + ours[0] + ": " + ", ".join(
            f"{'CPU' if figure == 'cpu' else figure} {ratio:.2f} ({name})" for figure,
            (name, ratio) in best.items())
    if table.get("growth"):
        for name, one in middle.items():
            (yield f"memory of {name}: {one['early'] / 2**20:.0f} MiB at 10 %, "
             f"{one['late'] / 2**20:.0f} MiB at the end; "
             f"{table['objects'] / one['wall']:,.0f} rows/s")
    elif table["unit"] == "row":
        yield "rows/s: " + ", ".join(f"{name} {table['objects'] / one['wall']:,.0f}" for name,
                                     one in middle.items())


def summary(tables):
    """Return one line for each table that has a winner."""
    lines = [f"{'best peer / s3kit':24}{'wall':>8}{'CPU':>8}{'memory':>8}"]
    for table in tables:
        best = duel(table)
        if best:
            lines.append(f"{table['title']:24}"
                         + "".join(f"{ratio:8.2f}" for _, ratio in best.values())
                         + f"   {', '.join(dict.fromkeys(name for name, _ in best.values()))}")
        for tool in table["tools"]:
            if fault(table, tool):
                lines.append(f"{table['title']:24}{tool['name']}: {fault(table, tool)}")
    return "\n".join(lines)


def svg(tables, headline):
    """Return a drawing: for each case and tool, wall and CPU as a multiple of s3kit's, cut off at
    10.
    """
    marks, at = [text(8, 20, headline, "font-weight='bold'")], 44
    for table in tables:
        middle, ours = medians(table), good(table, True)
        if not duel(table):
            continue
        base = middle[ours[0]]
        marks.append(text(8, at + 12, f"{table['title']}: {table['about']}", "font-weight='bold'"))
        at += ROW
        for tool in table["tools"]:
            name = tool["name"] + (" (did not do it all)" if fault(table, tool) else "")
            marks.append(text(16, at + 13, name))
            for number, figure in enumerate(("wall", "cpu")):
                ratio = middle[tool["name"]][figure] / max(base[figure], 1e-9)
                width, y = min(ratio, 10) / 10 * WIDE, at + 1 + number * BAR
                marks.append(
                    f"<rect x='{LABEL}' y='{y}' width='{width:.1f}' height='{BAR - 1}' "
                    f"fill='{COLOURS[figure]}'/>")
                marks.append(text(LABEL + width + 4, y + 8, f"{ratio:.2f}", "font-size='9'"))
            at += ROW
        marks.append(
            f"<path d='M{LABEL + WIDE / 10} {at - ROW * len(table['tools'])}V{at - 4}' "
            "stroke='#888'/>")
        at += 12
    legend = [f"<rect x='{LABEL + 150 * n}' y='28' width='9' height='9' fill='{COLOURS[figure]}'/>"
              + text(LABEL + 14 + 150 * n, 36, f"{'CPU' if figure == 'cpu' else 'wall'}, s3kit = 1")
              for n, figure in enumerate(COLOURS)]
    return (f"<svg xmlns='http://www.w3.org/2000/svg' width='{LABEL + WIDE + 60}' height='{at}' "
            "font-family='sans-serif' "
            "font-size='12'>\n<rect width='100%' height='100%' fill='white'/>\n"
            + "\n".join(legend + marks) + "\n</svg>\n")


def text(x, y, words, style=""):
    """Return a text of the drawing."""
    return f"<text x='{x:.0f}' y='{y:.0f}' {style}>{escape(words)}</text>"
