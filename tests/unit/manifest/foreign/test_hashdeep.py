"""What hashdeep writes."""

import hashlib

import pytest
from foreignruns import SUMS
from nasty_files import NAMES, NO_TEXT

from s3kit.errors import Cut, Fault
from s3kit.manifest import foreign
from s3kit.manifest.foreign.hashdeep import reader
from s3kit.manifest.row import FAILED, LISTED

MD5, SHA = "0" * 32, "a" * 64
HEAD = ("%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n## Invoked from: /home/u\n"
        "## $ hashdeep -r .\n## \n")


def read(text, step=1 << 20):
    """Return (reader, rows) of hashdeep's output that comes in pieces."""
    made, data = reader("hashdeep", "b", None), text if isinstance(text, bytes) else text.encode()
    rows = [row for at in range(0, len(data), step) for row in made.feed(data[at:at + step])]
    return made, rows + made.close()


def golden(name):
    """Return what the real hashdeep wrote."""
    return (SUMS / f"hashdeep-{name}.txt").read_bytes()


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
@pytest.mark.parametrize("name", ["r", "rl", "rl0", "tiger"])
def test_what_hashdeep_wrote(name, step):
    """Names as they are, but for a line feed: that breaks a line in two, if it ends with no NUL."""
    made, rows = read(golden(name), step)
    whole = [name for name in NAMES if name != NO_TEXT]
    if name != "rl0":
        whole = [name for name in whole if b"\n" not in name]
    top = "" if name == "tiger" else "photos/"
    found = {row.key.removeprefix(top): row for row in rows if row.state == LISTED}
    for path in whole:
        row = found.pop(path.decode())
        assert row.key.startswith(top) and (row.path, row.size) == (row.key, str(len(path)))
        assert (len(row.extra["tiger"]), len(row.extra["whirlpool"])) == (48, 128)
        if name != "tiger":
            assert row.digest == f"sha256:{hashlib.sha256(path).hexdigest()}"
            assert row.extra["sha1"] == hashlib.sha1(path).hexdigest()
            assert row.extra["md5"] == hashlib.md5(path).hexdigest()
    bad = [row.error.partition(": ")[2] for row in rows if row.state == FAILED]
    assert any("Unicode" in error for error in bad) and made.stop is None
    if name == "rl0":
        assert (found, len(bad)) == ({}, 1)
    else:
        assert found.keys() == {"line", "dir/d,1/line"} and len(bad) == 3


@pytest.mark.parametrize("name, why", [
    ("rb", "hashdeep -b leaves the directories of all names out"),
    ("p", "hashdeep -p takes hashes of pieces"), ("u", "hashdeep -u writes letters as U+XXXX")])
def test_names_that_no_file_has(name, why):
    """Nothing is read of them, unless somebody says that the names are right."""
    made, rows = read(golden(name), 11)
    assert rows == [] and isinstance(made.stop, Fault) and why in str(made.stop)
    assert str(made.stop).startswith("line 5: ")
    made, rows = read(golden(name).replace(f" -{name} ".encode(), b" "))
    assert made.stop is None and rows[0].state == LISTED


@pytest.mark.parametrize("command, stops", [
    ("$ hashdeep -rlb .", True), ("C:\\my files>hashdeep -c md5,sha1 a -b", True),
    ("$ hashdeep -\n## b", True), ("$ hashdeep -- -b", False), ("$ hashdeep -k -b -rl .", False),
    ("$ hashdeep --what -b", False), ("$ hashdeep -l it's", False)])
def test_commands(command, stops):
    """Its arguments are not quoted, and a long line is broken."""
    text = HEAD.replace("$ hashdeep -r .", command.replace("-\n## b", "-l\n## -b"))
    made, rows = read(text + f"4,{MD5},{SHA},a\n")
    assert (bool(made.stop), len(rows)) == (stops, not stops)


def test_lists_one_after_the_other():
    """Each has its own header, directory and columns, whatever ends its lines."""
    other = HEAD.replace("md5,", "").replace("/home/u", "/srv")
    for end in "\n\0":
        made, rows = read(f"{HEAD}4,{MD5},{SHA},/home/u/a{end}{other}5,{SHA},/srv/b{end}")
        assert [(row.key, row.size, row.extra) for row in rows] == [
            ("a", "4", {"md5": MD5}), ("b", "5", {})]
        assert made.extras == ["md5"]
        made, rows = read(f"{HEAD}4,{MD5},{SHA},a{end}{HEAD.replace('-r', '-rb')}5,,,b{end}")
        assert [row.key for row in rows] == ["a"] and "-b" in str(made.stop)


def test_rows():
    """Names with commas and backslashes as they are, relative to where it was started."""
    names = ["/home/u/a,b.txt", "./ lead", "back\\nslash", "dir/#x", "100%25"]
    text = HEAD + "".join(f"12,{MD5},{SHA},{name}\n" for name in names)
    made, rows = read("\ufeff" + text)
    assert [row.key for row in rows] == ["a,b.txt", " lead", "back\\nslash", "dir/#x", "100%25"]
    assert all((row.path, row.bucket, row.state) == (row.key, "b", LISTED) for row in rows)
    assert {(row.size, row.digest, row.extra["md5"])
            for row in rows} == {("12", f"sha256:{SHA}", MD5)}
    assert made.extras == ["md5"] and made.stop is None
    assert read(text.replace("\n", "\r\n"), step=5)[1] == rows
    assert foreign.recognised(HEAD.encode()) == "hashdeep"


def test_lines_that_make_no_sense():
    """A name with a line feed is broken in two; what lies elsewhere is not looked for."""
    _, rows = read(f"{HEAD}4,{MD5},{SHA},line\nfeed\n4,{MD5},{SHA},/etc/passwd\n"
                   f"x,{MD5},{SHA},a\n4,{MD5},zz,a\n")
    assert [row.state for row in rows] == [LISTED] + [FAILED] * 4
    assert [row.error.partition(":")[0] for row in rows[1:]] == [f"line {at}" for at in
                                                                 (7, 8, 9, 10)]


@pytest.mark.parametrize("text, stop", [
    (HEAD + f"4,{MD5},{SHA},cu", Cut), ("%%%% HASHDEEP-1.0\n", Cut),
    ("%%%% HASHDEEP-1.0\n%%%% md5,filename\n", Fault)])
def test_what_ends_the_reading(text, stop):
    """What was cut, as far as it shows, and columns that are not known."""
    assert type(read(text)[0].stop) is stop
