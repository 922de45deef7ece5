"""What the bench says of uploads: that all of them came, and came right."""

import hashlib
from types import SimpleNamespace

import pytest
from light import PART, Bucket
from sink import Sink, begun, completed
from upload_runs import ToSeaweed, Uploads, unproven

MIB = 1 << 20
WHOLE, SHARE = SimpleNamespace(share=1, ours=False), SimpleNamespace(share=5, ours=False)


class Told(Uploads):
    """Uploads of which we say what came."""

    def __init__(self, sizes, came):
        super().__init__(Bucket("told", sizes), None)
        self.told = came

    def came(self, bucket):
        """Return it."""
        return self.told


@pytest.mark.parametrize("came, tool, wrong", [
    ({"0/a": 1, "1/b": 2}, WHOLE, ""),
    ({"0/a": 1}, WHOLE, "1 objects of 2 are right, 1 are there"),
    ({"0/a": 1, "1/b": 3}, WHOLE, "1 objects of 2 are right, 2 are there"),
    ({"0/a": 1, "1/b": None}, WHOLE, "1 objects of 2 are right, 2 are there"),
    ({"0/a": 1, "1/b": 2, "c": 2}, WHOLE, "2 objects of 2 are right, 3 are there"),
    ({"0/a": 1}, SHARE, ""),
    ({"1/b": 2}, SHARE, "0 objects of 1 are right, 1 are there")])
def test_what_lacks(came, tool, wrong):
    """Each object that is not there, or is another, or should not be there."""
    uploads = Told([("0/a", 1), ("1/b", 2)], came)
    assert uploads.lacks(uploads.source, tool, None) == wrong


@pytest.mark.parametrize("state, proof, wrong", [
    ("stored", "crc32", ""), ("stored", "size", "1 rows of 2 are proven"),
    ("failed", "crc32", "1 rows of 2 are proven")])
def test_rows_must_prove(tmp_path, state, proof, wrong):
    """What s3-put says of each of its rows."""
    out = tmp_path / "out"
    out.write_text("#s3kit manifest 1\nkey,state,proof\n\"a\n\",stored,crc32\n"
                   f"b,{state},{proof}\n#end rows=2\n")
    assert unproven(out, 2) == wrong


def test_etags_in_parts(tmp_path):
    """An ETag is a file's if it is that of its bytes in parts of one of the sizes that we know."""
    uploads = ToSeaweed.__new__(ToSeaweed)
    uploads.folder, uploads.source = tmp_path, Bucket("b")
    (tmp_path / "b").mkdir()
    data = b"x" * (9 * MIB)
    (tmp_path / "b/a").write_bytes(data)
    sums = [hashlib.md5(data[:8 * MIB]).digest(), hashlib.md5(data[8 * MIB:]).digest()]
    good = f"{hashlib.md5(b''.join(sums)).hexdigest()}-2"
    other = f"{hashlib.md5(b''.join(reversed(sums))).hexdigest()}-2"
    whole = hashlib.md5(data).hexdigest()
    for etag, is_right in ((good, True), (other, False), (whole, True), ("01" * 16, False),
                           (f"{good}0", False)):
        item = {"ETag": f'"{etag}"', "Key": "a", "Size": len(data)}
        assert uploads.is_the_file(item) is is_right, etag


def test_uploads_in_parts():
    """The sink's answers: the ETag is of the parts' ETags, the checksum what was told."""
    assert b"<UploadId>light</UploadId>" in begun("b", "k")
    sums = [hashlib.md5(b"a"), hashlib.md5(b"b")]
    asked = "".join(f"<Part><ETag>{quote}{each.hexdigest()}{quote}</ETag></Part>"
                    for each, quote in zip(sums, ('"', "&quot;"))).encode()
    answer = completed("b", "k", b"POST / HTTP/1.1\r\nx-amz-checksum-crc32: AAAAAA==", asked)
    whole = hashlib.md5(b"".join(each.digest() for each in sums)).hexdigest()
    assert f"<ETag>&quot;{whole}-2&quot;</ETag>".encode() in answer
    assert b"<ChecksumCRC32>AAAAAA==</ChecksumCRC32>" in answer
    assert b"InvalidPart" in completed("b", "k", b"POST / HTTP/1.1", b"<x/>")


def test_what_came(tmp_path):
    """The bytes of all bodies that were as long as the file, or its part: those have an ETag."""
    sink = Sink(Bucket("b"))
    sink.taken = [line.split() for line in (
        "1 200 PUT 100 \"e\" - /b/0/small", "1 200 PUT 8 \"e\" 1 /b/large",
        "2 200 PUT 5 \"e\" 2 /b/large", "2 200 PUT 99 - - /b/0/other")]
    assert sink.came() == {"0/small": 100, "large": 13}


def test_what_will_come(tmp_path):
    """The sink knows the ETags of whole objects and of parts, each with its length."""
    sink = Sink(Bucket("b", [("0/small", 100), ("large", PART + 5)], checksum=False))
    sink.folder = tmp_path
    sink.source.write(tmp_path / "objects")
    sink.write_maps()
    small, large = ((sink.tree / key).read_bytes() for key in ("0/small", "large"))
    told = (tmp_path / "etags").read_text()
    for key, data in (("0/small  100", small), ("large 2 8388608", large[8 * MIB:PART]),
                      ("large 3 5", large[PART:])):
        assert f"\"/b/{key}\" '\"{hashlib.md5(data).hexdigest()}\"';\n" in told, key
