"""Completion reports of S3 Batch Operations."""

import gzip

import pytest
from batch_reports import TOLD, TOP, message, quoted, report

from s3kit.errors import Fault
from s3kit.manifest import foreign
from s3kit.manifest.foreign.batch_report import opened
from s3kit.manifest.row import FAILED, LISTED

S3S = message(TOLD)
GOOD = b'b,image+1%2B,,succeeded,200,,\r\nb,image_2,v,succeeded,200,,Successful\r\n'
# as Amazon's guide shows it
BAD = (b'b,image_14975,,failed,200,PermanentFailure,"Lambda returned function error: '
       b'{""errorMessage"":""2019-04-05T17:35:21.155Z Task timed out"",\n""x"":1}"\r\n')


def read(path, bucket=""):
    """Return the rows of a report."""
    return [row for rows in opened("batch-report", str(path), bucket, None).batches()
            for row in rows]


def read_csv(folder, data):
    """Return the rows of a file of results alone."""
    path = folder / "x.csv"
    path.write_bytes(data)
    return read(path)


def test_a_report(tmp_path):
    """Succeeded tasks are listed, failed ones have S3's words; keys are decoded once."""
    rows = read(report(tmp_path, GOOD, BAD))
    assert [(row.key, row.version_id, row.state) for row in rows] == [
        ("image 1+", "", LISTED), ("image_2", "v", LISTED), ("image_14975", "", FAILED)]
    assert rows[2].verbatim is None and rows[2].error == (
        "the Batch Operations task failed: PermanentFailure (HTTP 200) Lambda returned function "
        'error: {"errorMessage":"2019-04-05T17:35:21.155Z Task timed out", "x":1}')
    assert {row.proof + row.path + row.digest for row in rows} == {""}


def test_a_compressed_manifest(tmp_path):
    """People compress it, and files of results, too."""
    path = report(tmp_path, GOOD)
    packed = path.with_name("manifest.json.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert [row.key for row in read(packed)] == ["image 1+", "image_2"]


def test_the_order_of_the_rows_is_seen(tmp_path):
    """As it is of an inventory: the file of failed tasks may name what comes before."""
    for data, is_sorted in ((GOOD, True), (GOOD + GOOD, False)):
        reader = opened("batch-report", str(report(tmp_path, data)), "", None)
        rows = sum(reader.batches(), [])
        assert (reader.is_sorted, reader.count) == (is_sorted, len(rows))


@pytest.mark.parametrize("cells, words", [
    ("404,NoSuchKey,gone", "NoSuchKey (HTTP 404) gone"), ("NoSuchKey,404,gone",
                                                          "NoSuchKey (HTTP 404) gone"),
    ("403,,", "(HTTP 403)"), (",403,", "(HTTP 403)"), ("AccessDenied,,no", "AccessDenied no"),
    (",,", ""), ("500,7,x", "7 (HTTP 500) x"), ("a,b,c", "a b c"),
    (",AccessDenied,", "AccessDenied")])
def test_the_numeric_cell_is_the_status(tmp_path, cells, words):
    """ReportSchema says that the code is first, and S3 writes the status first."""
    row, = read_csv(tmp_path, f"b,k,,failed,{cells}\n".encode())
    assert row.error == f"the Batch Operations task failed: {words}"


@pytest.mark.parametrize("cell", [
    quoted(S3S), S3S, '"' + S3S.replace('"', '\\"') + '"',
    '"' + str(TOLD) + '"', str(TOLD), S3S.replace('"', ""), S3S.replace('"', '""')])
def test_checksums(tmp_path, cell):
    """The row has S3's own word, however the JSON stands in the CSV."""
    lines = f"b,k,v,succeeded,200,,{cell}\nb,l,v,succeeded,200,,\n"
    row, last = read_csv(tmp_path, lines.encode())
    assert (row.checksum_algorithm, row.checksum_type, row.checksum, row.etag, row.state) == (
        "MD5", "FULL_OBJECT", TOLD["checksum_base64"], TOLD["etag"], LISTED)
    assert (last.key, last.checksum, last.state) == ("l", "", LISTED)


@pytest.mark.parametrize("line, why", [
    ("b,k,v,verified,200,,", "not succeeded or failed"), ("b,k,v,succeeded,200,", "6 columns"),
    ("b,%zz,,succeeded,200,,", "encodes nothing"), (",k,,succeeded,200,,", "no bucket"),
    ('b,k,,succeeded,200,,"{""checksumAlgorithm"":""MD5""}"', "told no checksum")])
def test_lines_that_make_no_sense(tmp_path, line, why):
    """They are failed rows with their numbers."""
    rows = read_csv(tmp_path, f"Bucket,Key,VersionId,TaskStatus,c,d,e\n{line}\n".encode() + GOOD)
    assert rows[0].error.startswith("x.csv") or "x.csv, line 2: " in rows[0].error
    assert why in rows[0].error and rows[0].verbatim and rows[0].state == FAILED
    assert [row.state for row in rows[1:]] == [LISTED, LISTED]


def test_what_is_missing_or_another(tmp_path):
    """Named, and never whole."""
    path = report(tmp_path, GOOD, BAD)
    second = tmp_path / TOP / f"results/{1:040x}.csv"
    second.write_bytes(BAD.replace(b"155Z", b"156Z"))
    with pytest.raises(Fault, match="the MD5 of the data file"):
        read(path)
    second.unlink()
    with pytest.raises(Fault, match="no copy of the data file"):
        read(path)
    path.write_bytes(path.read_bytes().replace(b"2019", b"2020"))
    with pytest.raises(Fault, match="its MD5 is not"):
        read(path)
    with pytest.raises(Fault, match="'Report_CSV_2030' is not known"):
        read(report(tmp_path / "other", GOOD, Format="Report_CSV_2030"))
    with pytest.raises(Fault, match="a quote is opened"):
        read_csv(tmp_path, GOOD + BAD[:-20])


def test_recognised(tmp_path):
    """By its manifest.json; a file of results must be told."""
    head = report(tmp_path, GOOD).read_bytes()[:foreign.HEAD]
    assert foreign.recognised(head) == "batch-report"
    assert foreign.recognised(GOOD) is None
