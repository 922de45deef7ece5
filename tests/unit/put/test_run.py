"""The run of one s3-put: its parts are put together, and rows go through them."""

import threading
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import env_of, set_aws
from rowruns import noted_run, people_of, streams_of

from s3kit.disk.tree import OURS, Tree
from s3kit.errors import SOME_FAILED, Cut, Fault, NoSuchBucket
from s3kit.manifest.row import FAILED, LISTED, RESTORING, STORED, Row
from s3kit.pipeline.flow import BATCH_ROWS
from s3kit.pipeline.pool import DEPTH
from s3kit.put.rehearsal import Rehearsal
from s3kit.put.run import run
from unit.put.in_process import OPTIONS

MORE = {"in_place": False, "rules": None, "min_size": None, "max_size": None, "newer": None,
        "older": None, "storage_class": None, "dry_run": False, "limit_rate": 0,
        "limit_requests": 0, "scheduler": None, "profile": None,
        "region": None, "endpoint_url": None, "no_sign_request": False, "request_payer": None,
        "ca_bundle": None, "no_verify_ssl": False, "read_timeout": 300}


@pytest.fixture
def bucket(fake, monkeypatch):
    """A fake S3 in this process's environment, with an empty bucket."""
    set_aws(monkeypatch, env_of(fake))
    fake.bucket("b", versioning="Enabled")
    return fake


@pytest.fixture
def folder(tmp_path):
    """A directory with two files."""
    made = tmp_path / "d"
    made.mkdir()
    for name in ("k", "l"):
        (made / name).write_text(name)
    return made


@pytest.fixture
def noted(monkeypatch, bucket):
    """What the run does with its Pool and its Stage, whose rows go nowhere: [(what, value)]."""
    return noted_run(monkeypatch)


def done(folder, rows, cut=None, **options):
    """Run s3-put on rows; return (what run returns, [(key, state)] of the rows that left)."""
    source, sink, left = streams_of([rows], cut)
    args = SimpleNamespace(**OPTIONS | MORE | {"dest": str(folder), "jobs": 1, "retries": 0}
                           | options)
    return run(args, (source, sink), people_of(args)), sorted(left)


