"""The lists of transfer_v5 and its successors: src_ledger.csv, of what was copied, and missing.txt,
of what was not (https://github.com/LeafmanZ/s5jtransfer, src_sync_mvol.py, repair_ledger.py).

Keys lack the `bucket_prefix` of config.yaml. A ledger's lines were compared by size, or not at all,
and what they name may have left this machine since: all that they say is that S3 had it.
"""

from s3kit.manifest.foreign import pairs
from s3kit.manifest.foreign.pairs import nonsense
from s3kit.manifest.foreign.text_lines import Lines
from s3kit.manifest.row import COLUMNS, LISTED, encode, from_values

HEADER = ["Key", "Size"]


class Ledger(pairs.Reader):
    """Feed it bytes of a ledger, it gives back rows: `feed`, then `close`."""

    form, wanted = "transfer-ledger", "a key and its size"

    def is_header(self, cells):
        """Return whether a record is a header, of which each run may write one, or empty."""
        return cells == HEADER or not any(cells)

    def row(self, key, size, line):
        """Return the Row of a key and its size."""
        return listed(self.bucket, key, size, line)


class Missing(Lines):
    """Feed it bytes of missing.txt, it gives back rows: `feed`, then `close`. A size that was cut
    is another size.
    """

    form = "transfer-missing"

    def row(self, text):
        """Return the Row of a line, or None where it is empty. A key may hold `: ` itself."""
        if not text:
            return None
        key, colon, size = text.rpartition(": ")
        if not (colon and size):
            return nonsense(self.bucket, text, self.line, "not a key, ': ' and its size")
        return listed(self.bucket, key, size, self.line)


def listed(bucket, key, size, line):
    """Return the Row of a key and its size."""
    cells = dict.fromkeys(COLUMNS, "") | {"bucket": bucket, "key": encode(key), "size": size,
                                          "state": LISTED}
    return from_values(list(cells.values()), line)


def reader(form, bucket, columns):
    """Return a reader of one of the two lists."""
    return {Ledger.form: Ledger, Missing.form: Missing}[form](bucket)
