"""The cases: for each, the objects, the server, the tools.

A case is a function of the bench, described by its docstring.
"""

import os
import random
import sys
from dataclasses import replace
from pathlib import Path

import clusters
import inventory as inventories
import publishing
from light import Bucket, versions
from peers import (
    AWS_WHOLE,
    COPY,
    COPY_LARGE,
    COPY_MANY,
    CORES,
    DEFAULTS,
    DEFAULTS_LARGE,
    DEFAULTS_LATE,
    FETCH,
    FIFTH,
    LISTS,
    NOTHING,
    OBSTORE,
    PIPELINE,
    PLAIN_SEND,
    PLAIN_SEND_LARGE,
    RCLONE,
    REMOVE,
    S5CMD,
    SEND,
    SEND_LARGE,
    SEND_LATE,
    Tool,
    lists_late,
    relays,
)
from upload_runs import Relayed, ToSeaweed, ToSink

from s3kit.s3.window import MANY

BIN = Path(__file__).resolve().parents[2] / "bin"

KEYS_A_FOLDER = 100
LATENCY = 0.03
CONNECTION = 16 << 20       # bytes a second
# how the titles of tables of uploads end: where they go, and how
UP_TO = (("", "nginx, which keeps nothing"), ("-seaweed", "SeaweedFS"))
UP_HOW = (("", "tuned"), ("-plain", "as it comes"))


def keys(count, size):
    """Return [(key, size)] of a tree of folders, a fifth of them below 0/."""
    return [(f"{number % FIFTH}/{number // (KEYS_A_FOLDER * FIFTH):03d}/object-{number:06d}", size)
            for number in range(count)]


def copying(bench, bucket, tools, about, latency=0.0, server=None, **options):
    """Compare what copies a bucket to an empty directory."""
    with bench.server([bucket], latency, server) as running:
        bench.compare(bucket.name, running, bucket, tools, about=about, **options)


def small(bench):
    """10,000 x 4 KiB, with S3's CRC64NVME"""
    copying(bench, Bucket("small", keys(bench.less(10_000), 4096)), COPY, "tuned, 10,000 x 4 KiB")


def small_md5(bench):
    """the same without S3's checksum: only the ETag, an MD5"""
    copying(bench, Bucket("small-md5", keys(bench.less(10_000), 4096), checksum=False), COPY[:-1],
            "tuned, 10,000 x 4 KiB, without S3's checksum")


def medium(bench):
    """1,000 x 1 MiB"""
    copying(bench, Bucket("medium", keys(bench.less(1000), 1 << 20)), COPY, "tuned, 1,000 x 1 MiB")


def large(bench):
    """1 x 2 GiB, uploaded in parts of 16 MiB"""
    copying(bench, Bucket("large", [("large", bench.less(2 << 30) >> 24 << 24)]), COPY_LARGE,
            "tuned, 1 x 2 GiB")


def large_slow(bench):
    """as people type it: 1 x 1 GiB, 30 ms late, of which each connection carries 16 MiB a second"""
    bucket = Bucket("large-slow", [("large", bench.less(1 << 30) >> 24 << 24)])
    with bench.server([bucket], LATENCY, "light", CONNECTION) as running:
        bench.compare(bucket.name, running, bucket, DEFAULTS_LARGE,
                      about="as it comes, 1 x 1 GiB, each connection 16 MiB/s, 30 ms late")


