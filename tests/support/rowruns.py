"""What the run of a row command gets: streams and people, without files, signals or a terminal;
what is noted of its workers.
"""

from contextlib import nullcontext
from types import SimpleNamespace

from s3kit.cli.tally import Tally
from s3kit.pipeline.stage import Stage


def streams_of(batches, cut=None):
    """Return (source, sink, left): the source reads `batches`, lists of rows, and ends with the
    Fault `cut` if given; `left` gets the (key, state) of each row that is written.
    """
    def read():
        yield from batches
        if cut:
            raise cut

    left = []
    source = SimpleNamespace(batches=read, extras=lambda: (), share=lambda: None)
    sink = SimpleNamespace(write=lambda batch, extras=(): left.extend(
        (row.key, row.state) for row in batch))
    return source, sink, left


def people_of(args):
    """Return (Tally, progress, signals): nobody looks on, and no signal comes."""
    signals = SimpleNamespace(check=lambda: None, graceful=False, at_once=nullcontext)
    progress = SimpleNamespace(expect=lambda amount: None, move=lambda amount, text=None: None,
                               read=lambda *_: None)
    return Tally(args), progress, signals


class NotedWorkers:
    """A Pool without processes: `found` gets (what, value) of what it is told."""

    def __init__(self, found, jobs):
        self.found = found
        found.append(("workers", jobs))

    def warm(self, work):
        """Start the workers."""
        self.found.append(("warm", work))

    def tell(self, message, keep):
        """Tell workers, also those that are started later."""
        assert keep
        self.found.append(("tell", message))

    def shutdown(self, **how):
        """End them."""
        self.found.append(("shutdown", how))


def noted_run(monkeypatch):
    """Return the list that gets (what, value) of what the run of a command does with its Pool and
    its Stage, whose rows go nowhere.
    """
    found = []

    def opened(stage, executor, work, destination, ledger, limit, batches=()):
        found.append(("open", (work(), destination, ledger, limit, list(batches))))

    monkeypatch.setattr("s3kit.cluster.workers.Pool", lambda jobs, hear: NotedWorkers(found, jobs))
    monkeypatch.setattr(Stage, "open", opened)
    monkeypatch.setattr(Stage, "run", lambda stage, verb: found.append(("run", verb)))
    return found
