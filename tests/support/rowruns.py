"""What the run of a row command gets: streams and people, without files, signals or a terminal."""

from contextlib import nullcontext
from types import SimpleNamespace

from s3kit.cli.tally import Tally


def streams_of(batches, cut=None):
    """Return (source, sink, left): the source reads `batches`, lists of rows, and ends with the
    Fault `cut` if given; `left` gets the (key, state) of each row that is written.
    """
    def read():
        yield from batches
        if cut:
            raise cut

    left = []
    source = SimpleNamespace(batches=read, extras=lambda: ())
    sink = SimpleNamespace(write=lambda batch, extras=(): left.extend(
        (row.key, row.state) for row in batch))
    return source, sink, left


def people_of(args):
    """Return (Tally, progress, signals): nobody looks on, and no signal comes."""
    signals = SimpleNamespace(check=lambda: None, graceful=False, at_once=nullcontext)
    progress = SimpleNamespace(expect=lambda amount: None, move=lambda amount, text=None: None)
    return Tally(args), progress, signals
