"""s3-fetch --with-metadata: what S3 says of objects besides their bytes is in the manifest."""

import json
import os
import sqlite3
from pathlib import Path

import pytest
from conftest import env_of

from manifests import read_rows

HEADERS = {"Content-Type": "text/plain; charset=utf-8", "Content-Encoding": "gzip",
           "Content-Disposition": 'attachment; filename="a, b.txt"', "Content-Language": "de",
           "Cache-Control": "no-cache, max-age=0", "x-amz-meta-owner": "a&b=c",
           "x-amz-meta-mtime": "1700000000.5"}
SAID = {"content_type": "text/plain; charset=utf-8", "content_encoding": "gzip",
        "content_disposition": 'attachment; filename="a, b.txt"', "content_language": "de",
        "cache_control": "no-cache, max-age=0", "metadata": "mtime=1700000000.5&owner=a%26b%3Dc"}
LARGE = 65 << 20


def said(row):
    """Return {column: text} of what a row says in optional columns."""
    return {name: text for name, text in (row.extra or {}).items() if text}


def listing(run, fake, *options):
    """Return the manifest of the bucket `b`."""
    return run("s3-manifest", *options, "s3://b", env=env_of(fake)).out


def fetch(run, fake, dest, manifest, *options):
    """Return (what s3-fetch did, its rows, how often S3 was asked by each method)."""
    before = len(fake.log)
    done = run("s3-fetch", "--with-metadata", "-d", dest, *options, input=manifest,
               env=env_of(fake))
    asked = [request.method for request in fake.log[before:] if request.key]
    return done, read_rows(done.out), {name: asked.count(name) for name in set(asked)}


@pytest.mark.parametrize("form", ["csv", "xml"])
def test_rows_say_it(fake, run, tmp_path, form):
    """By the answers that bring the bytes: none is asked for besides."""
    fake.bucket("b")
    fake.put("b", "dir/", b"", headers=HEADERS)
    fake.put("b", "k", b"bytes", headers=HEADERS)
    fake.put("b", "plain", b"bytes")
    done, rows, asked = fetch(run, fake, tmp_path / "d", listing(run, fake), "-f", form)
    assert done.status == 0 and asked == {"GET": 3}
    assert {row.key: said(row) for row in rows} == {
        "dir/": SAID, "k": SAID, "plain": {"content_type": "binary/octet-stream"}}
    assert "warning" not in done.err


def test_a_large_object_says_it(fake, run, tmp_path):
    """By the HEAD that comes before its ranges."""
    fake.bucket("b")
    fake.put("b", "k", b"x" * LARGE, headers=HEADERS)
    done, [row], asked = fetch(run, fake, tmp_path / "d", listing(run, fake))
    assert done.status == 0 and said(row) == SAID and asked["HEAD"] == 1
    os.unlink(tmp_path / "d" / ".s3kit" / "ledger.sqlite3")
    done, [row], asked = fetch(run, fake, tmp_path / "d", listing(run, fake))
    assert done.status == 0 and said(row) == SAID and asked == {"HEAD": 1}
    assert "1 file found complete" in done.err


def test_the_header_has_the_columns_from_the_first_row(fake, run, tmp_path):
    """Behind those that the input had; rows that are passed on say nothing there."""
    fake.bucket("b")
    fake.put("b", "k", b"bytes", headers=HEADERS)
    rows = "bucket,key,state,note\n" + "b,old,pruned,x\n" * 2 + "b,k,,y\n"
    done, found, _ = fetch(run, fake, tmp_path / "d", rows)
    assert done.status == 0
    assert done.out.splitlines()[1].endswith(
        ",error,note,content_type,content_encoding,content_disposition,content_language,"
        "cache_control,metadata")
    assert [said(row) for row in found] == [{"note": "x"}] * 2 + [{"note": "y"} | SAID]


def test_without_the_option_there_are_none(fake, run, tmp_path):
    fake.bucket("b")
    fake.put("b", "k", b"bytes", headers=HEADERS)
    done = run("s3-fetch", "-d", tmp_path / "d", input=listing(run, fake), env=env_of(fake))
    assert done.out.splitlines()[1].endswith(",error") and read_rows(done.out)[0].extra is None


