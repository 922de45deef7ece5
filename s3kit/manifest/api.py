"""Manifests for programs in Python: `read` and `write` (s3kit(3))."""

import os
import warnings
from itertools import chain, islice
from typing import IO, Iterable, Iterator, Sequence, Union

from s3kit.manifest.foreign import READ, WRITTEN
from s3kit.manifest.row import COLUMNS, Row, fault_of
from s3kit.manifest.streams import BLOCK, Input, Output

Place = Union[str, "os.PathLike[str]", IO[bytes]]
TOGETHER = 256          # rows that are written together; the columns that CSV has are theirs


class FileInput(Input):
    """An Input from a binary file of Python's, which need not be one of the system's."""

    def __init__(self, file, bucket, columns, form):
        name = getattr(file, "name", None)
        super().__init__(None, name if isinstance(name, str) else "the file", bucket, columns, form)
        self.file = file

    def raw_blocks(self):
        """Yield what the file gives."""
        while True:
            block = self.file.read(BLOCK)
            if not isinstance(block, bytes):
                raise TypeError("a manifest is read from a binary file")
            if not block:
                return
            yield block


class Lent:
    """A binary file that somebody else opened, and closes."""

    def __init__(self, file):
        self.file = file

    def write(self, data):
        """Write bytes; return how many were taken. Raises BlockingIOError where none could be."""
        count = self.file.write(data)
        if count is None:
            raise BlockingIOError("the file takes nothing now")
        return count

    def flush(self):
        """Let go of what the file holds back."""
        self.file.flush()

    def close(self):
        """Nothing: it is not ours."""


def read(source: Place, *, bucket: str = "", columns: Union[Sequence[str], None] = None,
         form: Union[str, None] = None) -> Iterator[Row]:
    """Yield the rows of a manifest: a path, or a binary file, which stays open.

    `bucket`, `columns` and `form` are what --bucket, --columns and --from of the commands are. A
    row that makes no sense comes as `failed`, its `error` naming the line. Raises Cut, after the
    last row, where the manifest is not whole, Fault where it is not a manifest, and OSError where
    the path cannot be opened. A count that is untrue in a file at a path is a UserWarning.
    """
    known(form, READ)
    if hasattr(source, "read"):
        yield from rows_of(FileInput(source, bucket, columns, form))
        return
    fd = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield from rows_of(Input(fd, os.fsdecode(source), bucket, columns, form))
    finally:
        os.close(fd)


def rows_of(source):
    """Yield the rows of an Input; what people must know besides comes as warnings."""
    for batch in source.batches():
        yield from batch
    for warning in source.warnings:
        warnings.warn(warning, stacklevel=3)


def write(target: Place, rows: Iterable[Row], form: str = "csv") -> int:
    """Write a manifest to a path or a binary file, which stays open; return how many rows it has.

    It ends with the end mark, or not at all: where `rows` raises an exception or has a row that
    makes no sense (ValueError, TypeError), a file at the path stays as it was, and what a binary
    file got has no end mark. A path's name says whether it is compressed. Raises Fault where `form`
    cannot carry a row, OSError where nothing can be written.
    """
    known(form, WRITTEN)
    if hasattr(target, "write"):
        output = Output(form, file=Lent(target))
    else:
        output = Output(form, path=os.fsdecode(target))
    try:
        for batch, extras in batches_of(rows, form == "csv"):
            output.write(batch, extras)
        output.close()
    except BaseException:
        output.abandon()
        raise
    return output.count


def known(form, forms):
    """Raise ValueError where a form is not known."""
    if form not in (None, "csv", "xml", *forms):
        raise ValueError(f"'{form}' is not one of {', '.join(('csv', 'xml', *forms))}")


def batches_of(rows, is_fixed):
    """Yield (rows, names of unknown columns).

    Where the columns are fixed by the first batch, ValueError is raised for one that has more.
    """
    rest, names, number = iter(rows), None, 0
    while batch := list(islice(rest, TOGETHER)):
        found = list(dict.fromkeys(chain.from_iterable(row.extra or () for row in batch)))
        if names is None or not is_fixed:
            names = found
        for number, row in enumerate(batch, number + 1):
            check(row, number)
            if is_fixed and row.extra and not row.extra.keys() <= set(names):
                raise ValueError(f"row {number} has columns that the first {TOGETHER} rows have "
                                 f"not: {', '.join(row.extra.keys() - set(names))}")
        yield batch, names


def check(row, number):
    """Raise TypeError where a column is not text, ValueError where the row makes no sense."""
    cells = {column: getattr(row, column) for column in COLUMNS} | (row.extra or {})
    for column, cell in cells.items():
        if not isinstance(cell, str):
            raise TypeError(f"row {number}: {column} is text, not {type(cell).__name__}")
    why = "" if row.verbatim is not None else fault_of(row)
    if why:
        raise ValueError(f"row {number}: {why}")
