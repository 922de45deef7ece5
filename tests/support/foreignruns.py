"""Reading other tools' forms in tests."""

from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"
LISTINGS, SUMS = GOLDEN / "listings", GOLDEN / "sums"


def read(reader, data, step=None):
    """Return (rows, what ended the reading or None) of bytes that come in pieces of `step`."""
    rows = []
    for at in range(0, len(data), step or len(data) or 1):
        rows += reader.feed(data[at:at + (step or len(data))])
        if reader.stop:
            return rows, reader.stop
    return rows + reader.close(), reader.stop


def listing(reader, name, step=None):
    """Return what `read` does of a file in LISTINGS."""
    return read(reader, (LISTINGS / name).read_bytes(), step)