def mix(bench):
    """14,310 files of many sizes, 484 MB, in some hundred directories"""
    count = bench.less(14_310)
    chance = random.Random(14_310)
    weights = [chance.lognormvariate(0, 2) for _ in range(count)]
    scale = bench.less(484_000_000) / sum(weights)
    folders = max(count // 40, 1)
    sizes = [(f"{at % FIFTH}/{chance.randrange(folders):03d}/file-{at:05d}",
              max(1, round(weight * scale))) for at, weight in enumerate(weights)]
    copying(bench, Bucket("mix", sizes), COPY, "tuned, 14,310 files of many sizes, 484 MB")


def latency(bench):
    """2,000 x 4 KiB and 100 x 1 MiB, every answer 30 ms late"""
    copying(bench, Bucket("latency-small", keys(bench.less(2000, 4), 4096)), COPY,
            "tuned, 2,000 x 4 KiB, answers 30 ms late", LATENCY)
    copying(bench, Bucket("latency-medium", keys(bench.less(100, 2), 1 << 20)), COPY,
            "tuned, 100 x 1 MiB, answers 30 ms late", LATENCY)


def plain(bench):
    """as people type it: 10,000 x 4 KiB at once, 5,000 x 16 KiB 30 ms late, 2,000 x 16 KiB 100 ms
    late
    """
    for name, count, size, late in (("plain", 10_000, 4, 0), ("plain-30", 5000, 16, 30),
                                    ("plain-100", 2000, 16, 100)):
        copying(bench, Bucket(name, keys(bench.less(count, 4), size << 10)),
                DEFAULTS_LATE if late else DEFAULTS,
                f"as it comes, {count:,} x {size} KiB" + f", answers {late} ms late" * bool(late),
                late / 1000)


def tls(bench):
    """2,000 x 16 KiB and 50 x 8 MiB over TLS from SeaweedFS, whose certificate all tools are told
    (AWS_CA_BUNDLE, RCLONE_CA_CERT), but obstore, which takes any
    """
    tools = [replace(tool, note="takes any certificate" * (tool is OBSTORE)) for tool in COPY]
    for name, sizes, what in (("tls-small", keys(bench.less(2000, 4), 16 << 10), "2,000 x 16 KiB"),
                              ("tls-medium", keys(bench.less(50, 5), 8 << 20), "50 x 8 MiB")):
        copying(bench, Bucket(name, sizes), tools, f"tuned, {what} over TLS from SeaweedFS",
                server="tls")


def memory(bench):
    """memory with at most 512 connections: 8,000 x 64 KiB, answers 300 ms late"""
    copying(bench, Bucket("memory", keys(bench.less(8000), 64 << 10)), COPY_MANY,
            f"at most {MANY} connections, 8,000 x 64 KiB, answers 300 ms late", 0.3)


def rows(bench):
    """what one parent has CPU for: 8 workers, 20,000 x 1 byte"""
    bucket = Bucket("rows", keys(bench.less(20_000), 1))
    manifest = bench.work / "rows.csv"
    make = Tool("", f"s3-manifest -q s3://{{bucket}}/ > {manifest}")
    tool = Tool("s3-fetch -j 8", f"s3-fetch -q -j 8 -d {{dest}} -o {{out}} {manifest}")
    with bench.server([bucket]) as running, bench.folder() as dest:
        bench.prepare(make, running, bucket, dest)
        bench.compare("rows", running, bucket, [tool], unit="row",
                      about="one parent with 8 workers, 20,000 x 1 byte")


def publish(bench):
    """what it costs that s3-status can show a run: 50,000 x 1 byte"""
    bucket = Bucket("publish", keys(bench.less(50_000), 1))
    with bench.server([bucket]) as running, bench.folder() as dest:
        tool = Tool("", publishing.LINE)
        line = bench.line(tool, running, bucket, dest, bench.manifest(dest))
        print("", "publish: " + publish.__doc__, *publishing.told(line, bench.peers.env(running)),
              sep="\n", flush=True)


def cluster(bench):
    """on a Dask cluster of 1, 2 and 4 workers and by as many of our own: 20,000 x 1 byte; what its
    way costs a row, and the scheduler 1,000,000
    """
    bucket, folder = Bucket("cluster", keys(bench.less(20_000), 1)), bench.work / "cluster"
    folder.mkdir(exist_ok=True)
    print("", "cluster: " + cluster.__doc__, sep="\n")
    with bench.server([bucket]) as running, bench.folder() as dest:
        manifest, env = bench.work / "cluster.csv", bench.peers.env(running)
        bench.prepare(Tool("", f"s3-manifest -q s3://{{bucket}}/ > {manifest}"), running, bucket,
                      dest)
        for workers in clusters.WORKERS:
            place = folder / str(workers)
            place.mkdir()
            with clusters.Cluster(place, workers) as dask:
                for what, options in (("our own", f"-j {workers}"),
                                      ("Dask's", f"--scheduler {dask.address}")):
                    with bench.folder() as dest:
                        tool = Tool("", f"s3-fetch -q {options} -d {{dest}} -o {{out}} {manifest}")
                        line = bench.line(tool, running, bucket, dest, bench.manifest(dest))
                        print(f"{workers} workers, {what}: {clusters.seconds(line, env):.1f} s",
                              flush=True)
    for told in clusters.ways(folder, bench.less(1_000_000)):
        print(told, flush=True)


def nothing(bench):
    """a second run with nothing to do, 100,000 rows; s3-fetch's first run made the files, and their
    times
    """
    count = bench.less(100_000)
    bucket = Bucket("nothing", [(f"{at // 1000:03d}/{at:06d}", at % 16 + 1) for at in range(count)])
    with bench.server([bucket]) as running, bench.folder() as dest:
        bench.prepare(FETCH, running, bucket, dest)
        bench.compare("nothing", running, bucket, NOTHING, dest=dest, unit="row",
                      about="a second run, nothing to do, 100,000 rows")


def listing(bench, name, make_key, about, tools=LISTS, late=0.0):
    """Compare what lists 100,000 versions, five of a key."""
    bucket = versions(name, bench.less(100_000), make_key)
    with bench.server([bucket], late, "light") as running:
        bench.compare(name, running, bucket, tools, unit="row", rows=True, about=about)


def list_flat(bench):
    """100,000 versions and delete markers in one flat prefix"""
    listing(bench, "list", lambda number: f"object-{number * 7919 % 1_000_003:07d}.bin",
            "list 100,000 versions")


def list_tree(bench):
    """100,000 versions and delete markers in a tree"""
    listing(bench, "list-tree",
            lambda number: f"{number % 10}/{number % 300:03d}/object-{number:07d}.bin",
            "list 100,000 versions in a tree")


def list_latency(bench):
    """the flat list, every page 30 ms late"""
    listing(bench, "list-latency", lambda number: f"object-{number * 7919 % 1_000_003:07d}.bin",
            "list 100,000 versions, pages 30 ms late", lists_late(), LATENCY)


def verify(bench):
    """reading back what is on the disk: one file of 2 GiB and 10,000 of 4 KiB"""
    for name, sizes, what in (
            ("verify-large", [("large", bench.less(2 << 30) >> 24 << 24)], "1 x 2 GiB"),
            ("verify-small", keys(bench.less(10_000), 4096), "10,000 x 4 KiB")):
        bucket = Bucket(name, sizes)
        with bench.server([bucket]) as running, bench.folder() as dest:
            bench.prepare(FETCH, running, bucket, dest)
            bench.compare(name, running, bucket,
                          verifiers(dest, name == "verify-large", bench.manifest(dest)), dest=dest,
                          about=f"read back from the disk, {what}")


def verifiers(dest, is_large, manifest):
    """Return the tools that read files back: s3-verify, and dd, the disk's own speed, read past the
    page cache, the others may find all in it.
    """
    def warm():
        each(dest, lambda fd: [None for _ in iter(lambda: os.read(fd, 1 << 20), b"")])

    def cold():
        os.sync()
        each(dest, lambda fd: os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED))

    def sums(program):
        return (f"find {{dest}}/{{bucket}} -type f -print0 | xargs -0 -P {CORES} -n 500 {program} "
                f"> {{out}}")
    floor = Tool("dd, past the cache",
                 "dd if={dest}/{bucket}/large of=/dev/null bs=4M iflag=direct status=none", "dd",
                 note="checks nothing", is_rival=False)
    check = Tool("", "rclone check --checkers {n} --fast-list b:{bucket} {dest}/{bucket}", "rclone",
                 note="sizes only" * is_large, is_rival=not is_large)  # a multipart ETag is no MD5
    ours = f"s3-verify -q -d {{dest}} -o {{out}} {manifest}"
    return (Tool("s3-verify, cache cold", ours, before=cold),
            Tool("s3-verify, cache warm", ours, before=warm),
            *[floor] * is_large,
            Tool("md5sum, cache cold", sums("md5sum"), "md5sum", before=cold),
            Tool("md5sum, cache warm", sums("md5sum"), "md5sum", before=warm),
            Tool("xxhsum, cache warm", sums("xxhsum -H2"), "xxhsum", before=warm),
            replace(check, name="rclone check, cache cold", before=cold),
            replace(check, name="rclone check, cache warm", before=warm))


