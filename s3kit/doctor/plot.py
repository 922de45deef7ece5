"""A drawing of how throughput and the wait for the first byte go with the number of connections:
SVG, as plain text.
"""

from html import escape

from s3kit.units import show_size

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 76, 76, 48, 64
GRID = 4                # lines above the axis
RATE, FIRST, MARK, BLACK = "#1f6fb2", "#c2571a", "#888888", "#222222"
STYLE = "font-family:sans-serif;font-size:12px"


def drawing(title, steps, chosen):
    """Return an SVG document of Steps, `chosen` the one to be marked."""
    most_rate = nice(max(step.bytes / step.seconds for step in steps), 1024)
    most_wait = nice(max(step.first_byte(0.95) for step in steps) * 1000, 1000)
    places = [LEFT + (number + 0.5) * (WIDTH - LEFT - RIGHT) / len(steps)
              for number in range(len(steps))]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" style="{STYLE}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        text(WIDTH / 2, 20, title, "middle", BLACK), *grid(most_rate, most_wait),
        *knee(places[steps.index(chosen)]), *curves(steps, places, most_rate, most_wait),
        *legend(steps, places), "</svg>", ""])


def grid(most_rate, most_wait):
    """Yield the lines across, and what they mean on both sides: bytes a second, milliseconds."""
    for number in range(GRID + 1):
        y, share = height(number / GRID), number / GRID
        yield (f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" '
               'stroke="#dddddd"/>')
        yield text(LEFT - 8, y + 4, f"{show_size(most_rate * share)}/s", "end", RATE)
        yield text(WIDTH - RIGHT + 8, y + 4, f"{most_wait * share:g} ms", "start", FIRST)


def knee(x):
    """Yield the mark of the chosen step."""
    yield (f'<line x1="{x:.1f}" y1="{height(1):.1f}" x2="{x:.1f}" y2="{height(0):.1f}" '
           f'stroke="{MARK}" stroke-dasharray="4 4"/>')
    yield text(x, height(1) - 6, "knee", "middle", MARK)


def curves(steps, places, most_rate, most_wait):
    """Yield the curves of the wait, then that of the rate, with a point for each step."""
    for share, dashes in ((0.5, ""), (0.95, ' stroke-dasharray="2 4"')):
        waits = [height(step.first_byte(share) * 1000 / most_wait) for step in steps]
        yield curve(places, waits, FIRST, dashes)
    rates = [height(step.bytes / step.seconds / most_rate) for step in steps]
    yield curve(places, rates, RATE, ' stroke-width="2.5"')
    for x, y in zip(places, rates):
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{RATE}"/>'


def legend(steps, places):
    """Yield what stands below."""
    for x, step in zip(places, steps):
        yield text(x, HEIGHT - BOTTOM + 18, f"{step.workers} x {step.connections}", "middle", BLACK)
    yield text(WIDTH / 2, HEIGHT - BOTTOM + 40, "workers x connections of each", "middle", BLACK)
    yield text(LEFT, HEIGHT - 8, "bytes a second", "start", RATE)
    yield text(WIDTH - RIGHT, HEIGHT - 8, "first byte: median, dotted p95", "end",
               FIRST)


def height(share):
    """Return how far down a share of the axis is."""
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def curve(xs, ys, colour, more=""):
    """Return a line through points."""
    points = " L ".join(f"{x:.1f} {y:.1f}" for x, y in zip(xs, ys))
    return f'<path d="M {points}" fill="none" stroke="{colour}"{more}/>'


def text(x, y, words, anchor, colour):
    """Return words at a place."""
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" '
            f'fill="{colour}">{escape(words)}</text>')


def nice(most, base):
    """Return a round number not below `most`: 1, 2, 4 or 8 times a power of a base's tenth, so that
    a quarter is round, too.
    """
    unit = 1.0
    while unit * base < most:
        unit *= base
    for number in (1, 2, 4, 8, 16, 32, 64, 100, 128, 200, 256, 400, 512, 800, base):
        if unit * number >= most:
            return unit * number
    return unit * base
