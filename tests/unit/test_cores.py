"""How many cores may be used: affinity and the quotas of control groups."""

import os
import subprocess
import sys

import pytest

from s3kit.cores import usable_cores

MANY = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.mark.parametrize("member, files, wanted", [("0::/\n", {"cpu.max": "50000 100000"}, 1),
                                                   ("0::/\n", {"cpu.max": "max 100000"}, 64),
                                                   ("0::/\n", {"cpu.max": "250000 100000"}, 3), (
                                                       "0::/a/b\n", {
                                                           "a/cpu.max": "200000 100000",
                                                           "a/b/cpu.max": "max 100000"}, 2), (
                                                               "0::/of/the/host\n",
                                                               {"cpu.max": "300000 100000"}, 3),
                                                   ("0::/\n", {"cpu.max": "rubbish"}, 64),
                                                   ("", {}, 64), (
                                                       "4:cpu,cpuacct:/x\n0::/\n", {
                                                           "cpu,cpuacct/x/cpu.cfs_quota_us":
                                                           "150000",
                                                           "cpu,cpuacct/x/cpu.cfs_period_us":
                                                           "100000"}, 2), (
                                                               "1:cpu:/\n", {
                                                                   "cpu/cpu.cfs_quota_us": "-1",
                                                                   "cpu/cpu.cfs_period_us":
                                                                   "100000"}, 64)])
def test_quotas_of_control_groups(tmp_path, monkeypatch, member, files, wanted):
    """The least of all limits on the way from the top, rounded up; what says nothing limits
    nothing.
    """
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)
    for name, text in {**files, "../member": member}.items():
        path = tmp_path / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert usable_cores(str(tmp_path / "cgroup"), str(tmp_path / "member")) == wanted


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no affinity")
def test_affinity_is_the_default_of_jobs():
    """A process that may use one core starts one worker, whatever the machine has."""
    script = ("import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n"
              "from s3kit.commands.fetch import "
              "build_parser\nprint(build_parser().parse_args([]).jobs)")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("1\n", "")
