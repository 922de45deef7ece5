"""The lease on a destination that other hosts reach: one holder at a time, whatever happens to it.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from s3kit.disk.tree import Tree, clock, settle
from s3kit.errors import Fault, Held
from s3kit.fetch import lease as module
from s3kit.fetch.lease import Lease, Unneeded, lease_of
from s3kit import process

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """A lease holds for a second, and every file system is shared."""
    monkeypatch.setattr(module, "SECONDS", 1.0)
    monkeypatch.setattr(module, "LOOK", 0.02)
    monkeypatch.setattr(Tree, "network", lambda tree: "NFS")


@pytest.fixture
def tree(tmp_path):
    return Tree(str(tmp_path / "d"))


def held(tree, said=None):
    """Return a Lease on a Tree that has not begun; `said` gets what people are told."""
    return Lease(tree, (said if said is not None else []).append, lambda: None)


def note(tree, number, **values):
    """Write the lease of another host."""
    text = json.dumps({"host": "far", "pid": 1, "start": "1", "world": "another boot",
                       "seconds": 0.5, "beat": 1} | values)
    Path(tree.path, ".s3kit", f"lease.{number}").write_text(text)


def leases(tree):
    """Return the names of the leases that are there."""
    return sorted(name for name in os.listdir(tree.ours) if name.startswith("lease"))


def test_a_local_file_system_needs_none(tree, monkeypatch):
    monkeypatch.setattr(Tree, "network", lambda tree: "")
    with lease_of(tree, print, lambda: None) as lease:
        lease.tell(None)
        lease.keep_ledgers(None)
    assert isinstance(lease, Unneeded) and tree.until is None and leases(tree) == []


def test_it_is_held_and_ends(tree):
    """For longer than it holds, because it is renewed; the next one is taken at once."""
    for number in (1, 2):
        began, heard = clock(), []
        with held(tree) as lease:
            assert clock() - began < 0.9 and leases(tree) == [f"lease.{number}"]
            lease.tell(heard.append)
            time.sleep(1.4)
            tree.check_lease()
            assert len(set(heard)) > 4 and heard == sorted(heard)
        with pytest.raises(Fault, match="the lease on the destination has run out"):
            tree.check_lease()
        tree.until = None


def test_a_holder_that_lives_refuses(tree, tmp_path):
    """Within a renewal, by name."""
    with held(tree), pytest.raises(Held, match="another s3-fetch .process .* on NFS") as refused:
        held(Tree(str(tmp_path / "d"))).__enter__()
    assert str(os.getpid()) in str(refused.value) and refused.value.status == 4


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"seconds": "x"}', '{"seconds": -1}'])
def test_one_that_is_silent_has_run_out(tree, text):
    """After it was looked at for longer than it holds, also where it says nothing."""
    note(tree, 3)
    if text is not None:
        Path(tree.path, ".s3kit", "lease.3").write_text(text)
    began, said = clock(), []
    with held(tree, said) as lease:
        assert 0.5 < clock() - began < 5 and lease.is_from_silent
        assert leases(tree) == ["lease.4"]
    assert "does not move: it is taken over in" in said[0]


def test_one_whose_process_is_gone_has_ended(tree):
    """At once, if it was of this host."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    note(tree, 1, host=os.uname().nodename, world=process.world(), pid=gone.pid, start="5",
         seconds=60)
    with held(tree) as lease:
        assert not lease.is_from_silent


def test_the_pid_of_another_host_says_nothing(tree):
    """One of the same name, even."""
    note(tree, 1, host=os.uname().nodename, pid=1 << 30)
    with held(tree) as lease:
        assert lease.is_from_silent


def test_who_is_late_takes_nothing(tree):
    """A number that was free again is no lease, nor is one that somebody else has taken."""
    note(tree, 7)
    late = held(tree)
    assert not late.create(3) and leases(tree) == ["lease.7"] and tree.until is None
    assert not late.create(7) and tree.until is None


