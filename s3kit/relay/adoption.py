"""What the ledgers of transfer_v5 and of its successors claim to have moved
(https://github.com/LeafmanZ/s5jtransfer, src_sync_mvol.py).

It wrote rows before it looked at the copies, and what it looked at were sizes: a claim is something
to ask the far side about, never a proof. A claim that is lost here costs a transfer, no object.
"""

import re

from s3kit.errors import Cut, Fault, of_file
from s3kit.manifest.foreign.csv_records import Records
from s3kit.manifest.foreign.transfer import Ledger
from s3kit.manifest.row import FAILED
from s3kit.text import count, visible

BLOCK = 1 << 20         # bytes that are read at once
MOST_WARNINGS = 20
HEADS = (b"Key,Size", b'"Key","Size"')
BOM = b"\xef\xbb\xbf"
# What pandas makes of sizes, once one row of a file had none.
WHOLE = re.compile(r"(\d{1,16})\.0", re.ASCII)


class Claims:
    """The claims of one ledger: iterate over it for (key, size), in the order of the file.

    Keys have `prefix` before them, the bucket_prefix that they lack in the file. A key can come
    several times, with several sizes, of which any can be the true one. `warnings` are texts for
    people, complete when the iteration has ended. Memory does not grow with the file.

    The iteration raises Fault if the file cannot be read or is not a ledger, or where a quote is
    opened that does not end; the claims before that have come by then.
    """

    def __init__(self, path, prefix=""):
        self.path, self.prefix = path, prefix
        self.warnings, self.unread = [], 0

    def __iter__(self):
        """Yield (key, size). Raises Fault."""
        self.warnings, self.unread = [], 0
        reader = Ledger("ledger")       # rows need a bucket, which a ledger does not name
        # Of a line that lost its end when the power went, the next one is told apart.
        reader.records = Records(is_lenient=True)
        for block in self.blocks():
            yield from self.of_rows(reader.feed(block))
            if reader.stop:
                break
        else:
            reader.close()
        if self.unread > MOST_WARNINGS:
            self.warnings.append(f"'{self.path}': {count(self.unread, 'line')} in all make no "
                                 "sense; what they name is moved again")
        if isinstance(reader.stop, Cut):
            self.warnings.append(f"'{self.path}': {reader.stop}; what is left of it is moved again")
        elif reader.stop:
            raise Fault(f"'{self.path}': {reader.stop}")

    def blocks(self):
        """Yield the bytes of the file. Raises Fault."""
        try:
            with open(self.path, "rb") as file:
                block = file.read(BLOCK)
                head = block.removeprefix(BOM).split(b"\n", 1)[0].rstrip(b"\r")
                if block and head not in HEADS:
                    raise Fault(f"'{self.path}' is not a ledger of transfer_v5: its first line is "
                                "not 'Key,Size'")
                while block:
                    yield block
                    block = file.read(BLOCK)
        except OSError as error:
            raise of_file("read", self.path, error) from None

    def of_rows(self, rows):
        """Yield the claims of rows; what is no claim becomes a warning."""
        for row in rows:
            if row.state != FAILED:
                yield self.prefix + row.key, int(row.size)
                continue
            whole = row.key and WHOLE.fullmatch(row.size)
            if whole:
                yield self.prefix + row.key, int(whole[1])
                continue
            self.unread += 1
            if self.unread <= MOST_WARNINGS:
                why = " (pandas drops names like NA)" if row.size and not row.key else ""
                self.warnings.append(f"'{self.path}', {visible(row.error)}{why}")


def claims(path, prefix=""):
    """Return the Claims of src_ledger.csv or dest_ledger.csv, `prefix` being the bucket_prefix of
    the side where what they name is to be.
    """
    return Claims(path, prefix)
