"""Names: 500 hostile keys, each in a file of its own with its bytes, nothing outside, nothing
silently missing.

On ext4 there is no key that does not arrive. exFAT (exfat-fuse) takes `A` for `a`, and no `: ? \\ "
* < > |` in a name: what it refuses must fail by name. Both are mounted here, so that the outcome
does not depend on where the tests run.
"""

import csv
import io
import random
import time
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

import pytest

from faults.images import make_image
from faults.keys import REFUSED_BY_EXFAT, corpus
from faults.oracle import Ran, World, rows_of
from s3kit.disk.paths import key_of

NAMESPACE = "{urn:s3kit:manifest:1}"
KEYS = corpus()
LONG = [pytest.mark.long, pytest.mark.timeout(900)]
MKFS = {"ext4": ("mkfs.ext4", "-q"), "exfat-fuse": ("mkfs.exfat",)}


@pytest.mark.system("minutes")
def test_the_corpus():
    """As many as promised, each a key that S3 can have."""
    assert len(KEYS) >= 300
    assert all(1 <= len(key.encode()) <= 1024 for key in KEYS)


def file_system(mounts, tmp_path, kind, size=96 << 20):
    """Return a new, mounted file system of a kind."""
    image = make_image(tmp_path / f"{kind}.img", size, MKFS[kind])
    place = mounts.mount("disk", image, kind=kind)
    (place / "near").mkdir()
    (place / "near" / "A").touch()
    assert ((place / "near" / "a").exists()
            == (kind == "exfat-fuse")), "this file system does not fold case as the test needs it"
    return place


def rows_of_xml(text):
    """Return the rows of a manifest in XML, read without s3kit."""
    root = ElementTree.fromstring(text.encode("utf-8", "surrogateescape"))
    rows = [{name.replace("-", "_"): value for name, value in one.attrib.items()}
            for one in root.iter(f"{NAMESPACE}object")]
    for row in rows:
        for name in ("key", "path"):
            row[name] = unquote_to_bytes(row.get(name, "")).decode()
        for name in ("version_id", "is_delete_marker", "error", "proof"):
            row.setdefault(name, "")
    assert [end.get("rows") for end in root.iter(f"{NAMESPACE}end")] == [str(len(rows))]
    return rows


def pipeline(world, form, *source):
    """Run s3-manifest | s3-fetch | s3-verify; return ([exit status], [stderr], Ran of the last)."""
    words = [["s3-manifest", "-f", form, *source],
             ["s3-fetch", "-j", 2, "-d", world.dest], ["s3-verify", "-j", 2, "-d", world.dest]]
    began, processes, said = time.monotonic(), [], []
    for argv in words:
        with open(world.folder / f"{argv[0]}.err", "wb") as err:
            processes.append(world.start(*argv, stdin=processes[-1].stdout if processes else None,
                                         stderr=err))
        said.append(err.name)
    for process in processes[:2]:
        process.stdout.close()      # only the next stage holds it
    ran = world.finish(processes[2], began)
    rows = rows_of_xml(ran.out) if form == "xml" else rows_of(ran.out)
    errors = [open(name, encoding="utf-8", errors="surrogateescape").read() for name in said]
    return ([process.wait() for process in processes], errors,
            Ran(ran.status, ran.out, errors[2], ran.seconds, rows))


def judge(world, count, case, rows, refused):
    """Count every version as a case: a file of its own with its bytes, or, if the file system
    refuses it, an honest failure.
    """
    by_version = {(row["key"], row["version_id"]): row for row in rows}
    wanted = world.fake.versions(world.bucket)
    assert (len(by_version) == len(rows)
            == len(wanted)), f"{len(rows)} rows, {len(by_version)} different, of {len(wanted)}"
    paths = [(world.dest / row["path"]).lstat().st_ino
             for row in rows if row["state"] == "verified"]
    assert len(set(paths)) == len(paths), "two keys share a file"
    assert (len({row["path"] for row in rows if row["state"] == "verified"})
            == len(paths)), "two rows name one path"
    for version in wanted:
        with count.case(f"{case}{version.key!r} {version.id}"):
            row = by_version[version.key,
                             version.id if world.fake.bucket(world.bucket).versioning else ""]
            if refused & set(version.key):
                assert row["state"] in ("failed", "conflict", "missing") and row[
                    "error"], (row["state"], row["error"])
            else:
                assert row["state"] == "verified" and row["proof"] not in (
                    "", "size"), (row["state"], row["error"])
                assert (key_of(row["path"])
                        == (world.bucket, version.key)), f"its path {row['path']!r} leads elsewhere"
                world.is_here(row, [version])


