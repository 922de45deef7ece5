"""What only `make test-system` may use: tools, and the Debian packages that have them.

`@pytest.mark.system(NEED, ...)` says what a test needs: a tool of TOOLS, "root" (it mounts, or
makes namespaces), or "minutes" (it takes seconds, and with the others of its kind too long for
those who run `make test`; fault injection is among them). For every other test each tool of TOOLS
is replaced by a script that fails and says which mark is missing.

As a program (`python tests/support/tools.py`) it installs what is missing, as root, with `--long`
also what only long tests need; else it says what is missing.
"""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

TOOLS = {"groff": "groff", "strace": "strace", "patch": "patch", "mount": "mount",
         "umount": "mount", "losetup": "mount", "unshare": "util-linux", "findmnt": "util-linux",
         "nsenter": "util-linux", "bindfs": "bindfs", "parallel": "parallel",
         "blockdev": "util-linux", "ip": "iproute2", "mkfs.ext4": "e2fsprogs",
         "mkfs.xfs": "xfsprogs", "mkfs.btrfs": "btrfs-progs", "mkfs.exfat": "exfatprogs",
         "mount.exfat-fuse": "exfat-fuse", "ceph-mon": "ceph-mon", "ceph-osd": "ceph-osd",
         "ceph": "ceph-common", "radosgw": "radosgw", "radosgw-admin": "radosgw",
         **{f"swift-{kind}-server": f"swift-{kind}" for kind in (
             "proxy", "account", "container", "object")}, "memcached": "memcached",
         "csvcut": "csvkit", "csvgrep": "csvkit", "mlr": "miller", "sqlite3": "sqlite3",
         "xxhsum": "xxhash", "hashdeep": "hashdeep", "zsh": "zsh", "fish": "fish", "man": "man-db",
         "chromium": "chromium"}
OF_LONG_TESTS = ("chromium",)           # its installation takes most of a minute
OTHERS = ("root", "minutes")            # needs that are not tools
NOBODY_HAS = ("openssl", "tmux", "apt-get", "git")    # what no test may use at all
SYSTEM_PATH = ("/usr/sbin", "/sbin")    # where tools lie that a user's PATH may not have

REFUSAL = """\
#!/bin/sh
echo "this test uses '{tool}': it needs @pytest.mark.system({tool!r}), or to do without" >&2
exit 127
"""


def find(tool):
    """Return where a tool is, or None."""
    return shutil.which(tool, path=os.pathsep.join([os.environ.get("PATH", ""), *SYSTEM_PATH]))


def missing(tools=TOOLS):
    """Return {tool: package} of those tools that are not installed."""
    return {tool: TOOLS[tool] for tool in tools if not find(tool)}


def refuse(folder, tools):
    """Write scripts into a folder that stand for tools, fail, and say why; return the folder."""
    folder.mkdir(exist_ok=True)
    for tool in tools:
        script = folder / tool
        script.write_text(REFUSAL.format(tool=tool))
        script.chmod(0o755)
    return folder


def install(packages):
    """Install Debian packages; return an exit status."""
    words = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    print("+", *words, flush=True)
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with nothing_started():
        return (subprocess.run(["apt-get", "update", "-qq"], env=env).returncode
                or subprocess.run(words, env=env).returncode)


@contextmanager
def nothing_started(policy=Path("/usr/sbin/policy-rc.d")):
    """Let Debian start no daemon of a package that is installed meanwhile, unless the machine has a
    policy of its own (https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt).
    """
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()


def main(words=()):
    """Make sure that everything is there; return 0, or 2 where something is missing and what it is
    was said.
    """
    wanted = [tool for tool in TOOLS if "--long" in words or tool not in OF_LONG_TESTS]
    absent = missing(wanted)
    packages = sorted(set(absent.values()))
    if os.geteuid() != 0:
        print("make test-system mounts file systems and makes namespaces: run it as root",
              file=sys.stderr)
    elif absent and shutil.which("apt-get"):
        install(packages)
        absent = missing(wanted)
    if absent:
        print(f"missing: {', '.join(sorted(absent))} (Debian: apt-get install "
              f"{' '.join(packages)})", file=sys.stderr)
    return 2 if absent or os.geteuid() != 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