def each(folder, act):
    """Open every file below a folder, s3kit's own left out, for `act`."""
    for path, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".s3kit"]
        for name in names:
            fd = os.open(os.path.join(path, name), os.O_RDONLY)
            try:
                act(fd)
            finally:
                os.close(fd)


def prune(bench):
    """deleting 100,000 versions, from a server that says that it did; s3-prune looks at every
    file's proof, the others list
    """
    bucket = Bucket("prune", [(f"{at // 1000:03d}/{at:06d}", at % 16 + 1)
                              for at in range(bench.less(100_000))], versioned=True)
    with bench.server([bucket], kind="light") as running, bench.folder() as dest:
        bench.prepare(replace(FETCH,
                              line="s3-manifest -q s3://{bucket}/ | s3-fetch -q -d {dest} | "
                              "s3-verify -q -d {dest} -o {out}"), running, bucket, dest)
        ours = Tool("s3-prune --yes",
                    f"s3-prune -q --yes -d {{dest}} -o {{out}} {bench.manifest(dest)}")
        bench.compare("prune", running, bucket, (ours, *REMOVE), dest=dest, unit="row", fills=False,
                      about="delete 100,000 versions")


def done(bench):
    """500,000 rows that are all done (50,000 files, each named ten times): does memory grow?"""
    count = 2000 if bench.quick else 50_000
    bucket = Bucket("done", [(f"{at // 1000:03d}/{at:06d}", at % 16 + 1) for at in range(count)])
    with bench.server([bucket]) as running, bench.folder() as dest:
        bench.prepare(FETCH, running, bucket, dest)
        manifest = bench.manifest(dest)
        with open(manifest) as file:
            mark, header, *rows, _ = file.readlines()
        assert len(rows) == count and mark.startswith("#"), f"{manifest} is not as expected"
        longer = dest / "ten.csv"
        with open(longer, "w") as file:
            file.writelines([mark, header, *rows * 10, f"#end rows={count * 10}\n"])
        line = (f"s3-manifest -q {longer} | s3-fetch -q -d {{dest}} | s3-verify -q -d {{dest}} "
                f"> {{out}}")
        bench.compare("done", running, bucket,
                      [Tool("s3kit manifest, fetch, verify", line, once=True)], dest=dest,
                      unit="row", rows=True, objects=10 * count, growth=True,
                      about=f"{10 * count:,} rows that are all done")


