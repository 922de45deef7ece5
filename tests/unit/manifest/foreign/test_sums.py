"""Files of checksums: what each tool writes, read and written."""

import base64
import hashlib
import subprocess

import pytest
import xxhash
from foreignruns import SUMS
from hypothesis import given, settings
from hypothesis import strategies as st
from nasty_files import NAMES, NO_TEXT, lay

from s3kit.errors import Cut, Fault
from s3kit.manifest import foreign
from s3kit.manifest.foreign.sums import KINDS, reader, writer
from s3kit.manifest.foreign.text_lines import HOLD
from s3kit.manifest.row import FAILED, LISTED, Row

GNU = ["md5sum", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum", "b2sum"]
SHA = "0" * 64
XXHASH = {"xxh32": xxhash.xxh32, "xxh64": xxhash.xxh64, "xxh128": xxhash.xxh3_128,
          "xxh3": xxhash.xxh3_64}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Return a folder with files of nasty names; each holds its name."""
    folder = tmp_path_factory.mktemp("sums")
    lay(folder)
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
    return f"{kind}:{hashlib.new(kind, name).hexdigest()}"


def listed(form, tree, *options):
    """Return what coreutils write of all files."""
    return subprocess.run([form, *options, *(b"./" + name for name in NAMES)], cwd=tree,
                          capture_output=True, check=True).stdout


@pytest.mark.parametrize("options", [[], ["--tag"], ["-z"], ["-b"]], ids=str)
@pytest.mark.parametrize("form", GNU)
def test_what_coreutils_write(tree, form, options):
    """All names are read, and coreutils accept what we write of them."""
    data = listed(form, tree, *options)
    rows = read(form, data)
    good = [row for row in rows if not row.verbatim]
    assert [(row.key, row.path, row.digest) for row in good] == [
        (name.decode(), name.decode(), digest(form, name)) for name in NAMES if name != NO_TEXT]
    assert {(row.bucket, row.state, row.size) for row in good} == {("b", LISTED, "")}
    assert len(rows) == len(NAMES) and read(form, data, step=7) == rows
    if options == ["-z"]:       # the other ways show no more
        done = subprocess.run([form, "-c", "--strict", "--quiet"], cwd=tree,
                              input=write(form, good), capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")


def xxhash_of(kind, name):
    """Return what a row says of the file of a name, and what it would say of its bytes reversed."""
    digest = XXHASH[kind](name).digest()
    return f"{kind}:{digest.hex()}", f"{kind}:{digest[::-1].hex()}"


@pytest.mark.parametrize("step", [7, 1 << 20])
@pytest.mark.parametrize("options", ["", "-tag", "-tag-little-endian", "-little-endian"])
@pytest.mark.parametrize("version", ["0.8.1", "0.8.3"])
def test_what_xxhsum_wrote(version, options, step):
    """Every name in GNU's lines and BSD's, with each hash; before 0.8.2 nothing is escaped, and a
    name with a line feed is two lines. Without --tag nothing shows that bytes are reversed.
    """
    rows = read("xxhsum", (SUMS / f"xxhsum-{version}{options}.txt").read_bytes(), step)
    kinds = ["xxh64"] if options == "-little-endian" else XXHASH
    whole = [name for name in NAMES if name != NO_TEXT
             and (version == "0.8.3" or b"\n" not in name)]
    parts = {name.partition(b"\n")[0].decode() for name in NAMES if b"\n" in name}
    good = [(row.key, row.path, row.digest) for row in rows
            if row.state == LISTED and row.key not in parts]
    assert sorted(good) == sorted(
        (name.decode(), name.decode(), xxhash_of(kind, name)[options == "-little-endian"])
        for name in whole for kind in kinds)
    bad = [row for row in rows if row.state == FAILED]
    assert sum("Unicode" in row.error for row in bad) == len(kinds)
    assert version == "0.8.1" or len(bad) == len(kinds)
    assert all(row.verbatim for row in bad)


def test_what_xxhsum_is_given():
    """What its oldest version in use reads, where it can: a mark only for what would break a line,
    and the only line of an XXH3 that it knows.
    """
    names = ["plain", "back\\slash", "\\", "a b", "cr\rmid"]
    rows = [Row("b", name, path=name, digest=f"xxh64:{'0' * 16}") for name in names]
    assert write("xxhsum", rows) == "".join(f"{'0' * 16}  {name}\n" for name in names).encode()
    rows = [Row("b", name, path=name, digest=f"xxh3:{'0' * 16}")
            for name in ("plain", "l\\\nf", "cr\r")]
    text = write("xxhsum", rows)
    assert text == (b"XXH3 (plain) = 0000000000000000\n\\XXH3 (l\\\\\\nf) = 0000000000000000\n"
                    b"\\XXH3 (cr\\r) = 0000000000000000\n")
    assert [(row.key, row.digest) for row in read("xxhsum", text)] == [
        (row.key, row.digest) for row in rows]


def test_lines_end_as_the_first_one():
    """A name may end with CR: only some programs escape it."""
    keys = [row.key for row in read("sha256sum", f"{SHA}  a\n{SHA}  Icon\r\n".encode())]
    assert keys == ["a", "Icon\r"]
    keys = [row.key for row in read("sha256sum", f"{SHA}  a\r\n{SHA}  Icon\r\r\n".encode())]
    assert keys == ["a", "Icon\r"]


@pytest.mark.parametrize("bits", [8, 256, 504])
def test_shorter_digests_of_b2sum(tree, bits):
    """By the tag, or by their length."""
    hashes = [f"blake2b:{hashlib.blake2b(name, digest_size=bits // 8).hexdigest()}"
              for name in NAMES if name != NO_TEXT]
    for options in ([], ["--tag"]):
        rows = read("b2sum", listed("b2sum", tree, f"--length={bits}", *options))
        assert [row.digest for row in rows if not row.verbatim] == hashes
    [row] = read("b2sum", f"BLAKE2b (plain) = {'0' * (bits // 4)}\n".encode())
    assert row.state == FAILED


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


@pytest.mark.parametrize("form, digest", [
    ("sha256sum", f"sha256:{SHA}"), ("xxhsum", f"xxh64:{SHA[:16]}"), ("xxhsum", f"xxh3:{SHA[:16]}"),
    ("b2sum", f"blake2b:{SHA}")])
@settings(max_examples=60)
@given(st.lists((st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"),
                         min_size=1, max_size=20) | st.text("\\\n\r()= n", min_size=1)).filter(
                             lambda name: name not in (".", "..", ".s3kit")), min_size=1))
def test_any_name_comes_back(form, digest, names):
    """Whatever is in it."""
    rows = [Row("b", name, state=LISTED, path=name, digest=digest) for name in names]
    assert read(form, write(form, rows)) == rows


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
