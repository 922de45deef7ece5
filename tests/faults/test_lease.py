"""Two hosts and one file system on which flock says nothing of the other: two namespaces of mounts
and host names, each with a FUSE mount of its own (bindfs) of the same directory.
"""

import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from conftest import ROOT, clean_env, env_of

SECONDS = 4             # that a lease holds here: renewals may be late on a busy machine
COUNT = 400
RUN = f"""import runpy, sys
sys.path.insert(0, {str(ROOT)!r})
from s3kit.fetch import lease
lease.SECONDS = {SECONDS}
sys.argv = [{str(ROOT / "bin")!r} + "/" + sys.argv[1], *sys.argv[2:]]
runpy.run_path(sys.argv[0], run_name="__main__")"""


def wait_for(condition, seconds=30):
    """Wait until a function returns something true."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


class Host:
    """A host: its bindfs lives in its namespaces, and they as long as it."""

    def __init__(self, name, disk, at, env):
        self.at, self.env, self.runs = at, env, []
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--uts", "sh", "-c",
             'echo "$0" > /proc/sys/kernel/hostname && exec bindfs -f "$1" "$2"', name, disk, at])
        wait_for(lambda: os.path.ismount(f"/proc/{self.process.pid}/root{at}"))

    def start(self, *words, command="s3-fetch", options=("-j1",)):
        """Start s3-fetch on it, or another command; return its process."""
        number = f"{self.process.pid}"
        process = subprocess.Popen(
            ["nsenter", "--target", number, "--mount", "--uts", sys.executable, "-c", RUN, command,
             *options, "-d", self.at / "d", *map(str, words)], env=clean_env(self.env),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True)
        self.runs.append(process)
        return process

    def run(self, *words, **how):
        """Run s3-fetch on it, or another command; return (status, stdout, stderr)."""
        process = self.start(*words, **how)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def end(self):
        """End all that runs on it."""
        for process in self.runs:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        self.process.terminate()
        self.process.wait()


@pytest.fixture
def hosts(fake, tmp_path, run):
    """Two hosts, `a` and `b`, with the list of a bucket in m.csv."""
    fake.bucket("b")
    for number in range(COUNT):
        fake.put("b", f"k{number:03d}", b"x" * number)
    done = run("s3-manifest", "s3://b/", "-o", tmp_path / "m.csv", env=env_of(fake))
    assert done.status == 0, done.err
    (tmp_path / "disk").mkdir()
    (tmp_path / "mnt").mkdir()
    made = []
    try:
        for name in "ab":
            made.append(Host(f"host-{name}", tmp_path / "disk", tmp_path / "mnt", env_of(fake)))
        flock_says_nothing(made, tmp_path / "disk" / "lock")
        yield made
    finally:
        for host in made:
            host.end()


def flock_says_nothing(hosts, path):
    """See that all hosts get the lock of one file at once."""
    path.touch()
    files = [open(f"/proc/{host.process.pid}/root{host.at / path.name}", "r+") for host in hosts]
    for file in files:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    for file in files:
        file.close()
    path.unlink()


def begun(host, tmp_path):
    """Start a slow s3-fetch; return its process once it has written some files."""
    process = host.start("--limit-requests", "8", tmp_path / "m.csv")
    wait_for(lambda: len(files(tmp_path)) > 4)
    return process


def files(tmp_path):
    """Return {name: (bytes, time, inode)} of the files that are there."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino)
            for path in (tmp_path / "disk/d").glob("b/*")}


def is_all_there(tmp_path):
    """Return whether all files are there and right, and the ledger knows them."""
    base = sqlite3.connect(tmp_path / "disk/d/.s3kit/ledger.sqlite3")
    try:
        whole = base.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        known = base.execute("SELECT count(*) FROM object WHERE state = 'fetched'").fetchone()[0]
    finally:
        base.close()
    found = {name: data for name, (data, _, _) in files(tmp_path).items()}
    return whole and known == COUNT and found == {
        f"k{number:03d}": b"x" * number for number in range(COUNT)}


@pytest.mark.system("root", "unshare", "nsenter", "bindfs")
@pytest.mark.parametrize("happens", ["stopped", pytest.param("killed", marks=pytest.mark.long)])
def test_two_hosts(hosts, tmp_path, happens):
    """A second s3-fetch is refused while the first lives, and takes over where it does not; one
    that was stopped and wakes up writes nothing, neither files nor rows, and says why.
    """
    first, second = hosts
    holder = begun(first, tmp_path)
    status, out, err = second.run(tmp_path / "m.csv")
    assert status == 4 and f"another s3-fetch (process {holder.pid} on host-a)" in err, err
    assert "on FUSE" in err and holder.poll() is None
    for command, options in (("s3-verify", ()), ("s3-status", ()), ("s3-prune", ("--yes",))):
        status, out, err = second.run(*[tmp_path / "m.csv"] * (command != "s3-status"),
                                      command=command, options=options)
        assert status == 4 and f"(process {holder.pid} on host-a) writes to" in err, err
    assert first.run(command="s3-status", options=())[0] in (0, 1)
    os.killpg(holder.pid, signal.SIGKILL if happens == "killed" else signal.SIGSTOP)
    began = time.monotonic()
    status, out, err = second.run(tmp_path / "m.csv")
    assert status == 0 and time.monotonic() - began > SECONDS, err
    assert "does not move: it is taken over in" in err and out.count(",fetched,") == COUNT
    assert is_all_there(tmp_path)
    if happens == "stopped":
        before = files(tmp_path)
        os.killpg(holder.pid, signal.SIGCONT)
        out, err = holder.communicate(timeout=30)
        assert holder.returncode == 3 and "the lease on the destination has run out" in err, err
        assert files(tmp_path) == before and is_all_there(tmp_path)
    status, out, err = first.run(tmp_path / "m.csv")
    assert status == 0 and f"nothing to fetch, {COUNT} rows already there" in err, err
    assert second.run(tmp_path / "m.csv", command="s3-verify")[0] == 0