def children():
    """Return the process ids of our children."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):       # a thread that ends meanwhile
            found |= {*(task / "children").read_text().split()}
    return found


def rows_of(*keys):
    """Return Rows of files."""
    return [Row("src", key, etag="e", path=key, state=LISTED) for key in keys]


def test_files_get_their_copies(bucket, folder):
    """What there is not fails; what others have done passes; a second run sends nothing."""
    found, left = done(folder, [*rows_of("k", "l", "none"), Row("src", "ice", state=RESTORING)])
    assert left == [("ice", RESTORING), ("k", STORED), ("l", STORED), ("none", FAILED)]
    assert bucket.get("b", "p/k").body == b"k" and bucket.get("b", "p/l").body == b"l"
    assert found.stored == 2 and found.moved_bytes == 2 and found.status() == SOME_FAILED
    assert (folder / "k").exists()
    again, left = done(folder, rows_of("k", "l"))
    assert (again.stored, again.kept, left) == (0, 2, [("k", STORED), ("l", STORED)])
    assert len(bucket.versions("b")) == 2


def test_files_are_removed_when_all_is_written_down(bucket, folder):
    """By the run itself, at its end at the latest."""
    found, _ = done(folder, rows_of("k", "l"), remove_local=True)
    assert found.place.removed == 2 and not (folder / "k").exists()


@pytest.mark.parametrize("key, is_fresh", [(None, True), ("p/there", False), ("other", True)])
def test_what_was_empty_need_not_be_looked_at(bucket, folder, key, is_fresh):
    """The prefix is asked for once; then nothing may be there."""
    if key:
        bucket.put("b", key, b"x")
    done(folder, rows_of("k"))
    methods = [one.method for one in bucket.log if one.key == "p/k"]
    assert methods == (["PUT"] if is_fresh else ["HEAD", "PUT"])
    assert bucket.log[-1].headers["if-none-match"] == "*"
    assert len([one for one in bucket.log if "list-type" in one.query]) == 1


def test_versions_go_in_their_order(bucket, folder):
    """All are read before the first goes."""
    rows = [Row("src", "k", f"v{number}", etag="e", path=path, state=LISTED,
                last_modified=f"2026-01-0{number}T00:00:00Z")
            for number, path in ((2, "l"), (1, "k"))]
    with pytest.raises(Cut):
        done(folder, rows, Cut("cut"), history=True)
    assert not bucket.versions("b")
    found, left = done(folder, rows, history=True)
    assert found.stored == 2 and left == [("k", STORED)] * 2
    assert [version.body for version in bucket.versions("b")] == [b"l", b"k"]


@pytest.mark.parametrize("versioning", [None, "Suspended"])
def test_a_bucket_that_keeps_no_versions(bucket, folder, versioning):
    """All but the newest would be lost."""
    bucket.bucket("plain", versioning=versioning)
    with pytest.raises(Fault, match="'plain' does not keep versions"):
        done(folder, rows_of("k"), history=True, target=("plain", ""))
    assert not bucket.versions("plain")


def test_a_cut_input(bucket, folder):
    """What came before the cut is stored, then it is raised."""
    with pytest.raises(Cut):
        done(folder, rows_of("k"), Cut("cut"))
    assert bucket.get("b", "p/k").body == b"k"


def test_a_dry_run_asks_nothing(bucket, folder):
    """And makes nothing."""
    found, left = done(folder, rows_of("k"), dry_run=True)
    assert isinstance(found, Rehearsal) and left == [("k", LISTED)]
    assert bucket.log == [] and not (folder / OURS).exists()


def test_a_bucket_that_is_not_there(bucket, folder):
    """It ends the run; no worker is left behind, nor a thread."""
    processes, threads = children(), {*threading.enumerate()}
    with pytest.raises(NoSuchBucket):
        done(folder, rows_of("k"), target=("none", ""))
    assert children() <= processes and {*threading.enumerate()} <= threads


@pytest.mark.parametrize("prefix, is_said", [("p", True), ("p/", False), ("", False)])
def test_a_prefix_without_a_slash(noted, folder, capsys, prefix, is_said):
    """It may be meant, or not: it is said."""
    done(folder, [], target=("b", prefix))
    assert ("keys will begin with 'p' as it stands" in capsys.readouterr().err) == is_said


def test_what_workers_know(noted, folder):
    """An absolute place, their share of the rate; and how many rows may be on their way."""
    rows = rows_of("k", "l")
    done(folder, rows, jobs=4, connections=3, limit_rate=1000, limit_requests=10)
    work, destination, ledger, limit, batches = dict(noted)["open"]
    assert (work.destination, work.endpoints, work.connections, work.rate, work.requests,
            work.make) == (str(folder), {}, 3, 250, 2.5, False)
    assert work.place == Tree(str(folder), make=False).place and dict(noted)["warm"] == work
    assert not destination.are_ours and destination.ledger is dict(noted)["run"].place
    assert ledger is destination.ledger.ledger and batches == [rows]
    assert dict(noted)["workers"] == 4 and limit == 4 * DEPTH * BATCH_ROWS
    done(folder, [], jobs=1, connections=DEPTH * BATCH_ROWS)
    assert dict(noted[-4:])["open"][3] == 2 * DEPTH * BATCH_ROWS


def test_the_directory_need_not_be_there_before_the_first_row(bucket, tmp_path):
    """s3-fetch before us in a pipe makes it then."""
    folder = tmp_path / "later"

    def read():
        folder.mkdir()
        (folder / "k").write_text("k")
        yield rows_of("k")
    _, sink, left = streams_of([])
    args = SimpleNamespace(**OPTIONS | MORE | {"dest": str(folder), "jobs": 1})
    source = SimpleNamespace(batches=read, extras=lambda: (), share=lambda: None)
    run(args, (source, sink), people_of(args))
    assert left == [("k", STORED)]
