"""Listings that leave out rows are compared with one that does not."""

import random
from types import SimpleNamespace

import pytest
from conftest import env_of
from fakes3 import FakeS3

from s3kit.errors import Fault
from s3kit.listing.census import Census, is_doubted
from s3kit.manifest.row import Row


def page_of(*rows, versions=True):
    """Return a page of Rows."""
    return SimpleNamespace(rows=list(rows), versions=versions)


def test_whose_listing_is_doubted():
    """By the name that the server gives itself."""
    assert is_doubted({"server": "SeaweedFS 8000GB 4.48"})
    assert not is_doubted({"server": "AmazonS3"}) and not is_doubted({})


def test_the_same_objects_in_any_order():
    """Older versions and delete markers are not among them."""
    keys = [f"{n}" for n in range(100)]
    one, other = Census(), Census()
    one.add(page_of(*(Row("b", key, "2", "true") for key in keys),
                    *(Row("b", key, "1", "false") for key in keys),
                    Row("b", "gone", "3", "true", "true")))
    random.Random(1).shuffle(keys)
    for key in keys:
        other.add(page_of(Row("b", key), versions=False))
    one.compare(other, "b")
    assert (one.pages, other.pages) == (1, 100)


@pytest.mark.parametrize("keys", [["a"], ["a", "c"], ["a", "b", "c"]])
def test_others(keys):
    """Fewer, more, or as many others."""
    one, other = Census(), Census()
    one.add(page_of(Row("b", "a", "1", "true"), Row("b", "b", "1", "true")))
    other.add(page_of(*(Row("b", key) for key in keys), versions=False))
    with pytest.raises(Fault, match="has 2 current objects, its listing of objects"):
        one.compare(other, "b")


@pytest.mark.parametrize("words", [[], ["--versions"]])
def test_a_server_that_leaves_out_rows(run, words):
    """Ends the manifest without an end mark; where nothing is left out it is whole."""
    with FakeS3(character="seaweedfs") as server:
        server.bucket("b", versioning="Enabled")
        for number in range(1001):
            server.put("b", f"a/{number:04d}", b"")
        good = run("s3-manifest", *words, "s3://b", env=env_of(server))
        assert good.status == 0 and "#end rows=1001" in good.out, good.err
        for key in ("a-b", "a.c", "a.d"):
            server.put("b", key, b"")
        done = run("s3-manifest", *words, "s3://b", env=env_of(server))
        assert done.status == 3 and "#end" not in done.out
        assert "leaves some out" in done.err
