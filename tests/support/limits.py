"""Limits of this process, for a while."""

import resource
from contextlib import contextmanager


@contextmanager
def file_size(most):
    """No file may grow beyond so many bytes: the nearest thing to a full disk that needs no disk.

    Python ignores SIGXFSZ, so that a write fails with EFBIG.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
