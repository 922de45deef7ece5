"""Which object version a path belongs to: the first that asks."""


import pytest
from limits import file_size

from s3kit.disk.path_owners import NOTED, PathOwners
from s3kit.disk.sqlite_errors import Broken

LEAST, MOST = -(1 << 63), (1 << 63) - 1


@pytest.mark.parametrize("path", [LEAST, -1, 0, MOST])
def test_the_first_that_asks_has_it(path):
    """And has it still when it asks again, as after a retry; nobody else ever does."""
    owners = PathOwners()
    assert owners.take(path, 1)
    assert not owners.take(path, 2)
    assert owners.take(path, 1) and not owners.take(path, -1)


def test_paths_have_nothing_to_do_with_each_other():
    """One owner may have many of them."""
    owners = PathOwners()
    assert all(owners.take(path, MOST) for path in range(1000))
    assert not any(owners.take(path, LEAST) for path in range(1000))
    assert owners.take(1000, LEAST)


def test_two_runs_have_nothing_to_do_with_each_other():
    """What one has taken the other may take, too."""
    one, two = PathOwners(), PathOwners()
    assert one.take(1, 1) and two.take(1, 2) and not one.take(1, 2)


def test_no_room_on_the_disk():
    """Said as what it is: rows whose owner nobody knows are not fetched."""
    owners = PathOwners()
    with file_size(1 << 15), pytest.raises(
            Broken, match="cannot use a temporary file in '.*': File too large"):
        for path in range(1 << 20):
            owners.take(path * 7919, path)


def test_what_was_noted_is_taken():
    """Whether memory holds it or not, and whoever asks first."""
    owners = PathOwners()
    assert all(owners.note(path, path + 1) for path in range(-NOTED, 9))
    assert len(owners.noted) == 2 * 9
    assert not owners.take(-NOTED, 1) and not owners.take(8, 1) and owners.take(8, 9)
    assert owners.take(9, 1) and not owners.note(9, 2) and owners.note(10, 2)
    assert not owners.take(10, 1) and not owners.noted