def test_files_that_are_there_are_asked_for_once(fake, run, tmp_path):
    """By HEAD, where neither the row nor the ledger knows it; then nothing is asked at all."""
    fake.bucket("b")
    for number in range(20):
        fake.put("b", f"k{number:02d}", b"bytes", headers=HEADERS)
    rows = listing(run, fake)
    assert run("s3-fetch", "-d", tmp_path / "d", input=rows, env=env_of(fake)).status == 0
    done, found, asked = fetch(run, fake, tmp_path / "d", rows)
    assert done.status == 0 and asked == {"HEAD": 20}
    assert "nothing to fetch, 20 rows already there" in done.err
    assert [said(row) for row in found] == [SAID] * 20
    again, found, asked = fetch(run, fake, tmp_path / "d", rows)
    assert again.status == 0 and asked == {} and [said(row) for row in found] == [SAID] * 20


def test_a_row_that_knows_it_is_not_asked_for(fake, run, tmp_path):
    """What a person wrote there stays, as long as the bytes need not come again."""
    fake.bucket("b")
    fake.put("b", "k", b"bytes", headers=HEADERS)
    rows = listing(run, fake)
    run("s3-fetch", "-d", tmp_path / "d", input=rows, env=env_of(fake))
    etag = read_rows(rows)[0].etag
    done, [row], asked = fetch(run, fake, tmp_path / "d",
                               f"bucket,key,etag,Content-Type\nb,k,{etag},image/png\n")
    assert done.status == 0 and asked == {} and said(row) == {"content_type": "image/png"}
    (tmp_path / "d" / "b" / "k").unlink()
    done, [row], _ = fetch(run, fake, tmp_path / "d",
                           f"bucket,key,etag,Content-Type\nb,k,{etag},image/png\n")
    assert said(row) == SAID


def test_a_later_object_of_the_same_bytes_is_asked_for(fake, run, tmp_path):
    """It may have been put there for the sake of its metadata."""
    fake.bucket("b")
    fake.put("b", "k", b"bytes", modified=1_700_000_000)
    fetch(run, fake, tmp_path / "d", listing(run, fake))
    fake.put("b", "k", b"bytes", modified=1_700_000_900, headers=HEADERS)
    done, [row], asked = fetch(run, fake, tmp_path / "d", listing(run, fake))
    assert done.status == 0 and asked == {"HEAD": 1} and said(row) == SAID


def test_files_that_nobody_recorded(fake, run, tmp_path):
    """Of another tool, or of a run that was killed: HEAD, and the bytes do not come again."""
    fake.bucket("b")
    fake.put("b", "k", b"bytes", headers=HEADERS)
    fake.put("b", "other", b"right", headers=HEADERS)
    (tmp_path / "d" / "b").mkdir(parents=True)
    (tmp_path / "d" / "b" / "k").write_bytes(b"bytes")
    (tmp_path / "d" / "b" / "other").write_bytes(b"wrong")
    done, rows, asked = fetch(run, fake, tmp_path / "d", listing(run, fake))
    assert done.status == 0 and asked == {"HEAD": 2, "GET": 1}
    assert [said(row) for row in rows] == [SAID] * 2
    assert (tmp_path / "d" / "b" / "other").read_bytes() == b"right"


def test_rows_that_come_twice_and_rows_that_pin_nothing(fake, run, tmp_path):
    """All of them say it, in every run."""
    fake.bucket("b")
    fake.put("b", "k", b"bytes", headers=HEADERS)
    for _ in range(2):
        done, rows, _ = fetch(run, fake, tmp_path / "d", "bucket,key\nb,k\nb,k\n")
        assert done.status == 0 and [said(row) for row in rows] == [SAID] * 2


