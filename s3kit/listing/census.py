"""The current objects of a listing of versions, to be compared with those of a listing of objects.

Rows that a server leaves out cannot be seen missing. SeaweedFS (4.48) collects a page of versions
in the order of its directories, sorts it by key, and goes on after the greatest: keys before that
one which come later in the directories are never shown, as `a.c` where a page ends within `a/`
(listObjectVersions in
https://github.com/seaweedfs/seaweedfs/blob/master/weed/s3api/s3api_object_versioning.go).
Its listing of objects has them.
"""

from s3kit.errors import Fault

DOUBTED = "seaweedfs"       # how the servers that are not believed begin to name themselves
MASK = (1 << 64) - 1


def is_doubted(headers):
    """Return whether a server's listing of versions is not to be believed by itself."""
    return headers.get("server", "").lower().startswith(DOUBTED)


class Census:
    """How many keys there are, and a sum that tells them from others, in whatever order they come.
    """

    def __init__(self):
        self.pages = self.count = self.sum = 0

    def add(self, page):
        """Count the current objects of a page of either listing."""
        keys = [row.key for row in page.rows
                if row.is_latest == "true" and not row.is_marker] if page.versions else [
                    row.key for row in page.rows]
        self.pages += 1
        self.count += len(keys)
        self.sum = (self.sum + sum(map(hash, keys))) & MASK

    def compare(self, other, bucket):
        """Raise Fault where a listing of objects has others."""
        if (self.count, self.sum) != (other.count, other.sum):
            raise Fault(
                f"the server's listing of the versions of '{bucket}' has {self.count:,} current "
                f"objects, its listing of objects {other.count:,}: one leaves some out, or they "
                "changed meanwhile (a prefix with fewer versions may be listed whole)")
