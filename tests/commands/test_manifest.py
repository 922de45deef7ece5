"""s3-manifest: from buckets, moments, trees and manifests."""

import gzip
import os

import pytest
from conftest import Done, env_of
from fakes3 import FakeS3
from foreignruns import LISTINGS
from inventories import SCHEMA, gzip_bytes, report, version, write
from odd_keys import KEYS

from manifests import read_rows

DAY = 86400
START = 1_700_000_000


@pytest.fixture
def history(fake):
    """A fake whose bucket has three days of versions, markers among them."""
    fake.bucket("b", versioning="Enabled")
    fake.put("b", "kept", b"kept", modified=START)
    fake.put("b", "changed", b"one", modified=START)
    fake.put("b", "gone", b"one", modified=START)
    fake.put("b", "changed", b"two!", modified=START + DAY)
    fake.clock.advance(START + 2 * DAY - fake.clock.now())
    fake.delete("b", "gone")
    fake.put("b", "late", b"late", modified=START + 3 * DAY)
    return fake


def keys(done):
    """Return [(key, size)] of a manifest."""
    return [(row.key, row.size) for row in read_rows(done.out)]


def test_current(history, run):
    """Latest versions with their ids; no delete markers."""
    rows = read_rows(run("s3-manifest", "s3://b", env=env_of(history)).out)
    assert ([(row.key, row.size, row.state) for row in rows]
            == [("changed", "4", "listed"), ("kept", "4", "listed"), ("late", "4", "listed")])
    assert all(row.version_id and row.is_latest == "true" for row in rows)


def test_unversioned(fake, run):
    """A bucket that was never versioned gives empty version ids; ETags pin its rows."""
    fake.bucket("b")
    fake.put("b", "k", b"x")
    row, = read_rows(run("s3-manifest", "s3://b", env=env_of(fake)).out)
    assert row.version_id == "" and row.etag


def test_versions(history, run):
    """All versions and markers, newest first."""
    rows = read_rows(run("s3-manifest", "--versions", "s3://b", env=env_of(history)).out)
    assert [(row.key, row.is_delete_marker, row.is_latest) for row in rows] == [
        ("changed", "false", "true"), ("changed", "false", "false"), ("gone", "true", "true"),
        ("gone", "false", "false"), ("kept", "false", "true"), ("late", "false", "true")]


@pytest.mark.parametrize("day,expected", [(0, [("changed", "3"), ("gone", "3"), ("kept", "4")]),
                                          (1, [("changed", "4"), ("gone", "3"), ("kept", "4")]),
                                          (2, [("changed", "4"), ("kept", "4")]),
                                          (3, [("changed", "4"), ("kept", "4"), ("late", "4")])])
def test_at(history, run, day, expected):
    """The bucket as it was: overwrites and delete markers honoured."""
    from s3kit.units import from_epoch
    assert keys(run("s3-manifest", "--at", from_epoch(START + day * DAY + 60), "s3://b",
                    env=env_of(history))) == expected


def test_at_across_pages(fake, run):
    """A key's versions that go on over a page's border are still one key."""
    fake.bucket("b", versioning="Enabled")
    for number in range(1500):
        fake.put("b", "k", b"x" * (number % 7), modified=START + number)
    fake.put("b", "l", b"l", modified=START)
    from s3kit.units import from_epoch
    assert keys(run("s3-manifest", "--at", from_epoch(START + 100), "s3://b",
                    env=env_of(fake))) == [("k", "2"), ("l", "1")]


def test_several_sources_and_prefixes(fake, run, tmp_path):
    """Buckets from arguments, from a file with comments, all of them but some."""
    for bucket in ("one", "two", "three-logs"):
        fake.bucket(bucket)
        fake.put(bucket, "dir/k", b"x")
        fake.put(bucket, "other", b"x")
    (tmp_path / "buckets").write_text("# mine\ntwo   # the second\n\ns3://three-logs/dir/\n")

    def found(*words):
        return [(row.bucket, row.key)
                for row in read_rows(run("s3-manifest", *words, env=env_of(fake)).out)]

    assert found("s3://one/dir/", "s3://two") == [("one", "dir/k"), ("two", "dir/k"),
                                                  ("two", "other")]
    assert (found("--buckets-file", tmp_path / "buckets")
            == [("two", "dir/k"), ("two", "other"), ("three-logs", "dir/k")])
    assert ({bucket for bucket, _ in found("--all-buckets", "--exclude-bucket", "*-logs")}
            == {"one", "two"})


