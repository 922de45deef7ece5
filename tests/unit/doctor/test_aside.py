"""What hangs is left behind."""

import threading
import time

import pytest

from s3kit.doctor import aside
from s3kit.doctor.aside import Late, Limit


def test_what_comes_and_what_fails():
    """The Future has what the call returns or raises, in a thread that keeps nobody alive."""
    threads = []

    def call(value):
        threads.append(threading.current_thread())
        if not value:
            raise ValueError("none")
        return value

    assert aside.aside(call, 7).result(5) == 7
    with pytest.raises(ValueError, match="none"):
        aside.aside(call, 0).result(5)
    assert all(thread.daemon and thread is not threading.main_thread() for thread in threads)


def test_all_together_have_one_limit(monkeypatch):
    """What hangs uses it up; once it is over only what is there already is taken."""
    monkeypatch.setattr(aside, "SECONDS", 0.2)
    monkeypatch.setattr(aside, "LEAST", 0.1)
    limit, done, release = Limit(), aside.aside(int, "3"), threading.Event()
    began = time.monotonic()
    for _ in range(3):
        with pytest.raises(Late):
            limit.wait(aside.aside(release.wait, 30))
    assert 0.15 < time.monotonic() - began < 5 and limit.wait(done) == 3
    limit.started()             # so slow a start leaves a moment
    assert limit.wait(aside.aside(int, "4")) == 4
    release.set()
