"""What hashdeep writes."""

import pytest

from s3kit.errors import Cut, Fault
from s3kit.manifest import foreign
from s3kit.manifest.foreign.hashdeep import reader
from s3kit.manifest.row import FAILED, LISTED

MD5, SHA = "0" * 32, "a" * 64
HEAD = ("%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n## Invoked from: /home/u\n"
        "## $ hashdeep -r .\n## \n")


def read(text, step=1 << 20):
    """Return (reader, rows) of hashdeep's output that comes in pieces."""
    made, data = reader("hashdeep", "b", None), text.encode()
    rows = [row for at in range(0, len(data), step) for row in made.feed(data[at:at + step])]
    return made, rows + made.close()


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
