"""What a command line costs: wall time, CPU of all its processes, memory; and what the server alone
can give.
"""

import os
import signal
import socket
import ssl
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

EVERY = 0.05                # seconds between two looks at the processes
TOO_LONG = 900              # seconds
LANES = 8                   # connections of the bare loop
TICKS = os.sysconf("SC_CLK_TCK")
WORKER = b"s3kit.pipeline.worker"       # is in the command line of a worker
IN_ROW = 100                # requests it sends on one connection before it looks at the answers


def look(group):
    """Return [(pid, whether a worker of s3kit, bytes of memory, seconds of CPU)] of a process
    group. Shared pages are counted once.
    """
    found = []
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            try:
                if os.getpgid(int(pid)) == group:
                    is_worker = WORKER in Path("/proc", pid, "cmdline").read_bytes()
                    found.append((pid, is_worker, pss(pid), spent(pid)))
            except (OSError, IndexError):
                pass
    return found


def pss(pid):
    """Return the proportional set size of a process."""
    with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
        for line in file:
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) << 10
    return 0


def spent(pid):
    """Return the CPU seconds of a process, of what it started none."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS


class Watch(threading.Thread):
    """Looks at a process group again and again.

    `series` has (seconds, bytes of all); `largest` and `worker` are the most bytes of any process
    and of any worker of s3kit, `parent` of any that is not one, and `parent_cpu` its CPU seconds.
    """

    def __init__(self, group):
        super().__init__(daemon=True)
        self.group, self.series, self.over, self.began = (group, [], threading.Event(),
                                                          time.monotonic())
        self.worker = self.parent = self.parent_cpu = 0

    def run(self):
        """Look until told to stop."""
        # sooner at first
        while not self.over.wait(min(EVERY, 0.005 + (time.monotonic() - self.began) / 10)):
            found = look(self.group)
            if found:
                self.series.append((time.monotonic() - self.began,
                                    sum(size for _, _, size, _ in found)))
            for _, is_worker, size, cpu in found:
                if is_worker:
                    self.worker = max(self.worker, size)
                else:
                    self.parent, self.parent_cpu = (max(self.parent, size),
                                                    max(self.parent_cpu, cpu))

    @property
    def largest(self):
        """The most bytes of any process."""
        return max(self.worker, self.parent)

    def between(self, first, last):
        """Return the peak of all between two shares of the run's time."""
        end = self.series[-1][0] if self.series else 0
        return max((total for when, total in self.series if first * end <= when <= last * end),
                   default=0)


def run(line, env):
    """Run a line of bash in a process group of its own; return its figures, `status` and `error`
    among them.
    """
    began = time.monotonic()
    process = subprocess.Popen(["bash", "-c", f"set -o pipefail; {line}"], env=env,
                               start_new_session=True, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    watch = Watch(process.pid)
    watch.start()
    stop = threading.Timer(TOO_LONG, os.killpg, (process.pid, signal.SIGKILL))
    stop.start()
    try:
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    except BaseException:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        raise
    finally:
        stop.cancel()
        wall = time.monotonic() - began
        watch.over.set()
        watch.join()
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "memory": watch.between(0, 1),
            "largest": watch.largest, "worker": watch.worker, "parent": watch.parent,
            "parent_cpu": watch.parent_cpu,
            "early": watch.between(0.05, 0.15), "late": watch.between(0.9, 1),
            "status": process.returncode,
            "error": " ".join(said.decode(errors="replace").split())[-300:]}


def sync(folder):
    """Write what the file system of a folder still has in memory; return the seconds it took."""
    began = time.monotonic()
    subprocess.run(["sync", "-f", folder], check=True)
    return time.monotonic() - began


def arrived(folder):
    """Return (files, bytes) below a folder, what s3kit keeps for itself left out."""
    files = size = 0
    for path, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".s3kit"]
        files += len(names)
        size += sum(os.lstat(os.path.join(path, name)).st_size for name in names)
    return files, size


def ceiling(urls):
    """Return what the server gives a bare loop that looks at nothing: (answers, bytes) a second.

    Each connection sends many requests and reads what comes until the server closes it.
    """
    step = max(1, min(IN_ROW, len(urls) // LANES))
    batches = [urls[at:at + step] for at in range(0, len(urls), step)]
    began = time.monotonic()
    with ThreadPoolExecutor(LANES) as threads:
        size = sum(threads.map(drain, batches))
    spent = time.monotonic() - began
    return len(urls) / spent, size / spent


def drain(urls):
    """Send GETs of some URLs of one server on one connection; return how many bytes came back."""
    where = urlsplit(urls[0])
    head = f"HTTP/1.1\r\nHost: {where.netloc}\r\n"
    lines = [url.removeprefix(f"{where.scheme}://{where.netloc}") for url in urls]
    text = "".join(f"GET {line} {head}\r\n" for line in lines[:-1])
    text += f"GET {lines[-1]} {head}Connection: close\r\n\r\n"
    buffer, size = bytearray(1 << 20), 0
    with connect(where) as connection:
        connection.sendall(text.encode())
        while count := connection.recv_into(buffer):
            size += count
    return size


def connect(where):
    """Return a connection to a server, its certificate not looked at."""
    plain = socket.create_connection((where.hostname, where.port))
    if where.scheme == "http":
        return plain
    return ssl._create_unverified_context().wrap_socket(plain, server_hostname=where.hostname)


def file_system(folder):
    """Return the type of the file system that a folder lies on."""
    return subprocess.run(["df", "--output=fstype", folder], capture_output=True,
                          text=True).stdout.split()[-1]


def load():
    """Return the machine's load of the last minute."""
    return Path("/proc/loadavg").read_text().split()[0]
