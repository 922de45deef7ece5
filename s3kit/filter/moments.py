"""--at and --undelete: what a manifest of all versions says of another moment; operations."""

from itertools import chain, groupby

from s3kit.errors import Fault
from s3kit.manifest.sorter import OBJECT, Sort, in_batches
from s3kit.manifest.versions import as_of, time_of
from s3kit.units import known_ns


class History:
    """The versions of each key together, in the order of buckets and keys.

    `nonsense` holds the rows that came meanwhile and make no sense, `has_more` says whether any
    version that is not its key's latest came, or a delete marker.
    """

    def __init__(self, batches):
        self.batches = batches
        self.nonsense, self.has_more = [], False

    def __iter__(self):
        for rows in Sort(OBJECT)(self.batches):
            self.has_more = self.has_more or any(
                row.is_latest == "false" or row.is_marker for row in rows)
            self.nonsense += [row for row in rows if row.verbatim is not None]
            yield [row for row in rows if row.verbatim is None]


class Moment:
    """The rows that were there at `moment`, an aware datetime, or with None those that current
    delete markers hide. `warn(text)` hears of a manifest that seems not to know old versions.
    """

    def __init__(self, moment, warn):
        self.moment, self.warn = moment, warn

    def __call__(self, batches):
        """Yield the rows. Raises Fault where one has no time and it decides."""
        history = History(batches)
        chosen = (as_of(history, self.moment, "the manifest") if self.moment
                  else in_batches(hidden(history)))
        for rows in chosen:
            nonsense, history.nonsense = history.nonsense, []
            if nonsense or rows:
                yield nonsense + rows
        if history.nonsense:
            yield history.nonsense
        if not history.has_more:
            self.warn("warning: the manifest has no old version and no delete marker: was it made "
                      "with --versions?")


def hidden(history):
    """Yield the newest version of each key whose latest is a delete marker."""
    for _, group in groupby(chain.from_iterable(history), key=OBJECT):
        row = hidden_of(group)
        if row:
            yield row


def hidden_of(group):
    """Return the newest version of one key (of two as old the first) if its latest is a delete
    marker, or None.

    The latest is the one that is said to be, else the newest. Raises Fault where a time is missing.
    """
    latest = best = untimed = None
    for row in group:
        if latest is None or age_of(row) > age_of(latest):
            latest = row
        if not row.is_marker:
            untimed = untimed or (row if known_ns(row.last_modified) is None else None)
            if best is None or time_of(row) > time_of(best):
                best = row
    if not latest.is_marker:
        return None
    if untimed:
        raise Fault(f"the manifest does not say when {untimed.name} is from: --undelete cannot "
                    "choose")
    return best


def age_of(row):
    """Return what orders rows so that the latest is the last."""
    return row.is_latest == "true", time_of(row)