@pytest.mark.parametrize("happens", ["stopped", "taken", "no answer"])
def test_who_cannot_renew_writes_no_more(tree, monkeypatch, happens):
    """Neither part files nor names; and what is another's by now is not removed."""
    if happens == "stopped":
        monkeypatch.setattr(Lease, "keep", lambda lease: None)
    lease = held(tree)
    lease.__enter__()
    fd = tree.hold_part("p.part")
    if happens == "taken":
        note(tree, 2)
    elif happens == "no answer":
        monkeypatch.setattr(os, "pwrite", refuse)
    time.sleep(1.3)
    for step in (tree.check_lease, lambda: tree.hold_part("q.part"),
                 lambda: settle(tree, "p.part", fd, "b/k", 0, 0, 0o600)):
        with pytest.raises(Fault, match="the lease on the destination has run out"):
            step()
    tree.remove_part("p.part")
    assert os.listdir(tree.parts) == ["p.part"]
    closed = []
    lease.keep_ledgers(type("", (), {"leave_open": lambda ledger: closed.append(1)})())
    with pytest.raises(Fault, match="the lease on the destination has run out"):
        lease.__exit__(None)
    assert closed == [1] and b'"ended": true' not in module.read(tree.ours, 1).data


def refuse(*_):
    """Fail as a server that is gone."""
    raise OSError(5, "Input/output error")


HOLDER = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from s3kit.disk.tree import Tree, clock
from s3kit.errors import Fault, Held
from s3kit.fetch import lease
lease.SECONDS, lease.LOOK = 0.4, 0.02
lease.os.uname = lambda: type("", (), {"nodename": sys.argv[3]})()
Tree.network = lambda tree: "NFS"
log = os.open(sys.argv[2] + ".log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
tree, turn = Tree(sys.argv[2]), 0
while True:
    tree.until, turn = None, turn + 1
    try:
        with lease.Lease(tree, lambda text: None, lambda: None):
            for _ in range(60):
                at = clock()
                tree.check_lease()
                os.write(log, f"{at:.6f} {os.getpid()} {turn}\\n".encode())
                time.sleep(0.005)
    except (Held, Fault):
        time.sleep(0.01)
"""


@pytest.mark.parametrize("seconds", [4, pytest.param(300, marks=[
    pytest.mark.long, pytest.mark.timeout(400)])])
def test_never_two_at_once(tmp_path, seconds):
    """Four hosts that want it, killed and stopped at random: all steps of one holder come before
    all of the next.
    """
    chance = random.Random(seconds)
    Tree(str(tmp_path / "d"))

    def start(host):
        return subprocess.Popen([sys.executable, "-c", HOLDER, str(ROOT), str(tmp_path / "d"),
                                 f"host{host}"])

    def holders():
        """Return the processes that have held it, by the log."""
        return {line.split()[1] for line in (tmp_path / "d.log").read_text().splitlines()}

    (tmp_path / "d.log").touch()
    hosts, stopped, began = {host: start(host) for host in range(4)}, {}, time.monotonic()
    try:
        while time.monotonic() < began + seconds or len(holders()) < 3:
            assert time.monotonic() < began + 60 + 2 * seconds, "nobody ever took it over"
            time.sleep(chance.uniform(0.1, 0.4))
            host = chance.randrange(4)
            if host in stopped:
                hosts[host].send_signal(stopped.pop(host))
            elif chance.random() < 0.5:
                hosts[host].send_signal(signal.SIGSTOP)
                stopped[host] = signal.SIGCONT
            else:
                hosts[host].kill()
                hosts[host].wait()
                hosts[host] = start(host)
    finally:
        for process_ in hosts.values():
            process_.kill()
            process_.wait()
    lines = sorted((float(at), who) for at, who in (
        line.split(" ", 1) for line in (tmp_path / "d.log").read_text().splitlines()))
    turns = [who for place, (_, who) in enumerate(lines) if not place or lines[place - 1][1] != who]
    assert len(turns) == len(set(turns)), "two held it at once"
