"""Rows from lists whose keys stand as they are: a `%` in them is nothing but that."""

from s3kit.manifest.row import COLUMNS, FAILED, LISTED, Row, encode, fault_of
from s3kit.text import is_unicode


def plain_row(columns, where, extra=None):
    """Return the Row of columns, {name: text}, of which many may be missing; `where` names its
    place for people.

    Its state is `listed` if none is given; one that makes no sense is `failed`, with its columns
    kept verbatim.
    """
    columns.setdefault("state", LISTED)
    row = Row(**columns, extra=extra)
    return checked(row, where)


def checked(row, where):
    """Return a row, which is made a failed one if it makes no sense."""
    why = fault_of(row)
    if not why and not is_unicode("".join(getattr(row, name) for name in COLUMNS)):
        spoilt = next(name for name in COLUMNS if not is_unicode(getattr(row, name)))
        why = f"the column '{spoilt}' is not Unicode text"
    return spoil(row, where, why) if why else row


def spoil(row, where, why):
    """Return a row as a failed one, its columns kept verbatim as a manifest has them."""
    row.verbatim = {name: getattr(row, name) for name in COLUMNS}
    row.verbatim |= {name: encode(row.verbatim[name]) for name in ("key", "path")}
    row.state, row.error = FAILED, f"{where}: {why}"
    return row


def nonsense(text, where, why):
    """Return the failed row of a piece of text that nothing can be made of."""
    return Row(state=FAILED, error=f"{where}: {why}", verbatim={"key": text[:1024]})
