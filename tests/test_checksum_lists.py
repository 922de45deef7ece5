"""Lists of checksums against the programs that make and check them: each accepts what s3-filter
writes of verified rows, and s3-verify proves files by what each writes.
"""

import subprocess

import pytest
from conftest import env_of
from nasty_files import NAMES, NO_TEXT, lay

from manifests import read_rows

XXHSUM = [pytest.param("xxhsum", algorithm, marks=pytest.mark.system("xxhsum"))
          for algorithm in ("XXHASH64", "XXHASH3", "XXHASH128")]
COREUTILS = [("sha256sum", "SHA256"), ("sha512sum", "SHA512"), ("sha1sum", "SHA1"),
             ("md5sum", "MD5")]
# Who lists all files, and the form that he writes.
LISTERS = [("b2sum", ["b2sum"]), ("b2sum", ["b2sum", "--length=256", "--tag"]),
           ("sha384sum", ["sha384sum", "-z"]),
           *(pytest.param("xxhsum", ["xxhsum", *options], marks=pytest.mark.system("xxhsum"))
             for options in (["-H0"], ["-H1"], ["-H2"], ["-H3"], ["-H3", "--tag"],
                             ["-H2", "--tag", "--little-endian"]))]
LISTED = [name.decode() for name in NAMES if name != NO_TEXT]
# xxhsum before 0.8.2, as Debian 12 has it, can neither write nor check others.
XXHSUMS = [name for name in LISTED if "\n" not in name and not name.endswith("\r")]


def accepts(tool, text, folder):
    """Return whether a program finds all files of a list as the list says."""
    done = subprocess.run([tool, "-c", "--strict"], cwd=folder, input=text.encode(),
                          capture_output=True)
    return (done.returncode, done.stdout.count(b": OK\n")) == (0, text.count("\n"))


@pytest.fixture
def tree(fake, tmp_path):
    """A folder of files with nasty names, and the bucket that they came from."""
    folder = tmp_path / "tree"
    lay(folder)
    for name in NAMES:
        if name != NO_TEXT:
            fake.put("photos", name.decode(), name)
        return folder


@pytest.mark.parametrize("tool, algorithm", COREUTILS + XXHSUM)
def test_files_that_were_fetched(fake, pipe, tmp_path, tool, algorithm):
    """By S3's own checksums; a file that has rotted since is not accepted."""
    for name in NAMES:
        if name != NO_TEXT:
            fake.put("photos", name.decode(), name, checksum=algorithm)
    done = pipe("s3-manifest s3://photos | s3-fetch -d data | s3-verify -d data | "
                f"s3-filter --state verified -f {tool}", env=env_of(fake))
    assert done.status == [0] * 4 and done.out.count("\n") == len(NAMES) - 1
    data = tmp_path / "data"
    assert accepts(tool, done.out, data)
    (data / "photos" / "back\\slash").write_bytes(b"rotten")
    assert not accepts(tool, done.out, data)


@pytest.mark.parametrize("form, lister", LISTERS, ids=str)
def test_files_that_another_program_listed(tree, fake, pipe, form, lister):
    """Its list proves them, and what is written of the rows its -c accepts."""
    names = XXHSUMS if form == "xxhsum" else LISTED
    listed = subprocess.run([*lister, *(f"./{name}" for name in names)], cwd=tree,
                            capture_output=True, check=True).stdout
    (tree.parent / "list").write_bytes(listed)
    done = pipe(f"s3-manifest --from {form} --bucket photos list | s3-verify -d tree -o rows.csv;"
                f"s3-filter --state verified -f {form} rows.csv", env=env_of(fake))
    rows = read_rows((tree.parent / "rows.csv").read_text())
    assert {(row.key, row.state) for row in rows} == {(name, "verified") for name in names}
    assert all(row.digest for row in rows) and done.status == [0]
    assert accepts(form, done.out, tree)
    (tree / "a b").write_bytes(b"rotten")
    assert not accepts(form, done.out, tree)


@pytest.mark.system("hashdeep")
def test_files_that_hashdeep_listed(tree, fake, pipe):
    """All names that S3 can have; the other one has failed."""
    done = pipe("(cd tree && hashdeep -c md5,sha256 -rl0 .) | s3-manifest --bucket photos |"
                "s3-verify -d tree -o rows.csv", env=env_of(fake))
    text = (tree.parent / "rows.csv").read_text(errors="surrogateescape")
    states = {row.key: row.state for row in read_rows(text)}
    assert {key for key, state in states.items() if state == "verified"} == set(LISTED), done
    assert len(states) == len(NAMES) and sorted(states.values())[0] == "failed"
