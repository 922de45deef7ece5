"""What is known of a version."""

import pickle

from s3kit.manifest.row import Row
from s3kit.restore.answers import ARCHIVED, Status
from s3kit.restore.version import Version


def test_what_a_look_tells():
    """The class and tier that S3 says count, and its size, but not below a place that is held."""
    version = Version(Row("b", "k", "v", size="5", storage_class="GLACIER"), "Bulk")
    assert (version.name, version.size, version.by_head) == (("b", "k", "v"), 5, False)
    version.looked = 0
    version.see(Status(ARCHIVED, storage_class="INTELLIGENT_TIERING", tier="ARCHIVE_ACCESS",
                       size="7", by_head=True))
    assert (version.storage_class, version.archive_tier, version.size) == (
        "INTELLIGENT_TIERING", "ARCHIVE_ACCESS", 7)
    assert version.by_head and version.is_headed and version.looked
    version.is_held = True
    version.see(Status(ARCHIVED, size="9"))
    assert version.size == 7 and not version.is_headed
    assert version.storage_class == "INTELLIGENT_TIERING", "it said nothing of that"


def test_only_ascii_digits_are_a_size():
    """What a server says may be anything."""
    version = Version(Row("b", "k", size="5"), "Bulk")
    for size in ("", "٣", "-1", "1e3"):
        version.see(Status(ARCHIVED, size=size))
    assert version.size == 5


def test_it_can_wait_on_disk():
    """With all that is known of it."""
    version = Version(Row("b", "k", size="5", storage_class="GLACIER"), "Bulk")
    version.asks, version.patience.tries = 2, 3
    back = pickle.loads(pickle.dumps(version))
    assert (back.row, back.tier, back.asks, back.patience.tries, back.name) == (
        version.row, "Bulk", 2, 3, version.name)
