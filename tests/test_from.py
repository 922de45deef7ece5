"""s3kit-from(7): what other systems left is taken over, as its examples say, to the last proof."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from conftest import ROOT, env_of
from fakes3 import Credential, FakeS3

from manifests import read_rows

GOLDEN = Path(__file__).resolve().parent / "support" / "golden"
PAGE = (ROOT / "man" / "s3kit-from.7").read_text()
OBJECTS = {"run1/a.bin": b"a" * 1000, "run1/x/same": b"one", "run1/y/same": b"two",
           "run1/100%.txt": b"percent", "run1/late": b"late"}
GOOD, ROTTEN = "run1/a.bin", "run1/x/same"      # both of which the other tool calls right


def sections():
    """Return {title: its command lines} of the page's systems."""
    text = PAGE.partition(".Sh SYSTEMS\n")[2].partition(".Sh ")[0].replace("\\(aq", "'")
    return {part.partition("\n")[0]: re.findall(r"^\.Dl (.+)$", part, re.MULTILINE)
            for part in text.split(".Ss ")[1:]}


@pytest.fixture
def bucket(fake):
    """A bucket with versions, and some objects."""
    fake.bucket("photos", versioning="Enabled")
    for key, body in OBJECTS.items():
        fake.put("photos", key, body)
    return fake


@pytest.fixture
def follow(bucket, pipe, tmp_path):
    """Return follow(title): run a section's examples in a row; return {example: Done}."""
    def go(title):
        return {line: pipe(line, env=env_of(bucket), cwd=tmp_path)
                for line in sections()[title]}
    return go


def lay(folder, *keys):
    """Put files where another tool has put them: a good one, and one that has rotted since."""
    for key in keys or (GOOD, ROTTEN):
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(OBJECTS[key] if key != ROTTEN else b"ONE")


def states(path):
    """Return {key: state} of a manifest."""
    return {row.key: row.state for row in read_rows(path.read_text())}


def all_verified(path):
    """Return whether a manifest has every object, and each verified by more than its size."""
    rows = read_rows(path.read_text())
    return ({row.key for row in rows} == set(OBJECTS)
            and all(row.state == "verified" and row.proof not in ("", "size") for row in rows))


def database(path, sql, records):
    """Make a migration's database: the schema of a golden one, other records."""
    with closing(sqlite3.connect(path)) as made, made:
        made.executescript((GOLDEN / sql).read_bytes().decode())
        for table in ("files", "bucket_status"):
            with_table = made.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [table])
            if with_table.fetchone():
                made.execute(f"DELETE FROM {table}")
        for table, values in records:
            made.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES "
                         f"({', '.join('?' * len(values))})", list(values.values()))


def versions(fake, key):
    """Return the versions and markers of a key."""
    return [version for version in fake.versions("photos") if version.key == key]


def record(fake, key, state, **more):
    """Return a record of a migration's table `files`."""
    version, = versions(fake, key)
    return ("files", {"bucket": "photos", "key": key, "size": len(OBJECTS[key]),
                      "etag": version.etag, "storage_class": "STANDARD", "state": state,
                      "created_at": "", "updated_at": ""} | more)


def test_every_section_has_a_test():
    """And theirs stand beside ours."""
    assert list(sections()) == ["S3Swarm", "S3-Version-Utilities", "s3 migration, first version",
                                "s3 migration, second version", "transfer_v5 (s5cmd dual sync)",
                                "transfer_v5, both halves", "Uploads by aws s3, s5cmd and rclone",
                                "Downloads by rclone and aws s3"]
    assert all(sections().values()) and PAGE.count("\npython ") == 14


@pytest.mark.system("minutes")
def test_s3swarm(follow, tmp_path):
    """What it calls completed may be wrong, and what it lacks is fetched."""
    lay(tmp_path / "s3_downloads" / "photos")
    (tmp_path / "buckets.txt").write_text("# mine\nphotos\n")
    items = "".join(
        f'<item bucket="photos" folder="run1" filename="{key.rpartition("/")[2]}" '
        f'size="{len(OBJECTS[key])}" status="{status}" file_path="{key}" added="2025-08-21"/>'
        for key, status in ((GOOD, "completed"), (ROTTEN, "completed"), ("run1/late", "started"),
                            ("run1/100%.txt", "failed")))
    (tmp_path / "download_manifest.xml").write_text(
        f"<?xml version='1.0' encoding='utf-8'?>\n<downloads>{items}</downloads>")
    done = follow("S3Swarm")
    assert [one.status for one in done.values()] == [[1], [0], [0], [0, 0]]
    assert states(tmp_path / "wrong.csv") == {ROTTEN: "mismatch", "run1/late": "missing",
                                              "run1/100%.txt": "failed"}
    assert states(tmp_path / "theirs.csv")[GOOD] == "verified"
    assert all_verified(tmp_path / "proven.csv")


