"""The archives: everybody who asks has the same list."""

import pytest

from s3kit.manifest import states
from s3kit.manifest.row import Row
from s3kit.migrate import census
from s3kit.s3.headers import is_archived
from s3kit.storage_classes import ARCHIVED_CLASSES, TIERING


@pytest.mark.parametrize("storage_class", [*ARCHIVED_CLASSES, TIERING, "STANDARD", "GLACIER_IR"])
def test_a_class_is_an_archive_to_all_or_to_none(storage_class):
    """GLACIER_IR is read at once; of a tier only a HEAD tells."""
    row = Row("b", "k", "v", storage_class=storage_class, restore="ongoing")
    is_archive = storage_class in ARCHIVED_CLASSES
    assert is_archived({"x-amz-storage-class": storage_class}) == is_archive
    assert states.is_thawing(row) == is_archive
    may_be = is_archive or storage_class == TIERING
    assert (storage_class in states.MAY_BE_ARCHIVED) == may_be
    assert (storage_class in census.MAYBE_ARCHIVED) == may_be
