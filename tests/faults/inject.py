"""System calls that fail, lie or kill: strace's injections, and the calls worth one."""

import re
import subprocess
from collections import Counter

CALL = re.compile(r"^(\d+) +(\w+)\((.*)$")
RESUMED = re.compile(r"^\d+ +<\.\.\. ")


def strace(output, inject=(), calls=(), quick=False, paths=()):
    """Return the words that run a command under strace, its children too.

    `inject` are rules like `openat:error=ENOSPC:when=3` (each process counts by itself); `calls`
    are traced besides. `quick` uses a seccomp filter, with which signals are not delivered: never
    for `signal=`. With `paths` (absolute) only calls that touch one of them are traced, counted and
    tampered with.
    """
    traced = sorted({rule.partition(":")[0] for rule in inject} | set(calls))
    words = ["strace", "-f", "-y", "-q", "-o", str(output), "-e", f"trace={','.join(traced)}", "-e",
             "signal=kill"]
    if quick:
        assert not any("signal=" in rule for rule in inject)
        words.append("--seccomp-bpf")
    for rule in inject:
        words += ["-e", f"inject={rule}"]
    for path in paths:
        words += ["-P", str(path)]
    return words


def paths_below(trace, folder):
    """Return the paths below a folder, relative to it, that a recorded run had open or was to open,
    itself first.
    """
    text = trace.read_text(errors="replace")
    found = {match[1]
             for match in re.finditer(rf"{re.escape(str(folder))}(/[^>\"]*)?", text) if match[1]}
    return ["", *sorted(found)]


def points(trace, where):
    """Return {call: [n, ...]}: which calls of a recorded run touch `where` (a text in their
    arguments).

    n counts each process's own calls, as `when=n` does.
    """
    counts, found = Counter(), {}
    for line in trace.read_text(errors="replace").splitlines():
        match = CALL.match(line)
        if match:
            process, call, rest = match.groups()
            counts[process, call] += 1
            if where in rest:
                found.setdefault(call, set()).add(counts[process, call])
    return {call: sorted(numbers) for call, numbers in sorted(found.items())}


def injected(trace):
    """Return the calls of a run that were tampered with, as strace notes them."""
    return [line for line in trace.read_text(errors="replace").splitlines()
            if "(INJECTED)" in line or "killed by SIGKILL" in line]


def check_hits(hit, run, misses=0.1):
    """Check that most of so many runs met the call that was chosen from a recorded one.

    `misses` is the share that may not: how often a process comes to a call differs from run to run.
    Two more may not, for where few are run that share is less than chance.
    """
    assert hit and run - hit <= misses * run + 2, f"only {hit} of {run} met their calls"


def works():
    """Return whether strace may trace here."""
    return subprocess.run(["strace", "-qq", "-e", "trace=none", "true"]).returncode == 0
