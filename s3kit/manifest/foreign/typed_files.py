"""Data files in Parquet and ORC, read with pyarrow, some thousand rows at a time."""

from s3kit.errors import Cut, Fault
from s3kit.manifest.foreign.columns import Table

ROWS = 1 << 14          # that are in memory as text at once


def library():
    """Return pyarrow's modules (parquet, orc). Raises Fault where it is not installed."""
    try:
        from pyarrow import orc, parquet
    except ImportError:
        raise Fault("Parquet and ORC need the library 'pyarrow' (pip install s3kit[inventory])"
                    ) from None
    return parquet, orc


def batches(file, kind, name, bucket):
    """Yield (Table, columns of text, number of the first row) of a Parquet or ORC file.

    Raises Cut where it cannot be read, Fault.
    """
    parquet, orc = library()
    import pyarrow
    try:
        found = parquet_batches(parquet, file) if kind == "Parquet" else orc_batches(orc, file)
        first, table = 1, None
        for batch in found:
            table = table or Table(batch.schema.names, bucket, encoded=False)
            for start in range(0, batch.num_rows, ROWS):
                part = batch.slice(start, ROWS)
                yield table, [texts(column) for column in part.columns], first
                first += part.num_rows
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        raise Cut(f"{name}: the {kind} file cannot be read: {' '.join(str(error).split())}"
                  ) from None


def parquet_batches(parquet, file):
    """Yield the record batches of a Parquet file."""
    with parquet.ParquetFile(file) as opened:
        yield from opened.iter_batches(batch_size=ROWS)


def orc_batches(orc, file):
    """Yield the record batches of an ORC file, one a stripe."""
    opened = orc.ORCFile(file)
    for stripe in range(opened.nstripes):
        yield opened.read_stripe(stripe)


def texts(column):
    """Return a column's values as text as CSV has them, '' where there is none."""
    import pyarrow
    from pyarrow import compute
    kind = column.type
    if pyarrow.types.is_timestamp(kind):
        column = column.cast(pyarrow.timestamp("ms"), safe=False)       # which are in UTC
        column = compute.strftime(column, format="%Y-%m-%dT%H:%M:%SZ")
    elif pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind):
        return decoded(column)
    elif not pyarrow.types.is_string(kind):
        column = column.cast(pyarrow.string())
    try:
        return column.fill_null("").to_pylist()
    except UnicodeDecodeError:
        return decoded(column.cast(pyarrow.binary()))


def decoded(column):
    """Return bytes as text; those that are not UTF-8 come as lone surrogates."""
    return [(value or b"").decode("utf-8", "surrogateescape") for value in column.to_pylist()]
