"""What lies below an address, with the keys of its side."""

import pytest

from s3kit.errors import Fault
from s3kit.relay.side_listing import SideListing
from unit.relay.ends import side_of


def test_rows_below_the_prefix(fake):
    fake.bucket("b", versioning="Enabled")
    for key in ("p/a", "p/b", "q/c"):
        fake.put("b", key, b"body")
    fake.delete("b", "p/b")
    listing = SideListing(side_of("source", fake, ("b", "p/")))
    assert [row.key for batch in listing.batches() for row in batch] == ["p/a"]


def test_nothing_there_is_no_fault(fake):
    fake.bucket("b")
    assert list(SideListing(side_of("source", fake, ("b", "none/"))).batches()) in ([], [[]])


def test_a_listing_that_is_cut_says_why(fake):
    fake.bucket("b")
    fake.put("b", "k", b"body")
    fake.fault("status", method=None, times=None, status=403, code="AccessDenied")
    with pytest.raises(Fault, match="AccessDenied"):
        list(SideListing(side_of("source", fake, ("b", ""))).batches())


def test_it_can_be_ended(fake):
    fake.bucket("b")
    fake.fault("hang", method=None, times=None)
    listing = SideListing(side_of("source", fake, ("b", "")))
    listing.stop()
    with pytest.raises(Fault):
        list(listing.batches())
    assert listing.process.returncode == -9
