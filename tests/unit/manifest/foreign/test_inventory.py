"""S3 Inventory: manifest.json, its data files in all formats, and what is wrong with them."""

import gzip
import json
import os

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from inventories import (SCHEMA, csv_bytes, gzip_bytes, orc_bytes, parquet_bytes, report,
                         version, write)
from odd_keys import KEYS

from s3kit.errors import Fault
from s3kit.manifest import foreign, streams
from s3kit.manifest.foreign import data_files, inventory
from s3kit.manifest.row import FAILED, Row

CURRENT = tuple(name for name in SCHEMA if name not in ("VersionId", "IsLatest", "IsDeleteMarker"))
ORDER = [version(key) for key in sorted(KEYS)]
KINDS = ("CSV", "Parquet", "ORC")


def read(path, bucket="", columns=None):
    """Return (rows, reader) of what lies at a path."""
    reader = inventory.opened("inventory", str(path), bucket, columns)
    return [row for rows in reader.batches() for row in rows], reader


def failing(path, **options):
    """Return (rows that came, the words of the fault) of what lies at a path."""
    reader = inventory.opened("inventory", str(path), options.get("bucket", ""),
                              options.get("columns"))
    rows = []
    with pytest.raises(Fault) as raised:
        for found in reader.batches():
            rows += found
    return rows, str(raised.value)


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_in_every_format(tmp_path, kind):
    """One version comes out of all formats as the same row, but for unknown columns' names."""
    rows, reader = read(write(report([[version("photos/a+b c.jpg")]], kind), tmp_path))
    extra, rows[0].extra = rows[0].extra, None
    assert rows == [Row("src", "photos/a+b c.jpg", "PZ9ibn9D5lP6", "true", "false", "1024",
                        "2025-01-02T03:04:05Z", "9e107d9d372bb6826bd81d3542a419d6", "STANDARD",
                        "CRC64NVME", state="listed")]
    assert list(extra.values()) == ["false", "SSE-S3", ""]
    assert list(extra) == reader.extras == (
        ["IsMultipartUploaded", "EncryptionStatus", "IntelligentTieringAccessTier"]
        if kind == "CSV" else
        ["is_multipart_uploaded", "encryption_status", "intelligent_tiering_access_tier"])


@pytest.mark.parametrize("kind", KINDS)
def test_odd_keys(tmp_path, kind):
    """Decoded once in CSV, not at all elsewhere; several data files one after the other."""
    rows, reader = read(write(report([ORDER[:40], ORDER[40:]], kind), tmp_path))
    assert [row.key for row in rows] == sorted(KEYS) and reader.is_sorted
    assert {row.state for row in rows} == {"listed"}
    rows, reader = read(write(report([ORDER[40:], ORDER[:40]], kind), tmp_path))
    assert not reader.is_sorted and reader.count == len(KEYS)


@pytest.mark.parametrize("kind", KINDS)
def test_null_versions_and_markers(tmp_path, kind):
    """An empty version is `null` where versions are listed, and not known where they are not."""
    marker = version("b", VersionId="m", IsDeleteMarker="true", Size="", ETag="", StorageClass="X")
    rows, _ = read(write(report([[version("a", VersionId=""), marker]], kind), tmp_path))
    assert [(row.version_id, row.is_delete_marker, row.size, row.storage_class)
            for row in rows] == [("null", "false", "1024", "STANDARD"), ("m", "true", "", "")]
    row, = read(write(report([[version("a")]], kind, CURRENT), tmp_path / "current"))[0]
    assert (row.version_id, row.is_latest, row.is_delete_marker) == ("", "", "")


def test_all_is_text(tmp_path):
    """No cell is taken for a number, or for nothing."""
    names = ["007", "NA", "null", "nan", "true", "1e5", " x ", "-"]
    records = [version(name, Size=str((1 << 63) - 1), ETag="007") for name in names]
    for kind in ("CSV", "Parquet"):
        rows, _ = read(write(report([records], kind), tmp_path))
        assert [(row.key, row.size, row.etag) for row in rows] == [
            (name, "9223372036854775807", "007") for name in names]


def test_new_columns(tmp_path):
    """Columns that nobody knows yet are carried along; none of them is a verdict of ours."""
    schema = (*SCHEMA, "ObjectOwner", "State", "Proof", "ObjectAccessControlList")
    record = version("a", ObjectOwner="o", State="verified", Proof="sha256",
                     ObjectAccessControlList='{"version":"2022-11-10"}')
    (row,), reader = read(write(report([[record]], schema=schema), tmp_path))
    assert (row.state, row.proof) == ("listed", "")
    assert reader.extras[-4:] == ["ObjectOwner", "InventoryState", "InventoryProof",
                                  "ObjectAccessControlList"]
    assert row.extra["InventoryState"] == "verified"
    assert row.extra["ObjectAccessControlList"] == '{"version":"2022-11-10"}'


