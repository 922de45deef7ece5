"""The face of what reads and of what writes one form of a manifest, with what most forms have."""


class Reader:
    """Turns bytes to rows: `feed(data)` as often as wanted, then `close()`; both return lists.

    `form` is its name and `count` how many rows came. `stop` is the Fault that ends the reading,
    once there is one: the rows before it still come. `marked` says whether the input promised an
    end mark, `ended` whether it came, `miscounts` has (said, came) of the end marks that are
    untrue, and `extras` has the unknown columns' names. `has_header` says whether all columns are
    known before the first row, `comments` how many lines were taken as comments that could have
    been keys, `is_sorted` whether the rows came in order where that was to be expected. `shards`
    has the mark of each manifest that began, '' where it is not a shard.

    `is_by_hand` is set by who feeds it bytes of a file, which a person may have edited. Of forms
    that people write the last line may have no end then, and `lacks_end` says that it has none;
    from a pipe it is half of one, for programs end each line.

    What is more than one stream of bytes has `batches()`, which yields lists of Rows, in place of
    `feed` and `close`.
    """

    form = ""
    marked = ended = has_header = False
    miscounts, extras, shards = (), (), ()
    comments = 0
    is_sorted = True
    is_by_hand = lacks_end = False


class Writer:
    """Turns rows to bytes: `begin(extras)`, `rows(rows)` as often as wanted, `end(count)`.

    `is_marked` says whether what was written shows by itself that it is whole. `extras` are the
    unknown columns that it carries, and `shard`, set before `begin`, the mark for the head. As it
    stands there is neither a head nor an end mark.
    """

    is_marked = False
    extras = ()
    shard = ""

    def begin(self, extras):
        """Return the head; `extras` are the unknown columns to carry along."""
        return b""

    def end(self, count):
        """Return the end mark, after `count` rows."""
        return b""
