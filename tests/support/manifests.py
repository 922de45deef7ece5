"""Reading manifests in tests."""

import os
import tempfile
from pathlib import Path

from s3kit.manifest.streams import Input


def read_rows(source):
    """Return the rows of a manifest, a path or its text; it must be whole."""
    if isinstance(source, Path):
        fd = os.open(source, os.O_RDONLY)
    else:
        with tempfile.TemporaryFile() as file:
            file.write(source.encode("utf-8", "surrogateescape"))
            file.flush()
            fd = os.dup(file.fileno())
            os.lseek(fd, 0, os.SEEK_SET)
    try:
        manifest = Input(fd, "test")
        rows = [row for batch in manifest.batches() for row in batch]
        assert not manifest.warnings
        return rows
    finally:
        os.close(fd)
