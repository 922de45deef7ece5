"""Faults: one line each, and the status that goes with it."""

import errno
import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit import errors
from s3kit.errors import Fault, of_file, reason

STATUSES = {"Fault": 3, "Usage": 2, "Held": 4, "Cut": 3, "NoAccess": 3, "NoCredentials": 3,
            "NoSuchBucket": 3, "NoVersions": 3}


def test_the_status_of_every_fault():
    """All are Faults, so that what catches those misses none."""
    found = {name: kind.status for name, kind in inspect.getmembers(errors, inspect.isclass)}
    assert found == STATUSES
    assert all(issubclass(kind, Fault) for _, kind in inspect.getmembers(errors, inspect.isclass))
    assert issubclass(errors.NoCredentials, errors.NoAccess) and Fault("x").code == ""


@pytest.mark.parametrize("error, text", [
    (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
    (FileNotFoundError(errno.ENOENT, "No such file or directory", "secret"),
     "No such file or directory"),
    (OSError("odd"), "odd"), (OSError(), "OSError"), (ValueError("two\n  lines"), "two lines"),
    (ValueError(""), "ValueError"), (ValueError(" "), "ValueError"), (KeyError("k"), "'k'")])
def test_the_reason_as_people_say_it(error, text):
    assert reason(error) == text


@given(st.text(max_size=20))
def test_a_reason_is_one_line_that_says_something(text):
    assert reason(ValueError(text)) and len(reason(ValueError(text)).splitlines()) == 1


def test_a_fault_of_a_file():
    fault = of_file("open", "m.csv", PermissionError(errno.EACCES, "Permission denied"))
    assert (str(fault), fault.status) == ("cannot open 'm.csv': Permission denied", 3)
