"""Commands for s5cmd run."""

import shlex

import pytest
from foreignruns import read
from hypothesis import given, settings
from hypothesis import strategies as st

from s3kit.disk.paths import path_of
from s3kit.errors import Fault
from s3kit.manifest.foreign.s5cmd_run import reader, writer
from s3kit.manifest.row import FAILED, LISTED, Row


def test_commands():
    """Quoted as a shell's words; the version where one is named; where s3-fetch puts files."""
    keys = ["a", "it's", "a b", '"q"', "x*[y]?", "back\\slash", "d/../b", "é", "#c", "$HOME", "-n"]
    rows = [Row("b", key, version_id="null" if key == "a" else "") for key in keys]
    made = writer("s5cmd")
    text = (made.begin([]) + made.rows(rows) + made.end(len(rows))).decode()
    assert text.startswith("cp --raw --version-id 'null' 's3://b/a' 'b/a'\n"
                           "cp --raw 's3://b/it'\\''s' 'b/it'\\''s'\n")
    assert [shlex.split(line)[-2:] for line in text.splitlines()] == [
        [f"s3://b/{key}", path_of("b", key)] for key in keys]


def test_versions_lie_beside_each_other():
    """None overwrites another; a row's path is kept."""
    rows = [Row("b", "k", "v2", "true"), Row("b", "k", "v1", "false"), Row("b", "k", path="x/k")]
    text = writer("s5cmd").rows(rows).decode()
    assert [shlex.split(line)[-1] for line in text.splitlines()] == [
        "b/k", path_of("b", "k", "v1"), "x/k"]


def test_no_file_replaces_another():
    """Of two versions nobody says which is the latest: both would be one file, in any two calls.
    """
    made = writer("s5cmd")
    made.rows([Row("b", "k", "v1"), Row("b", "other")])
    assert made.rows([Row("b", "k", "v1")])
    for other in (Row("b", "k", "v2"), Row("c", "x", path="b/k")):
        with pytest.raises(Fault, match="another row has the path 'b/k'"):
            made.rows([other])


@pytest.mark.parametrize("first, second, why", [
    ("p", "p/q/r", "the path 'b/p', which must be a directory for 'b/p/q/r'"),
    ("p/q/r", "p/q", "the path 'b/p/q', or one below it")])
def test_no_file_is_a_directory(first, second, why):
    """s5cmd would put p where p/p belongs, and say nothing."""
    made = writer("s5cmd")
    assert made.rows([Row("b", "o"), Row("b", first), Row("b", "o2"), Row("b", "p2/q")])
    with pytest.raises(Fault, match=why):
        made.rows([Row("b", second)])
    assert writer("s5cmd").rows([Row("b", "p"), Row("b", "p/q/r", path="c/p"), Row("b", "p2")])


@pytest.mark.parametrize("row, why", [
    (Row("b", "k", is_latest="false"), "no version id"),
    (Row("b", "a\nb"), "no line feed"), (Row("b", "a", version_id="v\nrm 's3://b/*'"), "line feed"),
    (Row("b", "k", is_delete_marker="true"), "marker"), (Row("b", "dir/"), "directories"),
    (Row("b", "k", path="../x"), "below"), (Row("b", "k", path="x/"), "below"),
    (Row(state=FAILED, error="line 3: no key", verbatim={"key": ""}), "line 3: no key")])
def test_what_cannot_be_a_command(row, why):
    """Nothing is written then."""
    with pytest.raises(Fault, match=why):
        writer("s5cmd").rows([Row("b", "good"), row])


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\0"), min_size=1,
               max_size=12)


@settings(max_examples=100)
@given(st.lists(st.tuples(TEXT | st.text("'\"\\ *?#-./%\r", min_size=1),
                          st.sampled_from(["", "v'1"]), st.sampled_from(["", "true", "false"])),
                max_size=5),
       st.integers(1, 9))
def test_what_is_written_is_read_as_it_was(cells, step):
    """Whatever the pieces in which it comes; the path is said, where it was left to s3-fetch."""
    rows = {path_of("b", key, version if latest == "false" else ""): Row("b", key, version, latest)
            for key, version, latest in cells
            if not key.endswith("/") and (version or latest != "false")}
    rows = {path: row for path, row in rows.items()
            if not any(other.startswith(f"{path}/") for other in rows)}
    data = writer("s5cmd").rows(rows.values())
    assert read(reader("s5cmd", "", None), data, step)[0] == [
        Row("b", row.key, row.version_id, state=LISTED, path=path) for path, row in rows.items()]


@pytest.mark.parametrize("line, row", [
    ("cp --concurrency 1 --source-region eu-1 's3://b/run1/a b' 'data/a b'",
     Row("b", "run1/a b", path="data/a b")),
    ("  cp -n -s --version-id=v1 s3://b/k ./x//y\r", Row("b", "k", "v1")),
    ("mv s3://b/d/k sub/", Row("b", "d/k", path="sub/k")), ("cp s3://b/d/k .", Row("b", "d/k",
                                                                                   path="k")),
    ("cp -- s3://b/d/k ./e/k", Row("b", "d/k", path="e/k")),
    ("cp --raw s3://b/x*[y]? ../up", Row("b", "x*[y]?")), ("cp s3://b/k /tmp/k", Row("b", "k")),
    ("cp s3://b/k s3://c/k", Row("b", "k")), ("cp s3://b//k%20 -", Row("b", "/k%20", path="-")),
    ("cp s3://b/x/.. .", Row("b", "x/..")), ("cp s3://b/k .s3kit/x", Row("b", "k"))])
def test_commands_that_people_wrote(line, row):
    """The path is where s5cmd puts the file, if that is below the directory that it runs in."""
    row.state = LISTED
    assert read(reader("s5cmd", "", None), f"# all\n\n{line}\n".encode()) == ([row], None)


@pytest.mark.parametrize("line, why", [
    ("cp s3://b/2024/*.tif x/", "s3-manifest 's3://b/2024/' lists them"),
    ("cp s3://b/a?c x", "s3-manifest 's3://b/a' lists"), ("rm s3://b/k", "'rm' is not cp or mv"),
    ("sync s3://b/* d/", "'sync' is not"), ("run more.txt", "'run' is not"),
    ("s5cmd cp s3://b/k k", "'s5cmd' is not"), ("cp k s3://b/k", "'k' is not in S3"),
    ("cp s3://b/ d/", "a bucket or a folder"), ("cp s3://b d/", "a bucket or a folder"),
    ("cp s3://b/k 'd", "a quote is opened"), ("cp s3://b/k", "1 arguments"),
    ("cp s3://b/k a b", "3 arguments"), ("cp --exclude '*' s3://b/k k", "--exclude does"),
    ("cp --raw=false s3://b/k k", "not known"), ("cp --version-id", "has no value"),
    ("cp s3://-/k k", "cannot be a bucket"), ("cp s3://b/\udcff k", "not Unicode")])
def test_commands_that_do_not_name_an_object(line, why):
    """They are failed rows, and the rest is read."""
    data = f"cp s3://b/k k\n{line}\ncp s3://b/l l\n".encode("utf-8", "surrogateescape")
    rows, stop = read(reader("s5cmd", "", None), data)
    assert stop is None and [row.state for row in rows] == [LISTED, FAILED, LISTED]
    assert rows[1].error.startswith("line 2: ") and why in rows[1].error


def test_a_wildcard_is_a_key_with_raw_only():
    assert read(reader("s5cmd", "", None), b"cp --raw 's3://b/*' x\n")[0][0].key == "*"
