"""The destination's tree: no key and no link leads outside, and every file gets a place."""

import errno
import os
import socket

import pytest

from s3kit.disk import tree as module
from s3kit.disk.paths import BESIDE_DIRECTORY, BESIDE_FILE, CLASH, PIECE_BYTES, key_of, path_of
from s3kit.disk.tree import Tree, is_root, part_name, settle
from s3kit.errors import Fault

TIME = 1_700_000_000_000_000_000


@pytest.fixture
def tree(tmp_path):
    """A destination."""
    return Tree(str(tmp_path / "d"))


@pytest.fixture
def outside(tmp_path):
    """A directory outside, which must stay as it is."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "file").write_bytes(b"not ours")
    yield folder
    assert os.listdir(folder) == ["file"] and (folder / "file").read_bytes() == b"not ours"


def at(tree, path):
    """Return a path in the destination as the system has it."""
    return os.path.join(tree.path, path)


def put(tree, path, body=b"there"):
    """Write a file in the destination."""
    os.makedirs(os.path.dirname(at(tree, path)), exist_ok=True)
    with open(at(tree, path), "wb") as file:
        file.write(body)


def place(tree, path, body=b"body", mtime_ns=TIME):
    """Settle a new part file; return where it is."""
    fd = os.open("one.part", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=tree.parts)
    os.write(fd, body)
    try:
        found, status = settle(tree, "one.part", fd, path, len(body), mtime_ns, 0o640)
        assert status.st_ino == os.stat(at(tree, found)).st_ino
        return found
    finally:
        os.close(fd)


def open_files(tree):
    """Return how many descriptors lead below the destination; other tests' threads have theirs."""
    found = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{fd}").startswith(tree.path))
        except OSError:
            pass            # it was that of the list itself
    return sum(found)


def read(tree, path):
    """Return a file's bytes."""
    with open(at(tree, path), "rb") as file:
        return file.read()


# --- the destination


def test_a_destination_is_made(tmp_path):
    """With our folder, for our eyes only; made once more it is the same."""
    path = str(tmp_path / "a" / "b")
    tree = Tree(path)
    assert os.stat(f"{path}/.s3kit").st_mode & 0o777 == 0o700
    assert os.listdir(f"{path}/.s3kit") == ["parts"]
    assert Tree(path).place == tree.place == (os.stat(path).st_dev, os.stat(path).st_ino)


def test_a_destination_that_is_only_looked_at(tmp_path):
    """Nothing is made."""
    with pytest.raises(Fault, match="cannot use the destination '.*none': No such file"):
        Tree(str(tmp_path / "none"), make=False)
    tree = Tree(str(tmp_path), make=False)
    assert os.listdir(tmp_path) == [] and tree.place == Tree(str(tmp_path)).place


@pytest.mark.parametrize("path", ["/", "//", "/tmp/..", "/nowhere/../", "/proc/self/root"])
def test_the_destination_is_not_the_root(path):
    """By whatever name, and though its directories are yet to be made."""
    assert is_root(path)
    with pytest.raises(Fault, match="the destination must not be '/'"):
        Tree(path)


def test_the_destination_that_another_process_has_found(tmp_path):
    """It is that directory and no other; and it is not made again."""
    path = str(tmp_path / "d")
    found = Tree(path).place
    assert Tree(path, place=found).place == found
    os.rename(path, tmp_path / "moved")
    with pytest.raises(Fault, match="No such file or directory"):
        Tree(path, place=found)
    os.mkdir(path)
    with pytest.raises(Fault, match=f"the destination '{path}' was replaced while we were at work"):
        Tree(path, place=found)
    assert os.listdir(path) == []


@pytest.mark.parametrize("name", [".s3kit", ".s3kit/parts"])
def test_a_link_in_our_folder_s_place(tmp_path, outside, name):
    """Nobody leads our part files elsewhere."""
    where = tmp_path / "d" / name
    where.parent.mkdir(parents=True)
    where.symlink_to(outside)
    with pytest.raises(Fault, match="cannot use the destination"):
        Tree(str(tmp_path / "d"))


def test_a_file_in_the_destination_s_place(tmp_path):
    (tmp_path / "d").write_bytes(b"")
    with pytest.raises(Fault, match="cannot use the destination '.*': File exists"):
        Tree(str(tmp_path / "d"))


