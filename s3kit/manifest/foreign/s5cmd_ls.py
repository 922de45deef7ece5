"""What `s5cmd --json ls` writes: one object of JSON a line, errors among them.

Its keys are `s3://BUCKET/KEY`, which is no URL: nothing is encoded. An empty object has no size, a
delete marker (--all-versions) neither that nor an ETag
(https://github.com/peak/s5cmd/blob/master/storage/storage.go).
"""

from s3kit.errors import Cut
from s3kit.etags import bare
from s3kit.manifest.foreign.json_entries import time_of
from s3kit.manifest.foreign.json_lines import Lines
from s3kit.manifest.foreign.json_parts import text_of
from s3kit.manifest.foreign.plain import nonsense, plain_row, spoil
from s3kit.manifest.row import Row

SCHEME = "s3://"


class Reader(Lines):
    """Reads what `s5cmd --json ls` writes."""

    form = "s5cmd-ls"

    def __init__(self, bucket=""):
        super().__init__(bucket)
        self.error = ""

    def take(self, entry, line):
        """Return the Row of an object, None where it is an error, which is kept for the end."""
        if "error" in entry:
            self.error = self.error or f"line {line}: s5cmd says: {text_of(entry['error'])}"
            return None
        said = {name: text_of(value) for name, value in entry.items()}
        where, url = f"line {line}", said.get("key", "")
        if not url.startswith(SCHEME):
            return nonsense(url or " ".join(said.values()), where, "not an object of s5cmd's: its "
                            f"key does not begin with {SCHEME}")
        bucket, _, key = url[len(SCHEME):].partition("/")
        if said.get("type") == "directory" and not said.get("last_modified"):
            return spoil(Row(bucket, key), where,
                         "a directory: what is below it is not listed (s5cmd ls needs a '*')")
        return plain_row(columns_of(bucket, key, said), where)

    def finish(self):
        """Return the error that was among the lines."""
        return Cut(self.error) if self.error else None


def columns_of(bucket, key, said):
    """Return the columns of an object, from its members as text."""
    etag, size = bare(said.get("etag", "")), said.get("size", "")
    is_marker = not (etag or size or said.get("storage_class"))
    return {"bucket": bucket, "key": key, "version_id": said.get("version_id", ""),
            "is_delete_marker": "true" if is_marker else "", "etag": etag,
            "size": "" if is_marker else size or "0",
            "last_modified": time_of(said.get("last_modified", "")),
            "storage_class": said.get("storage_class", "")}


def reader(form, bucket, columns):
    """Return a reader of what s5cmd lists."""
    return Reader(bucket)
