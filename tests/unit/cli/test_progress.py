"""What is done of how much, and the summary in the bar's place."""

import os
from types import SimpleNamespace

import pytest

from s3kit.cli.messages import Screen
from s3kit.cli.progress import Progress, in_pipe


@pytest.fixture
def progress(monkeypatch):
    """Return a Progress without a terminal."""
    monkeypatch.setattr(Screen, "is_shared", False)
    return Progress(SimpleNamespace(prog="s3-fetch", quiet=False))


def test_a_total_that_is_not_known_is_none(progress):
    """What a pipe has brought so far is the least."""
    progress.expect(100)
    progress.move(40)
    progress.read(None)
    assert (progress.done, progress.expected, progress.total()) == (40, 100, (0, False))
    progress.read(None, True)
    assert progress.total() == (100, False)


def test_a_file_tells_about_how_much_it_is(progress):
    """By how much of it has led to what is expected: not less than that, whatever its rows."""
    progress.expect(100)
    progress.read(0.25)
    progress.expect(100)
    assert progress.total() == (400, True)
    progress.read(0.25)
    assert progress.total() == (400, True)
    progress.expect(800)
    assert progress.total() == (1000, True)
    progress.read(1.0, True)
    assert progress.total() == (1000, False)


def test_what_expects_nothing_is_as_large_as_what_is_done(progress):
    progress.move(50)
    progress.read(0.5)
    assert progress.total() == (100, True)


def test_the_summary_is_said_for_good(progress, capsys):
    """As often as one likes the bar is taken away."""
    progress.move(0, "halfway")
    assert progress.text == "halfway" and not progress.is_closed
    progress.close()
    progress.end("s3-fetch: done \x1b[2J")
    assert progress.is_closed
    assert capsys.readouterr().err == "s3-fetch: done \\x1b[2J\n"
    progress.quiet = True
    progress.end("s3-fetch: done")
    assert capsys.readouterr().err == ""


def test_what_is_a_pipe(tmp_path):
    read, write = os.pipe()
    with open(tmp_path / "file", "w", encoding="utf-8") as file:
        assert in_pipe(read) and in_pipe(write) and not in_pipe(file.fileno())
    os.close(read)
    os.close(write)
