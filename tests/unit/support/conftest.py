"""What the tests of the fake S3 share: a fake with a bucket `b`, and who asks it."""

import pytest
from fakes3 import FakeS3

from uploading import client_of


@pytest.fixture
def s3():
    """A fake that is as strict as Amazon's S3."""
    with FakeS3() as server:
        server.bucket("b")
        yield server


@pytest.fixture
def open3():
    """A fake that believes everybody, for raw requests."""
    with FakeS3(sign=False) as server:
        server.bucket("b")
        yield server


@pytest.fixture
def client(s3):
    """A client of `s3` that adds no checksum."""
    found = client_of(s3)
    yield found
    found.close()
