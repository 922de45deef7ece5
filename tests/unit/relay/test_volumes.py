"""Volumes: room within a budget and what must stay free, and whether it is the one that it was."""

import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.relay.rows import Place, delivery

from s3kit.errors import Fault
from s3kit.relay import volumes as module
from s3kit.relay.deliveries import BLOCK, charge
from s3kit.relay.volumes import MOST_FREE, Volume, unmark


@pytest.fixture(autouse=True)
def no_ledgers(monkeypatch):
    """What is small has no room to spare."""
    monkeypatch.setattr(module, "MOST_OURS", 0)


@pytest.fixture
def volume(tmp_path):
    """One that has begun."""
    made = Volume(str(tmp_path / "v"))
    made.begin("id", False)
    return made


def placed(monkeypatch, volume, place):
    """Have the volume's file system be a Place."""
    monkeypatch.setattr(os, "statvfs", lambda path: place)
    volume.look()
    return volume


def moved(volume, size, *states):
    """Take a row of a size from one state to the next, each a state or '' for not there."""
    rows = [delivery(size=size, state=state or "listed", volume=volume.path if state else "")
            for state in states]
    for before, after in zip(rows, rows[1:]):
        volume.change(before, after)


# --- whose it is


def test_it_begins(tmp_path):
    """It is made with a mark that others cannot read; a second time nothing is written."""
    volume = Volume(str(tmp_path / "deep" / "v"))
    volume.begin("id", False)
    assert not volume.trouble and volume.room() > 0
    assert open(volume.mark).read() == "id\n"
    assert os.stat(os.path.dirname(volume.mark)).st_mode & 0o077 == 0
    before = os.stat(volume.mark).st_ino
    Volume(volume.path).begin("id", True)
    assert os.stat(volume.mark).st_ino == before


def test_what_is_not_mounted_is_not_made(tmp_path):
    """A known volume without its mark is another place."""
    for path in (tmp_path / "gone", tmp_path):
        volume = Volume(str(path))
        volume.begin("id", True)
        assert "is it mounted?" in volume.trouble and volume.room() == 0
    assert os.listdir(tmp_path) == []


def test_a_mark_that_goes_and_comes_back(volume):
    os.rename(volume.mark, f"{volume.mark}.away")
    volume.look()
    assert "is it mounted?" in volume.trouble and volume.room() == 0
    os.rename(f"{volume.mark}.away", volume.mark)
    volume.look()
    assert not volume.trouble and volume.room() > 0


def test_another_relays(volume):
    """A new one is refused, and keeps its mark; one that was ours is let alone."""
    with pytest.raises(Fault, match="another relay.*relay.id"):
        Volume(volume.path).begin("other", False)
    other = Volume(volume.path)
    other.begin("other", True)
    assert "another relay" in other.trouble and open(volume.mark).read() == "id\n"


def test_a_new_one_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Fault, match="cannot use '.*file/v'"):
        Volume(str(tmp_path / "file" / "v")).begin("id", False)


def test_read_only(monkeypatch, volume):
    placed(monkeypatch, volume, Place(1000, f_flag=os.ST_RDONLY))
    assert "read-only" in volume.trouble and volume.room() == 0
    placed(monkeypatch, volume, Place(1000))
    assert not volume.trouble


def test_a_disk_that_errs(monkeypatch, volume):
    def fail(path):
        raise OSError(5, "Input/output error")
    monkeypatch.setattr(os, "statvfs", fail)
    volume.look()
    assert "Input/output error" in volume.trouble and volume.room() == 0


def test_a_mark_goes_with_its_relay_alone(volume):
    unmark(volume.path, "other")
    assert os.path.exists(volume.mark)
    unmark(volume.path, "id")
    assert not os.path.exists(volume.mark)
    unmark(volume.path, "id")


# --- room


@pytest.mark.parametrize("budget, min_free, room", [
    (None, 0, 1000), (None, None, 950), (None, 400, 600), (300, 0, 300), (300, 800, 200),
    (5000, 100, 900), (None, 2000, 0), (0, 0, 0)])
def test_room(monkeypatch, tmp_path, budget, min_free, room):
    """Both limits count, the narrower one decides."""
    volume = Volume(str(tmp_path), budget and budget * BLOCK, min_free and min_free * BLOCK)
    if budget == 0:
        volume.budget = 0
    volume.begin("id", False)
    placed(monkeypatch, volume, Place(1000))
    assert volume.room() == volume.capacity() == room * BLOCK


def test_what_cannot_be_written_is_read_only(monkeypatch, volume):
    """As ext4 after a fault, whose flags say nothing of it; asked only where rows are to come."""
    def utime(path):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    monkeypatch.setattr(os, "utime", utime)
    volume.look()
    assert not volume.trouble
    volume.count("listed", 1, 1)
    volume.look()
    assert "Read-only file system" in volume.trouble and volume.room() == 0


def test_ledgers_have_room(monkeypatch, volume):
    """They grow while rows come: what must stay free is not theirs."""
    monkeypatch.setattr(module, "MOST_OURS", 8 << 20)
    for blocks, ours in ((3200, 400 * BLOCK), (1 << 20, 8 << 20)):
        placed(monkeypatch, volume, Place(blocks))
        volume.min_free = 0
        assert volume.room() == volume.capacity() == blocks * BLOCK - ours


def test_ten_gibibytes_are_kept_free_of_a_large_one(monkeypatch, volume):
    placed(monkeypatch, volume, Place(1 << 40))
    assert volume.kept_free == MOST_FREE