def inventory(bench):
    """an S3 Inventory of 5,000,000 rows (8 gzip files) to a manifest, one storage class of it, all
    dealt to 16 shards and put together again: does memory grow?
    """
    count, none = bench.less(5_000_000), (inventories.NO_SERVER, inventories.NO_BUCKET)
    with bench.folder() as folder, bench.folder() as dest:
        report, made = inventories.make(folder / "all", count), folder / "all.csv"
        bench.prepare(Tool("", f"s3-manifest -q -o {made} {report}"), *none, dest)
        for name, about, tools, wanted in (
                ("inventory", "to a manifest", inventories.to_manifest(report), count),
                ("inventory-filter", "to a manifest of one storage class",
                 inventories.to_one_class(report), count // 2),
                ("inventory-shards", "to 16 shards", inventories.to_shards(report, made), count)):
            bench.compare(name, *none, tools, dest=dest, unit="row", rows=True, objects=wanted,
                          growth=True, rounds=1, about=f"an inventory of {count:,} rows {about}")


def start(bench):
    """what starting costs: each command's --help, and pipelines over one object"""
    bucket = Bucket("one", [("0/one", 100)])
    empty = [Tool(f"{command.name} --help", f"{command.name} --help")
             for command in sorted(BIN.glob("s3-*"))]
    empty += [Tool("python -c pass", f"{sys.executable} -c pass"),
              Tool("s5cmd version", "s5cmd version", "s5cmd"),
              Tool("rclone version", "rclone version", "rclone"),
              Tool("aws --version", "aws --version", "aws")]
    with bench.server([bucket]) as running:
        bench.compare("start", running, bucket, empty, fills=False, rounds=1 if bench.quick else 5,
                      about="what starting costs")
        bench.compare("start-pipeline", running, bucket,
                      (FETCH, PIPELINE, S5CMD, RCLONE, OBSTORE, AWS_WHOLE),
                      rounds=1 if bench.quick else 5, about="1 x 100 bytes")


def seaweed_small(bench):
    """10,000 x 4 KiB, signed, from SeaweedFS"""
    copying(bench, Bucket("seaweed-small", keys(bench.less(10_000), 4096)), COPY,
            "tuned, 10,000 x 4 KiB from SeaweedFS", server="seaweed")


def seaweed_large(bench):
    """1 x 1 GiB, signed, from SeaweedFS"""
    copying(bench, Bucket("seaweed-large", [("large", bench.less(1 << 30) >> 24 << 24)]),
            COPY_LARGE, "tuned, 1 x 1 GiB from SeaweedFS", server="seaweed")


def up(bench, name, sizes, what, plain=PLAIN_SEND, tuned=SEND):
    """Compare what uploads a tree, tuned and as it comes: to a server that only reads, and to
    SeaweedFS.
    """
    source = Bucket(name, sizes, checksum=False)
    for ending, where in UP_TO:
        with ToSeaweed(bench, source) if ending else ToSink(source) as place:
            for (more, how), tools in zip(UP_HOW, (tuned, plain)):
                bench.compare(name + ending + more, place.server, place.source, tools,
                              uploads=place, about=f"{how}, upload {what} to {where}")


def up_small(bench):
    """uploads of 10,000 x 4 KiB: to nginx, which reads them and keeps nothing, and to SeaweedFS"""
    up(bench, "up-small", keys(bench.less(10_000), 4096), "10,000 x 4 KiB")


def up_medium(bench):
    """the same of 1,000 x 1 MiB"""
    up(bench, "up-medium", keys(bench.less(1000), 1 << 20), "1,000 x 1 MiB")


def up_large(bench):
    """the same of 1 x 2 GiB, in parts"""
    up(bench, "up-large", [("large", bench.less(2 << 30) >> 24 << 24)], "1 x 2 GiB",
       PLAIN_SEND_LARGE, SEND_LARGE)


def up_late(bench):
    """uploads to nginx as people type it: 2,000 x 4 KiB, every answer 30 ms late"""
    with ToSink(Bucket("up-late", keys(bench.less(2000, 4), 4096), checksum=False),
                LATENCY) as place:
        bench.compare("up-late", place.server, place.source, SEND_LATE, uploads=place,
                      about="as it comes, upload 2,000 x 4 KiB, answers 30 ms late")


def relay(bench):
    """from nginx through local directories to SeaweedFS: 5,000 x 64 KiB, 8 x 32 MiB"""
    sizes = keys(bench.less(5000), 64 << 10) + [
        (f"large/{number}", bench.less(32 << 20) >> 20 << 20) for number in range(8)]
    source = Bucket("relay", sizes)
    with bench.server([source], kind="light") as light, Relayed(bench, source) as place:
        bench.compare("relay", place.server, source, relays(light.url, source.name),
                      uploads=place, about="relay 5,000 x 64 KiB and 8 x 32 MiB to SeaweedFS")


CASES = {"plain": plain, "small": small, "small-md5": small_md5, "medium": medium, "large": large,
         "large-slow": large_slow, "mix": mix, "latency": latency, "tls": tls, "nothing": nothing,
         "list": list_flat, "list-tree": list_tree, "list-latency": list_latency, "verify": verify,
         "prune": prune, "memory": memory, "rows": rows, "publish": publish, "cluster": cluster,
         "done": done, "inventory": inventory, "up-small": up_small, "up-medium": up_medium,
         "up-large": up_large, "up-late": up_late, "relay": relay,
         "start": start, "seaweed-small": seaweed_small, "seaweed-large": seaweed_large}
ONLY_LIGHT = {"latency", "large-slow", "plain", "memory", "prune", "list", "list-tree",
              "list-latency", "up-small", "up-medium", "up-large", "up-late",
              "relay"}
