"""The objects that are read to measure: which, and in what batches."""

from types import SimpleNamespace

import pytest

from s3kit.doctor.objects import Objects, choose
from s3kit.manifest.row import Row
from s3kit.manifest.states import ARCHIVED_CLASSES
from s3kit.transfer.engine import READ
from s3kit.transfer.sizes import LARGE

MIB = 1 << 20


def test_batches_are_those_of_s3_fetch():
    """Small objects by 64 or 8 MiB, large ones in ranges, some together; the same at every step.
    """
    def batches(size, number=3):
        rows = [Row("b", f"k{n}", size=str(size), etag="e") for n in range(10)]
        made = Objects(None, rows).batches(2)
        return [next(made) for _ in range(number)]

    assert ([len(batch) for batch in batches(1000)] == [64, 64, 64]
            and [len(batch) for batch in batches(2 * MIB)] == [4, 4, 4])
    assert (all((job.start, job.end) == (0, 1000) for job in batches(1000)[0])
            and batches(1000) == batches(1000))
    large = batches(2 * LARGE)
    assert all(len(batch) <= 4 and batch[0].end - batch[0].start >= READ for batch in large)
    assert ([job.start for job in large[0] + large[1]]
            == sorted(job.start for job in large[0] + large[1]))


def test_objects_that_can_be_read():
    """Neither empty nor archived ones; pages until there are some, but not for ever."""
    rows = [Row("b", "empty", size="0"),
            *(Row("b", name, size="5", storage_class=name) for name in ARCHIVED_CLASSES)]
    pages = [SimpleNamespace(rows=rows),
             SimpleNamespace(rows=[*rows, Row("b", "../good", size="5", storage_class="STANDARD")])]
    listing = SimpleNamespace(pages=lambda *_: iter(pages))
    assert [row.key for row in choose(listing, None, "b", "")] == ["../good"]
    with pytest.raises(Exception, match="nothing to read"):
        choose(SimpleNamespace(pages=lambda *_: iter([pages[0]] * 1000)), None, "b", "")


def test_what_they_are():
    """In one line; small ones are counted, not weighed."""
    few = Objects(None, [Row("b", "k", size="1024"), Row("b", "l", size="3072")])
    assert few.title() == "s3://b: 2 objects to choose from, 1.0K to 3.0K, 2.0K on average"
    assert few.mean == 2048 and few.are_small
    assert not Objects(None, [Row("b", "k", size=str(64 * MIB))]).are_small
