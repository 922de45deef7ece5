"""What the filters keep of a listing, as all keys or one level."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.cli import options
from s3kit.errors import Fault
from s3kit.listing.contents import Contents
from s3kit.listing.unpaged import Batch
from s3kit.manifest.row import Row


def contents(*argv, keys=(), page=2, size="5"):
    """Return a Contents of a listing with these keys, and what the listing is asked for."""
    made, asked = options.parser("s3-test", "Test."), []
    options.filter_options(made)
    args = made.parse_args(argv)
    args.versions = False

    def pages(endpoint, prefix, versions, delimiter):
        """Yield Batches as a server does."""
        asked.append((prefix, delimiter))
        rows = [Row("b", key, size=size) for key in keys if key.startswith(prefix)]
        for start in range(0, len(rows), page):
            yield Batch("b", rows[start:start + page], [])

    return Contents(SimpleNamespace(pages=pages), args), asked


def listed(made, prefix="", is_deep=False):
    """Return (keys, prefixes) of all batches."""
    batches = list(made.batches("endpoint", prefix, is_deep))
    return ([row.key for batch in batches for row in batch.rows],
            [name for batch in batches for name in batch.prefixes])


def test_without_filters_s3_makes_the_levels():
    made, asked = contents(keys=["a", "d/x"])
    listed(made, "d/")
    listed(made, is_deep=True)
    assert asked == [("d/", "/"), ("", "")]


def test_a_prefix_stands_for_what_is_kept_below_it():
    """Once, wherever pages end; all keys are asked for."""
    made, asked = contents("--include", "*.jpg", keys=["a.jpg", "a.txt", "d/a.txt", "d/b.jpg",
                                                       "d/c.jpg", "d/e/f.jpg", "t/a.txt"])
    assert listed(made) == (["a.jpg"], ["d/"]) and asked == [("", "")]
    assert listed(made, "d/") == (["d/b.jpg", "d/c.jpg"], ["d/e/"])
    assert listed(made, is_deep=True) == (["a.jpg", "d/b.jpg", "d/c.jpg", "d/e/f.jpg"], [])


@given(st.lists(st.text("ab/", min_size=1, max_size=5), max_size=12), st.integers(1, 4),
       st.sampled_from(["", "a", "a/", "b/a"]))
def test_a_level_is_as_a_server_has_it(keys, page, prefix):
    """What filters leave is grouped as a server groups by a delimiter."""
    keys = sorted(set(keys))
    made, _ = contents("--min-size", "1", keys=keys, page=page)
    below = [key for key in keys if key.startswith(prefix)]
    groups = [prefix + key[len(prefix):].split("/")[0] + "/"
              for key in below if "/" in key[len(prefix):]]
    assert listed(made, prefix) == ([key for key in below if "/" not in key[len(prefix):]],
                                    list(dict.fromkeys(groups)))


def test_what_is_there_but_not_kept():
    """Is not taken for a prefix that nothing begins with."""
    made, _ = contents("--include", "x", keys=["d/a"])
    assert listed(made, "d/") == ([], []) and made.is_there
    assert listed(made, "none/") == ([], []) and not made.is_there


def test_what_the_server_does_not_say():
    """A size that a filter asks for."""
    made, _ = contents("--min-size", "1", keys=["a"], size="")
    with pytest.raises(Fault, match="does not say how large"):
        listed(made)