@pytest.mark.parametrize("words,expected", [
    (["--include", "*.jpg"], ["a.jpg", "tmp/b.jpg"]),
    (["--include", "b*"], []),  # the whole key, from its beginning
    (["--exclude", "mp*"], ["a.jpg", "c.txt", "tmp/b.jpg", "tmp/d"]),
    (["--exclude", "tmp/*"], ["a.jpg", "c.txt"]),
    (["--include", "*.jpg", "--exclude", "tmp/*"], ["a.jpg"]),
    (["--exclude", "*", "--include", "*.jpg"], ["a.jpg", "tmp/b.jpg"]),
    (["--include-regex", "^[ac]"], ["a.jpg", "c.txt"]),
    (["--exclude-regex", "jpg$"], ["c.txt", "tmp/d"]),
    (["--min-size", "1K"], ["c.txt", "tmp/d"]),
    (["--max-size", "1K"], ["a.jpg", "c.txt", "tmp/b.jpg"]),
    (["--newer", "2023-11-15"], ["tmp/d"]),
    (["--older", "2023-11-15"], ["a.jpg", "c.txt", "tmp/b.jpg"]),
    (["--storage-class", "GLACIER"], ["tmp/d"])])
def test_filters(fake, run, words, expected):
    """Each filter, and the rule that the last matching one decides."""
    fake.bucket("b")
    for key, size, modified, storage in (("a.jpg", 10, START, "STANDARD"),
                                         ("tmp/b.jpg", 20, START, "STANDARD"),
                                         ("c.txt", 1024, START, "STANDARD"),
                                         ("tmp/d", 5000, START + DAY, "GLACIER")):
        fake.put("b", key, bytes(size), modified=modified, storage_class=storage)
    assert [key for key,
            _ in keys(run("s3-manifest", *words, "s3://b", env=env_of(fake)))] == sorted(expected)


def test_a_local_tree(run, tmp_path):
    """What lies in a directory, as rows; links are not followed."""
    (tmp_path / "t" / "dir").mkdir(parents=True)
    (tmp_path / "t" / "dir" / "b").write_bytes(b"12345")
    (tmp_path / "t" / "a%").write_bytes(b"1")
    os.symlink("/etc/passwd", tmp_path / "t" / "link")
    rows = read_rows(run("s3-manifest", "--bucket", "b", tmp_path / "t").out)
    assert ([(row.bucket, row.key, row.size, row.path) for row in rows]
            == [("b", "a%", "1", "a%"), ("b", "dir/b", "5", "dir/b")])


def test_what_has_no_row_is_named(run, tmp_path):
    """Links, FIFOs and the like, where the filters would keep them, and without -q."""
    (tmp_path / "t" / "dir").mkdir(parents=True)
    (tmp_path / "t" / "file").write_bytes(b"12345")
    os.symlink("file", tmp_path / "t" / "link")
    os.symlink("dir", tmp_path / "t" / "other")
    os.mkfifo(tmp_path / "t" / "dir" / "fi\nfo")
    done = run("s3-manifest", "--bucket", "b", "t")
    assert done.status == 0 and [row.key for row in read_rows(done.out)] == ["file"]
    assert done.err == ("s3-manifest: 't/link' is a symbolic link: left out\n"
                        "s3-manifest: 't/other' is a symbolic link: left out\n"
                        "s3-manifest: 't/dir/fi\\x0afo' is a FIFO: left out\n")
    assert run("s3-manifest", "--bucket", "b", "--exclude", "*o*", "t").err == \
        "s3-manifest: 't/link' is a symbolic link: left out\n"
    assert run("s3-manifest", "-q", "--bucket", "b", "t").err == ""


