"""S3Swarm's XML, as S3Swarm itself has written it of a bucket with odd keys."""

import json
from pathlib import Path

import pytest
from odd_keys import KEYS

from s3kit.errors import Cut, Fault
from s3kit.manifest import foreign
from s3kit.manifest.foreign.s3swarm import NO_WORDS, reader
from s3kit.manifest.row import FAILED, FETCHED, LISTED, Row, values

GOLDEN = Path(__file__).resolve().parents[3] / "support" / "golden"
DATA = (GOLDEN / "s3swarm.xml").read_bytes()
# Where S3Swarm has put each key's file, its destination being /data/s3_downloads.
PLACES = json.loads((GOLDEN / "s3swarm-places.json").read_text())
BELOW = "/data/s3_downloads/"


def read(data, step=1 << 20, bucket=""):
    """Return (rows, why the reading stopped) of a document that comes in pieces."""
    made = reader("s3swarm", bucket, None)
    rows = [row for at in range(0, len(data), step) for row in made.feed(data[at:at + step])]
    return rows + made.close(), made.stop


def item(**attributes):
    """Return the one Row of an item."""
    said = {"bucket": "b", "folder": "a", "filename": "x", "size": "1", "status": "pending",
            "file_path": "a/x"} | attributes
    text = " ".join(f'{name}="{value}"' for name, value in said.items() if value is not None)
    rows, stop = read(f"<downloads><item {text} /></downloads>".encode())
    assert not stop
    return rows[0]


@pytest.mark.parametrize("step", [1 << 20, 7])
def test_what_s3swarm_wrote(step):
    """Every key as S3 has it, sizes, states; nothing is verified, and nothing proven."""
    assert foreign.recognised(DATA[:foreign.HEAD]) == "s3swarm"
    rows, stop = read(DATA, step)
    assert not stop and len(rows) == 89
    assert {row.key for row in rows} <= set(KEYS)
    # two keys of one name in one top folder are one item for S3Swarm
    assert {"x//y", "x/./y"} - {row.key for row in rows} == {"x//y"}
    assert {row.state for row in rows} == {LISTED, FETCHED, FAILED}
    assert {(row.proof, row.digest, row.etag, row.version_id) for row in rows} == {("",) * 4}
    assert {row.size for row in rows} == {"9", "10"}
    failed, = [row for row in rows if row.state == FAILED]
    assert (failed.key, failed.error, failed.verbatim) == ("//two", "Download failed", None)


def test_paths_are_those_of_s3swarm():
    """A file that it says it has lies where it has put it; what it put elsewhere is not here."""
    rows = {row.key: row for row in read(DATA)[0]}
    for key, place in PLACES.items():
        path = place.removeprefix(BELOW)
        is_here = path.startswith("swarm-bucket/")
        if rows[key].state != FAILED:
            assert (rows[key].path, rows[key].state) == ((path, FETCHED) if is_here
                                                         else ("", LISTED)), key
    assert rows["../../etc/passwd"].path == "" and rows["a/../b"].path == "swarm-bucket/b"
    assert [rows[key].path for key in (".", "..")] == ["", ""]


def test_every_status_and_what_has_none():
    """What was begun may be anything; a word that S3Swarm does not have is no verdict of ours."""
    assert [item(status=word).state for word in ("pending", "started", "completed", "failed")] == [
        LISTED, LISTED, FETCHED, FAILED]
    assert item(status="failed").error == NO_WORDS
    assert item(status="failed", error="SSL:&#10; gone").error == "SSL: gone"
    assert [item(status=word).verbatim is None for word in ("verified", "", None)] == [False] * 3
    assert item(status="verified").error == "row 1: S3Swarm has no status 'verified'"


def test_items_that_make_no_sense():
    """They are failed rows, and pass on as they came."""
    assert item(bucket=None).error.startswith("row 1: no bucket")
    assert item(size="1.5").error == "row 1: size '1.5' is not a number of bytes"
    assert item(file_path="", folder="", filename="").error == "row 1: no key"
    assert "key" in values(item(size="x", file_path="key", filename=None))


def test_root_files_and_old_items():
    """Without a path of its own the key is the folder, which for files at the top is their name."""
    assert item(folder="x", file_path="x", status="completed") == Row(
        "b", "x", size="1", state=FETCHED, path="b/x")
    assert item(folder="x", file_path=None, status="completed").path == "b/x"
    assert item(folder="top", file_path=None).key == "top"
    assert item(file_path="a/%41").key == "a/%41"


@pytest.mark.parametrize("end", [len(DATA) - 1, len(DATA) - 15, len(DATA) // 2, 60])
def test_a_cut_document_does_not_look_whole(end):
    """S3Swarm rewrites it in place, so that a kill leaves a piece."""
    rows, stop = read(DATA[:end])
    assert isinstance(stop, Cut)
    assert rows == read(DATA)[0][:len(rows)]


def test_it_says_no_number_of_rows():
    """So nothing is removed because it does not name it."""
    made = reader("s3swarm", "", None)
    assert not made.marked and made.feed(b"<downloads/>") == made.close() == []
    assert not made.stop


@pytest.mark.parametrize("data", [
    b"<downloads><other/></downloads>", b"<downloads><item><item/></item></downloads>",
    b"<!DOCTYPE x><downloads/>", b"<uploads/>"])
def test_what_is_another_document(data):
    """It ends the reading."""
    assert isinstance(read(data)[1], (Fault, Cut))


@pytest.mark.parametrize("head, form", [
    (b"<downloads/>", "s3swarm"), (b"<?xml version='1.0'?>\n<!-- a -->\n<downloads>", "s3swarm"),
    (b"<manifest xmlns='urn:s3kit:manifest:1'>", None), (b"<downloadsx>", None),
    (b"<html><downloads>", None)])
def test_recognition(head, form):
    """By the root's name."""
    assert foreign.recognised(head) == form
