"""What a file system does with names and locks."""

import errno
import os
from types import SimpleNamespace

from s3kit.doctor import trial
from s3kit.doctor.finding import FAULT, NOTE, OK, WARNING

SPACE = SimpleNamespace(f_namemax=255)


def test_locks_that_mean_nothing(tmp_path, monkeypatch):
    """A file system on which everybody gets the lock, or nobody."""
    monkeypatch.setattr(trial.fcntl, "flock", lambda fd, how: None)
    assert trial.locks(trial.try_out(str(tmp_path))[0]).state == FAULT

    def refuse(fd, how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(trial.fcntl, "flock", refuse)
    found = trial.locks(trial.try_out(str(tmp_path))[0])
    assert found.state == FAULT and "No locks available" in found.seen
    assert os.listdir(tmp_path) == []


def test_short_names(tmp_path):
    """Names that are cut earlier than keys' names are."""
    tried = trial.Trial()
    tried.longest = 143
    (found,) = trial.names(tried, SPACE)
    assert found.state == WARNING and "143 bytes" in found.seen


def test_what_is_tried(tmp_path, monkeypatch):
    """Names that are one, names that are refused; nothing is left."""
    real = trial.make

    def folding(fd, name):
        if name in trial.ODD and ":" in name:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        if len(name) > 143:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        return real(fd, name.lower())

    monkeypatch.setattr(trial, "make", folding)
    monkeypatch.setattr(trial, "is_there", lambda fd, name: name.lower() in os.listdir(fd))
    tried, fault = trial.try_out(str(tmp_path))
    assert fault is None and (tried.folds, tried.refused, tried.longest) == (["case"], [":"], 143)
    assert [found.state for found in trial.names(tried, SPACE)] == [WARNING, WARNING, NOTE]
    assert os.listdir(tmp_path) == []


def test_a_good_file_system():
    """One line."""
    (found,) = trial.names(trial.Trial(), SPACE)
    assert found.state == OK and trial.locks(trial.Trial()).state == OK


def test_where_nothing_can_be_made(tmp_path):
    """What to do follows from why."""
    tried, (seen, advice) = trial.try_out(str(tmp_path / "none"))
    assert tried is None and "No such file" in seen and advice == "choose another with -d"
    assert "quota" in trial.refusal(OSError(errno.EDQUOT, "x"))[1]
