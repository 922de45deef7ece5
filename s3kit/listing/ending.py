"""Whether a listing ends where its last page is empty, though the one before said that it goes on.

Some servers say so of every full page (https://github.com/versity/versitygw/issues/770), and the
objects that followed may have been deleted meanwhile. Others do not understand the marker that they
were sent, and leave out the rest. So the same is asked after the last row but one: the last one
must come again, and nothing more.
"""

from s3kit.errors import Fault
from s3kit.listing.continuation import key_query, marker_query


def is_bare(page):
    """Return whether a page shows nothing."""
    return not (page.rows or page.prefixes)


def is_empty(page):
    """Return whether a page shows nothing, and says that nothing follows."""
    return is_bare(page) and not page.next


def check_query(before):
    """Return the query that asks for the last entry of the page before an empty one.

    Raises Fault where that has too few.
    """
    entries = entries_of(before)
    if len(entries) < 2:
        raise doubt(before)
    key, version = entries[-2]
    return marker_query(key, version) if before.versions else key_query(key)


def check(before, page):
    """Raise Fault where the answer to check_query does not show that nothing follows."""
    entries, shown = entries_of(before), set(entries_of(page))
    if page.next or entries[-1] not in shown or not shown <= set(entries):
        raise doubt(before)


def entries_of(page):
    """Return [(key or prefix, version id)] of a page, in order."""
    found = [(row.key, row.version_id) for row in page.rows]
    if page.prefixes:
        found = sorted(found + [(prefix, "") for prefix in page.prefixes],
                       key=lambda entry: entry[0])
    return found


def doubt(page):
    """Return the Fault of a listing that may have been cut."""
    key = entries_of(page)[-1][0] if page.rows or page.prefixes else ""
    return Fault(f"the listing of '{page.bucket}' says that it goes on after '{key}', and then "
                 "shows nothing more")
