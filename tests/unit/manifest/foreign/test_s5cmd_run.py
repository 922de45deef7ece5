"""Commands for s5cmd run."""

import shlex

import pytest

from s3kit.disk.paths import path_of
from s3kit.errors import Fault
from s3kit.manifest.foreign.s5cmd_run import writer
from s3kit.manifest.row import FAILED, Row


def test_commands():
    """Quoted as a shell's words; the version where one is named; where s3-fetch puts files."""
    keys = ["a", "it's", "a b", '"q"', "x*[y]?", "back\\slash", "a/../b", "é", "#c", "$HOME", "-n"]
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


@pytest.mark.parametrize("row, why", [
    (Row("b", "k", is_latest="false"), "no version id"),
    (Row("b", "a\nb"), "no line feed"), (Row("b", "a", version_id="v\nrm 's3://b/*'"), "line feed"),
    (Row("b", "k", is_delete_marker="true"), "marker"), (Row("b", "dir/"), "directories"),
    (Row("b", "k", path="../x"), "below"),
    (Row(state=FAILED, error="line 3: no key", verbatim={"key": ""}), "line 3: no key")])
def test_what_cannot_be_a_command(row, why):
    """Nothing is written then."""
    with pytest.raises(Fault, match=why):
        writer("s5cmd").rows([Row("b", "good"), row])