def test_links_are_followed_on_demand(run, tmp_path):
    """To files and to directories, which may lie elsewhere, once each; one to nothing is named."""
    (tmp_path / "t").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "b").write_bytes(b"12345")
    os.symlink("../elsewhere", tmp_path / "t" / "dir")
    os.symlink("../t", tmp_path / "elsewhere" / "loop")
    os.symlink("../elsewhere/b", tmp_path / "t" / "link")
    os.symlink("nothing", tmp_path / "t" / "lost")
    done = run("s3-manifest", "--bucket", "b", "--follow-links", "t")
    assert [(row.key, row.size, row.path) for row in read_rows(done.out)] == [
        ("link", "5", "link"), ("dir/b", "5", "dir/b")]
    assert done.status == 0
    assert done.err == "s3-manifest: 't/lost' is a symbolic link: left out\n"
    assert run("s3-manifest", "--check", "--follow-links", "t").status == 2


def test_a_destination_of_ours(fake, run, tmp_path):
    """In a destination the rows have the buckets and keys that the paths stand for."""
    fake.bucket("b")
    for key in ("plain", "x/../y", "//"):
        fake.put("b", key, b"x")
    run("s3-fetch", "-d", tmp_path / "d", input=run("s3-manifest", "s3://b", env=env_of(fake)).out,
        env=env_of(fake))
    rows = read_rows(run("s3-manifest", tmp_path / "d").out)
    assert (sorted((row.bucket, row.key) for row in rows)
            == [("b", "//"), ("b", "plain"), ("b", "x/../y")])


def test_a_destination_keeps_the_versions(history, run, tmp_path):
    """The listing of a destination names the version of each file that has one in its name, so that
    it can be verified.
    """
    listed = run("s3-manifest", "--versions", "s3://b", env=env_of(history)).out
    run("s3-fetch", "-j", "1", "-d", tmp_path / "d", input=listed, env=env_of(history))
    rows = run("s3-manifest", tmp_path / "d").out
    done = run("s3-verify", "--discard", "-d", tmp_path / "d", input=rows, env=env_of(history))
    assert ({row.key: row.state for row in read_rows(done.out) if row.version_id}
            == {"changed": "verified"})


@pytest.mark.parametrize("argv", [
    ["s3-manifest", "s3://b/p\udcff"], ["s3-list", "s3://b/p\udcff"], ["s3-list", "s3://bücket/"],
    ["s3-doctor", "--speed", "s3://b/p\udcff"], ["s3-fetch", "--include", "\udcff*"]])
def test_names_that_cannot_be(fake, run, argv):
    """A line that says so, status 2, and nothing is asked."""
    done = run(*argv, env=env_of(fake))
    assert done.status == 2 and len(done.err.splitlines()) == 1 and not fake.log


@pytest.mark.parametrize("name", ["m.csv", "m.xml.gz", "m.csv.zst"])
def test_output_files(history, run, tmp_path, name):
    """-o compresses by the name, writes atomically, and what was written is read again as the same;
    permissions are as > gives them.
    """
    file = tmp_path / name
    form = "xml" if ".xml" in name else "csv"
    done = run("s3-manifest", "-o", file, "s3://b", env=env_of(history))
    assert (done.status, done.out) == (0, "")
    import gzip
    assert form == "csv" or gzip.open(file).read().startswith(b"<manifest")
    plain = run("s3-manifest", "s3://b", env=env_of(history)).out
    assert run("s3-manifest", "-f", "csv", file).out == plain
    (tmp_path / "by a shell").touch()
    assert os.stat(file).st_mode == os.stat(tmp_path / "by a shell").st_mode


