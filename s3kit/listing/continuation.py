"""Where a listing goes on after a page.

It goes on after an entry of the page itself, not after what the server says: Ceph RGW encodes keys
and not the marker beside them (https://tracker.ceph.com/projects/rgw), OpenStack Swift names the
version `null` always, MinIO adds words of its own. What follows an entry that was shown can repeat
rows, which is found out (see sequence), but never leave any out. Only a continuation token is
opaque, and goes back as it came.
"""

from urllib.parse import quote

from s3kit.errors import Fault

NEXT = ("NextContinuationToken", "NextKeyMarker", "NextMarker")
TRUNCATED = {"true": True, "false": False}


def query_after(page, top):
    """Return the query that asks for what follows a page, '' where nothing does.

    `top` are the texts of the elements beside the entries, by name. Raises Fault for a page that
    says neither that it is the last one nor where the listing goes on.
    """
    if not goes_on(page, top):
        return ""
    if not page.versions and top.get("NextContinuationToken"):
        return f"continuation-token={quote(top['NextContinuationToken'], safe='')}"
    key, version = last_of(page, top)
    return marker_query(key, version) if page.versions else key_query(key)


def goes_on(page, top):
    """Return whether something follows a page: only `false`, or nothing at all, ends a listing."""
    said = top.get("IsTruncated", "").strip().lower()
    if said and said not in TRUNCATED:
        raise Fault(f"the listing of '{page.bucket}' does not say whether it goes on: "
                    f"IsTruncated is '{said[:20]}'")
    return TRUNCATED[said] if said else any(top.get(name) for name in NEXT)


def last_of(page, top):
    """Return (key or prefix, version id or '') of the entry that a page ends with.

    That is the last one in order of keys. A server with an order of its own may name another entry
    that is the last of its kind (version, delete marker, prefix). Where a page has no entries, the
    server's word must do.
    """
    told = top.get("NextKeyMarker") or top.get("NextMarker") or ""
    spellings = spellings_of(told, page)
    found = last_of_each_kind(page)
    if not found:
        if not told:
            raise Fault(f"the listing of '{page.bucket}' says that it goes on, but not where")
        return min(spellings), top.get("NextVersionIdMarker", "")
    latest = max(found, key=lambda entry: entry[0])[0]
    named = [entry for entry in found if entry[0] in spellings]
    alike = [entry for entry in named if entry[0] == latest] or named or [
        entry for entry in found if entry[0] == latest]
    version = top.get("NextVersionIdMarker", "")
    key, own, _ = min(alike, key=lambda entry: (entry[1] != version, entry[2]))
    return key, own


def spellings_of(marker, page):
    """Return the keys that a marker can mean: it is encoded as the page's keys are, or not."""
    try:
        return {marker, page.key(marker)}
    except Fault:
        return {marker}


def last_of_each_kind(page):
    """Return [(key, version id, time)] of the last row, the last of the other kind where versions
    and delete markers come apart, and the last prefix: of two with one key the older is the later.
    """
    rows, found = page.rows, []
    if rows:
        found.append(rows[-1])
        if page.versions:
            kind = rows[-1].is_delete_marker
            found += [row for row in [next((row for row in reversed(rows)
                                            if row.is_delete_marker != kind), None)] if row]
    return ([(row.key, row.version_id, row.last_modified) for row in found]
            + [(prefix, "", "") for prefix in page.prefixes[-1:]])


def marker_query(key, version=""):
    """Return the query for the versions after all of a key's, or after one of them."""
    marker = f"key-marker={quote(key, safe='')}"
    return f"{marker}&version-id-marker={quote(version, safe='')}" if version else marker


def key_query(key):
    """Return the query for the objects after a key, whichever version of the listing a server
    knows: the first one has `marker`, the second one `start-after`.
    """
    return f"marker={quote(key, safe='')}&start-after={quote(key, safe='')}"
