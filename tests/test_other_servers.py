"""The pipeline on servers that are not Amazon's: every version is listed, fetched, verified and
deleted, or something says why not.
"""

import pytest
from conftest import env_of
from fakes3 import CHARACTERS, FakeS3

from manifests import read_rows

PAGE = 1000
ODD = ["a%2Fz", "a%2Fz!", "a+1", "a-1", "a.txt", "b~z", "\x01control", "sp ace", "é", "x&y<z>"]


def fill(server):
    """Put more than a page of keys into bucket `b`, odd ones at its end, and versions of some."""
    server.bucket("b", versioning="Enabled" if server.character.versions else None)
    early = [f"a%2Fa{n:04d}" for n in range(PAGE - 3)]
    for key in early + ODD:
        server.put("b", key, b"body of " + key.encode())
    for key in (early[0], "a%2Fz", "b~z") if server.character.versions else ():
        for n in range(3):
            server.put("b", key, b"%d" % n)


@pytest.mark.parametrize("name", CHARACTERS)
def test_the_pipeline(run, tmp_path, name):
    """From the listing to the deletion, with every version in the manifest once."""
    with FakeS3(character=name) as server:
        fill(server)
        there = {(version.key, version.id if server.character.versions else "")
                 for version in server.versions("b")}
        options = ["--versions"] * server.character.versions
        listed = run("s3-manifest", *options, "s3://b/", env=env_of(server))
        assert listed.status == 0, listed.err
        rows = [(row.key, row.version_id) for row in read_rows(listed.out)]
        assert len(rows) == len(set(rows)) and set(rows) == there
        fetched = run("s3-fetch", "-d", "d", input=listed.out, env=env_of(server))
        assert fetched.status == 0, fetched.err
        checked = run("s3-verify", "--discard", "-d", "d", input=fetched.out, env=env_of(server))
        if not server.character.verifiable:
            assert checked.status == 5, checked.err
            assert {row.state for row in read_rows(checked.out)} == {"unverifiable"}
            assert all((tmp_path / "d" / row.path).exists() for row in read_rows(checked.out))
            return
        assert checked.status == 0, checked.err
        pruned = run("s3-prune", "--yes", "-d", "d", input=checked.out, env=env_of(server))
        assert pruned.status == 0, pruned.err
        assert {row.state for row in read_rows(pruned.out)} == {"pruned"}
        assert not server.versions("b")


@pytest.mark.parametrize("name", CHARACTERS)
def test_current_objects(run, name):
    """A listing without versions has each key once."""
    with FakeS3(character=name) as server:
        fill(server)
        listed = run("s3-list", "-R", "-0", "s3://b/", env=env_of(server))
        assert listed.status == 0, listed.err
        keys = listed.out.split("\0")[:-1]
        assert sorted(keys) == sorted({version.key for version in server.versions("b")})
