"""Where files lie that are uploaded: what is removed, when, and what is known without a ledger."""

import os
from types import SimpleNamespace

import pytest

from s3kit.disk.ledger import Ledger
from s3kit.disk.tree import OURS
from s3kit.disk.uploads import Upload, Uploads
from s3kit.errors import Fault
from s3kit.put import place as module
from s3kit.put.place import Place


class Files:
    """A directory of files, a Place of it, and what that said."""

    def __init__(self, path):
        self.path, self.said = path, []
        path.mkdir()

    def place(self, removes=False):
        """Return a Place."""
        args = SimpleNamespace(dest=str(self.path), remove_local=removes)
        return Place(args, self.said.append)

    def upload(self, path, body=b"body", **changed):
        """Write a file; return the Upload of it."""
        file = self.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        status = file.stat()
        return Upload("to", path, "v", "e", "b", path, "", "", path, len(body), status.st_mtime_ns,
                      status.st_ino, "", "", "", "", "crc32", "crc32", "")._replace(**changed)

    def left(self):
        """Return the paths of all files but ours."""
        return sorted(str(file.relative_to(self.path)) for file in self.path.rglob("*")
                      if not file.is_dir() and OURS not in file.parts)


@pytest.fixture
def files(tmp_path):
    """A directory without files."""
    return Files(tmp_path / "d")


# --- what is removed


def test_nothing_is_removed_unasked(files):
    """It is written down alone."""
    place, upload = files.place(), files.upload("a")
    place.record([upload])
    assert files.left() == ["a"] and place.removed == 0
    assert place.uploads.at("to", "a") == upload


def test_files_are_removed_when_they_are_stored(files):
    """Each of its own directory, and what is beside it stays."""
    place = files.place(removes=True)
    stored = [files.upload(path) for path in ("a", "x/b", "x/y/c", "x/d")]
    files.upload("x/stays")
    place.record(stored)
    assert files.left() == ["x/stays"] and place.removed == 4 and files.said == []


def test_it_is_written_down_first(files, monkeypatch):
    """And flushed: when the file goes, the ledger has its copy, whatever happens then."""
    place, upload = files.place(removes=True), files.upload("a")
    seen = []
    remove = place.own.remove

    def removing(path):
        seen.append((Uploads(Ledger(str(files.path / OURS))).at("to", path),
                     *place.writer.base.execute("PRAGMA synchronous").fetchone()))
        remove(path)
    monkeypatch.setattr(place.own, "remove", removing)
    place.record([upload])
    assert seen == [(upload, 2)] and files.left() == []


def test_what_cannot_be_written_down_stays(files):
    """The file is the only one that somebody knows of."""
    place, upload = files.place(removes=True), files.upload("a")
    with pytest.raises(Fault):
        place.record([upload, upload._replace(to_key="l", size=None)])
    assert files.left() == ["a"]


@pytest.mark.parametrize("proof", ["", "size", "given-md5"])
def test_a_copy_that_is_not_proven(files, proof):
    """Its file stays: nobody has held those bytes against S3's."""
    place = files.place(removes=True)
    place.record([files.upload("a", far_proof=proof, proof="crc32"), files.upload("b")])
    assert files.left() == ["a"] and place.removed == 1


def test_a_proof_of_the_row_is_not_needed(files):
    """What counts is that the copy has the file's bytes."""
    place = files.place(removes=True)
    place.record([files.upload("a", proof="size", far_proof="etag-md5")])
    assert files.left() == []


def touched(file):
    """Give it another time."""
    os.utime(file, ns=(1, 1))


def replaced(file):
    """Put another with the same bytes and time in its place."""
    status = file.stat()
    other = file.with_name("other")
    other.write_bytes(file.read_bytes())
    os.utime(other, ns=(status.st_mtime_ns, status.st_mtime_ns))
    os.rename(other, file)


def grown(file):
    """Append to it, and hide that."""
    status = file.stat()
    file.write_bytes(file.read_bytes() + b"more")
    os.utime(file, ns=(status.st_mtime_ns, status.st_mtime_ns))


def linked(file):
    """Move it away, and leave a link to it."""
    os.rename(file, file.with_name("moved"))
    file.symlink_to("moved")


