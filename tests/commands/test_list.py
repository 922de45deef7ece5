"""s3-list: like ls, for buckets."""

import json

import pytest
from conftest import env_of

from s3kit.commands.list import build_parser, check
from s3kit.errors import Usage


@pytest.fixture
def listed(fake):
    """A fake with two buckets, one of them with versions."""
    fake.bucket("empty")
    fake.bucket("b", versioning="Enabled")
    fake.put("b", "a", b"1", modified=1_700_000_000)
    fake.put("b", "a", b"22", modified=1_700_000_100)
    fake.put("b", "dir/x", bytes(5000), modified=1_700_000_200)
    fake.put("b", "dir/y\n", b"", modified=1_700_000_300)
    fake.delete("b", "dir/x")
    return fake


def test_buckets(listed, run):
    """Without an address, or with one that names no bucket: all buckets, a name a line."""
    assert run("s3-list", env=env_of(listed)).out == "b\nempty\n"
    assert run("s3-list", "s3://", env=env_of(listed)).out == "b\nempty\n"


def test_one_level_and_all(listed, run):
    """One level with its prefixes; -R everything; names that could act on a terminal are written
    out.
    """
    assert run("s3-list", "s3://b", env=env_of(listed)).out == "a\ndir/\n"
    assert run("s3-list", "-R", "s3://b", env=env_of(listed)).out == "a\ndir/y\\x0a\n"
    assert run("s3-list", "s3://b/dir/", env=env_of(listed)).out == "dir/y\\x0a\n"


def test_raw_names(listed, run):
    """-0 gives raw names for xargs -0."""
    assert run("s3-list", "-R", "-0", "s3://b", env=env_of(listed)).out == "a\0dir/y\n\0"


def test_long_and_versions(listed, run):
    """-l shows time, size and class; --versions also old versions and delete markers."""
    out = run("s3-list", "-l", "-H", "-R", "--versions", "s3://b",
              env=env_of(listed)).out.splitlines()
    assert [line.split()[-1] for line in out] == ["a", "a", "dir/x", "dir/x", "dir/y\\x0a"]
    assert (out[0].split()[:3] == ["2023-11-14T22:15:00Z", "2", "STANDARD"] and " * " in out[0]
            and " - " in out[1])
    assert "MARKER" in out[2] and "4.9K" in out[3]


def test_json(listed, run):
    """--json: an object a line, numbers as numbers, raw keys."""
    facts = [json.loads(line) for line
             in run("s3-list", "--json", "-R", "s3://b", env=env_of(listed)).out.splitlines()]
    assert ([(fact["key"], fact["size"], fact["bucket"]) for fact in facts]
            == [("a", 2, "b"), ("dir/y\n", 0, "b")])


def test_summary(listed, run):
    """--summarize counts objects, markers and bytes."""
    out = run("s3-list", "-R", "--versions", "--summarize", "s3://b", env=env_of(listed)).out
    assert out.splitlines()[-1] == (
        "4 versions of 3 keys, 1 delete marker, 5,003 bytes")


def test_sizes(listed, run):
    """--du: of folders, of the address, of all buckets; -l --summarize: of buckets."""
    listed.put("b", "dir/sub/z.jpg", bytes(70), modified=1_700_000_400)
    assert run("s3-list", "--du", "s3://b", env=env_of(listed)).out.split("\n") == [
        "          70         1 s3://b/dir/sub/", "          70         2 s3://b/dir/",
        "          72         3 s3://b/", ""]
    done = run("s3-list", "--du", "--depth", "0", "-H", "--versions", env=env_of(listed))
    assert [line.split() for line in done.out.splitlines()] == [
        ["5.0K", "5", "s3://b/"], ["0", "0", "s3://empty/"]]
    done = run("s3-list", "-l", "--summarize", env=env_of(listed))
    assert [line.split()[1:] for line in done.out.splitlines()] == [
        ["72", "3", "b"], ["0", "0", "empty"], ["buckets,", "3", "objects,", "72", "bytes"]]
    assert run("s3-list", "--du", "s3://b/none", env=env_of(listed)).status == 1


def test_a_bucket_that_may_not_be_listed_keeps_no_other_from_being_counted(listed, run):
    """It is named, and the status is 1."""
    listed.fault("status", key="", bucket="b", times=None, status=403, code="AccessDenied")
    for words, line in ((["-l", "--summarize"], ["-", "-", "b"]), (["--du"], [])):
        done = run("s3-list", *words, env=env_of(listed))
        assert done.status == 1 and "cannot list s3://b" in done.err and "empty" in done.out
        assert line == [] or line in [each.split()[1:] for each in done.out.splitlines()]


def test_filters(listed, run):
    """Those of all commands; on one level a prefix stands for what they keep."""
    def out(*words):
        return run("s3-list", *words, env=env_of(listed)).out

    assert out("-R", "--max-size", "2", "s3://b") == "a\ndir/y\\x0a\n"
    assert out("--newer", "2023-11-14T22:17:00Z", "s3://b") == "dir/\n"
    assert out("--du", "--exclude", "dir/*", "s3://b").split() == ["2", "1", "s3://b/"]


@pytest.mark.parametrize("words, says", [
    (["--du", "-l", "s3://b"], "--du prints sizes and numbers: it goes with no -l and no -0"),
    (["--depth", "1", "s3://b"], "--depth goes with --du"),
    (["--newer", "1d"], "filters choose keys: name a bucket, like s3://photos/")])
def test_what_cannot_be_meant(words, says):
    with pytest.raises(Usage, match=says):
        check(build_parser().parse_args(words))


def test_nothing_there(listed, run):
    """A prefix that names nothing is an error, as for ls; an empty bucket is not."""
    done = run("s3-list", "s3://b/none", env=env_of(listed))
    assert done.status == 1 and "no such key" in done.err
    assert run("s3-list", "s3://empty", env=env_of(listed)).status == 0


def test_one_that_is_not_there_keeps_no_other_from_being_listed(listed, run):
    """As with ls."""
    done = run("s3-list", "s3://b/none", "s3://b/a", env=env_of(listed))
    assert (done.status, done.out) == (1, "a\n") and done.err.count("no such key") == 1
    done = run("s3-list", "s3://b/a", "s3://empty/", "s3://b/dir/", env=env_of(listed))
    assert done.out == "s3://b/a\ns3://b/dir/y\\x0a\n", "of several buckets"


def test_pages(fake, run):
    """More than a page of keys comes whole and in order."""
    fake.bucket("b")
    keys = sorted(f"{n:05d}é" for n in range(2500))
    for key in keys:
        fake.put("b", key, b"")
    assert run("s3-list", "-R", "s3://b", env=env_of(fake)).out.splitlines() == keys
