"""Counting what was tried: each test says how many cases of which kind of fault it ran, and a table
ends the run.
"""

import time
from contextlib import contextmanager

import pytest

from faults.images import Mounts
from faults.table import KIND


class Cases:
    """The cases of one kind in one test.

    `with cases.case("seed 7"): ...` is one; all run, then the test fails if any did.
    """

    def __init__(self, test, kind):
        self.test, self.kind, self.run, self.broken, self.began = (
            test, kind, 0, [], time.monotonic())

    @contextmanager
    def case(self, name):
        """Run one case; what it violates is kept, with its name, for the end."""
        self.run += 1
        try:
            yield
        except AssertionError as error:
            steps = "\n".join(getattr(error, "__notes__", ()))     # what hypothesis did
            self.broken.append(f"{self.kind}, {name}: {error}\n{steps}")

    def record(self):
        """Return what the table needs, as texts for pytest-xdist."""
        return [self.test, self.kind, str(self.run), str(self.run - len(self.broken)),
                f"{time.monotonic() - self.began:.1f}"]


@pytest.fixture
def cases(request, record_property):
    """Return cases(kind) -> Cases; at the end of the test their violations fail it."""
    made = []

    def make(kind):
        made.append(Cases(request.node.nodeid, kind))
        return made[-1]

    yield make
    for one in made:
        record_property(KIND, one.record())
    broken = [text for one in made for text in one.broken]
    if broken:
        more = f"\n... and {len(broken) - 10} more" if len(broken) > 10 else ""
        pytest.fail(f"{len(broken)} violations:\n" + "\n".join(broken[:10]) + more, pytrace=False)


@pytest.fixture
def mounts(tmp_path):
    """Return Mounts below this test's directory; everything is unmounted when it ends, however it
    ends.
    """
    mounted = Mounts(tmp_path / "mnt")
    yield mounted
    mounted.close()


@pytest.fixture
def place(tmp_path):
    """A folder for the logs of a cluster."""
    made = tmp_path / "cluster"
    made.mkdir()
    return made