@pytest.mark.parametrize("change", [touched, replaced, grown, linked])
def test_a_file_that_was_changed_since_stays(files, change):
    """Its bytes are stored nowhere."""
    place, upload = files.place(removes=True), files.upload("a")
    change(files.path / "a")
    before = files.left()
    place.record([upload])
    assert files.left() == before and place.removed == 0 and files.said == []


def test_a_file_that_is_gone_already(files):
    """And a key without a file: there is nothing to remove."""
    place, gone = files.place(removes=True), files.upload("gone")
    os.unlink(files.path / "gone")
    place.record([gone, gone._replace(to_key="x/", path=""), files.upload("b")])
    assert files.left() == [] and place.removed == 1 and files.said == []


def test_a_link_in_the_way(files, tmp_path):
    """What lies outside is not removed, though a link leads there."""
    place = files.place(removes=True)
    upload = files.upload("x/a")
    os.rename(files.path / "x", tmp_path / "outside")
    (files.path / "x").symlink_to(tmp_path / "outside")
    place.record([upload])
    assert (tmp_path / "outside/a").read_bytes() == b"body" and place.removed == 0


def test_a_file_that_cannot_be_removed(files, monkeypatch):
    """It is said; the row is stored, and the others are removed."""
    place, remove = files.place(removes=True), module.Tree.remove

    def removing(tree, path):
        if path == "a":
            raise PermissionError(1, "Operation not permitted")
        remove(tree, path)
    monkeypatch.setattr(module.Tree, "remove", removing)
    place.record([files.upload("a"), files.upload("b")])
    assert files.said == ["cannot remove 'a', which is stored: Operation not permitted"]
    assert files.left() == ["a"] and place.removed == 1 and place.uploads.at("to", "a")


def test_removals_are_flushed(files, monkeypatch):
    """Each directory once."""
    place, synced = files.place(removes=True), []
    monkeypatch.setattr(module.durable, "sync_directory",
                        lambda fd: synced.append(os.fstat(fd).st_ino))
    place.record([files.upload(path) for path in ("x/a", "x/b", "y/c")])
    assert sorted(synced) == sorted((files.path / name).stat().st_ino for name in "xy")


# --- a directory that cannot be written to


@pytest.fixture
def read_only(files, monkeypatch):
    """The directory can only be read."""
    def refuse(path, *_, **__):
        raise OSError(30, "Read-only file system", path)
    monkeypatch.setattr(module.os, "makedirs", refuse)
    return files


def test_a_read_only_directory(read_only):
    """Its files can be uploaded; it is said what that means."""
    place = read_only.place()
    assert place.uploads is None and place.ledger is None and place.folder_fd is None
    [said] = read_only.said
    assert said.startswith("warning: ") and "Read-only file system" in said
    assert "an upload that is broken off begins anew" in said
    assert place.tree.look("none") is None


def test_files_that_could_not_be_removed_anyway(read_only):
    """Nobody would know what was stored: it is refused before anything is sent."""
    with pytest.raises((Fault, OSError), match="Read-only file system"):
        read_only.place(removes=True)
    assert read_only.said == []


def test_a_ledger_that_cannot_be_used(files):
    """It knows of uploads under way: they must not be forgotten."""
    files.place()
    ledger = files.path / OURS / "ledger.sqlite3"
    for name in list((files.path / OURS).iterdir()):
        name.unlink()
    ledger.write_bytes(b"x" * 5000)
    with pytest.raises(Fault, match="the ledger"):
        files.place()
    assert files.said == []


def test_a_link_in_the_place_of_our_folder(files, tmp_path):
    """Nothing is written through it."""
    (tmp_path / "outside").mkdir()
    (files.path / OURS).symlink_to(tmp_path / "outside")
    assert files.place().uploads is None and len(files.said) == 1
    assert list((tmp_path / "outside").iterdir()) == []


def test_the_ledger_is_private(files):
    """And what another run has written is there."""
    files.place().record([files.upload("a")])
    assert (files.path / OURS).stat().st_mode & 0o777 == 0o700
    assert files.place().uploads.at("to", "a").path == "a"
