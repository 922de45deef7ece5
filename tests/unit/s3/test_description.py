"""What answers say of an object besides its bytes."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.s3.description import description_in


def test_what_is_said():
    """Headers under our columns' names, as they came; those that are empty or others are left out.
    """
    assert description_in({"content-type": "a/b; c=d", "cache-control": "no-store", "etag": '"e"',
                           "content-language": "", "x-amz-meta-b": "2", "x-amz-meta-a": "1"}) == {
        "content_type": "a/b; c=d", "cache_control": "no-store", "metadata": "a=1&b=2"}
    assert description_in({}) == {} == description_in({"x-amz-meta-": "nameless"})


@given(st.dictionaries(st.text("abc-_.%&=+ ~", min_size=1), st.text(), max_size=4))
def test_any_metadata_comes_back(pairs):
    """Each value as it came, in the order of the names."""
    said = description_in({f"x-amz-meta-{name}": text for name, text in pairs.items()})
    assert parse_qsl(said.get("metadata", ""), True) == sorted(pairs.items())
    assert said.get("metadata", "").isascii() and " " not in said.get("metadata", "")


@pytest.mark.parametrize("came, kept", [("aws-chunked", ""), ("aws-chunked,gzip", "gzip"),
                                        ("gzip, aws-chunked, br", "gzip, br"),
                                        ("gzip,br", "gzip,br")])
def test_how_a_body_came_is_not_kept(came, kept):
    """Some servers keep it; a copy that says so could not be read."""
    assert description_in({"content-encoding": came}).get("content_encoding", "") == kept
