"""The first rows, and all but the first: operations."""


class Skip:
    """All rows but the first `count`."""

    def __init__(self, count):
        self.count = count

    def __call__(self, batches):
        """Yield the rows that come after."""
        left = self.count
        for rows in batches:
            if left < len(rows):
                yield rows[left:]
            left = max(0, left - len(rows))


class First:
    """The first `count` rows. No more is read than it takes, so a cut that comes later is not seen,
    and what writes the input may end by SIGPIPE.
    """

    def __init__(self, count):
        self.count = count

    def __call__(self, batches):
        """Yield the first rows."""
        left = self.count
        for rows in batches:
            yield rows[:left]
            left -= len(rows)
            if left <= 0:
                return