def test_what_is_roots_is_not_counted(monkeypatch, tmp_path):
    """A row that could only have that would wait for ever."""
    volume = Volume(str(tmp_path), None, 0)
    volume.begin("id", False)
    placed(monkeypatch, volume, Place(900, of=1000, f_bfree=1000))
    assert volume.capacity() == volume.room() == 900 * BLOCK


def test_capacity_does_not_change_with_what_is_there(monkeypatch, tmp_path):
    volume = Volume(str(tmp_path), 500 * BLOCK, 0)
    volume.begin("id", False)
    placed(monkeypatch, volume, Place(100, of=1000))
    volume.count("fetched", 400 * BLOCK, 3)
    assert (volume.capacity(), volume.room()) == (500 * BLOCK, 100 * BLOCK)


def test_no_inodes_no_room(monkeypatch, volume):
    assert placed(monkeypatch, volume, Place(1000, f_favail=64)).room() == 0
    assert placed(monkeypatch, volume, Place(1000, f_favail=65)).room() > 0
    volume.count("listed", BLOCK, 1)
    assert volume.room() == 0
    assert placed(monkeypatch, volume, Place(1000, f_files=0, f_favail=0)).room() > 0, "btrfs"


def test_a_row_takes_its_room_and_gives_it_back(monkeypatch, tmp_path):
    """From when it is dealt until it is stored; what failed there has it still."""
    volume = Volume(str(tmp_path), 1000 * BLOCK, 0)
    volume.begin("id", False)
    for states, left in ((("", "listed"), 1), (("", "listed", "fetched"), 1),
                         (("", "listed", "fetched", "failed"), 1),
                         (("", "listed", "fetched", "unverifiable"), 1),
                         (("", "listed", "fetched", "failed", "fetched"), 1),
                         (("", "listed", "fetched", "listed"), 1), (("", "listed", ""), 0),
                         (("", "listed", "fetched", "stored"), 0)):
        volume.dealt = volume.held = 0
        volume.rows = dict.fromkeys(volume.rows, 0)
        moved(volume, 10 * BLOCK, *states)
        assert volume.dealt + volume.held == left * 11 * BLOCK, states
        assert volume.rows == {state: int(states[-1] == state)
                               for state in ("listed", "fetched")}, states


def test_rows_of_others_change_nothing(volume):
    elsewhere = delivery(volume="/elsewhere")
    volume.change(elsewhere, elsewhere._replace(state="fetched"))
    assert (volume.dealt, volume.held, volume.came) == (0, 0, 0)


@given(st.lists(st.tuples(st.integers(0, 60 * BLOCK), st.sampled_from(("come", "fail", "look"))),
                max_size=20), st.integers(0, 50), st.integers(100, 300) | st.none())
def test_never_more_than_there_is(tmp_path_factory, steps, kept, budget):
    """Rows come between two looks at the disk: whatever is dealt by what room() says, the disk
    keeps free what it must, and no more than the budget is there.
    """
    volume = Volume(str(tmp_path_factory.mktemp("v")), budget and budget * BLOCK, kept * BLOCK)
    volume.begin("id", False)
    free, dealt, there = 200 * BLOCK, [], 0
    with pytest.MonkeyPatch.context() as patch:
        for size, then in [(0, "look"), *steps]:
            if then == "look":
                placed(patch, volume, Place(free // BLOCK, of=300))
            if volume.room() >= charge(size):
                volume.count("listed", charge(size), 1)
                dealt.append(size)
            if dealt and then != "look":
                size = dealt.pop()
                if then == "come":
                    moved(volume, size, "listed", "fetched")
                    free, there = free - charge(size), there + charge(size)
                else:
                    moved(volume, size, "listed", "")
            assert free - sum(map(charge, dealt)) >= kept * BLOCK
            assert budget is None or there + sum(map(charge, dealt)) <= budget * BLOCK


def test_what_a_row_gives_up_goes(volume, tmp_path):
    """Its file alone, by no link; what cannot be removed stays without a word."""
    outside = tmp_path / "outside"
    outside.mkdir()
    files = [os.path.join(volume.path, "a", "k"), os.path.join(volume.path, "a", "l"),
             str(outside / "k")]
    os.makedirs(os.path.dirname(files[0]))
    for path in files:
        open(path, "w").close()
    os.symlink(outside, os.path.join(volume.path, "link"))
    for path, state in (("a/k", "fetched"), ("link/k", "mismatch"), ("gone/k", "fetched")):
        before = delivery(state=state, volume=volume.path, path=path)
        volume.count(state, charge(100), 1)
        volume.change(before, before.begun_anew())
        volume.change(before.begun_anew(), before)
    assert [os.path.exists(path) for path in files] == [False, True, True]


# --- speed


def test_speed_is_bytes_by_time(volume):
    """Of a row that took ten looks as well, at whose end all its bytes are told."""
    volume.rows["listed"] = 1
    for _ in range(9):
        volume.measure(1.0)
    volume.came = 1000
    volume.measure(1.0)
    assert volume.speed == 100
    volume.came = 600
    volume.measure(1.0)
    assert volume.speed == 200         # a fifth of what was new
    volume.rows["listed"] = 0
    for _ in range(50):
        volume.measure(1.0)             # nothing was to come
    volume.came = 200
    volume.measure(1.0)
    assert volume.speed == 200


def test_what_came_is_what_was_fetched(volume):
    moved(volume, 500, "", "listed", "fetched", "failed", "fetched", "stored")
    assert volume.came == 500


def test_directories_in_which_nothing_is_left_go(tmp_path):
    volume = Volume(str(tmp_path))
    for name in (".s3kit/parts", "b/empty/deep", "b/full", "c"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "b" / "full" / "file").touch()
    volume.sweep()
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == [
        ".s3kit", ".s3kit/parts", "b", "b/full", "b/full/file"]
