"""The rows of what lies in a directory."""

import os

import pytest

from s3kit.errors import Fault
from s3kit.manifest.local_tree import tree_rows


@pytest.fixture
def top(tmp_path):
    """Return a directory with files two levels down, and what is no file."""
    for name in ("b/a/x", "b/a%vV1", "b/z", "loose"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "b" / "link").symlink_to("z")
    os.mkfifo(tmp_path / "b" / "fifo")
    (tmp_path / ".s3kit").mkdir()
    (tmp_path / ".s3kit" / "ledger").write_text("")
    return tmp_path


def found(top, *given, **options):
    """Return [(bucket, key, version, path)] of all rows."""
    return [(row.bucket, row.key, row.version_id, row.path)
            for rows in tree_rows(str(top), *given, **options) for row in rows]


def test_any_tree(top):
    """The key is the path; links, FIFOs and our own folder are not there."""
    assert found(top, "mine") == [("mine", name, "", name)
                                  for name in ("loose", "b/a%vV1", "b/z", "b/a/x")]


def test_a_destination(top):
    """By its look, or because the caller says so: names are what the paths stand for."""
    expected = [("mine", "loose", "", "loose"), ("b", "a", "V1", "b/a%vV1"), ("b", "z", "", "b/z"),
                ("b", "a/x", "", "b/a/x")]
    assert found(top, "mine", ours=True) == expected
    (top / ".s3kit" / "parts").mkdir()
    assert found(top, "mine") == expected


def test_what_is_not_there(tmp_path):
    """Does not look empty."""
    with pytest.raises(Fault, match="cannot read '.*gone/': No such file"):
        found(tmp_path / "gone", "")


# --- links, and what is no file


@pytest.fixture
def linked(tmp_path):
    """A directory with links: to files, to directories, to nothing, and to where they lie."""
    for name in ("real/x", "real/deep/y", "outside/o"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    top = tmp_path / "top"
    (tmp_path / "real").rename(top)
    (top / "a").symlink_to(tmp_path / "outside")        # before what it leads to, by name
    (top / "deep/again").symlink_to("y")
    (top / "nothing").symlink_to("none")
    (top / "self").symlink_to("self")
    return top


def named(top, **options):
    """Return (paths of files, {path of what is none: its kind})."""
    others = {}

    def irregular(row, kind):
        assert row.size == ""
        others[row.path] = kind
    rows = [row.path for rows in tree_rows(str(top), "b", irregular=irregular, **options)
            for row in rows]
    return sorted(rows), others


def test_links_are_named(linked):
    """Where they are not followed: nothing is left out unsaid."""
    assert named(linked) == (["deep/y", "x"], {
        "a": "symbolic link", "deep/again": "symbolic link", "nothing": "symbolic link",
        "self": "symbolic link"})


def test_links_are_followed(linked):
    """Those to nothing, and to themselves, are named."""
    assert named(linked, follows=True) == (["a/o", "deep/again", "deep/y", "x"], {
        "nothing": "symbolic link", "self": "symbolic link"})


def test_the_size_and_time_of_what_a_link_leads_to(linked):
    """Those are the row's."""
    os.utime(linked / "deep/y", (1_700_000_000, 1_700_000_000))
    [row] = [row for rows in tree_rows(str(linked), "b", follows=True) for row in rows
             if row.path == "deep/again"]
    assert (row.size, row.last_modified) == ("11", "2023-11-14T22:13:20Z")


@pytest.mark.parametrize("where, to", [("loop", "."), ("deep/up", ".."), ("deep/up", "../deep"),
                                       ("a loop", "../top")])
def test_links_that_lead_back(linked, where, to):
    """Each directory is read once on the way down; it ends."""
    (linked / where).symlink_to(to)
    assert named(linked, follows=True)[0] == ["a/o", "deep/again", "deep/y", "x"]


def test_two_links_that_lead_to_each_other(tmp_path):
    """As well."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    (tmp_path / "one/two").symlink_to("../two")
    (tmp_path / "two/one").symlink_to("../one")
    assert named(tmp_path, follows=True)[0] == ["one/file", "one/two/file", "two/file",
                                                "two/one/file"]


@pytest.mark.parametrize("link", ["a link", "z link", "deep/link"])
def test_a_directory_that_a_link_leads_to_as_well(tmp_path, link):
    """Its files have their own names, and those by the link, whichever comes first."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "m").mkdir()
    (tmp_path / "m/file").write_text("x")
    (tmp_path / link).symlink_to(tmp_path / "m")
    assert named(tmp_path, follows=True)[0] == sorted([f"{link}/file", "m/file"])


def test_what_is_no_file_may_have_a_row(top):
    """If the caller gives one back."""
    rows = [row for rows in tree_rows(str(top), "b", irregular=lambda row, kind: row)
            for row in rows]
    assert sorted(row.path for row in rows) == ["b/a%vV1", "b/a/x", "b/fifo", "b/link", "b/z",
                                                "loose"]


def test_our_own_folder_is_no_data(tmp_path):
    """Whether links are followed or not."""
    (tmp_path / ".s3kit").mkdir()
    (tmp_path / ".s3kit/ledger").write_text("")
    (tmp_path / "k").write_text("")
    assert named(tmp_path, follows=True) == named(tmp_path) == (["k"], {})