def test_what_is_free(tree):
    """Bytes and inodes for us, as statvfs(3) has them."""
    space = os.statvfs(tree.path)
    free, inodes = tree.free()
    assert abs(free - space.f_bavail * space.f_frsize) < 1 << 30 and inodes <= space.f_files


# --- directories


def test_directories_are_made_as_they_are_needed(tree):
    """Or not at all."""
    with pytest.raises(FileNotFoundError):
        tree.folder("b/x/k", make=False)
    assert tree.look("b") is None
    folder, name, path = tree.folder("b/x/k")
    assert (name, path) == ("k", "b/x/k")
    assert os.path.samestat(os.fstat(folder), os.stat(at(tree, "b/x")))
    assert tree.folder("b/x/other", make=False) == (folder, "other", "b/x/other")
    assert tree.folder("top") == (tree.fd, "top", "top")


def test_only_so_many_directories_stay_open(tree, monkeypatch):
    """Those used last; a path deeper than that is no trouble."""
    monkeypatch.setattr(module, "KEPT", 4)
    before, entered, descend = open_files(tree), [], tree.descend
    tree.descend = lambda parent, name, make: entered.append(name) or descend(parent, name, make)
    for number in range(20):
        tree.folder("b/used/k")
        tree.folder("b/k")
        tree.folder(f"b/{number}/k")
    assert entered.count("used") == entered.count("b") == 1 and len(tree.open) == 4
    assert open_files(tree) == before + 4
    deep = "/".join("abcdefghij")
    folder, _, path = tree.folder(f"{deep}/k")
    assert path == f"{deep}/k"
    assert os.path.samestat(os.fstat(folder), os.stat(at(tree, deep)))
    assert open_files(tree) == before + 4


def test_a_path_that_is_nested_too_deep(tree, monkeypatch):
    """No key can make it."""
    assert path_of("b", "/" * 1024).count("/") <= module.DEEPEST
    monkeypatch.setattr(module, "DEEPEST", 8)
    tree.folder("a/" * 9 + "k")
    with pytest.raises(Fault, match="nested too deep"):
        tree.folder("a/" * 10 + "k")


@pytest.mark.parametrize("make", [True, False])
def test_a_link_on_the_way(tree, outside, make):
    """It is never followed, wherever it leads."""
    put(tree, "b/file")
    os.symlink(outside, at(tree, "b/link"))
    os.symlink("nowhere", at(tree, "b/dangling"))
    os.symlink("circle", at(tree, "b/circle"))
    for name in ("link", "dangling", "circle"):
        for below in ("file", "x/file"):
            with pytest.raises(Fault, match=f"a symbolic link is in the way: '{name}'"):
                tree.folder(f"b/{name}/{below}", make)


@pytest.mark.parametrize("kind", ["FIFO", "socket"])
def test_something_else_on_the_way(tree, kind):
    put(tree, "b/file")
    if kind == "FIFO":
        os.mkfifo(at(tree, "b/x"))
    else:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(f"/proc/self/fd/{tree.folder('b/x')[0]}/x")
    with pytest.raises(Fault, match=f"a {kind} is in the way: 'x'"):
        tree.folder("b/x/k")


def test_a_file_in_a_directory_s_place(tree):
    """The keys `x` and `x/k`: the directory lies beside the file, for whoever reads, too."""
    put(tree, "b/x")
    assert tree.folder("b/x/y/k")[2] == f"b/x{BESIDE_FILE}/y/k"
    assert tree.folder("b/x/y/k", make=False)[2] == f"b/x{BESIDE_FILE}/y/k"
    put(tree, "b/z")
    put(tree, f"b/z{BESIDE_FILE}")
    with pytest.raises(Fault, match=f"a file is in the way: 'z{BESIDE_FILE}'"):
        tree.folder("b/z/k")


def test_a_file_in_a_directory_s_place_whose_name_leaves_no_room_for_a_mark(tree):
    """The directory beside it is two in each other; only the inner one stays open."""
    name = "n" * 255
    put(tree, f"b/{name}")
    before = open_files(tree)
    path = tree.folder(f"b/{name}/k")[2]
    assert len(path.split("/")) == 4 and key_of(path) == ("b", f"{name}/k")
    assert open_files(tree) == before + 2


