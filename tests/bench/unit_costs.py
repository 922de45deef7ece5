"""What one row costs, for s3kit-cluster(7)'s budget: CPU of all processes, and memory.

    python tests/bench/unit_costs.py [ROWS]

An inventory's row made one of a manifest, a row read to find its shard, a row merged, and a row
looked up in the ledger and recorded there. What a small GET costs is a case of bench.py's
(`--case tuned-small`), because it needs a server.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import inventory  # noqa: E402

from s3kit.disk.ledger import Entry, Ledger  # noqa: E402

BIN = HERE.parents[1] / "bin"
SHARDS = 1000           # of which one is written: the rest of the rows is read and let go
TOGETHER = 8192         # rows recorded at once, as s3-fetch's group commit does


def usage():
    """Return (CPU seconds, the most memory in MiB) of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def cost(what, rows, *words, output=subprocess.DEVNULL):
    """Run a command of ours on so many rows; print what it took for each."""
    before, began = usage()[0], time.monotonic()
    subprocess.run([sys.executable, BIN / words[0], "-q", *words[1:]], stdout=output, check=True)
    tell(what, rows, usage()[0] - before, time.monotonic() - began)


def tell(what, rows, cpu, wall):
    """Print a line."""
    print(f"{what:28} {rows:>10,} rows {cpu / rows * 1e6:8.1f} us of CPU, "
          f"{wall / rows * 1e6:8.1f} us each")


def entry(number):
    """Return what the ledger knows of one object."""
    key = f"2026/{number % 365:03d}/{number:09d}.jpg"
    return Entry("inventory", key, f"v{number:024d}", f"{number:032x}", number,
                 "2026-01-02T03:04:05Z", "STANDARD", "CRC64NVME", "FULL_OBJECT", "AAAAAAAAAAA=",
                 f"inventory/{key}", number, number, f"xxh3-128:{number:032x}", "crc64nvme",
                 "fetched")


def ledger(folder, rows):
    """Look up and record rows as s3-fetch does of those that are new, and look them up again."""
    os.makedirs(folder)
    base = Ledger(str(folder))
    entries = [entry(number) for number in range(rows)]
    for what, step in (("ledger: record", base.record),
                       ("ledger: look up",
                        lambda some: base.find_all([each[:3] for each in some]))):
        cpu, began = time.process_time(), time.monotonic()
        for start in range(0, rows, TOGETHER):
            step(entries[start:start + TOGETHER])
        tell(what, rows, time.process_time() - cpu, time.monotonic() - began)
    base.close()


def main(rows):
    """Measure all of it."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as work:
        report, made = inventory.make(f"{work}/report", rows), f"{work}/made.csv"
        with open(made, "wb") as file:
            cost("inventory to manifest", rows, "s3-manifest", report, output=file)
        cost("shard: read, write 1/1000", rows, "s3-filter", "--shard", f"1/{SHARDS}", made)
        parts = [f"{work}/{number}.csv" for number in range(1, 5)]
        for number, part in enumerate(parts, 1):
            with open(part, "wb") as file:
                subprocess.run([sys.executable, BIN / "s3-filter", "--shard", f"{number}/4", made],
                               stdout=file, check=True)
        cost("merge of 4 shards", rows, "s3-filter", "--merge", "--shards", "4", *parts)
        ledger(Path(work, "ledger"), min(rows, 200_000))
        bytes_of = Path(made).stat().st_size, sum(p.stat().st_size for p in
                                                  Path(work, "ledger").iterdir())
        print(f"{bytes_of[0] / rows:.0f} bytes of manifest a row, "
              f"{bytes_of[1] / min(rows, 200_000):.0f} of ledger; "
              f"{usage()[1]:.0f} MiB the largest process")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
