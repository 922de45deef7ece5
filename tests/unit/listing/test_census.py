"""Listings that leave out rows are compared with one that does not."""

import random
from types import SimpleNamespace

import pytest
from conftest import env_of
from fakes3 import FakeS3

from s3kit.errors import Fault
from s3kit.listing.census import Census, is_doubted
from s3kit.manifest.row import Row

NOON, SECOND = 1_767_268_800 * 10**9, 10**9


def page_of(*rows, prefixes=(), following=""):
    """Return a page of Rows."""
    return SimpleNamespace(rows=list(rows), prefixes=list(prefixes), next=following)


def held(versions, objects, since=None):
    """Return the Census of a page of each listing."""
    census = Census()
    census.add(versions)
    census.hold(objects, since)
    return census


def test_whose_listing_is_doubted():
    """By the name that the server gives itself."""
    assert is_doubted({"server": "SeaweedFS 8000GB 4.48"})
    assert not is_doubted({"server": "AmazonS3"}) and not is_doubted({})


def test_the_same_objects_in_any_order():
    """Older versions and delete markers are not among them; one page shows all that there is."""
    keys = [f"{n}" for n in range(100)]
    census = Census()
    census.add(page_of(*(Row("b", key, "2", "true") for key in keys)))
    assert not census.is_needed
    census.add(page_of(*(Row("b", key, "1", "false") for key in keys),
                       Row("b", "gone", "3", "true", "true"), following="more"))
    assert census.is_needed
    random.Random(1).shuffle(keys)
    for key in keys:
        census.hold(page_of(Row("b", key)), None)
    census.conclude("b")
    census.hold(page_of(Row("b", "gone")), None)
    with pytest.raises(Fault, match="leaves some out: .* has 'gone' that"):
        census.conclude("b")


@pytest.mark.parametrize("keys, told", [(["a", "c"], "'c' that"), (["a", "b", "c"], "'c' that"),
                                        (["c", "d", "e"], "'c' and 2 others that")])
def test_others(keys, told):
    """As many others, or more, by name."""
    census = held(page_of(Row("b", "a", "1", "true"), Row("b", "b", "1", "true")),
                  page_of(*(Row("b", key) for key in keys)))
    with pytest.raises(Fault, match=f"of objects has {told} the former does not show"):
        census.conclude("b")


def test_fewer():
    """What is gone since was not left out."""
    held(page_of(Row("b", "a", "1", "true"), Row("b", "b", "1", "true"), prefixes=["p/"]),
         page_of(Row("b", "a"))).conclude("b")


@pytest.mark.parametrize("since, when, missing, young", [
    (NOON, "2026-01-01T12:00:03Z", 0, 0), (NOON, "2026-01-01T12:00:02Z", 0, 1),
    (NOON - SECOND, "2026-01-01T12:00:02Z", 0, 0), (NOON, "2026-01-01T11:59:58Z", 0, 1),
    (NOON, "2026-01-01T11:59:57Z", 1, 0), (NOON, "", 1, 0),
    (None, "2026-01-01T12:00:03Z", 1, 0)])
def test_what_came_meanwhile(since, when, missing, young):
    """Was not left out, if the server's clock says so for certain; what is as old as the listing
    must be shown by another one.
    """
    census = held(page_of(), page_of(Row("b", "new", last_modified=when)), since)
    assert (census.missing, len(census.young)) == (missing, young)
    census.see_again(page_of(Row("b", "new"), prefixes=["p/"]))
    assert (census.missing, len(census.young)) == (missing, 0)


def test_prefixes():
    """One of which all is deleted may be shown by one listing alone; never the other way round."""
    held(page_of(prefixes=["a/", "b/"]), page_of(prefixes=["a/"])).conclude("b")
    census = held(page_of(prefixes=["a/", "b/"]), page_of(prefixes=["a/", "c/"]))
    census.see_again(page_of(prefixes=["a/", "b/"]))
    with pytest.raises(Fault, match="has 'c/' that"):
        census.conclude("b")


@pytest.mark.parametrize("words", [["s3-manifest"], ["s3-manifest", "--versions"],
                                   ["s3-manifest", "--at", "0s"],
                                   ["s3-list", "-R", "--versions"]])
def test_a_server_that_leaves_out_rows(run, words):
    """Ends the manifest without an end mark; where nothing is left out it is whole."""
    with FakeS3(character="seaweedfs") as server:
        server.bucket("b", versioning="Enabled")
        for number in range(1001):
            server.put("b", f"a/{number:04d}", b"")
        good = run(*words, "s3://b", env=env_of(server))
        assert good.status == 0 and good.out.count("a/") == 1001, good.err
        assert "#end rows=1001" in good.out or words[0] == "s3-list"
        for key in ("a-b", "a.c", "a.d"):
            server.put("b", key, b"")
        done = run(*words, "s3://b", env=env_of(server))
        assert done.status == 3 and "#end" not in done.out
        assert "leaves some out" in done.err and "has 'a-b' and 2 others" in done.err


def test_one_level(run):
    """A prefix counts as one entry: what comes before it as a key may be left out as well."""
    with FakeS3(character="seaweedfs") as server:
        server.bucket("b", versioning="Enabled")
        for number in range(1000):
            server.put("b", f"0{number:04d}", b"")
        server.put("b", "a/0", b"")
        server.put("b", "a/1", b"")
        good = run("s3-list", "--versions", "s3://b", env=env_of(server))
        assert good.status == 0 and "\na/\n" in good.out, good.err
        server.character.answered = lambda s3, request, response: server.character.change(
            response, rb"<Version><Key>00007</Key>.*?</Version>", b"")
        done = run("s3-list", "--versions", "s3://b", env=env_of(server))
        assert done.status == 3 and "has '00007' that" in done.err


@pytest.mark.parametrize("ahead", [0, 5])
def test_a_bucket_that_changes_while_it_is_listed(run, ahead):
    """Nothing is left out where something came, and something went, after the listing began, be it
    in the same second.
    """
    with FakeS3(character="seaweedfs") as server:
        server.bucket("b", versioning="Enabled")
        for number in range(1001):
            server.put("b", f"a{number:04d}", b"", modified=server.clock.now() - 60)
        answered, changed = server.character.answered, []

        def change(s3, request, response):
            """Change the bucket after the first page."""
            if "versions" in request.query and not changed:
                changed.append(True)
                server.delete("b", "a0001")
                server.put("b", "a0000-new", b"", modified=server.clock.now() + ahead)
            return answered(s3, request, response)

        server.character.answered = change
        done = run("s3-manifest", "s3://b", env=env_of(server))
        assert done.status == 0 and "#end rows=1001" in done.out, done.err
