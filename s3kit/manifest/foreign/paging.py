"""Pages of one listing or of several, one after the other: whether any is missing."""

TRUNCATED = {"true": True, "false": False}
BEGINS = ("KeyMarker", "ContinuationToken", "Marker")
GOES_ON = ("NextKeyMarker", "NextContinuationToken", "NextMarker", "NextToken")


class Paging:
    """What the documents of a file say of where their listings begin and go on.

    `missing` says what is not there, '' where nothing is.
    """

    def __init__(self):
        self.count, self.last, self.missing = 0, None, ""

    def add(self, top, keys):
        """Take the next document: `top` has its texts by their elements' names, `keys` are those of
        its entries, as it has them.
        """
        self.count += 1
        why = self.why_not(top, keys)
        if why and not self.missing:
            self.missing = f"page {self.count} {why}"
        said = top.get("IsTruncated", "").strip().lower()
        goes_on = TRUNCATED.get(said, any(top.get(name) for name in GOES_ON)
                                or bool(said)) or bool(top.get("NextToken"))
        self.last = {"key": keys[-1] if keys else "", **top} if goes_on else None

    def why_not(self, top, keys):
        """Return why a document does not follow the one before it, or ''."""
        last = self.last
        if not last:
            begins = any(top.get(name) for name in BEGINS)
            return "begins in the middle: those before it are missing" if begins else ""
        if top.get("Name") != last.get("Name"):
            return "is of another bucket, and the listing before it is not at its end"
        if last.get("NextContinuationToken"):
            fits = top.get("ContinuationToken") == last["NextContinuationToken"]
        elif last.get("NextKeyMarker"):
            fits = (top.get("KeyMarker"), top.get("VersionIdMarker", "")) == (
                last.get("NextKeyMarker"), last.get("NextVersionIdMarker", ""))
        elif last.get("NextToken"):     # of which the next page of the AWS CLI says nothing
            fits = not keys or bytes_of(keys[0]) >= bytes_of(last["key"])
        else:
            fits = top.get("Marker", "") in (last.get("NextMarker"), last["key"])
        return "" if fits else "does not follow the one before it"

    def close(self):
        """Return what is missing of all documents, or ''."""
        if not self.count:
            return "there is no page"
        if self.last and not self.missing:
            return f"page {self.count} says that more follow, and they are not here"
        return self.missing


def bytes_of(key):
    """Return the bytes of a key, by which S3 orders them; what is not Unicode in it, too."""
    return key.encode("utf-8", "surrogatepass")