@pytest.mark.parametrize("bad, why", [
    ('"src","a%zz"', "encodes nothing"), ('"src","a%"', "encodes nothing"),
    ('"src","a%FF"', "not UTF-8"), ('"src",""', "no key"), ('"src"', "1 columns, not 13"),
    ('"src","a' + "b" * 1024 + '"', "longer than 1024"), ('"a/b","a"', "cannot be a bucket"),
    ('"src","a","v","perhaps"', "'true', 'false'"), ('"src","a","v","true","false","1.5"', "size"),
    ('"src","a","v","true","false","²"', "size")])
def test_lines_that_make_no_sense(tmp_path, bad, why):
    """They are failed rows that name the data file and the line, and keep what they said."""
    lines = csv_bytes([version("first"), version("last")]).decode().splitlines(True)
    if why[0] != "1":
        bad += ',""' * (13 - bad.count(",") - 1)
    data = gzip.compress((lines[0] + bad + "\n" + lines[1]).encode())
    path = tmp_path / "x.csv.gz"
    path.write_bytes(data)
    rows, _ = read(path, columns=SCHEMA)
    assert [row.state for row in rows] == ["listed", FAILED, "listed"]
    assert rows[1].error.startswith("x.csv.gz, line 2: ") and why in rows[1].error
    assert rows[1].verbatim["bucket"] == bad.split(",")[0].strip('"')


def test_a_wrong_data_file(tmp_path):
    """A changed byte, a missing file, another size: named, and never whole."""
    files = report([ORDER[:3], ORDER[3:5]])
    path = write(files, tmp_path)
    second = tmp_path / [key for key in files if "/data/" in key][1]
    good = second.read_bytes()
    second.write_bytes(gzip_bytes([version("x"), version("y")])[:len(good)].ljust(len(good), b"\0"))
    rows, said = failing(path)
    assert len(rows) >= 3 and "00000001-0000.csv.gz" in said
    for length in (len(good) - 1, len(good) + 1):
        second.write_bytes(good.ljust(length, b"\0")[:length])
        rows, said = failing(path)
        assert rows == [] and f"has {length} bytes, not {len(good)}" in said
    second.unlink()
    rows, said = failing(path)
    assert rows == [] and "no copy of the data file 'inv/src/daily/data/00000001" in said
    assert "above" in said


@pytest.mark.parametrize("kind", KINDS)
def test_the_md5(tmp_path, kind):
    """Bytes that read well but are not those that manifest.json means: status 3, no end mark."""
    files = report([[version("aaaa")]], kind)
    other = report([[version("bbbb")]], kind)
    path = write(files, tmp_path)
    name, = [key for key in files if "/data/" in key]
    assert len(files[name]) == len(other[name])
    (tmp_path / name).write_bytes(other[name])
    rows, said = failing(path)
    assert "the MD5 of the data file" in said and "manifest.json: " in said
    assert not rows or kind == "CSV"


def test_the_checksum_of_the_manifest(tmp_path):
    """manifest.checksum is heeded where it is there."""
    path = write(report([ORDER]), tmp_path)
    path.write_bytes(path.read_bytes().replace(b"2016-11-30", b"2016-11-31"))
    assert "its MD5 is not the one" in failing(path)[1]
    (path.parent / "manifest.checksum").unlink()
    assert len(read(path)[0]) == len(KEYS)


@pytest.mark.parametrize("pack, ending", [(gzip.compress, "gz"),
                                          (zstandard.ZstdCompressor().compress, "zst")])
def test_a_compressed_manifest(tmp_path, monkeypatch, pack, ending):
    """People compress it; one that was cut, or is too large, is none."""
    path = write(report([ORDER]), tmp_path)
    packed = path.with_name(f"manifest.json.{ending}")
    packed.write_bytes(pack(path.read_bytes()))
    path.unlink()
    assert len(read(packed)[0]) == len(KEYS)
    assert streams.Input(os.open(packed, os.O_RDONLY), str(packed)).batches().__next__()
    whole = packed.read_bytes()
    monkeypatch.setattr(data_files, "MOST", len(whole))
    assert "it is not a manifest.json" in failing(packed)[1]
    monkeypatch.undo()
    packed.write_bytes(whole[:-9])
    with pytest.raises(Fault, match="data (was cut|is broken)"):
        read(packed)


@pytest.mark.parametrize("strip", ["", "inv/", "inv/src/", "inv/src/daily/"])
def test_where_copies_lie(tmp_path, strip):
    """`aws s3 sync` of the bucket, of its prefix, of one inventory; and all files in one folder."""
    files = report([ORDER[:2], ORDER[2:]], prefix="inv/")
    assert len(read(write(files, tmp_path / "some" / "where", strip))[0]) == len(KEYS)
    flat = {f"x/{os.path.basename(key)}": data for key, data in files.items()}
    assert len(read(write(flat, tmp_path / "flat"))[0]) == len(KEYS)
    double = report([ORDER], prefix="inv//")
    assert len(read(write(double, tmp_path / "double"))[0]) == len(KEYS)


