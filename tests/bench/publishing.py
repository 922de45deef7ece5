"""What it costs that a run can be watched: the CPU time of the thread that tells of it.

It is less than two runs of the same work differ by, so that thread's own clock is read.
"""

import importlib
import json
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve()
LINE = (f"{{python}} {HERE} manifest -q s3://{{bucket}}/ | "
        f"{{python}} {HERE} fetch -q -d {{dest}} -o {{out}}")


def told(line, env):
    """Run a pipeline of this script; return what each stage took, in words, a line each.

    Raises CalledProcessError where it fails.
    """
    said = subprocess.run(["bash", "-o", "pipefail", "-c", line], env=env, check=True, text=True,
                          stderr=subprocess.PIPE).stderr
    lines = []
    for stage in map(json.loads, said.splitlines()):
        lines.append("{command}: {wall:.1f} s, {cpu:.2f} s of CPU, {thread:.3f} s of it "
                     "to publish: {share:.2%}, {core:.2%} of a core".format(
                         **stage, share=stage["thread"] / stage["cpu"],
                         core=stage["thread"] / stage["wall"]))
    return lines


def main(name, *argv):
    """Run a command of s3kit in this process; write what it took as a line of JSON to stderr."""
    sys.path.insert(0, str(HERE.parents[2]))
    began, spent = time.monotonic(), []

    def run(self):
        ran(self)
        spent.append(time.clock_gettime(time.CLOCK_THREAD_CPUTIME_ID))

    from s3kit.cli.reporter import Reporter
    ran, Reporter.run = Reporter.run, run
    command = importlib.import_module(f"s3kit.commands.{name}")
    sys.argv = [f"s3-{name}", *argv]
    status = command.main()
    assert threading.active_count() == 1 and spent
    cpu = sum(sum(resource.getrusage(who)[:2])
              for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    json.dump({"command": sys.argv[0], "wall": time.monotonic() - began, "cpu": cpu,
               "thread": spent[0]}, sys.stderr)
    print(file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
