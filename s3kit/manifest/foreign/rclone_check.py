"""What `rclone check --combined FILE` writes: a sign, a blank and a path on each line
(https://rclone.org/commands/rclone_check/).

Which side of the comparison the bucket is on, it does not say.
"""

from s3kit.disk.paths import is_inside
from s3kit.manifest.foreign.pairs import nonsense
from s3kit.manifest.foreign.plain import checked, spoil
from s3kit.manifest.foreign.rclone_names import WHY_UNSURE, is_unsure, key_of
from s3kit.manifest.foreign.text_lines import Lines
from s3kit.manifest.row import FAILED, LISTED, Row

# What the signs say. Equal may mean of equal size: nothing is known to be proven.
SAID = {"=": "", "*": "rclone check: the two sides differ",
        "+": "rclone check: only in the source", "-": "rclone check: only in the destination",
        "!": "rclone check: it could not be read or compared"}


class Reader(Lines):
    """Reads what `rclone check --combined` writes."""

    form = "rclone-check"

    def row(self, text):
        """Return the Row of a line, None of an empty one."""
        if not text:
            return None
        sign, blank, path = text[:1], text[1:2], text[2:]
        where, key = f"line {self.line}", key_of(path)
        if sign not in SAID or blank != " " or not path or path.endswith("/"):
            return nonsense(self.bucket, text, self.line, "not a sign of rclone check --combined "
                            "(= * + - !), a blank and the path of a file")
        row = Row(self.bucket, key, path=key if is_inside(key) else "",
                  state=FAILED if SAID[sign] else LISTED, error=SAID[sign])
        return spoil(row, where, WHY_UNSURE) if is_unsure(path) else checked(row, where)


def reader(form, bucket, columns):
    """Return a reader of what rclone has compared."""
    return Reader(bucket)
