"""Part files that an earlier run left."""

import os
import time

import pytest

from s3kit.disk import lock
from s3kit.disk.tree import Tree
from s3kit.fetch.sweeping import STALE_SECONDS, clear_part, sweep


@pytest.fixture
def tree(tmp_path):
    """A destination."""
    return Tree(str(tmp_path / "d"))


def put(tree, name, age=0):
    """Leave a file among the parts, changed so many seconds ago."""
    path = os.path.join(tree.path, ".s3kit", "parts", name)
    with open(path, "w", encoding="utf-8") as file:
        file.write("x")
    os.utime(path, (time.time() - age,) * 2)


def test_what_nobody_can_resume_goes(tree):
    """A part without a journal, a journal without a part."""
    for name in ("a.part", "b.part.journal"):
        put(tree, name)
    sweep(tree)
    assert os.listdir(tree.parts) == []


def test_what_can_be_resumed_stays_for_a_week(tree):
    """Both files of it; then both go."""
    for name, age in (("new", 60), ("old", STALE_SECONDS + 60)):
        put(tree, f"{name}.part", age)
        put(tree, f"{name}.part.journal", age)
    sweep(tree)
    assert sorted(os.listdir(tree.parts)) == ["new.part", "new.part.journal"]


def test_what_is_held_stays(tree):
    """Another process is at work on it."""
    put(tree, "a.part")
    fd = lock.hold("a.part", tree.parts)
    sweep(tree)
    assert os.listdir(tree.parts) == ["a.part"]
    os.close(fd)


def test_links_and_directories(tree, tmp_path):
    """A link goes and not what it leads to; a directory is in nobody's way."""
    (tmp_path / "outside").write_text("mine")
    os.symlink(tmp_path / "outside", "link.part", dir_fd=tree.parts)
    os.mkdir("folder.part", dir_fd=tree.parts)
    sweep(tree)
    assert os.listdir(tree.parts) == ["folder.part"] and (tmp_path
                                                          / "outside").read_text() == "mine"


def test_a_complete_part_stays_for_a_week(tree):
    """Only its name is missing: the next fetch of its object reads it."""
    for name, age in (("new.part", 60), ("old.part", STALE_SECONDS + 60)):
        put(tree, name, age)
        os.chmod(name, 0o700, dir_fd=tree.parts)
    assert sweep(tree) == {"new.part"} == set(os.listdir(tree.parts))


def test_the_part_of_a_file_that_is_there_goes(tree):
    """With its journal; not what another holds, nor a directory, which is not ours."""
    for name in ("a.part", "a.part.journal", "held.part"):
        put(tree, name)
    os.mkdir("folder.part", dir_fd=tree.parts)
    fd = lock.hold("held.part", tree.parts)
    for name in ("a.part", "held.part", "folder.part", "none.part"):
        clear_part(tree, name)
    assert sorted(os.listdir(tree.parts)) == ["folder.part", "held.part"]
    os.close(fd)