def test_a_directory_that_another_process_makes_meanwhile(tree, monkeypatch):
    """Who is quicker does not matter."""
    mkdir = os.mkdir

    def twice(*args, **more):
        mkdir(*args, **more)
        mkdir(*args, **more)

    monkeypatch.setattr(os, "mkdir", twice)
    assert tree.folder("b/x/k")[2] == "b/x/k"


# --- what lies there


def test_what_lies_at_a_path(tree, outside):
    """Links are not followed; nothing there is None, also below a file."""
    put(tree, "b/k")
    os.symlink(outside, at(tree, "b/link"))
    assert tree.look("b/k").st_size == 5
    assert module.kind_of(tree.look("b/link")) == "symbolic link"
    assert module.kind_of(tree.look("b")) == "directory"
    for path in ("b/none", "none/k", "b/k/x", "b/" + "x" * 300, "x" * 300 + "/k"):
        assert tree.look(path) is None


def test_a_path_longer_than_the_system_takes(tree):
    """4,096 bytes at once; what lies beyond is found all the same."""
    deep = "b/" + ("x" * 200 + "/") * 25
    assert tree.look(deep + "k") is None
    folder, name, _ = tree.folder(deep + "k")
    os.close(os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=folder))
    assert Tree(tree.path).look(deep + "k").st_size == 0
    assert tree.look(deep + "none") is None and tree.look(deep + "y" * 300) is None
    assert tree.look(deep + "k/below") is None


def test_a_file_is_read_and_removed(tree):
    """The one that lies there, and nothing that lies elsewhere."""
    put(tree, "b/x/k")
    fd = tree.reader("b/x/k")
    assert os.read(fd, 10) == b"there"
    os.close(fd)
    tree.remove("b/x/k")
    assert tree.look("b/x/k") is None
    with pytest.raises(FileNotFoundError):
        tree.reader("b/x/k")


def test_what_is_not_a_file_is_not_read(tree, outside):
    """A FIFO without a writer keeps nobody waiting; nothing stays open."""
    put(tree, "b/k")
    os.mkfifo(at(tree, "b/fifo"))
    os.symlink(outside / "file", at(tree, "b/link"))
    os.symlink(outside, at(tree, "b/folder"))
    tree.folder("b/k")
    before = open_files(tree)
    with pytest.raises(Fault, match="'b/fifo' is a FIFO"):
        tree.reader("b/fifo")
    with pytest.raises(OSError) as error:
        tree.reader("b/link")
    assert error.value.errno == errno.ELOOP
    for call in (tree.reader, tree.remove):
        with pytest.raises(Fault, match="a symbolic link is in the way: 'folder'"):
            call("b/folder/file")
    tree.remove("b/link")       # the link itself is ours to remove
    assert open_files(tree) == before


# --- a part gets its name


def test_a_part_gets_its_name(tree):
    """With time and permissions; what was there before is replaced."""
    assert place(tree, "b/x/k") == "b/x/k"
    there = tree.look("b/x/k")
    assert (there.st_mtime_ns, there.st_mode & 0o777) == (TIME, 0o640)
    assert place(tree, "b/x/k", b"newer") == "b/x/k"
    assert read(tree, "b/x/k") == b"newer" and os.listdir(tree.parts) == []


@pytest.mark.parametrize("mtime_ns", [None, -1])
def test_a_time_that_is_not_known(tree, mtime_ns):
    """The file keeps that of its writing."""
    place(tree, "b/k", mtime_ns=mtime_ns)
    assert tree.look("b/k").st_mtime > 1_700_000_000


@pytest.mark.parametrize("is_new", [True, False])
def test_a_directory_has_the_name(tree, monkeypatch, is_new):
    """The keys `x/k` and `x`: the file lies beside the directory, also if that came a moment ago.
    """
    put(tree, "b/x/k")
    real, looks = module.free_name, []

    def free_name(*where):
        looks.append(where)
        return "x" if is_new and len(looks) == 1 else real(*where)

    monkeypatch.setattr(module, "free_name", free_name)
    assert place(tree, "b/x") == f"b/x{BESIDE_DIRECTORY}"
    assert read(tree, "b/x/k") == b"there" and read(tree, f"b/x{BESIDE_DIRECTORY}") == b"body"


def test_a_directory_has_a_name_that_leaves_no_room_for_a_mark(tree):
    """Name and mark are then more than one name."""
    name = "n" * 255
    put(tree, f"b/{name}/k")
    found = place(tree, f"b/{name}")
    assert read(tree, found) == b"body" and key_of(found) == ("b", name)
    assert [len(one) for one in found.split("/")] == [1, PIECE_BYTES + 2, 255 - PIECE_BYTES + 2]


