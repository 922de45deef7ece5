"""One line on stderr for people."""

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.cli import messages
from s3kit.cli.messages import CLEAR, Screen, say


@given(st.text(max_size=20))
def test_a_message_is_one_line_that_acts_on_nothing(text):
    """Whatever a key or a server's answer holds."""
    before, sys.stderr = sys.stderr, io.StringIO()
    try:
        say("s3-fetch", text)
        said = sys.stderr.getvalue()
    finally:
        sys.stderr = before
    assert said.startswith("s3-fetch: ") and said.endswith("\n")
    assert len(said.splitlines()) == 1 and not set(said[:-1]) & {"\x1b", "\r", "\x00", "\u202e"}


def test_it_is_written_over_a_bar(capsys, monkeypatch):
    """Where the terminal has bars the line is erased first; nowhere else."""
    monkeypatch.setattr(Screen, "is_shared", False)
    say("s3-fetch", "one")
    monkeypatch.setattr(Screen, "is_shared", True)
    say("s3-fetch", "two")
    assert capsys.readouterr().err == f"s3-fetch: one\n{CLEAR}s3-fetch: two\n"


@pytest.mark.parametrize("broken", [None, "closed", "full"])
def test_a_message_that_cannot_be_written_ends_nothing(broken, monkeypatch):
    """The row, and the status, say it, too."""
    file = None
    if broken:
        file = open("/dev/full", "w", encoding="utf-8")
        if broken == "closed":
            file.close()
    monkeypatch.setattr(messages.sys, "stderr", file)
    say("s3-fetch", "text")
    if broken == "full":
        with pytest.raises(OSError):
            file.close()
