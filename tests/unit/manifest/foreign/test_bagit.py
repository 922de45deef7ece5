"""Bags: what bagit-python and others that keep to RFC 8493 leave, whole and damaged."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from foreignruns import GOLDEN
from hypothesis import given, settings
from hypothesis import strategies as st
from nasty_files import NAMES, NO_TEXT, lay

from s3kit.errors import Cut, Fault
from s3kit.manifest import api, csv_form, foreign, xml_form
from s3kit.manifest.foreign.bagit import writer
from s3kit.manifest.row import FAILED, LISTED, Row

ROOT = Path(__file__).parents[4]
DECLARATION = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
SHA = "0" * 64


def line(kind, name, written=None):
    """Return the line of a file that holds its name."""
    return f"{hashlib.new(kind, name.encode()).hexdigest()}  {written or f'data/{name}'}\n"


def bag(top, names, kinds=("sha256",), **files):
    """Make a bag of files, each holding its name; `files` are its own files besides."""
    for name in names:
        path = top / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (top / "bagit.txt").write_text(DECLARATION)
    for kind in kinds:
        (top / f"manifest-{kind}.txt").write_text("".join(line(kind, name) for name in names))
    for name, text in files.items():
        (top / f"{name.replace('_', '-')}.txt").write_text(text)
    return top


def read(top):
    """Return (rows, what ends the reading or None)."""
    made, rows = foreign.opened("bagit", str(top), "b", None), []
    try:
        for found in made.batches():
            rows += found
    except Fault as fault:
        return rows, fault
    assert made.count == len(rows)
    return rows, None


def names(rows):
    """Return [(key, path)]."""
    return [(row.key, row.path) for row in rows]


def test_a_bag(tmp_path):
    """The path is where the file lies; the strongest digest counts, the other goes along."""
    top = bag(tmp_path, ["a", "d/é b"], ["md5", "sha256"],
              bag_info="Payload-Oxum: 5.2\n",
              tagmanifest_md5="".join(
                  f"{hashlib.md5(data.encode()).hexdigest()} {name}\n" for name, data in [
                      ("bagit.txt", DECLARATION), ("data", ""),
                      ("manifest-md5.txt", line("md5", "a") + line("md5", "d/é b")),
                      ("manifest-sha256.txt", line("sha256", "a") + line("sha256", "d/é b"))]))
    rows, stop = read(top)
    assert stop is None and names(rows) == [("a", "data/a"), ("d/é b", "data/d/é b")]
    assert rows[0] == Row("b", "a", state=LISTED, path="data/a",
                          digest=f"sha256:{hashlib.sha256(b'a').hexdigest()}",
                          extra={"md5": hashlib.md5(b"a").hexdigest()})
    assert read(top / "bagit.txt") == (rows, None)
    assert list(api.read(top / "bagit.txt", bucket="b")) == rows
    assert list(api.read(top, bucket="b", form="bagit")) == rows


def test_what_bagit_python_wrote(tmp_path):
    """Every name that it can list, as it lies in the bag."""
    shutil.copytree(GOLDEN / "bag", tmp_path, dirs_exist_ok=True)
    lay(tmp_path / "data")
    (tmp_path / "data" / os.fsdecode(NO_TEXT)).unlink()
    rows, stop = read(tmp_path)
    assert stop is None and {(row.key, row.path, row.digest, row.extra["md5"]) for row in rows} == {
        (name.decode(), f"data/{name.decode()}", f"sha256:{hashlib.sha256(name).hexdigest()}",
         hashlib.md5(name).hexdigest()) for name in NAMES if name != NO_TEXT}
    assert {row.state for row in rows} == {LISTED} and len(rows) == len(NAMES) - 1


@pytest.mark.parametrize("files, written, found", [
    (["a%", "a%25"], ["a%25", "a%2525"], ["a%", "a%25"]),           # as the RFC says
    (["a%", "a%25"], ["a%", "a%25"], ["a%", "a%25"]),               # bagit-python
    (["a%25"], ["a%25"], ["a%25"]), (["a%0Db"], ["a%0Db"], ["a%0Db"]),
    (["a\rb", "a\nb"], ["a%0Db", "a%0ab"], ["a\rb", "a\nb"]),
    ([], ["a%25b%41"], ["a%b%41"]),
    ([" lead", "trail "], [" lead", "trail "], [" lead", "trail "])])
def test_names_that_are_encoded(tmp_path, files, written, found):
    """The files that are there say who wrote the manifest."""
    top = bag(tmp_path, files, [])
    (top / "manifest-sha256.txt").write_text("".join(f"{SHA} data/{name}\n" for name in written))
    rows, stop = read(top)
    assert stop is None and [row.key for row in rows] == found


def test_what_is_still_to_be_fetched(tmp_path):
    top = bag(tmp_path, ["a", "b"], fetch="http://x/b 7 data/b\nhttp://x/a - data/a\n"
              "http://x/c 1 data/c\nnonsense\n")
    os.unlink(top / "data/b")
    rows, stop = read(top)
    assert [(row.size, row.extra["fetch_url"], row.state) for row in rows[:2]] == [
        ("", "http://x/a", LISTED), ("7", "http://x/b", LISTED)]
    assert [row.error for row in rows[2:]] == [
        "fetch.txt: 'data/c' is not in manifest-sha256.txt",
        "fetch.txt, line 4: not URL, length and name"]
    assert stop is None


def test_a_name_that_is_in_one_manifest_only(tmp_path):
    """It is an error since version 1.0; before that one was enough."""
    top = bag(tmp_path, ["a", "b"], ["md5", "sha256"])
    (top / "manifest-sha256.txt").write_text(line("sha256", "a"))
    rows, _ = read(top)
    assert rows[1].error == "manifest-md5.txt, line 2: 'data/b' is not in manifest-sha256.txt"
    (top / "bagit.txt").write_text(DECLARATION.replace("1.0", "0.97"))
    rows, _ = read(top)
    assert rows[1].digest == f"md5:{hashlib.md5(b'b').hexdigest()}" and not rows[1].error


@pytest.mark.parametrize("text, why", [
    (f"{SHA}  /etc/passwd\n", "does not lie below data/"), (f"{SHA}  x\n", "does not lie below"),
    (f"{SHA}  data/../../x\n", "does not lie below"), (f"{SHA}  data/a\0b\n", "does not lie below"),
    ("ab  data/a\n", "2 digits"), ("zz  data/a\n", "not a line"), (f"{SHA}\n", "not a line"),
    (f"{SHA}  data/a\n{'1' * 64}  data/a\n", "another digest"),
    (f"{SHA}  data/\n", "no key"), (f"{SHA}  data/a%25\n{SHA}  data/a%\n", "named twice")])
def test_lines_that_make_no_sense(tmp_path, text, why):
    top = bag(tmp_path, [], [], manifest_sha256=text)
    rows, stop = read(top)
    assert stop is None
    assert [why in row.error for row in rows if row.state == FAILED] == [True]


@pytest.mark.parametrize("files, why", [
    ({"bag_info": "Payload-Oxum: 1.3\n"}, "says 3 files, the manifests name 2"),
    ({"bag_info": "Payload-Oxum: x\n"}, "is not OCTETS.FILES"),
    ({"manifest_sha256": line("sha256", "a")[:-1]}, "its last line has no end"),
    ({"manifest_sha256": ""}, "is there, in no manifest"),
    ({"manifest_sha256": line("sha256", "a")}, "'data/b' is there"),
    ({"tagmanifest_md5": f"{'0' * 32}  manifest-sha256.txt\n"}, "changed or cut"),
    ({"tagmanifest_md5": f"{'0' * 32}  manifest-sha512.txt\n"}, "is missing"),
    ({"tagmanifest_md5": ""}, "does not name manifest-sha256.txt"),
    ({"tagmanifest_md5": "00  manifest-sha256.txt\n"}, "2 digits")])
def test_what_is_cut_does_not_look_whole(tmp_path, files, why):
    _, stop = read(bag(tmp_path, ["a", "b"], **files))
    assert isinstance(stop, Cut) and why in str(stop)


@pytest.mark.parametrize("files, why", [
    ({"bagit": ""}, "BagIt-Version"), ({"bagit": DECLARATION.replace("1.0", "2.0")}, "'2.0'"),
    ({"bagit": DECLARATION.replace("UTF-8", "ISO-8859-1")}, "'ISO-8859-1'"),
    ({"manifest_size": "1 data/a\n"}, "not the name of a manifest")])
def test_what_is_not_a_bag(tmp_path, files, why):
    rows, stop = read(bag(tmp_path, ["a"], **files))
    assert not rows and why in str(stop)


def test_folders_that_are_none(tmp_path):
    """Without a declaration, without a manifest, and what is not there."""
    assert "no bagit.txt" in str(read(tmp_path)[1])
    assert "this has none" in str(read(bag(tmp_path, [], []))[1])
    assert "cannot read" in str(read(tmp_path / "no" / "bagit.txt")[1])
    os.mkfifo(tmp_path / "manifest-md5.txt")
    assert "not a file" in str(read(tmp_path)[1])


def test_written_as_the_rfc_says(tmp_path):
    """And read again: what came from a bag keeps its names."""
    rows = [Row("b", key, digest=f"sha256:{SHA}") for key in ("a%", "l\nf", "c\rr", "data/x")]
    made = writer("bagit")
    data = made.begin([]) + made.rows(rows) + made.end(4)
    assert data.decode() == "".join(f"{SHA}  data/{name}\n" for name in
                                    ("a%25", "l%0Af", "c%0Dr", "data/x"))
    (bag(tmp_path, [], []) / "manifest-sha256.txt").write_bytes(data)
    again, _ = read(tmp_path)
    made = writer("bagit")
    assert [row.key for row in again] == [row.key for row in rows]
    assert made.rows(again) + made.end(4) == data


def test_the_digest_that_all_rows_have():
    """SHA-256 where all have it, else the strongest; S3's own checksum of the whole counts."""
    ours = Row("b", "k", checksum_algorithm="SHA256", checksum_type="FULL_OBJECT",
               checksum="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", digest="md5:" + "0" * 32)
    made = writer("bagit")
    made.rows([ours])
    made.rows([Row("b", "l", digest="md5:" + "1" * 32)])
    assert made.end(2) == f"{'0' * 32}  data/k\n{'1' * 32}  data/l\n".encode()
    with pytest.raises(Fault, match="no digest that a bag can have and all rows before"):
        made.rows([Row("b", "m", digest=f"sha256:{SHA}")])