@pytest.mark.parametrize("kind", ["symbolic link", "FIFO"])
def test_something_else_has_the_name(tree, outside, kind):
    """It is not replaced, and a link is not followed."""
    put(tree, "b/other")
    if kind == "FIFO":
        os.mkfifo(at(tree, "b/k"))
    else:
        os.symlink(outside / "file", at(tree, "b/k"))
    with pytest.raises(Fault, match=f"a {kind} is in the way: 'k'"):
        place(tree, "b/k")
    assert module.kind_of(tree.look("b/k")) == kind


def test_a_key_that_ends_in_a_slash(tree):
    """Of no bytes it is a directory, though that is there already; with bytes it is a file in it.
    """
    for _ in range(2):
        assert place(tree, "b/x/", b"") == "b/x/"
        assert os.path.isdir(at(tree, "b/x")) and os.listdir(tree.parts) == []
    found = place(tree, "b/x/", b"body")
    assert found.startswith("b/x/") and read(tree, found) == b"body"


def test_what_is_closed_has_no_directory_open(tmp_path):
    before = set(os.listdir("/proc/self/fd"))
    tree = Tree(str(tmp_path), make=False)
    for name in ("a/b/k", "c/k"):
        put(tree, name)
        tree.remove(name)
    tree.close()
    assert set(os.listdir("/proc/self/fd")) == before


def test_something_that_keeps_changing(tree, monkeypatch):
    """Whoever makes directories faster than we look is not waited for."""
    put(tree, "b/k/x")
    monkeypatch.setattr(module, "free_name", lambda tree, folder, name: name)
    with pytest.raises(Fault, match="something keeps changing at 'b/k'"):
        place(tree, "b/k")
    assert os.listdir(tree.parts) == ["one.part"]


@pytest.mark.parametrize("code, end", [(errno.EXDEV, Fault), (errno.EIO, OSError)])
def test_a_name_that_cannot_be_given(tree, monkeypatch, code, end):
    """A file system mounted below the destination is said; all else is the system's error."""
    def fail(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(module.durable, "rename", fail)
    with pytest.raises(end, match="'b/k' lies on another file system than the destination's .s3kit"
                       if end is Fault else "Input/output error"):
        place(tree, "b/k")


def test_the_part_of_an_object_version():
    """Never the same for two of them; the same one each time, for the next run to find."""
    parts = [("b", "k", "v", "e"), ("bk", "", "v", "e"), ("b", "k", "ve", ""), ("b", "k", "", "ve"),
             ("b", "K", "v", "e"), ("b", "\udcff", "v", "e")]
    names = [part_name(*part) for part in parts]
    assert len(set(names)) == len(parts) and names == [part_name(*part) for part in parts]
    assert all(len(name) == 37 and name.endswith(".part") for name in names)


# --- a file system that takes one spelling for another


@pytest.fixture
def folding(tree, monkeypatch):
    """A destination whose file system folds, as far as it can be played here: a name that is there
    in upper case is there in any.
    """
    stat = os.stat

    def folded(path, *, dir_fd=None, follow_symlinks=True):
        try:
            return stat(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)
        except FileNotFoundError:
            if not isinstance(path, str) or path != path.lower():
                raise
            return stat(path.upper(), dir_fd=dir_fd, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(module.os, "stat", folded)
    tree.folds = True
    return tree


def test_whether_a_file_system_folds(tree):
    """It is asked for our own folder by another spelling."""
    assert not tree.folds and not tree.is_folding()
    os.mkdir("PARTS", dir_fd=tree.ours)
    assert tree.is_folding()


def test_two_keys_that_are_one_name(folding):
    """The second one has a mark, as a file and as a directory; the first one stays as it is."""
    put(folding, "b/NAME")
    found = place(folding, "b/name")
    assert found.startswith(f"b/name{CLASH}") and read(folding, "b/NAME") == b"there"
    assert place(folding, "b/NAME", b"newer") == "b/NAME"
    put(folding, "b/DIR/k")
    path = folding.folder("b/dir/k")[2]
    assert path.startswith(f"b/dir{CLASH}") and path.endswith("/k")
    assert folding.folder("b/DIR/k")[2] == "b/DIR/k"