def test_a_listing_that_breaks_off(fake, run, tmp_path):
    """When S3 fails in the middle of a listing no end mark is written, no file replaced, and the
    status is 3.
    """
    fake.bucket("b")
    for number in range(1500):
        fake.put("b", f"{number:04d}", b"")
    fake.fault("status", key="", times=None, after=2, status=403, code="AccessDenied")
    done = run("s3-manifest", "s3://b", env=env_of(fake))
    assert done.status == 3 and "#end" not in done.out and "AccessDenied" in done.err
    fake.faults.clear()
    file = tmp_path / "old.csv"
    file.write_text("old")
    fake.fault("status", key="", times=None, after=2, status=403, code="AccessDenied")
    assert run("s3-manifest", "-o", file, "s3://b", env=env_of(fake)).status == 3
    assert file.read_text() == "old" and sorted(os.listdir(tmp_path)) == ["old.csv"]


def test_a_listing_that_is_slowed_down(fake, run):
    """SlowDown and passing faults are waited out."""
    fake.bucket("b")
    fake.put("b", "k", b"")
    fake.fault("status", key="", times=2, after=1, status=503, code="SlowDown")
    done = run("s3-manifest", "s3://b", env=env_of(fake))
    assert done.status == 0 and keys(done) == [("k", "0")]


@pytest.mark.parametrize("command", ["s3-manifest", "s3-list"])
def test_what_a_server_lacks(run, command):
    """Is said with -v, once."""
    with FakeS3(character="no-attributes") as server:
        server.put("b", "k", b"x")
        for words, times in ((), 0), (("-v",), 1):
            done = run(command, *words, "s3://b", env=env_of(server))
            assert done.status == 0 and done.err.count(
                "does not know the state of restores in listings") == times


def test_a_server_without_versions(run):
    """Current objects are listed without version ids; versions that nobody lists are not none."""
    with FakeS3(character="old-list-1") as server:
        server.bucket("b")
        server.put("b", "k", b"x")
        row, = read_rows(run("s3-manifest", "s3://b", env=env_of(server)).out)
        assert (row.key, row.version_id) == ("k", "")
        for words in ("--versions",), ("--at", "2030-01-01"):
            done = run("s3-manifest", *words, "s3://b", env=env_of(server))
            assert done.status == 3 and "does not list the versions of 'b'" in done.err
            assert "#end" not in done.out


@pytest.mark.parametrize("options", [[], ["--versions"], ["--at", "2020-01-01"]])
def test_a_prefix_that_names_nothing(run, fake, options):
    """It is said, as s3-list does: with a typing error in it a pipeline would move nothing, and
    call that success. The others are listed all the same; an empty bucket is not wrong.
    """
    fake.bucket("b", versioning="Enabled")
    fake.bucket("empty")
    fake.put("b", "photos/a", b"x", modified=0)
    done = run("s3-manifest", *options, "s3://b/phots/", "s3://b/photos/", "s3://empty",
               env=env_of(fake))
    assert done.status == 1 and [row.key for row in read_rows(done.out)] == ["photos/a"]
    assert "cannot find 's3://b/phots/': no such key or prefix" in done.err
    assert done.err.count("\n") == 1 and done.out.endswith("#end rows=1\n")
    calm = run("s3-manifest", *options, "s3://empty", env=env_of(fake))
    assert (calm.status, calm.err) == (0, "")


def test_a_time_in_another_form(fake, run):
    """Whatever a listing says of times is read, and compared, or ends it."""
    fake.bucket("b")
    fake.put("b", "k", b"x", modified=START)
    for said, status in ((b"Tue, 14 Nov 2023 22:13:20 GMT", 0), (b"then", 3), (b"", 3)):
        answer_with(fake, rb"(?<=<LastModified>)[^<]*", said)
        done = run("s3-manifest", "--newer", "2023-11-14T22:13:20Z", "s3://b", env=env_of(fake))
        assert done.status == status, done.err
        if not status:
            assert [row.last_modified for row in read_rows(done.out)] == ["2023-11-14T22:13:20Z"]
        else:
            assert "#end" not in done.out and "when s3://b/k is from" in done.err


