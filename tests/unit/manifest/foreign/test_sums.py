"""Files of checksums: what each tool writes, read and written."""

import base64
import hashlib
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3kit.errors import Cut, Fault
from s3kit.manifest import foreign
from s3kit.manifest.foreign.sums import HOLD, KINDS, reader, writer
from s3kit.manifest.row import FAILED, LISTED, Row

NAMES = ["plain", "a,b.txt", " lead", "trail ", "back\\slash", "back\\nslash", "line\nfeed",
         "cr\rmid", "é", "*star", "100%25", "q\"uote'", "dir/x (1) = 2", "#hash", "=1+1"]
GNU = ["md5sum", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum", "b2sum"]
SHA = "0" * 64


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Return a folder with files of nasty names; each holds its name."""
    folder = tmp_path_factory.mktemp("sums")
    (folder / "dir").mkdir()
    for name in NAMES:
        (folder / name).write_bytes(name.encode())
    return folder


def read(form, data, step=1 << 20):
    """Return the rows of a file of checksums that comes in pieces."""
    made = reader(form, "b", None)
    rows = [row for at in range(0, len(data), step) for row in made.feed(data[at:at + step])]
    return rows + made.close()


def write(form, rows):
    """Return rows as a file of checksums."""
    made = writer(form)
    return made.begin([]) + made.rows(rows) + made.end(len(rows))


def digest(form, name):
    """Return what a row says of the file of a name."""
    kind = "blake2b" if form == "b2sum" else form.removesuffix("sum")
    return f"{kind}:{hashlib.new(kind, name.encode()).hexdigest()}"


@pytest.mark.parametrize("options", [[], ["--tag"], ["-z"], ["-b"]], ids=str)
@pytest.mark.parametrize("form", GNU)
def test_what_coreutils_write(tree, form, options):
    """All names are read, and coreutils accept what we write of them."""
    data = subprocess.run([form, *options, *(f"./{name}" if name[0] == "#" else name
                                             for name in NAMES)], cwd=tree,
                          capture_output=True, check=True).stdout
    rows = read(form, data)
    assert [(row.key, row.path, row.digest) for row in rows] == [
        (name, name, digest(form, name)) for name in NAMES]
    assert {(row.bucket, row.state, row.size) for row in rows} == {("b", LISTED, "")}
    assert read(form, data, step=7) == rows
    if options == ["-z"]:       # the other ways show no more
        done = subprocess.run([form, "-c", "--strict", "--quiet"], cwd=tree,
                              input=write(form, rows), capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")


def test_what_xxhsum_writes():
    """GNU's lines and BSD's, also with the lowest byte first; written with xxhsum 0.8.1."""
    data = (b"7ea51361  plain\n1b15430fe799b91a  plain\nd1abdb249339a98e1f0dc959ee0b5f59  plain\n"
            b"XXH3_6b9653d41b66c850  plain\nXXH3 (plain) = 6b9653d41b66c850\n"
            b"XXH64_LE (plain) = 1ab999e70f43151b\nXXH128 (plain) = "
            b"d1abdb249339a98e1f0dc959ee0b5f59\n\\XXH32 (back\\\\slash) = 7ea51361\n")
    rows = read("xxhsum", data)
    assert [row.digest for row in rows] == [
        "xxh32:7ea51361", "xxh64:1b15430fe799b91a", "xxh128:d1abdb249339a98e1f0dc959ee0b5f59",
        "xxh3:6b9653d41b66c850", "xxh3:6b9653d41b66c850", "xxh64:1b15430fe799b91a",
        "xxh128:d1abdb249339a98e1f0dc959ee0b5f59", "xxh32:7ea51361"]
    assert rows[-1].key == "back\\slash"
    assert write("xxhsum", rows[2:4]) == (b"d1abdb249339a98e1f0dc959ee0b5f59  plain\n"
                                          b"XXH3_6b9653d41b66c850  plain\n")


def test_shorter_digests_of_b2sum():
    """By the tag, or by their length."""
    text = "9b43b70de446f429ab5e71e7945e358dc4b178f7de00797f6e6b7ac9b9c41bcc"
    rows = read("b2sum", f"{text}  plain\nBLAKE2b-256 (plain) = {text}\n".encode())
    assert [row.digest for row in rows] == [f"blake2b:{text}"] * 2
    assert read("b2sum", f"BLAKE2b (plain) = {text}\n".encode())[0].state == FAILED


def test_lines_that_make_no_sense():
    """They are failed rows that say their line, and name nothing; CR LF, comments, a byte order
    mark, and openssl's lines are read.
    """
    good = [f"{SHA}  a\r", "# comment", "", f"{SHA.upper()} *b", f"SHA2-256(c)= {SHA}",
            f"\\{SHA}  d\\n"]
    bad = [f"{SHA} a", f"{SHA[:32]}  a", f"{SHA}  ", f"\\{SHA}  a\\t", f"{SHA}  /etc/passwd",
           f"{SHA}  a/../../b", f"{SHA}  .s3kit/ledger", "sha256sum: x: No such file", f"Z{SHA}  a",
           f"WHIRLPOOL (a) = {SHA}", f"MD5 (a) = {SHA}"]
    rows = read("sha256sum", ("\ufeff" + "\n".join(good + bad) + "\n").encode())
    assert [row.key for row in rows[:4]] == ["a", "b", "c", "d\n"]
    assert [row.error.partition(":")[0] for row in rows[4:]] == [
        f"line {len(good) + at}" for at in range(1, len(bad) + 1)]
    assert {row.state for row in rows[4:]} == {FAILED} and not any(row.bucket for row in rows[4:])
    [row] = read("sha256sum", f"{SHA}  ".encode() + b"\xff\n")
    assert row.state == FAILED and "Unicode" in row.error
    made = reader("sha256sum", "b", None)
    made.feed(b"x" * (HOLD + 1))
    assert isinstance(made.stop, Fault)


@pytest.mark.parametrize("end", ["\n", "\0"])
@pytest.mark.parametrize("step", [1, 1 << 20])
def test_a_last_line_without_an_end(end, step):
    """Its name may be another's: it is no row, and the file was cut."""
    made, data = reader("sha256sum", "b", None), f"{SHA}  a{end}{SHA}  photos/a.j".encode()
    rows = [row for at in range(0, len(data), step) for row in made.feed(data[at:at + step])]
    assert [row.key for row in rows + made.close()] == ["a"]
    assert isinstance(made.stop, Cut) and "no end" in str(made.stop)


@settings(max_examples=60)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"),
                        min_size=1, max_size=20).filter(
                            lambda name: name not in (".", "..", ".s3kit")), min_size=1))
