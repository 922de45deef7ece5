"""Where a row's bytes go, and whose row it is."""

import shlex

import pytest

from s3kit.commands.put import build_parser
from s3kit.manifest import row as rows
from s3kit.manifest.row import KEY_BYTES, Row
from s3kit.put.plan import LARGEST_PART
from s3kit.put.targets import (
    Terms,
    clearing,
    is_local,
    is_to_put,
    target_of,
    terms_of,
    why_no_target,
)
from s3kit.s3 import snowball
from s3kit.s3.address import Endpoint

ACTED_ON = {"", rows.LISTED, rows.RESTORED, rows.FETCHED, rows.VERIFIED, rows.FAILED, rows.STORED,
            rows.PRUNED}


@pytest.mark.parametrize("state", ["", *rows.STATES])
def test_which_rows_are_put(state):
    """Never what another command found wrong, what has no bytes, or what makes no sense."""
    assert is_to_put(Row("b", "k", state=state)) == (state in ACTED_ON)
    assert not is_to_put(Row("b", "k", state=state, is_delete_marker="true"))
    assert not is_to_put(Row("b", "k", state=state, verbatim={"key": "k"}))


@pytest.mark.parametrize("state", [rows.MISSING, rows.MISMATCH, rows.UNVERIFIABLE, rows.PRUNED])
def test_copies_that_are_not_what_they_were(state):
    """What s3-verify has found to be missing or another is put again."""
    row = Row("b", "k", state=state, extra={"stored_at": "s3://to/k"})
    assert is_to_put(row) is (state != rows.UNVERIFIABLE)


@pytest.mark.parametrize("columns, found", [
    ({}, True), ({"size": "5", "last_modified": "2026-01-01T00:00:00Z", "path": "k"}, True),
    ({"digest": "xxh3-128:00"}, True), ({"etag": "e"}, False), ({"version_id": "null"}, False),
    ({"checksum": "y/Q5Jg==", "checksum_algorithm": "CRC32"}, False)])
def test_what_is_of_a_file_alone(columns, found):
    """Nothing in it is S3's word."""
    assert is_local(Row("b", "k", **columns)) == found


@pytest.mark.parametrize("prefix, key, copy, target", [
    ("", "k", "", "k"), ("p/", "a/k", "", "p/a/k"), ("p", "k", "", "pk"),
    # stored before, below the same prefix: there
    ("p/", "k", "s3://to/p/other?versionId=v", "p/other"), ("p/", "p/k", "s3://to/p/k", "p/k"),
    ("", "k", "s3://to/a%20b", "a b"),
    # elsewhere
    ("p/", "k", "s3://to/q/k", "p/k"), ("p/", "k", "s3://from/p/other", "p/k"),
    ("p/", "k", "nonsense", "p/k")])
def test_the_target(prefix, key, copy, target):
    """The prefix and the row's key, unless it is stored there already."""
    row = Row("from", key, extra={"stored_at": copy} if copy else None)
    assert target_of(row, "to", prefix) == ("to", target)


@pytest.mark.parametrize("key, target", [("a/k", "p/k"), ("a/a/k", "p/a/k"), ("a/", ""), ("k", ""),
                                         ("b/a/k", "")])
def test_what_keys_lose(key, target):
    """Those that do not begin with it have no target, nor those of which nothing is left."""
    assert target_of(Row("from", key), "to", "p/", "a/") == ("to", target)
    stored = Row("from", key, extra={"stored_at": "s3://to/p/other"})
    assert target_of(stored, "to", "p/", "a/") == ("to", "p/other")


@pytest.mark.parametrize("key, why", [
    ("", "its key is not below what --strip takes away"),
    ("k", ""), ("k" * KEY_BYTES, ""), ("\u00e9" * 512, ""),
    ("k" * (KEY_BYTES + 1), "the target's key has 1,025 bytes, and S3 takes 1,024"),
    ("\u00e9" * 513, "the target's key has 1,026 bytes, and S3 takes 1,024"),
    ("a\udcff", "its name is not UTF-8, as all keys are")])
def test_keys_that_s3_does_not_take(key, why):
    """By their bytes, not by their letters."""
    assert why_no_target(key) == why


def test_keys_that_a_snowball_does_not_take():
    """It takes fewer bytes, and is named."""
    assert why_no_target("k" * 933, 933) == ""
    assert why_no_target("k" * 934, 933) == (
        "the target's key has 934 bytes, and Snowball's S3 adapter takes 933")


def test_the_terms_of_a_server(monkeypatch):
    """Those of S3, where it is not known to be another."""
    endpoint = Endpoint("b", "http://h/b")
    assert terms_of(endpoint) == Terms(KEY_BYTES, LARGEST_PART, False)
    monkeypatch.setattr(snowball, "is_at", lambda endpoint: True)
    assert terms_of(endpoint) == Terms(933, 512 * 10**6, True)


@pytest.mark.parametrize("words", [["--to", "s3://b/a b/"], ["--to", "s3://b", "-d", "it's"]])
def test_what_aborts_uploads_can_be_pasted(words):
    """It is a call of s3-put, with the same target and the same directory."""
    args = build_parser().parse_args(words)
    name, *pasted = shlex.split(clearing(args))
    again = build_parser().parse_args(pasted)
    assert name == "s3-put" and again.uploads and again.abort
    assert (again.target, again.dest) == (args.target, args.dest)
