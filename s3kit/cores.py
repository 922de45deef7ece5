"""How many cores this process may use, which can be fewer than the machine has."""

import math
import os

from s3kit.units import number

CGROUPS = "/sys/fs/cgroup"


def usable_cores(root=CGROUPS, membership="/proc/self/cgroup"):
    """Return how many cores this process may keep busy, at least 1.

    That is the least of its affinity (taskset, cpusets) and the CPU quotas of its control groups
    and those above them (cgroup v2 `cpu.max`, v1 `cpu.cfs_quota_us`), rounded up.
    """
    try:
        count = len(os.sched_getaffinity(0))
    except (AttributeError, OSError):       # macOS
        count = getattr(os, "process_cpu_count", os.cpu_count)() or 1
    return max(1, min([count, *(math.ceil(quota) for quota in quotas(root, membership))]))


def quotas(root, membership):
    """Yield the cores that each control group of ours may use, where it has a limit."""
    for line in text_of(membership).splitlines():
        _, controllers, path = (line.split(":", 2) + ["", ""])[:3]
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = f"{root}/{controllers or ''}".rstrip("/")
        parts = [part for part in path.split("/") if part]
        # Within a container the path may be the host's, of which only the top is to be seen here.
        for depth in range(len(parts) + 1):
            folder = "/".join([top, *parts[:depth]])
            if controllers:
                words = [text_of(f"{folder}/cpu.cfs_quota_us").strip(),
                         text_of(f"{folder}/cpu.cfs_period_us").strip()]
            else:
                words = text_of(f"{folder}/cpu.max").split()
            quota, period = map(number, words) if len(words) == 2 else (None, None)
            if quota and period:
                yield quota / period


def text_of(path):
    """Return a file's text, empty where it cannot be read."""
    try:
        with open(path) as file:
            return file.read()
    except (OSError, ValueError):
        return ""