@pytest.mark.parametrize("command", ["s3-manifest", "s3-list"])
def test_a_key_that_is_not_utf_8(fake, run, command):
    """No row can name it: the listing ends there, by name, and never with another key."""
    fake.bucket("b")
    fake.put("b", "k1", b"x")
    answer_with(fake, rb"(?<=<Key>)k1", b"k%FF")
    done = run(command, "s3://b", env=env_of(fake))
    assert done.status == 3 and "k\ufffd" not in done.out and "not UTF-8: 'k%FF'" in done.err


def answer_with(fake, pattern, text):
    """Have a fake change its answers."""
    change = fake.character.change
    fake.character.answered = lambda s3, request, response: change(response, pattern, text)


# --- other tools' forms


def test_key_lists(fake, run, tmp_path):
    """In, by line or NUL, and out; any command reads them."""
    fake.bucket("b")
    keys = ["a%20b", "c,d", "e\nf"]
    for key in keys:
        fake.put("b", key, key.encode())
    env = env_of(fake)
    done = run("s3-manifest", "-f", "keys0", "s3://b", env=env)
    assert done.out.split("\0") == [*sorted(keys), ""]
    fetched = run("s3-fetch", "-d", str(tmp_path), "--from", "keys0", "--bucket", "b", env=env,
                  input=done.out)
    assert {(row.key, row.state) for row in read_rows(fetched.out)} == {
        (key, "fetched") for key in keys}
    done = run("s3-manifest", "-f", "keys", "s3://b", env=env)
    assert (done.status, done.out, "its line is in the key" in done.err) == (3, "", True)


@pytest.mark.parametrize("form, line", [("keys", "2024/a"), ("batch", "b,2024/a"),
                                        ("s5cmd", "cp s3://b/2024/a a")])
def test_a_last_line_without_an_end(run, tmp_path, form, line):
    """What is cut names something else: from a pipe it is not taken, from a file not unsaid."""
    path = tmp_path / "list"
    path.write_text(line)
    words = ["s3-manifest", "--from", form, "--bucket", "b"]
    done = run(*words, path)
    assert done.status == 0 and [row.key for row in read_rows(done.out)] == ["2024/a"]
    assert done.err == (f"s3-manifest: warning: {path}: the last line has no end: if the list was "
                        "cut, that line names something else\n")
    done = run(*words, input=line)
    assert (done.status, done.err) == (3, "s3-manifest: standard input: the last line has no end: "
                                       "the list was cut\n")
    assert "2024/a" not in done.out and "#end" not in done.out
    assert run(*words, input=f"{line}\n").status == 0


def test_a_prefix_is_only_for_other_tools_lists(run):
    """The keys of a manifest are whole."""
    for given in ((), ("--from", "csv")):
        done = run("s3-manifest", "--prefix", "run1/", *given, "m.csv")
        assert done.status == 2 and "--prefix goes with --from and another tool" in done.err


@pytest.mark.parametrize("command, option", [
    ("s3-manifest", "-f"), ("s3-manifest", "--from"), ("s3-verify", "--from")])
def test_a_form_that_nobody_knows(run, command, option):
    """The names are said."""
    done = run(command, option, "parquet")
    assert done.status == 2 and "'parquet' is not one of csv, xml, " in done.err


def test_an_inventory(run, tmp_path):
    """Its manifest.json alone names it; -v says that its rows are in no order; no end mark comes
    after a data file that is not the one that is meant.
    """
    path = write(report([[version(key) for key in sorted(KEYS, reverse=True)]]), tmp_path)
    done = run("s3-manifest", "-v", path)
    assert sorted(row.key for row in read_rows(done.out)) == sorted(KEYS)
    assert "are not in order of their keys" in done.err and "#end rows=" in done.out
    data = next(tmp_path.glob("inv/src/daily/data/*"))
    done = run("s3-manifest", "--from", "inventory", "--columns", ",".join(SCHEMA), str(data))
    assert len(read_rows(done.out)) == len(KEYS)
    spoilt = gzip_bytes([version("x")])
    data.write_bytes(spoilt.ljust(data.stat().st_size, b"\0"))
    done = run("s3-manifest", path)
    assert done.status == 3 and "#end rows=" not in done.out and data.name in done.err
    data.unlink()
    done = run("s3-manifest", path)
    assert done.status == 3 and f"no copy of the data file 'inv/src/daily/data/{data.name}" in (
        done.err)
    done = run("s3-verify", "--from", "inventory", input=path.read_text())
    assert done.status == 3 and "must be given by name" in done.err