def test_any_name_comes_back(names):
    """Whatever is in it."""
    rows = [Row("b", name, state=LISTED, path=name, digest=f"sha256:{SHA}") for name in names]
    assert read("sha256sum", write("sha256sum", rows)) == rows


def test_s3s_own_checksums_are_written():
    """Of the whole object; an ETag that looks like an MD5 is none."""
    def row(kind, **columns):
        text = base64.b64encode(bytes(32)).decode()
        return Row("b", "k", checksum_algorithm="SHA256", checksum_type=kind, checksum=text,
                   **columns)
    assert write("sha256sum", [row("FULL_OBJECT", path="b/k")]) == f"{SHA}  b/k\n".encode()
    for other in (row("COMPOSITE"), row(""), Row("b", "k", etag="0" * 32)):
        with pytest.raises(Fault, match="s3://b/k: the row has no hash"):
            write("md5sum" if other.etag else "sha256sum", [row("FULL_OBJECT", digest="md5:"
                                                                + "0" * 32), other])


@pytest.mark.parametrize("row, why", [
    (Row("b", "/etc/passwd"), "below"), (Row("b", "a/../b"), "below"), (Row("b", "a\0"), "below"),
    (Row("b", "k", is_delete_marker="true"), "delete markers"),
    (Row("b", "k", is_latest="false"), "older"),
    (Row(state=FAILED, error="line 3: no key", verbatim={"key": ""}), "line 3: no key")])
def test_what_cannot_be_written(row, why):
    """Nobody would find it, or another file."""
    row.digest = f"sha256:{SHA}"
    with pytest.raises(Fault, match=why):
        write("sha256sum", [row])


@pytest.mark.parametrize("head, form", [
    *((f"{'a' * digits}  x".encode(), form) for form, kinds in KINDS.items() for digits in kinds
      if form.startswith("sha") and digits != 128),
    (b"0123456789abcdef  x", "xxhsum"), (b"XXH3_0123456789abcdef  x", "xxhsum"),
    (b"MD5 (x) = ", "md5sum"), (b"\\SHA512 (x\\n) = ", "sha512sum"),
    (b"SHA2-256(x)= ", "sha256sum"),
    (b"BLAKE2b-256 (x) = ", "b2sum"), (b"XXH64_LE (x) = ", "xxhsum"), (b"01234567  x", None),
    (b"bucket,key\n", None)])
def test_recognition(head, form):
    """Where it is sure."""
    assert foreign.recognised(head) == form


@pytest.mark.parametrize("digits, forms", [(32, "md5sum or xxhsum"), (128, "sha512sum or b2sum")])
def test_what_can_be_either_is_asked(digits, forms):
    """Each would make all files a mismatch of the other."""
    with pytest.raises(Fault, match=f"{forms}: say which with --from"):
        foreign.recognised(b"0" * digits + b"  x")
