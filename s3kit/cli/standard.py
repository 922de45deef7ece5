"""The standard descriptors: open from the beginning, and a fault of writing stdout told from any
other.
"""

import errno
import io
import os
import sys


class NotWritten(OSError):
    """stdout could not be written; the error has the errno and the words of the operating system.
    """

    @property
    def is_pipe(self):
        """Whether the reader of a pipe has gone."""
        return self.errno == errno.EPIPE


class Standard(io.FileIO):
    """Descriptor 1: what cannot be written there raises NotWritten."""

    def write(self, data):
        """Write bytes; return how many were taken."""
        try:
            return super().write(data)
        except OSError as error:
            raise NotWritten(error.errno, error.strerror) from None


def open_standard():
    """Open what is closed of descriptors 0 to 2, so that no other file gets their numbers.

    stdout becomes unwritable, not a place where output vanishes.
    """
    for fd, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, mode)
    if sys.stdout is None or sys.stdout is sys.__stdout__:
        sys.stdout = text_of(sys.stdout)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)


def text_of(before):
    """Return stdout as a text file on Standard, with the encoding of the one `before`, if there was
    one.
    """
    try:
        raw = Standard(1, "w", closefd=False)
    except OSError as error:        # a directory
        raise NotWritten(error.errno, error.strerror) from None
    errors = before.errors if before else "strict"
    encoding = before.encoding if before else None
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors, line_buffering=os.isatty(1))


def mute(fd):
    """Let a descriptor lead nowhere: what Python could not write at its end would change our status
    to 120.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), fd)
