"""The rows of which an expression holds: an operation."""

from s3kit.errors import Fault, Usage


class Where:
    """The rows for which an Expression is true; a row that makes no sense stays, so that it is not
    lost unseen.

    `source` has `extras()` and `has_header()`: a name that no column has is a mistake, which would
    look like a manifest without such rows.
    """

    def __init__(self, expression, source):
        self.test, self.source = expression.test, source
        self.unknown = dict(expression.unknown)

    def __call__(self, batches):
        """Yield the rows. Raises what `look` does."""
        test, seen = self.test, False
        for rows in batches:
            if self.unknown:
                self.look(seen)
            seen = True
            rows = [row for row in rows if row.verbatim is not None or test(row)]
            if rows:
                yield rows
        if self.unknown and seen:
            self.look(is_last=True)

    def look(self, seen=True, is_last=False):
        """Find the unknown columns in what came. Raises Usage where all columns are known before
        the first row, Fault where they are only now.
        """
        for name in self.source.extras():
            self.unknown.pop(name, None)
        if self.unknown and (is_last or not seen and self.source.has_header()):
            kind = Fault if is_last else Usage
            raise kind(f"--where: {next(iter(self.unknown.values()))}")
