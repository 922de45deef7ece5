"""s3-filter: sets, order, sums and time, as people call them."""

import json
import os

import pytest
from conftest import env_of
from fakes3 import FakeS3
from manifests import read_rows

DAY, START = 86400, 1_767_225_600

OLD = ("bucket,key,size,owner\n"
       "b,a,1,x\nb,c,3,\nb,b,2,y\n")
NEW = ("bucket,key,size,state\n"
       "b,a,1,listed\nb,b,4,failed\nb,d,1,listed\n")


@pytest.fixture
def days(tmp_path, monkeypatch):
    """Let two manifests lie in the current directory: one of them is not in order."""
    (tmp_path / "old.csv").write_text(OLD)
    (tmp_path / "new.csv").write_text(NEW)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def keys(done):
    """Return the keys of the rows that were written."""
    return " ".join(row.key for row in read_rows(done.out))


def test_diff(days, run):
    """Every row with what became of it; the status and stderr say how many."""
    done = run("s3-filter", "--diff", "old.csv", "new.csv")
    assert done.status == 1
    assert done.err == "s3-filter: 1 added, 1 removed, 1 changed, 1 same (1 by size alone)\n"
    assert [(row.key, row.extra["change"], row.extra["rests_on"], row.extra.get("owner"))
            for row in read_rows(done.out)] == [
        ("a", "same", "size", ""), ("b", "changed", "size", ""), ("c", "removed", "", ""),
        ("d", "added", "", "")]
    assert run("s3-filter", "-q", "--diff", "old.csv", "-", input=OLD).status == 0
    assert keys(run("s3-filter", "--diff", "old.csv", "new.csv", "--where",
                    "change = 'added' or change = 'removed'")) == "c d"
    done = run("s3-filter", "--diff", "old.csv", "moved.csv", "--map", "s3://b/=s3://c/x/")
    assert done.status == 3 and "cannot open 'moved.csv'" in done.err
    (days / "moved.csv").write_text("bucket,key\nc,x/a\nc,x/c\nc,x/b\n")
    done = run("s3-filter", "--diff", "old.csv", "moved.csv", "--map", "s3://b/=s3://c/x/")
    assert done.status == 5 and "3 not to be compared" in done.err
    assert keys(done) == "x/a x/b x/c"


@pytest.mark.parametrize("options", [["--diff", "old.csv", "-"], ["--extra"], ["--totals"],
                                     ["--minus", "-", "old.csv"], ["--merge"]])
def test_what_waits_for_the_end_mark(days, run, options):
    """A cut manifest does not look like a short one: no row is written, and no sum."""
    cut = "#s3kit manifest 1\nbucket,key\nb,a\n"
    done = run("s3-filter", *options, input=cut)
    assert done.status == 3 and "no end mark after 1 rows" in done.err
    assert "#end" not in done.out
    assert options == ["--merge"] or done.out == ""


def test_minus_and_common(days, run):
    """Rows stay as they are; both may be asked for."""
    done = run("s3-filter", "--minus", "new.csv", "old.csv")
    assert (done.status, keys(done)) == (0, "c")
    done = run("s3-filter", "--common", "-", "old.csv", input=NEW)
    assert [f"{row.key} {row.extra['owner']}" for row in read_rows(done.out)] == ["a x", "b y"]
    assert keys(run("s3-filter", "--common", "new.csv", "--minus", "-", "old.csv",
                    input="bucket,key\nb,a\n")) == "b"


def test_merge(days, run):
    """The last file's row is what counts; no column is lost."""
    done = run("s3-filter", "--merge", "old.csv", "new.csv")
    assert done.status == 0
    assert [(row.key, row.size, row.state, row.extra["owner"]) for row in read_rows(done.out)] == [
        ("a", "1", "listed", ""), ("b", "4", "failed", ""), ("c", "3", "", ""),
        ("d", "1", "listed", "")]
    assert keys(run("s3-filter", "--merge", "--state", "failed", "old.csv", "new.csv")) == "b"


def test_merge_of_shards(days, run):
    """Are the whole again; one that is missing is named."""
    for number in "12":
        run("s3-filter", "--shard", f"{number}/2", "new.csv", "-o", f"{number}.csv")
    done = run("s3-filter", "--merge", "2.csv", "1.csv")
    assert (done.status, keys(done), "#shard" in done.out) == (0, "a b d", False)
    done = run("s3-filter", "--merge", "1.csv", "1.csv")
    assert done.status == 0 and "#shard 1/2\n" in done.out
    both = (days / "1.csv").read_text() + (days / "2.csv").read_text()
    for options, mark in (["--merge"], ""), (["--merge", "--shard", "1/3"], "#shard 1/3\n"), (
            ["--extra"], ""):
        done = run("s3-filter", *options, input=both)
        assert done.status == 0 and "".join(
            line for line in done.out.splitlines(True) if line.startswith("#shard")) == mark
    done = run("s3-filter", "--merge", "2.csv", "old.csv")
    assert (done.status, done.out) == (3, "")
    assert done.err == "s3-filter: of the shards, 1/2 is missing\n"


def test_sort(days, run):
    """By number, by unknown columns, turned round; all columns stay."""
    assert keys(run("s3-filter", "--sort", "-size,key", "old.csv", "new.csv")) == "b c b a a d"
    done = run("s3-filter", "--sort", "owner", "--first", "4", "old.csv", "new.csv")
    assert [row.extra["owner"] for row in read_rows(done.out)] == [""] * 4
    done = run("s3-filter", "--sort", "key,sized", "old.csv")
    assert (done.status, done.out) == (3, "")
    assert done.err == "s3-filter: --sort: the rows have no column 'sized'\n"
    assert run("s3-filter", "--sort", "owner", input="bucket,key\n").status == 0


