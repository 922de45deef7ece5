"""Rows that meet: few buckets, few keys, few versions; for hypothesis."""

from hypothesis import strategies as st

from s3kit.manifest.row import Row

# beyond U+FFFF, where UTF-16 has another order than UTF-8, and prefixes of each other
KEYS = ("a", "a/b", "ab", "\uffe0", "\U0001f600", "\U0001f600b", "é", "e\u0301")
VERSIONS = ("", "null", "v1", "v2", "v3")
TIMES = ("", "2026-01-01T12:00:00Z", "2026-01-01T12:00:00.500Z", "2026-01-02T00:00:00Z")

rows = st.builds(
    Row, bucket=st.sampled_from(("b", "c")), key=st.sampled_from(KEYS),
    version_id=st.sampled_from(VERSIONS), is_latest=st.sampled_from(("", "true", "false")),
    size=st.sampled_from(("", "0", "9", "10")), last_modified=st.sampled_from(TIMES),
    etag=st.sampled_from(("", "0" * 32, "1" * 32, "1" * 32 + "-2")),
    storage_class=st.sampled_from(("", "GLACIER")), state=st.sampled_from(("listed", "failed")))
nonsense = st.builds(Row, key=st.sampled_from(KEYS), state=st.just("failed"),
                     error=st.just("line 1: no bucket"),
                     verbatim=st.builds(dict, key=st.sampled_from(KEYS)))


def batches(row=rows, most=12):
    """Return a strategy of lists of lists of rows, in any order."""
    return st.lists(st.lists(row, min_size=1, max_size=4), max_size=most // 3)


def sorted_batches(found):
    """Return the rows of lists of rows in S3's order of keys, one row a list."""
    ordered = sorted(flat(found), key=lambda row: (row.bucket.encode(), row.key.encode()))
    return [[row] for row in ordered]


def flat(found):
    """Return all rows of lists of rows."""
    return [row for batch in found for row in batch]


def said(found):
    """Return what rows of lists of rows say, so that they can be compared and sorted."""
    return [repr(row) for row in flat(found)]


class Given:
    """Lists of rows as the Source of a manifest has them, which may be a shard."""

    def __init__(self, found, *marks):
        self.found, self.marks = found, marks or ("",)

    def batches(self):
        """Return the lists of rows."""
        return iter(self.found)

    def shards(self):
        """Return the marks of all manifests."""
        return list(self.marks)

    def inputs_of(self, mark):
        """Return the names of the manifests that are a shard."""
        return [f"{place}.csv" for place, has in enumerate(self.marks) if has == mark]

    def extras(self):
        """Return the names of unknown columns."""
        return []