@pytest.mark.parametrize("row", [
    Row("b", "k"), Row("b", "k", digest="xxh3-128:" + "0" * 32), Row("b", "k", etag="0" * 32),
    Row("b", "k", is_delete_marker="true", digest=f"sha256:{SHA}"),
    Row("b", "k", is_latest="false", path="p", digest=f"sha256:{SHA}"),
    Row("b", "../k", digest=f"sha256:{SHA}")])
def test_rows_that_a_bag_cannot_have(row):
    with pytest.raises(Fault):
        writer("bagit").rows([row])
    made = writer("bagit")
    with pytest.raises(Fault, match="named twice"):
        made.rows([Row("b", "k", digest=f"sha256:{SHA}")] * 2)


@settings(max_examples=60)
@given(st.sampled_from(["bagit", "manifest-sha256", "fetch", "bag-info", "tagmanifest-md5"]),
       st.integers(0, 200), st.integers(0, 30), st.binary(max_size=8)
       | st.sampled_from([b"\n", b"%0A", b"../", b"\xff", b"\0", b"\r"]))
def test_damage(tmp_path_factory, name, at, length, piece):
    """Rows or a Fault come, never anything else, and what comes can be written."""
    top = bag(tmp_path_factory.mktemp("bag"), ["a", "b%25"], fetch="http://x/b 7 data/a\n",
              bag_info="Payload-Oxum: 5.2\n")
    path = top / f"{name}.txt"
    data = path.read_bytes() if path.exists() else b""
    path.write_bytes(data[:at] + piece + data[at + length:])
    rows, _ = read(top)
    for made in (csv_form.Writer(), xml_form.Writer()):
        made.begin(["fetch_url"])
        made.rows(rows)


def test_the_command_takes_the_folder(tmp_path):
    """And without --from a folder is a local tree, as ever."""
    top = bag(tmp_path / "bag", ["a"])
    command = [sys.executable, "bin/s3-manifest", "--bucket", "b"]
    told = subprocess.run([*command, "--from", "bagit", top], cwd=ROOT, capture_output=True)
    assert (told.returncode, told.stderr) == (0, b"") and b"data/a,sha256:" in told.stdout
    assert subprocess.run([*command, top / "bagit.txt"], cwd=ROOT,
                          capture_output=True).stdout == told.stdout
    assert b"manifest-sha256.txt" in subprocess.run([*command, top], cwd=ROOT,
                                                    capture_output=True).stdout