def test_extra(days, run):
    """Files that no row names, as rows that other commands take."""
    for name in ("b/a", "b/b%vV", "b/new", "c/x%vV"):
        (days / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (days / "data" / name).write_text(name)
    done = run("s3-filter", "--extra", "-d", "data", "old.csv")
    assert [(row.bucket, row.key, row.version_id, row.size, row.state, row.path)
            for row in read_rows(done.out)] == [
        ("b", "new", "", "5", "listed", "b/new"), ("c", "x", "V", "6", "listed", "c/x%vV")]


def test_sums(days, run):
    """For people and for machines; a total would be one of the wrong sum, were it of a part."""
    done = run("s3-filter", "--totals", "new.csv")
    assert (done.status, [line.split() for line in done.out.splitlines()[1:]]) == (0, [
        ["1", "4", "b", "failed", "-", "-"], ["2", "2", "b", "listed", "-", "-"],
        ["3", "6", "total"]])
    done = run("s3-filter", "--by-prefix", "1", "--json", input="bucket,key,size\nb,x/y,1\nb,z,2\n")
    assert list(map(json.loads, done.out.splitlines())) == [
        {"bucket": "b", "prefix": "", "rows": 1, "bytes": 2, "rows_of_unknown_size": 0},
        {"bucket": "b", "prefix": "x/", "rows": 1, "bytes": 1, "rows_of_unknown_size": 0}]


def test_undelete(run):
    """What a marker hides; a manifest that cannot know is warned of."""
    rows = ("bucket,key,version_id,is_latest,is_delete_marker,last_modified\n"
            "b,k,2,true,true,2026-01-02T00:00:00Z\nb,k,1,false,false,2026-01-01T00:00:00Z\n"
            "b,l,1,true,false,2026-01-01T00:00:00Z\n")
    done = run("s3-filter", "--undelete", input=rows)
    assert (done.status, keys(done), done.err) == (0, "k", "")
    done = run("s3-filter", "--undelete", input=NEW)
    assert keys(done) == "" and "was it made with --versions?" in done.err


@pytest.mark.parametrize("options, words", [
    (["--diff", "old.csv"], "--diff compares two FILEs"),
    (["--map", "s3://a/=s3://b/"], "--map goes with --diff"),
    (["--map", "a=b"], "is not like s3://old/prefix/=s3://new/prefix/"),
    (["-d", "data", "old.csv"], "-d goes with --extra"),
    (["--json"], "--json goes with"), (["--totals", "-o", "x"], "write no manifest"),
    (["--minus", "-"], "can be read once"), (["--sort", "size,,key"], "names of columns"),
    (["--diff", "--merge", "a", "b"], "not allowed with")])
def test_asked_wrongly(days, run, options, words):
    done = run("s3-filter", *options, input=NEW)
    assert (done.status, done.out) == (2, "") and words in done.err
    assert sorted(os.listdir(".")) == ["new.csv", "old.csv"]


@pytest.fixture
def history():
    """A bucket with three days of versions, several in one second, and markers among them."""
    with FakeS3() as fake:
        fake.bucket("b", versioning="Enabled")
        for key in ("kept", "gone", "back", "\uffe0", "\U0001f600"):
            fake.put("b", key, b"one", modified=START)
        for body in (b"2", b"3"):
            fake.put("b", "kept", body, modified=START + DAY)
        fake.clock.advance(START + 2 * DAY - fake.clock.now())
        fake.delete("b", "gone")
        fake.delete("b", "back")
        fake.put("b", "back", b"again", modified=START + 2 * DAY)
        yield fake


def test_at_offline_is_at_online(history, run, tmp_path):
    """At every moment, row for row, also where several are of one second; in any order of rows."""
    from s3kit.units import from_epoch
    env = env_of(history)
    every = tmp_path / "all.csv"
    assert run("s3-manifest", "--versions", "s3://b", "-o", every, env=env).status == 0
    for day in (-1, 0, 1, 2, 3):
        when = from_epoch(START + day * DAY)
        online = run("s3-manifest", "--at", when, "s3://b", env=env)
        offline = run("s3-filter", "--at", when, every)
        assert (offline.status, offline.out) == (online.status, online.out)
        assert len(read_rows(offline.out)) == {-1: 0, 0: 5, 1: 5, 2: 4, 3: 4}[day]
    shuffled = run("s3-filter", "--sort", "-size,key", every).out
    assert keys(run("s3-filter", "--at", from_epoch(START + DAY), input=shuffled)) == keys(
        run("s3-filter", "--at", from_epoch(START + DAY), every))
    assert keys(run("s3-filter", "--undelete", every)) == "gone"


@pytest.mark.system("minutes")
@pytest.mark.parametrize("line", [
    pytest.param("s3-filter --progress 1h --diff given.csv other.csv -o out.csv",
                 marks=pytest.mark.long),
    "s3-filter --by-prefix 1 given.csv"])
def test_memory_is_the_same_for_any_number_of_rows(pipe, tmp_path, line):
    """300,000 rows in no order, each with a prefix of its own: in memory they would be 450 MB."""
    for name, step in ("given.csv", 7_919), ("other.csv", 7_907):
        with open(tmp_path / name, "w", encoding="utf-8") as file:
            file.write("bucket,key,size,etag,error\n")
            for number in range(300_000):
                at = number * step % 300_007
                file.write(f"b,{at:06}/k,{at},{at:032x},{'x' * 200}\n")
    done = pipe(f"ulimit -v 250000; {line}", timeout=300)
    assert done.status[0] in (0, 1), done.err
    if "-o" in line:        # each step leaves out seven numbers
        assert done.err == "s3-filter: 7 added, 7 removed, 0 changed, 299,993 same\n"
