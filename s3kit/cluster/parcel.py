"""What travels between the parent and the workers of a cluster: pickles of our own, in a wrapper
that Dask passes on and never shows.

Dask's scheduler and workers write the arguments of a task that fails to their logs, and show tasks
on pages that anybody may look at; among ours are S3's credentials.
"""

import pickle
from typing import Any, NamedTuple

from s3kit import __version__


class Sealed:
    """Bytes of ours, whose text says nothing of them."""

    __slots__ = ("data",)

    def __init__(self, data):
        self.data = data

    def __reduce__(self):
        return Sealed, (self.data,)

    def __repr__(self):
        return f"<s3kit, {len(self.data):,} bytes>"

    def __sizeof__(self):
        return len(self.data)


class Setup(NamedTuple):
    """What a worker must know of a run: its id, the command's name, the `destination` as it is on
    all nodes and the Probe by which it is known ('' and None: there is none), and how many
    connections requests without bytes may have (None: as many as they like).
    """

    run: str
    name: str
    destination: str = ""
    probe: Any = None
    connections: Any = None


class Parcel(NamedTuple):
    """Jobs for one worker: the `work` that does them, pickled, and what it must have heard before,
    as messages of Pool.tell.
    """

    setup: Setup
    work: bytes
    messages: list
    jobs: list


class Answer(NamedTuple):
    """What came of a Parcel: `outcomes`, one for each job; or why there are none: `lost` (the
    worker ends, or does not see the destination: another may do it), `stop` (what the run must end
    with) or `fault` (a trace of a fault of ours). `news` is what the worker had to say besides.
    """

    outcomes: Any = None
    lost: str = ""
    stop: str = ""
    fault: str = ""
    news: Any = None


class Greeting(NamedTuple):
    """What a worker says of itself: the name of its machine, its process id, how many processes of
    ours it runs; `trouble` is why it can have no work, or ''; `clock` is what disk.tree.clock was
    there.
    """

    host: str
    pid: int
    processes: int
    trouble: str = ""
    clock: float = 0.0


def seal(value):
    """Return a value as Dask carries it, with our version before it."""
    return Sealed(pickle.dumps((__version__, pickle.dumps(value, pickle.HIGHEST_PROTOCOL))))


def unseal(sealed):
    """Return the value that was sealed. Raises WrongVersion for that of another s3kit."""
    version, data = pickle.loads(sealed.data)
    if version != __version__:
        raise WrongVersion(f"the other has s3kit {version}, not {__version__}")
    return pickle.loads(data)


class WrongVersion(Exception):
    """The other end has another s3kit than we; its text says which."""
