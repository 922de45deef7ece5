"""Rows and deliveries as the tests of s3-relay have them."""

from types import SimpleNamespace

from s3kit.manifest.row import Row
from s3kit.relay.deliveries import BLOCK, delivery_of

TIME = "2026-01-02T03:04:05Z"
GONE_BY = "9999-01-01T00:00:00Z"    # all that has failed has failed before this
LONG_AGO = "1999-01-01T00:00:00Z"
SIZE = 100


def row(key="k", size=SIZE, etag="e", last_modified=TIME, **columns):
    """Return a Row of the source's listing."""
    return Row(bucket="a", key=key, size=str(size), etag=etag, last_modified=last_modified,
               **columns)


def delivery(key="k", size=SIZE, **fields):
    """Return a Delivery of the first listing."""
    return delivery_of(row(key, size), 1)._replace(**fields)


def seen(deliveries, *rows, failed_before=LONG_AGO):
    """Have a whole listing show these Rows; return its number."""
    number = deliveries.begin_listing()
    deliveries.see(rows, number, failed_before)
    return number


def changed(deliveries, name, **fields):
    """Record that the Delivery of a name, or of a key's Row, has become another; return it."""
    after = found(deliveries, name)._replace(**fields)
    deliveries.record([after])
    return after


def found(deliveries, name):
    """Return the Delivery of a name, or of a Row of row(key)."""
    return deliveries.find(name if isinstance(name, tuple) else delivery(name).name)


class Place(SimpleNamespace):
    """A stub of a Volume's file system: so many blocks are free, of so many."""

    def __init__(self, blocks, of=None, **more):
        super().__init__(**{"f_bavail": blocks, "f_bfree": blocks, "f_frsize": BLOCK, "f_flag": 0,
                            "f_blocks": of or blocks, "f_files": 1 << 30, "f_favail": 1 << 30}
                         | more)
