"""make bench: s3kit beside s5cmd, rclone, aws and obstore, on the same objects from the same
server, in one run.

Each round runs every tool once, in turn, into an empty directory. Printed are medians: wall time,
CPU of all processes of the client, memory (of all, shared pages once; and of the largest process),
requests and connections. Only ratios taken in one run mean anything: machines share their
processors. The s3kit that is measured is that of this checkout, or of --checkout, run by the Python
that runs the bench; it is named at the beginning.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent / "support"), str(ROOT)]

import drawing  # noqa: E402
import measure  # noqa: E402
import readme  # noqa: E402
import report  # noqa: E402
from cases import CASES, ONLY_LIGHT  # noqa: E402
from comparing import ENOUGH, Bench  # noqa: E402
from peers import CONNECTIONS, CORES, PEERS, revision  # noqa: E402


def arguments():
    """Return the options."""
    made = argparse.ArgumentParser(description=__doc__,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rounds", type=int,
                      help=f"runs of each tool (3, but none begun after {ENOUGH} s of a table)")
    made.add_argument("--quick", action="store_true", help="the same cases, smaller, one round")
    made.add_argument("--case", action="append", choices=CASES, metavar="NAME",
                      help="only this one; again for more")
    made.add_argument("--list-cases", action="store_true", help="say what they are")
    made.add_argument("--server", choices=("light", "seaweed"), default="light",
                      help="for cases that do not choose their own")
    made.add_argument("--peers", default=ROOT / ".bench-venv", metavar="DIR",
                      help="the environment with the peers")
    made.add_argument("--checkout", type=Path, default=ROOT, metavar="DIR",
                      help="the s3kit that is measured, if not that of this checkout")
    for option, what in (("json", "every run"), ("svg", "a drawing of the ratios"),
                         ("markdown", "README's table; into its place if FILE is README.md")):
        made.add_argument(f"--{option}", type=Path, metavar="FILE", help=what,
                          default=Path(tempfile.gettempdir(), f"s3kit-bench.{option}"))
    return made.parse_args()


def beginning(facts):
    """Return what is measured, against what, and how to read it."""
    peers = ", ".join(f"{name} {version}" for name, version in facts["peers"].items())
    left = ", ".join(name for name in PEERS if name not in facts["peers"])
    return "\n".join(filter(None, (
        f"s3kit: {facts['s3kit']}",
        f"peers: {peers or 'none'}" + f"; not installed, left out: {left}" * bool(left),
        f"here: {facts['cores']} cores, load {facts['load before']}; files go to "
        f"{facts['file system']}; {facts['rounds']} rounds at most",
        f"tuned: {CONNECTIONS} connections for all, each with its best options; as it comes: no "
        "options. Each tool's line is shown below the first table that it is in.",
        "s3kit checks every object's bytes, and its files are on the disk when it ends; sync s: "
        "what `sync -f` takes afterwards; flushed: wall of peers with it, by s3kit's without.",
        "wall x, CPU x: as a multiple of the first s3kit line of a table.",
        "A quick run shows that all of it works, not how fast it is: starting takes most of the "
        "time." * facts["quick"])))


def write(args, facts, tables):
    """Write all that was measured, and what is drawn of it."""
    args.json.write_text(json.dumps({**facts, "tables": tables}, indent=1))
    args.svg.write_text(drawing.svg(tables, f"s3kit and its peers on {CORES} cores, longer is "
                                    "slower"))
    readme.write(args.markdown, readme.markdown(facts, tables))
    print(f"written: {args.json}, {args.svg}, {args.markdown}")


def main():
    """Run the cases; the exit status says whether s3kit did all of them right."""
    began, args = time.monotonic(), arguments()
    args.checkout = args.checkout.absolute()
    if args.list_cases:
        for name, case in CASES.items():
            print(f"{name:16}{' '.join(case.__doc__.split())}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))     # so that servers end with us
    names = args.case or list(CASES)
    left = [name for name in names if args.server != "light" and name in ONLY_LIGHT]
    broken = []
    work = Path(tempfile.mkdtemp(prefix="s3kit-bench-", dir=os.environ.get("S3KIT_BENCH_DIR")))
    try:
        bench = Bench(args, work)
        facts = {"s3kit": revision(args.checkout), "peers": bench.peers.versions(),
                 "cores": CORES, "load before": measure.load(), "rounds": bench.rounds,
                 "quick": args.quick, "file system": measure.file_system(work),
                 "date": time.strftime("%Y-%m-%d")}
        print(beginning(facts), flush=True)
        for name in names:
            if name not in left:
                try:
                    CASES[name](bench)
                except RuntimeError as error:
                    broken.append(name)
                    print(f"\n{name}: {error}", flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for name in left:
        print(f"\n{name}: left out, it needs the light server")
    print(f"\n{report.summary(bench.tables)}\n")
    print(f"all of it took {(time.monotonic() - began) / 60:.0f} minutes")
    write(args, facts, bench.tables)
    ours = [(table, tool) for table in bench.tables for tool in table["tools"] if tool["ours"]]
    return int(bool(broken) or any(report.fault(table, tool) for table, tool in ours))


if __name__ == "__main__":
    sys.exit(main())
