"""Where s3-policy keeps its documents and their backups."""

import os
from pathlib import Path

import pytest
from policyruns import ME, OLD, ONLY_ME, live

from s3kit.disk import durable
from s3kit.errors import Fault, Held
from s3kit.policy.directory import APPLY, Shelf, read_backup


@pytest.mark.system("minutes")
@pytest.mark.parametrize("text", ["", "{", "[]", "{}",
                                  '{"text": 1, "base": null, "key": "", "exempt": []}', "[" * 9999,
                                  '{"text": "", "base": null, "key": "", "exempt": [1]}',
                                  '{"text": "", "base": null, "key": "", "exempt": "me"}',
                                  '{"text": "", "base": null, "key": "", "exempt": ["x"]}'])
def test_what_is_known_of_a_plan_was_spoilt(place, run, text):
    """Nothing is put by it; it can be planned again."""
    run("plan", "b", *ONLY_ME)
    Path("policies/.s3kit/plans/b.json").write_text(text)
    status, _, err = run("apply", "b", "--yes")
    assert (status == 1 and ("plan again" in err or "is not a principal" in err)
            and live(place) == OLD)
    assert run("plan", "b", *ONLY_ME, "--overwrite")[0] == 0 and run("apply", "b", "--yes")[0] == 0


@pytest.fixture
def shelf(tmp_path):
    """A directory that is not there yet."""
    return Shelf(str(tmp_path / "a" / "policies"))


def test_a_plan_and_its_facts(shelf):
    """Known for ours as long as nobody edits it; of a document by hand nothing is known."""
    facts = {"base": None, "exempt": [ME], "key": "k", "template": "t"}
    assert shelf.buckets() == [] and shelf.planned("bbb") is None and not shelf.is_edited("bbb")
    shelf.save("bbb", "text", facts)
    assert shelf.planned("bbb") == "text" and shelf.facts("bbb") == facts | {"text": "text"}
    assert not shelf.is_edited("bbb")
    Path(shelf.place("bbb")).write_text("text ")
    assert shelf.is_edited("bbb")
    Path(shelf.place("ccc")).write_text("by hand")
    assert shelf.facts("ccc") == {} and shelf.is_edited("ccc")
    for name in ("not a bucket.json", "ddd.txt", ".json"):
        Path(shelf.top, name).touch()
    assert shelf.buckets() == ["bbb", "ccc"]


def test_the_facts_are_on_the_disk_before_the_plan(shelf, monkeypatch):
    """A plan with older facts is taken for edited, never for ours."""
    facts = {"base": None, "exempt": [], "key": "", "template": ""}
    shelf.save("bbb", "old", facts)
    real, written = durable.Replacement, []

    def replacement(path):
        written.append(path)
        if path == shelf.place("bbb"):
            raise OSError(28, "No space left on device")
        return real(path)

    monkeypatch.setattr(durable, "Replacement", replacement)
    with pytest.raises(Fault, match="cannot write '.*bbb.json': No space left"):
        shelf.save("bbb", "new", facts)
    assert len(written) == 2 and shelf.planned("bbb") == "old" and shelf.is_edited("bbb")


def test_backups_are_the_newest_first(shelf):
    """And each is what was kept, with what took its place."""
    assert shelf.backups("bbb") == []
    kept = [shelf.keep("bbb", text, "next", APPLY) for text in ("one", None, "\U0001f5c3 {")]
    assert shelf.backups("bbb") == kept[::-1] and shelf.backups("ccc") == []
    assert read_backup(kept[0].path) == kept[0]
    # A file that is still being written, or was left by a kill, is not one.
    Path(kept[0].path).with_name(".s3kit.1.new").write_text("{")
    Path(kept[0].path).with_name(".s3kit.json").write_text("{")
    assert len(shelf.backups("bbb")) == 3


@pytest.mark.parametrize("text", (b"", b"{", b"[]", b"null", b"{}", b"[" * 9999, b"\xff",
                                  b'{"bucket": "", "taken": "", "text": "", "next": "", "why": ""}',
                                  b'{"bucket":"b","taken":"","text":1,"next":"","why":"apply"}',
                                  b'{"bucket": "b", "taken": "", "text": "", "next": ""}'))
def test_what_is_not_a_backup(shelf, text):
    """One that was spoilt stops a rollback: an older one would be the wrong policy."""
    path = Path(shelf.keep("bbb", "text").path)
    path.write_bytes(text)
    with pytest.raises(Fault, match="is not a backup of s3-policy|cannot read"):
        shelf.backups("bbb")


def test_one_at_a_time_and_for_us_alone(shelf):
    """The second is told where; folders are 0700, files 0600."""
    with shelf.held(), pytest.raises(Held, match="another s3-policy works in '.*policies'"):
        with Shelf(shelf.top).held():
            pass
    with shelf.held():
        path = shelf.keep("bbb", "text").path
    assert os.stat(path).st_mode & 0o777 == 0o600
    while path != shelf.top:
        path = os.path.dirname(path)
        assert os.stat(path).st_mode & 0o777 == 0o700
