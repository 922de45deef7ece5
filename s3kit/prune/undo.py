"""The undo file: a manifest of what was deleted, from which it can be brought back."""

import os
import stat

from s3kit.disk import durable
from s3kit.errors import Fault, of_file
from s3kit.manifest.csv_form import Writer
from s3kit.manifest.row import COLUMNS, OPTIONAL

HEAD = 1024         # bytes that have the first line


class Undo:
    """Adds rows to a file, on the disk before S3 is asked to delete their versions.

    It has no end mark, so that what a crash leaves is as good as the rest, and a next run can add
    to it. One that an older version has begun may lack optional columns, and gets none.
    """

    def __init__(self, path):
        self.path, self.writer = path, Writer()
        try:
            self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            status = os.fstat(self.fd)
            if not stat.S_ISREG(status.st_mode):
                raise Fault(f"'{path}' is not a file that deletions could be undone from")
            if not status.st_size:
                durable.write_all(self.fd, self.writer.text([[*COLUMNS, *OPTIONAL]]))
            head = os.pread(self.fd, HEAD, 0).partition(b"\n")[0].decode(errors="replace")
            names = map(str.strip, head.split(","))
            self.writer.extras = [name for name in names if name in OPTIONAL]
            durable.sync_name(path)
        except OSError as error:
            raise of_file("write", path, error) from None

    def write(self, batch):
        """Write rows, and see them on the disk. Raises Fault."""
        try:
            durable.write_all(self.fd, self.writer.rows(batch))
            durable.sync_data(self.fd)
        except OSError as error:
            raise of_file("write", self.path, error) from None

    def close(self):
        """Close it."""
        os.close(self.fd)