def test_an_inventory_in_its_bucket(fake, run):
    """It is read where Amazon's S3 has written it; a prefix is not one."""
    files = report([[version(key) for key in KEYS]])
    for key, data in files.items():
        fake.put("inventories", key, data)
    address = f"s3://inventories/{next(key for key in files if key.endswith('.json'))}"
    done = run("s3-manifest", "-v", "--from", "inventory", address, env=env_of(fake))
    assert [row.key for row in read_rows(done.out)] == KEYS and done.status == 0
    assert KEYS != sorted(KEYS) and f"the rows of '{address}' are not in order of their" in done.err
    fake.put("inventories", "copy/manifest.json.gz",
             gzip.compress(next(data for key, data in files.items() if key.endswith(".json"))))
    done = run("s3-manifest", "--from", "inventory", "s3://inventories/copy/manifest.json.gz",
               env=env_of(fake))
    assert done.status == 0 and len(read_rows(done.out)) == len(KEYS)
    data = next(key for key in files if "/data/" in key)
    fake.put("inventories", data, gzip_bytes([version("x")]).ljust(len(files[data]), b"\0"))
    done = run("s3-manifest", "--from", "inventory", address, env=env_of(fake))
    assert done.status == 3 and "#end rows=" not in done.out and data.rpartition("/")[2] in done.err
    done = run("s3-manifest", "--from", "inventory", "s3://inventories/inv/", env=env_of(fake))
    assert done.status == 2 and "is not the manifest.json of a report" in done.err


def test_a_batch_manifest(fake, run, tmp_path):
    """Written for a job of S3 Batch Operations, or not at all; read back by s3-fetch."""
    fake.bucket("b", versioning="Enabled")
    for key in ("a b", "c+d", "e,f", "g%h"):
        fake.put("b", key, key.encode())
    env = env_of(fake)
    file = tmp_path / "job.csv"
    done = run("s3-manifest", "-f", "batch", "-o", file, "s3://b", env=env)
    assert done.status == 0 and file.read_text().startswith("b,a%20b,")
    fetched = run("s3-fetch", "-d", tmp_path / "d", "--from", "batch", file, env=env)
    assert {row.state for row in read_rows(fetched.out)} == {"fetched"} and not fetched.status
    fake.delete("b", "g%h")
    before = file.read_text()
    done = run("s3-manifest", "-f", "batch", "-o", file, "--versions", "s3://b", env=env)
    assert (done.status, file.read_text()) == (3, before) and "no delete markers" in done.err
    done = run("s3-manifest", "-f", "batch", "--versions", "s3://b", env=env)
    assert (done.status, done.out) == (3, "")


# --check

EDITED = "# mine\nbucket,key,version_id,size\nb,a,{a},1\nb,a,{a},2\nb,gone,,\nb,c,nonsense,big\n"


def test_check(run, tmp_path):
    """Findings go to stdout, one a line; the summary to stderr; nothing is changed."""
    (tmp_path / "m.csv").write_text(EDITED.format(a="v"))
    done = run("s3-manifest", "--check", "m.csv")
    assert done.status == 1
    assert done.out == (
        "m.csv:6: size: size 'big' is not a number of bytes (expected: the number of bytes in "
        "digits)\nm.csv:4: the same version as in line 3\n")
    assert done.err.startswith("s3-manifest: 4 rows checked, 2 faults found in ")
    assert run("s3-manifest", "--check", "-q", input="bucket,key\nb,a\n") == Done(0, "", "")
    assert run("s3-manifest", "--check", input="b;a\n").status == 3
    assert [path.name for path in tmp_path.iterdir()] == ["m.csv"]


