"""A plain SVG of what the bench measured, as ratios to s3kit."""

from xml.sax.saxutils import escape

from report import NAMES, duel, fault, good, medians

BAR, ROW, LABEL, WIDE = 9, 24, 330, 360
COLOURS = {"wall": "#4878a8", "cpu": "#d0803c"}


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
              + text(LABEL + 14 + 150 * n, 36, f"{NAMES.get(figure, figure)}, s3kit = 1")
              for n, figure in enumerate(COLOURS)]
    return (f"<svg xmlns='http://www.w3.org/2000/svg' width='{LABEL + WIDE + 60}' height='{at}' "
            "font-family='sans-serif' "
            "font-size='12'>\n<rect width='100%' height='100%' fill='white'/>\n"
            + "\n".join(legend + marks) + "\n</svg>\n")


def text(x, y, words, style=""):
    """Return a text of the drawing."""
    return f"<text x='{x:.0f}' y='{y:.0f}' {style}>{escape(words)}</text>"
