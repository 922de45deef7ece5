"""When files were modified, as their uploaders noted it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.s3.source_times import FIRST, LAST, noted_in, noted_in_pairs

SECOND = 10**9
AT = 1_700_000_000 * SECOND


@pytest.mark.parametrize("name, text, found", [
    ("mtime", "1700000000.5", AT + SECOND // 2), ("mtime", "1700000000", AT),
    ("mtime", "1700000000.123456789", AT + 123456789), ("mtime", "1700000000.1234567899", AT
                                                        + 123456789),
    ("mtime", "1700000000.", AT), ("mtime", "0", 0), ("mtime", "-1.5", -SECOND * 3 // 2),
    ("mtime", "1e9", None), ("mtime", "", None), ("mtime", "nan", None), ("mtime", "soon", None),
    ("mtime", "1700000000000", None), ("mtime", "99999999999", None), ("mtime", "+5", None),
    ("mtime", "\u0661", None), ("mtime", "-0.000000001", None), ("mtime", ".5", None),
    ("mtime", "2023-11-14T22:13:20Z", None), ("mtime", "1700000000 5", None),
    ("s3cmd-attrs", "atime:1/ctime:2/gid:0/gname:root/md5:0/mode:33188/mtime:1700000000/uid:0", AT),
    ("s3cmd-attrs", "mtime:1700000000", AT), ("s3cmd-attrs", "mtime:1700000000.5/uid:0", AT
                                              + SECOND // 2),
    ("s3cmd-attrs", "xmtime:1700000000/uid:0", None), ("s3cmd-attrs", "mtime:/uid:0", None),
    ("s3cmd-attrs", "mtime:17x/uid:0", None),
    ("mc-attrs", "atime:1#2/gid:0/mtime:1700000000#5/uid:0", AT + 5),
    ("mc-attrs", "mtime:1700000000#123456789", AT + 123456789),
    ("file-mtime", "1700000000500000000ns", AT + SECOND // 2), ("file-mtime", "1700000000500", AT
                                                                + SECOND // 2),
    ("file-mtime", "1700000000500000000", None), ("file-mtime", "ns", None),
    ("s3sync_origin_last_modified", "2023-11-14T22:13:20+00:00", AT),
    ("s3sync_origin_last_modified", "2023-11-14T23:13:20+01:00", AT),
    ("s3sync_origin_last_modified", "yesterday", None), ("other", "1700000000", None)])
def test_each_form(name, text, found):
    """As its uploader writes it; nonsense is passed over, and what no clock says."""
    assert noted_in({f"x-amz-meta-{name}": text, "mtime": "1"}) == found
    assert noted_in_pairs(f"{name}={text.replace('+', '%2B')}") == found


def test_the_first_that_makes_sense_counts():
    headers = {"x-amz-meta-mtime": "nonsense", "x-amz-meta-file-mtime": "1700000000500",
               "x-amz-meta-s3cmd-attrs": "mtime:1700000000"}
    assert noted_in(headers) == AT
    assert noted_in(headers | {"x-amz-meta-mtime": "5"}) == 5 * SECOND
    assert noted_in({}) is None and noted_in_pairs("") is None


@given(st.sampled_from(["mtime", "s3cmd-attrs", "mc-attrs", "file-mtime",
                        "s3sync_origin_last_modified"]),
       st.text("0123456789.-:/#nsmtie ") | st.text())
def test_any_text_is_a_time_or_none(name, text):
    """Nobody knows what others write there."""
    found = noted_in({f"x-amz-meta-{name}": text})
    assert found is None or FIRST < found < LAST