@pytest.mark.system("minutes")
def test_s3_version_utilities(follow, bucket, tmp_path):
    """The very versions of its list, not those of now."""
    lay(tmp_path / "site")
    (tmp_path / "site" / "run1" / "gone").write_bytes(b"gone from the bucket")
    (tmp_path / "manifest.csv").write_text("".join(
        f"{key},{versions(bucket, key)[0].id}\r\n" for key in OBJECTS))
    bucket.put("photos", GOOD, b"b" * 1000)
    done = follow("S3-Version-Utilities")
    assert [one.status for one in done.values()] == [[0], [1], [0, 0], [0], [0, 0]], done
    assert states(tmp_path / "theirs.csv") == dict.fromkeys(OBJECTS, "missing") | {
        GOOD: "verified", ROTTEN: "mismatch"}
    assert all_verified(tmp_path / "proven.csv")
    assert (tmp_path / "backup" / "photos" / GOOD).read_bytes() == OBJECTS[GOOD]
    assert (tmp_path / "today.csv").read_bytes().count(b"\r\n") == len(OBJECTS)
    assert states(tmp_path / "extra.csv").keys() == {"run1/gone"}


@pytest.mark.system("minutes")
def test_the_first_migration(follow, bucket, tmp_path):
    """The only copies are proven by the database; versions that it took for deleted are found."""
    lay(tmp_path / "backup" / "photos", GOOD, ROTTEN, "run1/late")
    base = tmp_path / "backup" / "photos"
    database(tmp_path / "s3_migration_state.db", "migration-1.sql", [
        record(bucket, GOOD, "deleted", local_path=f"{base}/{GOOD}", checksum="size-verified-1000"),
        record(bucket, ROTTEN, "verified", local_path=f"{base}/{ROTTEN}"),
        record(bucket, "run1/late", "downloaded", local_path=f"{base}/run1/late"),
        record(bucket, "run1/100%.txt", "error", error_message="Download failed: SlowDown")])
    bucket.delete("photos", GOOD)
    before = (tmp_path / "s3_migration_state.db").read_bytes()
    done = follow("s3 migration, first version")
    assert [one.status for one in done.values()] == [[1], [0], [0], [0, 0, 0], [0]], done
    assert states(tmp_path / "theirs.csv") == {
        GOOD: "verified", ROTTEN: "mismatch", "run1/late": "verified", "run1/100%.txt": "failed"}
    assert states(tmp_path / "wrong.csv") == {ROTTEN: "mismatch", "run1/100%.txt": "failed"}
    plan = read_rows((tmp_path / "plan.csv").read_text())
    assert {row.key for row in plan} == set(OBJECTS) and len(plan) == len(OBJECTS) + 1
    assert all(row.is_marker or row.state == "verified" for row in plan)
    assert len(versions(bucket, GOOD)) == 2, "a dry run deletes nothing"
    assert (tmp_path / "s3_migration_state.db").read_bytes() == before


@pytest.mark.system("minutes")
def test_the_second_migration(follow, bucket, tmp_path):
    """A bucket that it has verified as a whole, with a rotten file and one that came since."""
    lay(tmp_path / "backup" / "photos")
    database(tmp_path / "s3_migration_state.db", "migration-2.sql", [
        *(record(bucket, key, "discovered") for key in (GOOD, ROTTEN)),
        ("bucket_status", {"bucket": "photos", "file_count": 2, "total_size": 1003,
                           "sync_complete": 1, "verify_complete": 1, "created_at": "",
                           "updated_at": ""})])
    done = follow("s3 migration, second version")
    assert [one.status for one in done.values()] == [[1], [0], [1], [0, 0]], done
    assert states(tmp_path / "theirs.csv") == {GOOD: "verified", ROTTEN: "mismatch"}
    assert states(tmp_path / "plan.csv") == dict.fromkeys(OBJECTS, "verified")
    assert len(bucket.requests(method="GET", key=GOOD)) == 0, "what is there is not fetched again"


@pytest.mark.system("minutes")
def test_transfer_v5(follow, tmp_path):
    """Keys get their prefix back; sizes alone are not taken for more."""
    lay(tmp_path / "pre", GOOD, ROTTEN)
    (tmp_path / "pre" / "run1").rename(tmp_path / "volume")
    (tmp_path / "src_ledger.csv").write_text("Key,Size\na.bin,1000\nx/same,3\n100%.txt,8\n")
    (tmp_path / "missing.txt").write_text("late: 4\n100%.txt: 7\n")
    done = follow("transfer_v5 (s5cmd dual sync)")
    assert [one.status for one in done.values()] == [
        [0], [0], [1], [0], [0, 0], [0], [0, 0]], done
    said = {row.key: row.extra for row in read_rows((tmp_path / "difference.csv").read_text())}
    assert said.keys() == set(OBJECTS), said
    assert all_verified(tmp_path / "proven.csv")
    assert states(tmp_path / "again.csv") == {"run1/late": "verified", "run1/100%.txt": "verified"}


