"""How the cells of a CSV manifest become columns: by a header, or by the names that were given."""

from s3kit.errors import Fault
from s3kit.manifest import bare
from s3kit.manifest.row import COLUMNS, FAILED, KNOWN, Row, column_of, from_values

SHOWN = 60          # characters of a line that is no row


class Columns:
    """The columns of one input.

    `given` are the names of an input without a header; `bucket` fills rows without one. `names` are
    those that were found, None before the first row, `header` the cells of the header, if there was
    one, and `extras` the names of the columns that go to a row's `extra`.
    """

    def __init__(self, bucket, given):
        self.bucket = bucket
        self.given = [column_of(name) for name in given or COLUMNS]
        self.extras = []
        self.begin()

    def begin(self):
        """Forget the columns, for those of a manifest that begins."""
        self.names = self.header = None
        self.is_direct = self.is_marked = False

    @property
    def first(self):
        """The first column's name, as far as it is known."""
        return (self.names or self.given)[0]

    def take(self, cells, marked):
        """Choose the columns by a first record; return whether that was a header.

        A `marked` manifest has one. Raises Fault where it is of no use.
        """
        self.is_marked = marked
        names = [column_of(cell) for cell in cells]
        is_header = marked or bare.is_header_row(names, self.given, self.bucket)
        are_keys = not is_header and self.given == ["key"]      # they may have anything in them
        if not are_keys and (len(names) == 1 or self.first == "bucket" and not is_header):
            bare.check_separator(cells[0])
        if len(names) == 1 and not is_header and self.given == list(COLUMNS):
            self.take_keys(cells[0])
        if is_header and "key" not in names:
            raise Fault("the manifest has no header row with a column 'key'")
        # Unknown names may differ in their letters alone, as attributes do.
        named = [self.name_of(name, cell) for name, cell in zip(names, cells) if name]
        if is_header and len(set(named)) < len(named):
            raise Fault("two columns of the header have the same name")
        self.header = cells if is_header else None
        self.choose(cells if is_header else self.given)
        return is_header

    def take_keys(self, line):
        """Take lines of one cell as keys, as the bucket is given. Raises Fault where it is not."""
        if not self.bucket:
            raise Fault(f"'{line[:SHOWN]}' is no row of a manifest, which has a bucket and a key: "
                        "--bucket B takes a list of keys")
        self.given = ["key"]

    def choose(self, names):
        """Set how cells become columns, from the names of the columns in order."""
        self.names = [column_of(name) for name in names]
        self.is_direct = tuple(self.names) == COLUMNS
        self.picks = [self.names.index(column) if column in self.names else -1
                      for column in COLUMNS]
        self.others = [(self.name_of(self.names[at], name), at) for at, name in enumerate(names)
                       if self.names[at] and self.names[at] not in COLUMNS]
        self.extras += [name for name, _ in self.others if name not in self.extras]

    def name_of(self, column, name):
        """Return a column's name: ours, or an unknown one as it is; blanks around that are a
        person's, or else they belong to it.
        """
        if column in KNOWN:
            return column
        return name if self.is_marked else name.strip()

    def row(self, cells, line):
        """Return the Row of one record; a short one of a bare manifest is padded."""
        wrong = ""
        if len(cells) != len(self.names):
            if self.is_marked or any(cells[len(self.names):]):
                wrong = f"{len(cells)} columns, not {len(self.names)}"
            cells = (cells + [""] * len(self.names))[:len(self.names)]
        extra = None
        if not self.is_direct:
            if self.others:
                extra = {name: cells[at] for name, at in self.others}
            cells = [cells[at] if at >= 0 else "" for at in self.picks]
        if wrong:
            return Row(state=FAILED, error=f"line {line}: {wrong}", extra=extra,
                       verbatim=dict(zip(COLUMNS, cells)))
        if self.bucket and not cells[0]:
            cells[0] = self.bucket
        return from_values(cells, line, extra)
