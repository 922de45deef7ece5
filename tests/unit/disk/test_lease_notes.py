"""What the leases on a destination say, and to whom its ledger is another machine's."""

import json
import os
import time

import pytest

from s3kit import process
from s3kit.disk import lease_notes
from s3kit.disk.ledger import Ledger
from s3kit.disk.snapshot import Snapshot
from s3kit.errors import Fault, Held

HERE = {"host": os.uname().nodename, "pid": os.getpid(), "start": process.start_of(os.getpid()),
        "world": process.world(), "seconds": 30}
FAR = HERE | {"host": "far", "pid": 7}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Our folder of a destination on NFS, with a ledger."""
    Ledger(str(tmp_path)).close()
    monkeypatch.setattr(lease_notes, "network_of", lambda fd, path: "NFS")
    return tmp_path


def write(folder, number, said):
    """Write a lease."""
    (folder / f"lease.{number}").write_text(said if isinstance(said, str) else json.dumps(said))


@pytest.mark.parametrize("opened", [lambda folder: Ledger(str(folder)),
                                    lambda folder: Snapshot(str(folder), "")],
                         ids=["ledger", "snapshot"])
@pytest.mark.parametrize("said, holder", [
    (FAR, "process 7 on far"), ("{", "nobody says whose"), (HERE, ""), (FAR | {"ended": True}, "")])
def test_a_ledger_is_of_one_machine_while_an_s3_fetch_is_at_work(folder, opened, said, holder):
    """Nobody opens it on another; an older lease says nothing."""
    write(folder, 9, FAR)
    write(folder, 10, said)
    if holder == "":
        opened(folder).close()
        return
    with pytest.raises(Held, match="an s3-fetch of another machine .*, which is on NFS, or was "
                                   "killed: run this there") as refused:
        opened(folder)
    assert holder in str(refused.value)


@pytest.mark.parametrize("is_renewed", [False, True])
def test_the_same_name_before_or_on_another_machine(folder, monkeypatch, is_renewed):
    """Where it is not renewed it was this machine, before it was started anew."""
    said, looks = HERE | {"world": "another boot", "seconds": 0.4}, []

    def wait(seconds):
        looks.append(seconds)
        if is_renewed and len(looks) == 3:
            write(folder, 4, said | {"beat": 2})
        sleep(seconds)

    sleep = time.sleep
    monkeypatch.setattr(lease_notes.time, "sleep", wait)
    monkeypatch.setattr(lease_notes, "LOOK", 0.02)
    write(folder, 4, said)
    if is_renewed:
        with pytest.raises(Held, match="another machine"):
            Ledger(str(folder))
        assert len(looks) == 3
    else:
        Ledger(str(folder)).close()
        assert len(looks) > 3


def test_on_a_file_system_of_one_machine_leases_say_nothing(folder, monkeypatch):
    monkeypatch.setattr(lease_notes, "network_of", lambda fd, path: "")
    write(folder, 1, FAR)
    Ledger(str(folder)).close()


def test_where_nobody_can_say_it_is_not_opened(folder, monkeypatch):
    def fail(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(lease_notes, "newest", fail)
    with pytest.raises(Fault, match="cannot look for a lease in .*: Input/output error"):
        Ledger(str(folder))


@pytest.mark.parametrize("text, seconds", [("", 0), ("{", 0), ("[]", 0), ('{"seconds": "x"}', 0),
                                           ('{"seconds": -1}', 0), ('{"seconds": 4}', 4)])
def test_what_a_note_says(text, seconds):
    note = lease_notes.Note(text)
    assert note.seconds == seconds and not note.has_ended() and not note.is_of_this_host()


def test_only_the_newest_counts(folder):
    for number in (2, 10, 9):
        write(folder, number, FAR)
    (folder / "lease.011").touch()      # not one of ours
    fd = os.open(folder, os.O_RDONLY)
    assert lease_notes.newest(fd) == 10 and sorted(lease_notes.numbers(fd)) == [2, 9, 10]
    lease_notes.remove(fd, 10)
    lease_notes.remove(fd, 10)
    assert lease_notes.newest(fd) == 9 and not lease_notes.is_there(fd, 10)
    assert lease_notes.read(fd, 0) is None and lease_notes.read(fd, 10) is None
    os.close(fd)