@pytest.mark.parametrize("change, why", [
    ({"files": None}, "no list 'files'"), ({"files": [{"key": "a"}]}, "no key or no MD5"),
    ({"files": [{"key": "../a", "size": 1, "MD5checksum": "0" * 32}]}, "cannot be the name"),
    ({"files": [{"key": "a", "MD5checksum": "0" * 32}]}, "how large"),
    ({"fileFormat": "Avro"}, "'Avro' are not known"), ({"fileSchema": ""}, "no 'fileSchema'"),
    ({"fileSchema": "Bucket, Size"}, "no column Key"), ({"sourceBucket": 7}, "no 'sourceBucket'"),
    ({"fileSchema": "Bucket, Key, key"}, "the same name")])
def test_a_manifest_json_that_makes_no_sense(tmp_path, change, why):
    """What is wrong with it is said; it is never an inventory of nothing."""
    rows, said = failing(write(report([ORDER], **change), tmp_path))
    assert rows == [] and why in said


def test_of_nothing(tmp_path):
    """An empty bucket has an inventory without data files, and of an empty one."""
    assert read(write(report([]), tmp_path))[0] == []
    assert read(write(report([[]]), tmp_path / "empty"))[0] == []


def test_written_by_an_editor(tmp_path):
    """A byte order mark changes nothing, but for the MD5 that is told beside."""
    path = write(report([ORDER]), tmp_path)
    path.with_name("manifest.checksum").unlink()
    path.write_bytes(b"\xef\xbb\xbf\n" + path.read_bytes())
    assert len(read(path)[0]) == len(KEYS)


def test_cut_json(tmp_path):
    """A manifest.json that was cut is not read."""
    path = write(report([ORDER]), tmp_path)
    path.with_name("manifest.checksum").unlink()
    path.write_bytes(path.read_bytes()[:-20])
    assert "not JSON" in failing(path)[1]


@pytest.mark.parametrize("make, name", [(gzip_bytes, "x.csv.gz"), (csv_bytes, "x.csv"),
                                        (parquet_bytes, "x"), (orc_bytes, "x.orc")])
def test_a_data_file_alone(tmp_path, make, name):
    """Parquet and ORC say what their columns are, CSV must be told."""
    path = tmp_path / name
    path.write_bytes(make(ORDER))
    if ".csv" in name:
        assert "give --columns" in failing(path)[1]
    rows, _ = read(path, columns=SCHEMA)
    assert [row.key for row in rows] == sorted(KEYS)


def test_symlinks(tmp_path):
    """Hive's symlink.txt names the data files; their copies are looked for as always."""
    files = report([ORDER[:3], ORDER[3:]])
    names = [f"s3://inventories/{key}\n" for key in files if "/data/" in key]
    write(files, tmp_path)
    path = tmp_path / "inv/src/daily/hive/dt=2026-01-02-00-00/symlink.txt"
    path.parent.mkdir(parents=True)
    path.write_text("".join(names))
    assert len(read(path, columns=SCHEMA)[0]) == len(KEYS)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("order", [False, True])
def test_recognised(indent, order):
    """By what no other form's first bytes have, whoever has written the JSON anew."""
    text = report([ORDER])["inv/src/daily/2026-01-02T00-00Z/manifest.json"]
    data = json.dumps(json.loads(text), indent=indent, sort_keys=order).encode()
    assert foreign.recognised(data[:foreign.HEAD]) == "inventory"


def test_as_an_input(tmp_path):
    """Every command reads it by its name, none from a pipe."""
    path = write(report([ORDER]), tmp_path)
    fd = os.open(path, os.O_RDONLY)
    made = streams.Input(fd, str(path))
    assert sum(map(len, made.batches())) == len(KEYS) and made.form == "csv"
    os.close(fd)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9),
                          st.text(st.characters(exclude_categories=["Cs"]), max_size=5)),
                min_size=1, max_size=20), st.integers(1, 400), st.booleans())
def test_any_cells_in_any_pieces(tmp_path_factory, pairs, step, bare):
    """However it is cut, and whichever way it is parsed, a cell is what csv has written."""
    table = inventory.Table(["Bucket", "Key", "Owner"])
    data = csv_bytes([{"Bucket": "b", "Key": key, "Owner": owner} for key, owner in pairs],
                     table.names)
    if bare:
        data = data.replace(b'"b"', b"b")
    records, rows = inventory.Records(), []
    for start in range(0, len(data), step):
        columns = records.columns(data[start:start + step], 3)
        if columns is not None:
            rows += table.rows(columns, str)
        else:
            rows += [row for found in inventory.rows_of(table, *records.parse_again(), "x")
                     for row in found]
    rows += [row for found in inventory.rows_of(table, *records.close(), "x") for row in found]
    assert [(row.key, row.extra["Owner"]) for row in rows] == pairs


def test_without_pyarrow(tmp_path, monkeypatch):
    """What to install is said."""
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    path = tmp_path / "x"
    path.write_bytes(b"PAR1\0\0\0\0")
    assert "pip install s3kit[inventory]" in failing(path)[1]


def test_a_broken_parquet_file(tmp_path):
    """It is no trace, and not a file of no rows."""
    for data in (parquet_bytes(ORDER)[:-9], orc_bytes(ORDER)[:-20]):
        path = tmp_path / "x"
        path.write_bytes(data)
        rows, said = failing(path)
        assert "cannot be read" in said