TRANSFER = """source: {{bucket_name: photos, bucket_prefix: run1/, region: us-east-1,
         access_key: {source.access_key}, secret_access_key: {source.secret_key}}}
local: {{directory: staging/}}
destination: {{bucket_name: far, bucket_prefix: copy/, region: us-east-1,
              access_key: {target.access_key}, secret_access_key: {target.secret_key}}}
transfer_settings: {{max_size_to_transfer_src2l: 200, max_size_to_transfer_l2dest: 200,
                    dest_endpoint_url: '{target.url}', src_endpoint_url: '{source.url}'}}
"""


@pytest.mark.system("minutes")
def test_both_halves_of_transfer_v5(follow, bucket, tmp_path):
    """What has arrived is not moved again, what has rotted there is, and so is a file that lies on
    the volume and is not the object; a good one is used.
    """
    with FakeS3() as target:
        target.access_key = "ANOTHER"
        target.credentials = {"ANOTHER": Credential(target.secret_key)}
        target.bucket("far", versioning="Enabled")
        target.put("far", "copy/a.bin", OBJECTS["run1/a.bin"])
        target.put("far", "copy/x/same", b"ONE")
        (tmp_path / "config.yaml").write_text(TRANSFER.format(source=bucket, target=target))
        (tmp_path / "src_ledger.csv").write_text("Key,Size\na.bin,1000\nx/same,3\n100%.txt,7\n")
        (tmp_path / "staging" / "y").mkdir(parents=True)
        (tmp_path / "staging" / "y" / "same").write_bytes(b"two")
        (tmp_path / "staging" / "late").write_bytes(b"LATE")
        done = list(follow("transfer_v5, both halves").values())
        assert [one.status for one in done] == [[0], [0], [0]], done
        assert "1 row taken over, 2 files found on volumes" in done[0].err
        assert "4 rows delivered" in done[1].err
        assert "5 rows delivered and there" in done[2].err and not done[2].out
        assert {version.key: version.body for version in target.objects("far")} == {
            key.replace("run1/", "copy/"): body for key, body in OBJECTS.items()}
        assert not target.requests("PUT", key="copy/a.bin", status=200)
        assert not bucket.requests("GET", key="run1/y/same")
        assert not [path for path in (tmp_path / "staging").rglob("*")
                    if path.is_file() and ".s3kit" not in str(path)]


@pytest.mark.system("minutes")
def test_uploads(follow, bucket, tmp_path):
    """What another tool has uploaded right stays, what it has not goes up; files go after that."""
    tree = tmp_path / "tree"
    bodies = {"a.bin": b"a" * 1000, "x/b": b"one", "x/c.bin": b"c" * (9 << 20)}
    for path, body in bodies.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(body)
    for key, body in (("a.bin", bodies["a.bin"]), ("x/b", b"ONE"), ("gone", b"of before")):
        bucket.put("photos", f"tree/{key}", body)
    done = follow("Uploads by aws s3, s5cmd and rclone")
    assert [one.status for one in done.values()] == [[0]] * 4 + [[0, 0], [0], [0]], done
    copies = {each.key: each for each in bucket.objects("photos")}
    assert {key.removeprefix("tree/"): copies[key].body for key in copies
            if key.startswith("tree/")} == bodies | {"gone": b"of before"}
    assert [len(versions(bucket, f"tree/{key}")) for key in ("a.bin", "x/b")] == [1, 2]
    assert states(tmp_path / "stored.csv") == {f"tree/{key}": "stored" for key in bodies}
    assert states(tmp_path / "extra.csv").keys() == {"tree/gone"}
    [one] = bucket.requests(method="PUT", key="one/a.bin")
    assert (one.headers["x-amz-meta-owner"], one.headers["content-type"]) == ("me", "image/x-raw")
    assert states(tmp_path / "some.csv").keys() == {"some/a.bin", "some/x/c.bin"}
    assert {key: copies[f"moved/{key}"].body for key in bodies} == bodies
    assert not [path for path in tree.rglob("*") if path.is_file() and ".s3kit" not in path.parts]


@pytest.mark.system("minutes")
def test_downloads(follow, bucket, tmp_path):
    """They are repaired in their own layout; the second run has nothing to do."""
    place = tmp_path / "data" / "photos"
    lay(place)
    done = follow("Downloads by rclone and aws s3")
    assert [one.status for one in done.values()] == [[0, 1, 0], [0]], done
    assert all_verified(tmp_path / "proven.csv")
    assert {path: (place / path).read_bytes() for path in OBJECTS} == OBJECTS
    assert not (place / "photos").exists() and len(bucket.requests("GET", key=GOOD)) == 0
    gets = [request for request in bucket.requests("GET") if request.key]
    assert [one.status for one in follow("Downloads by rclone and aws s3").values()] == [
        [0, 0, 0], [0]]
    assert [request for request in bucket.requests("GET") if request.key] == gets