@pytest.mark.system("mkfs.ext4", "mkfs.exfat", "mount.exfat-fuse", "root")
@pytest.mark.parametrize("form, versioning", [("csv", "Enabled"), ("xml", None),
                                              pytest.param("csv", None, marks=pytest.mark.long),
                                              pytest.param("xml", "Enabled",
                                                           marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", MKFS)
def test_names(cases, mounts, tmp_path, kind, versioning, form):
    count = cases(f"hostile keys on {kind}")
    with World(file_system(mounts, tmp_path, kind), {}, versioning=versioning) as world:
        fill(world, versioning)
        arrive(world, count, "", kind, form, *["--versions"] * bool(versioning),
               f"s3://{world.bucket}")


@pytest.mark.system("mkfs.ext4", "mkfs.exfat", "mount.exfat-fuse", "root")
@pytest.mark.parametrize("kind, seeds", [("ext4", [1]),
                                         pytest.param("ext4", range(2, 12), marks=LONG),
                                         pytest.param("exfat-fuse", range(1, 11), marks=LONG)])
def test_names_in_any_order(cases, mounts, tmp_path, kind, seeds):
    """Whichever of `k`, `k/`, `k/l`, `K` and `k%d` comes first has the plain name; the others
    arrive, too.
    """
    count = cases(f"hostile keys on {kind}, in any order")
    disk = file_system(mounts, tmp_path, kind, len(seeds) * (384 << 20))
    for seed in seeds:
        with World(disk / str(seed), {}, versioning="Enabled") as world:
            fill(world, "Enabled")
            table = (world.write_list("--versions").read_text().partition("\n")[2]
                     .rpartition("#end rows=")[0])
            head, *rows = csv.reader(io.StringIO(table, newline=""))
            random.Random(seed).shuffle(rows)
            with open(world.list, "w", newline="") as file:
                csv.writer(file).writerows([head, *rows])
            arrive(world, count, f"seed {seed}, ", kind, "csv", world.list)


def fill(world, versioning):
    """Put all keys, twice where versions are kept."""
    for key, body in KEYS.items():
        if versioning:
            world.fake.put(world.bucket, key, body and b"older " + body)
        world.fake.put(world.bucket, key, body)


def arrive(world, count, case, kind, form, *source):
    """Run the pipeline from a source, and judge all that it leaves; the cases' names begin with
    `case`.
    """
    refused = REFUSED_BY_EXFAT if kind == "exfat-fuse" else set()
    states, errors, ran = pipeline(world, form, *source)
    assert states[0] == 0, errors[0]
    assert states[1:] == ([1, 1] if refused else [0, 0]), f"{states}: {errors[1][-2000:]}"
    assert "Traceback" not in "".join(errors)
    judge(world, count, case, ran.rows, refused)
    world.look(world.truth_by_names())
    world.nothing_left()
    read_back(world, ran)
    again(world, ran)


def read_back(world, ran):
    """The names on the disk alone lead back to all keys, and to the versions whose names tell them.
    """
    told = world.run("s3-manifest", world.dest)
    assert told.status == 0, told.err
    there = {row["path"]: row for row in told.rows}
    files = [row
             for row in ran.rows if row["state"] == "verified" and not row["path"].endswith("/")]
    assert len(there) == len(files)
    assert sorted(row["key"] for row in told.rows) == sorted(row["key"] for row in files)
    for row in told.rows:
        version = world.fake.get(world.bucket, row["key"], row["version_id"] or None)
        assert version, f"no version of this id: {row['path']!r}"


def again(world, ran):
    """A second run of the verdicts finds every file under the name it has, and asks for none again.
    """
    world.list.write_text(ran.out, errors="surrogateescape")
    asked = len(world.fake.requests(method="GET", status=200, where=lambda request: request.key))
    before = world.files()
    done = world.run("s3-fetch", "-j", 2, "-d", world.dest, world.list)
    assert done.status == ran.status, done.err
    assert world.files() == before, "a second run changed what was there"
    more = len(world.fake.requests(method="GET", status=200,
                                   where=lambda request: request.key)) - asked
    assert more <= sum(row["state"] != "verified" for row in ran.rows), f"{more} objects came twice"