def test_check_below_a_destination(run, tmp_path):
    """What would be kept apart is no fault; DIR is not made."""
    done = run("s3-manifest", "--check", "-d", "d", input="bucket,key,path\nb,a,\nb,a/c,\nb,x,p\n"
               "b,y,p\n")
    assert (done.status, done.out) == (
        1, "standard input:5: path: another row has the path 'p': line 4\n")
    assert "1 key that must be directories for others" in done.err
    assert not (tmp_path / "d").exists()


def test_check_online(fake, run, tmp_path):
    """Versions and keys that S3 does not have, other sizes, and objects that were overwritten."""
    fake.bucket("b", versioning="Enabled")
    version = fake.put("b", "a", b"1")
    fake.put("b", "here", b"22")
    marker = fake.delete("b", "here")
    (tmp_path / "m.csv").write_text(
        EDITED.format(a=version) + f"b,here,{marker},\nno-such-bucket,k,,\n")
    done = run("s3-manifest", "--check", "--online", "m.csv", env=env_of(fake))
    assert done.status == 1
    assert sorted(done.out.splitlines()) == [
        "m.csv:4: size: S3 says 1 bytes, not 2", "m.csv:4: the same version as in line 3",
        "m.csv:5: key: S3 does not have s3://b/gone",
        "m.csv:6: size: size 'big' is not a number of bytes (expected: the number of bytes in "
        "digits)",
        f"m.csv:7: is_delete_marker: s3://b/here?versionId={marker} is a delete marker in S3",
        "m.csv:8: S3 does not say whether it has s3://no-such-bucket/k: S3 says NoSuchBucket: The "
        "specified bucket does not exist"]


def test_check_of_what_s3_has_finds_nothing(fake, run, pipe, tmp_path):
    """A manifest as it came, delete markers and the oddest keys among it."""
    fake.bucket("b", versioning="Enabled")
    for number in range(300):
        fake.put("b", f"k{number % 100}", b"x" * number)
    fake.delete("b", "k7")
    fake.put("b", "%ä =\n/../", b"odd")
    done = pipe("s3-manifest --versions s3://b | s3-manifest --check --online -d d",
                env=env_of(fake))
    assert (done.status, done.out) == ([0, 0], "")
    assert "302 rows checked, nothing found" in done.err


@pytest.mark.parametrize("words", [["--online"], ["-d", "x"], ["--check", "s3://b"],
                                   ["--check", "-o", "x"], ["--check", "--versions"],
                                   ["--check", "."]])
def test_check_is_asked_for_alone(run, words):
    """It reads manifests, and writes none."""
    done = run("s3-manifest", *words, input="")
    assert (done.status, done.out) == (2, "") and "--check" in done.err


def test_listings_of_other_tools(run, tmp_path):
    """The AWS CLI's JSON, by way of NDJSON and XML to CSV again; a page of it is not all."""
    listed = (LISTINGS / "aws-versions.json").read_bytes()
    done = run("s3-manifest", "--bucket", "odd-keys", "-", input=listed)
    rows = read_rows(done.out)
    assert (done.status, len(rows)) == (0, 62) and {row.key for row in rows} > {"x\ny", "007"}
    lines = run("s3-manifest", "-f", "ndjson", "-o", tmp_path / "m.json.gz", "-", input=done.out)
    xml = run("s3-manifest", "-f", "xml", "m.json.gz", cwd=tmp_path)
    assert (lines.status, lines.out, xml.status) == (0, "", 0)
    assert run("s3-manifest", "-f", "csv", "-", input=xml.out).out == done.out
    done = run("s3-manifest", "--bucket", "b", LISTINGS / "aws-objects-page.json")
    assert done.status == 3 and "aws-objects-page.json: page 1 says that more follow" in done.err
    assert len(done.out.splitlines()) == 5 and "#end" not in done.out