def test_what_s3_will_not_say(fake, run, tmp_path):
    """The file is there all the same, and the row says so; the status says that not all was done.
    """
    fake.bucket("b")
    fake.put("b", "k", b"bytes")
    fake.put("b", "gone", b"bytes")
    rows = listing(run, fake)
    run("s3-fetch", "-d", tmp_path / "d", input=rows, env=env_of(fake))
    fake.delete("b", "gone")
    done, found, _ = fetch(run, fake, tmp_path / "d", rows)
    gone, kept = sorted(found, key=lambda row: row.key)
    assert done.status == 1 and "1 row with less than was asked for" in done.err
    assert "s3://b/gone: what else S3 says of it is not known: S3 says NoSuchKey" in done.err
    assert (gone.state, kept.state, kept.error) == ("fetched", "fetched", "") and not said(gone)
    assert said(kept) and gone.error.startswith("what else S3 says of it is not known: ")


def test_an_archived_version_whose_file_is_there(fake, run, tmp_path):
    """HEAD answers of it though its bytes cannot be read."""
    fake.bucket("b")
    fake.put("b", "k", b"bytes", storage_class="GLACIER", headers=HEADERS)
    (tmp_path / "d" / "b").mkdir(parents=True)
    (tmp_path / "d" / "b" / "k").write_bytes(b"bytes")
    done, [row], asked = fetch(run, fake, tmp_path / "d", listing(run, fake))
    assert (done.status, row.state, asked) == (0, "fetched", {"HEAD": 1}) and said(row) == SAID


@pytest.mark.parametrize("is_recorded", [True, False])
def test_faults_in_passing(fake, run, tmp_path, is_recorded):
    """A HEAD that fails in passing is tried again."""
    fake.bucket("b")
    fake.put("b", "k", b"bytes", headers=HEADERS)
    rows = listing(run, fake)
    run("s3-fetch", "-d", tmp_path / "d", input=rows, env=env_of(fake))
    if not is_recorded:
        os.unlink(tmp_path / "d" / ".s3kit" / "ledger.sqlite3")
    fault = fake.fault("status", key="k", method="HEAD", status=503, code="SlowDown")
    before = len(fake.requests("HEAD", "k"))
    done, [row], _ = fetch(run, fake, tmp_path / "d", rows)
    assert done.status == 0 and said(row) == SAID and fault.hits == 1
    assert len(fake.requests("HEAD", "k")) == before + 2


def test_the_ledger_can_be_read_by_hand(fake, run, tmp_path):
    """One row an object, its columns as JSON."""
    fake.bucket("b")
    fake.put("b", "k", b"bytes", headers=HEADERS)
    fetch(run, fake, tmp_path / "d", listing(run, fake))
    with sqlite3.connect(Path(tmp_path, "d", ".s3kit", "ledger.sqlite3")) as base:
        [(key, columns)] = base.execute("SELECT key, columns FROM description").fetchall()
    assert key == "k" and json.loads(columns) == SAID


def test_a_real_server(seaweed, run, tmp_path):
    """Each header comes back as it was put; of a large object, too."""
    client, name = seaweed.client(), f"described-{os.getpid()}"
    client.create_bucket(Bucket=name)
    options = dict(ContentType="image/png", ContentDisposition="inline", ContentLanguage="de",
                   CacheControl="no-store", Metadata={"mtime": "1700000000.5", "owner": "a b"})
    client.put_object(Bucket=name, Key="k", Body=b"bytes", **options)
    client.put_object(Bucket=name, Key="large", Body=b"x" * LARGE, **options)
    rows = run("s3-manifest", f"s3://{name}", env=seaweed.env).out
    expected = {"content_type": "image/png", "content_disposition": "inline",
                "content_language": "de", "cache_control": "no-store",
                "metadata": "mtime=1700000000.5&owner=a%20b"}
    for options in ([], ["--with-metadata"]):       # that the files are there, then from the ledger
        run("s3-fetch", *options, "-d", tmp_path / "d", input=rows, env=seaweed.env)
    for dest in ("d", "new"):
        done = run("s3-fetch", "--with-metadata", "-d", tmp_path / dest, input=rows,
                   env=seaweed.env)
        assert done.status == 0 and [said(row) for row in read_rows(done.out)] == [expected] * 2
