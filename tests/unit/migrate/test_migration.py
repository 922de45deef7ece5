"""s3-migrate's counts of what a manifest says."""

from s3kit.manifest.row import Row
from s3kit.migrate.census import Census
from s3kit.migrate.phases import VERIFY
from s3kit.units import epoch_ns


def test_the_newest_is_the_newest_time():
    """Not the last of the texts: a fraction and an offset count, and what names no time says
    nothing.
    """
    census = Census(VERIFY)
    for text in ("", "never", "2026-01-01T12:00:00Z", "2026-01-01T12:00:00.500Z",
                 "2026-01-01T13:00:00+02:00"):
        census.add(Row("b", "k", last_modified=text))
    assert census.newest == epoch_ns("2026-01-01T12:00:00.500Z")
