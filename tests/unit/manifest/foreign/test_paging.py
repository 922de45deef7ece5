"""Pages of listings: whether any is missing."""

import pytest

from s3kit.manifest.foreign.paging import Paging

VERSIONS = [{"Name": "b", "KeyMarker": "", "VersionIdMarker": "", "IsTruncated": "true",
             "NextKeyMarker": "k", "NextVersionIdMarker": "v"},
            {"Name": "b", "KeyMarker": "k", "VersionIdMarker": "v", "IsTruncated": "false"}]
SECOND = [{"Name": "b", "StartAfter": "a", "IsTruncated": "true", "NextContinuationToken": "t"},
          {"Name": "b", "StartAfter": "a", "ContinuationToken": "t", "IsTruncated": "false"}]
FIRST = [{"Name": "b", "Marker": "", "IsTruncated": "true"},
         {"Name": "b", "Marker": "z", "IsTruncated": "false"}]
DELIMITED = [FIRST[0] | {"NextMarker": "zz/"}, FIRST[1] | {"Marker": "zz/"}]
CLI = [{"NextToken": "t"}, {}]


def missing(*pages, keys=("a", "z")):
    """Return what is missing of pages that have all the same first and last key."""
    paging = Paging()
    for page in pages:
        paging.add(page, list(keys))
    return paging.close()


@pytest.mark.parametrize("pages", [VERSIONS, SECOND, FIRST, DELIMITED, CLI])
def test_pages(pages):
    """All of them are a whole listing; without the last, or the first, or with one of another
    bucket between them, they are not.
    """
    keys = ("a", "a") if pages is CLI else ("a", "z")
    first, last = pages
    assert missing(first, last, keys=keys) == ""
    assert missing(first, last, first, last, keys=keys) == ""
    assert missing(last, keys=keys) == ("" if pages is CLI else
                                        "page 1 begins in the middle: those before it are missing")
    assert missing(first, keys=keys) == "page 1 says that more follow, and they are not here"
    assert missing(first, last, first, keys=keys).startswith("page 3 says")
    assert "another bucket" in missing(first, {"Name": "other"}, last, keys=keys)
    if pages is not CLI:
        assert missing(first, first, last) == "page 2 does not follow the one before it"


def test_the_cli_s_pages_go_up():
    """A page of the AWS CLI does not say where it begins; its keys do."""
    keys = ("\ue000", "\U0001f600")
    assert missing(*CLI, keys=keys) == "page 2 does not follow the one before it"


@pytest.mark.parametrize("said, is_whole", [("false", True), ("", True), (" False ", True),
                                            ("true", False), ("perhaps", False)])
def test_what_truncated_says(said, is_whole):
    """Only `false`, or nothing at all, ends a listing."""
    assert (missing({"IsTruncated": said}) == "") is is_whole


def test_nothing():
    assert missing() == "there is no page"
