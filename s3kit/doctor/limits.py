"""What this process may hold open, and how large its files may be."""

import resource

from s3kit.disk.tree import KEPT
from s3kit.doctor.finding import FAULT, OK, WARNING, Finding
from s3kit.units import show_size


def findings(connections):
    """Return the Findings of a process with so many connections."""
    found = [open_files(connections)]
    most = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if most != resource.RLIM_INFINITY:
        found.append(Finding("file size", WARNING,
                             f"no file may have more than {show_size(most)} here",
                             "ulimit -f unlimited"))
    return found


def room_for(connections):
    """Return how many connections, no more than asked for, this process may open beside what it
    has.
    """
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return (connections if soft == resource.RLIM_INFINITY
            else max(1, min(connections, (soft - 24) // 2)))


def open_files(connections):
    """Return whether a worker with so many connections may open what it needs: sockets, part files,
    directories.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * connections + KEPT + 32
    facts = {"soft": soft, "hard": hard, "needed": needed}
    if soft == resource.RLIM_INFINITY:
        return Finding("open files", OK, "no limit", "", facts)
    if soft >= needed:
        return Finding("open files", OK,
                       f"{soft:,} a process; -c {connections} needs about {needed}", "", facts)
    raised = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
    fewer = max(1, (soft - KEPT - 32) // 2)
    advice = (f"ulimit -n {raised}" if raised >= needed
              else f"have the limit raised, or use -c {fewer}")
    return Finding("open files", FAULT if soft < KEPT else WARNING,
                   f"{soft:,} a process; -c {connections} needs about {needed}", advice, facts)
