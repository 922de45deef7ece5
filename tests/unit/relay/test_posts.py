"""Posts: when their command runs, what it is given, and whose fault a failure is."""

import os
from types import SimpleNamespace

import pytest
from unit.relay.rows import changed, delivery, found, row, seen

from s3kit.manifest.row import Row
from s3kit.relay import posts as module
from s3kit.relay.deliveries import Deliveries, charge
from s3kit.relay.posts import IDLE_SECONDS, LONGEST_WAIT, TRIES, Post
from s3kit.relay.volumes import Volume


class Command:
    """A stub of a Half: what it is fed is out until it is given back."""

    made = []

    def __init__(self, words, env, hear):
        self.words, self.env, self.out, self.fed, self.names = words, env, {}, 0, {}
        self.is_ending = self.is_stopped = self.has_failed = False
        self.reason, self.process = "", SimpleNamespace(returncode=3)
        self.made.append(self)

    def feed(self, deliveries, bucket):
        """Take Deliveries."""
        assert bucket == "a"
        for each in deliveries:
            self.fed += 1
            self.out[self.fed] = each
            self.names[each.key] = each.name

    def finish(self):
        """Take no more."""
        self.is_ending = True

    def stop(self):
        """Stop."""
        self.is_ending = self.is_stopped = True

    def taken_back(self, row):
        """Return the Delivery of a Row."""
        number = next((number for number, each in self.out.items() if each.key == row.key), None)
        return self.out.pop(number, None)


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A ledger, a volume, a side and a clock; `post(state)` makes a Post."""
    Command.made = []
    made = SimpleNamespace(at=1000.0, asked=0, outages=[], work=0)
    monkeypatch.setattr(module.time, "monotonic", lambda: made.at)
    monkeypatch.setattr(module, "Half", Command)
    made.ledger = Deliveries(str(tmp_path / "relay.sqlite3"), "a")
    made.ledger.take_route("s3://a/", "s3://b/", "id")
    made.volume = Volume(str(tmp_path / "v"))
    made.volume.begin("id", False)

    def ask():
        made.asked += 1

    def worked():
        made.work += 1
    made.side = SimpleNamespace(is_up=True, env={"of": "the side"}, ask=ask, worked=worked,
                                go_out=lambda *of: made.outages.append(of))
    made.post = lambda state: Post(made.volume, made.side, ["fetch"], state, made.ledger, print)
    yield made
    made.ledger.close()


def on_way(world, state, *keys, **fields):
    """Have rows be on the volume in a state, as the ledger and the volume know."""
    seen(world.ledger, *map(row, keys))
    for key in keys:
        changed(world.ledger, key, state=state, volume=world.volume.path, path=f"a/{key}", **fields)
        world.volume.count(state, charge(100), 1)


def begun(world, state, *keys, **fields):
    """Return a Post whose command has been given these rows."""
    on_way(world, state, *keys, **fields)
    post = world.post(state)
    post.turn()
    post.turn()
    assert sorted(each.key for each in post.half.out.values()) == sorted(keys)
    return post


def back(key, state, error="", **columns):
    """Return a Row that a command gives back."""
    extra = columns.pop("extra", None)
    return Row(bucket="a", key=key, state=state, error=error, extra=extra, **columns)


# --- every turn


def test_nothing_is_started_without_work(world):
    for state in ("listed", "fetched"):
        world.post(state).turn()
    assert not Command.made and world.post("listed").is_idle


def test_a_command_is_started_and_fed(world):
    on_way(world, "listed", "k1", "k2")
    post = world.post("listed")
    post.turn()
    [command] = Command.made
    assert (command.words, command.env) == (["fetch"], {"of": "the side"})
    assert [each.key for each in command.out.values()] == ["k1", "k2"], "at once"
    post.turn()
    assert [each.key for each in command.out.values()] == ["k1", "k2"] and not post.is_idle
    on_way(world, "listed", "k0")
    post.turn()
    assert [each.key for each in command.out.values()] == ["k1", "k2", "k0"], "each once"


def test_s3_put_is_started_when_rows_are_to_come(world):
    """It needs a moment; s3-fetch does not wait for what was fetched."""
    on_way(world, "listed", "k")
    world.post("fetched").turn()
    assert len(Command.made) == 1
    world.volume.rows = {"listed": 0, "fetched": 1}
    world.post("listed").turn()
    assert len(Command.made) == 1


def test_more_rows_than_a_command_takes_at_once(world, monkeypatch):
    """All come in the end, the keys before the cursor, too."""
    monkeypatch.setattr(module, "WINDOW", 4)
    on_way(world, "listed", *(f"k{number}" for number in range(11)))
    post, came = world.post("listed"), []
    post.turn()
    for number in range(12):
        post.turn()
        assert len(post.half.out) <= 6
        for each in list(post.half.out.values())[:3]:
            came.append(each.key)
            for before, after in post.take(post.half, [back(each.key, "fetched", path="p")]):
                world.ledger.record([after])
                world.volume.change(before, after)
        if number == 1:
            on_way(world, "listed", "a first one")
    assert sorted(came) == sorted(["a first one", *(f"k{number}" for number in range(11))])


@pytest.mark.parametrize("why", ["side", "volume"])
def test_it_stops_while_a_side_is_out_or_the_volume(world, why):
    """Its rows go to the next one."""
    post = begun(world, "listed", "k")
    setattr(world.side, "is_up", why != "side")
    world.volume.trouble = "gone" if why == "volume" else ""
    first = post.half
    post.turn()
    post.turn()
    assert first.is_stopped and post.half is first
    assert post.ended(first) == "" and post.is_idle
    post.turn()
    assert post.half is None
    world.side.is_up, world.volume.trouble = True, ""
    post.turn()
    post.turn()
    assert post.half is not first and [each.key for each in post.half.out.values()] == ["k"]


def test_it_is_let_go_without_work_and_after_so_many_rows(world, monkeypatch):
    post = begun(world, "listed", "k")
    world.at += 2 * IDLE_SECONDS
    post.turn()
    assert not post.half.is_ending, "it has a row"
    for before, after in post.take(post.half, [back("k", "fetched")]):
        world.ledger.record([after])
        world.volume.change(before, after)
    world.at += IDLE_SECONDS - 1
    post.turn()
    assert not post.half.is_ending
    world.at += 2
    post.turn()
    assert post.half.is_ending and not post.half.is_stopped
    post.ended(post.half)
    monkeypatch.setattr(module, "MOST_FED", 1)
    post = begun(world, "listed", "l")
    post.turn()
    assert post.half.is_ending and not post.half.is_stopped and post.half.out


# --- what comes back


def test_what_was_fetched(world):
    post = begun(world, "listed", "k", error="once it failed")
    post.wait = 60.0
    [(before, after)] = post.take(post.half, [back(
        "k", "fetched", path="a/k", digest="d", proof="crc32", checksum_algorithm="CRC32",
        checksum_type="FULL_OBJECT", checksum="c"), back("unknown", "fetched")])
    assert (before.state, after.state, after.path, after.digest, after.proof, after.error) == (
        "listed", "fetched", "a/k", "d", "crc32", "") and after.fetched_at
    assert (after.checksum_algorithm, after.checksum_type, after.checksum) == (
        "CRC32", "FULL_OBJECT", "c")
    assert post.wait == 1.0 and world.work == 1 and not world.asked


@pytest.mark.parametrize("state", ["stored", "unverifiable"])
def test_what_was_put(world, state):
    """The proof of the way here is not that of the way there."""
    post = begun(world, "fetched", "k", proof="crc64nvme")
    [(_, after)] = post.take(post.half, [back("k", state, "why", proof="crc32",
                                              extra={"stored_at": "s3://b/k"})])
    assert (after.state, after.proof, after.far_proof, after.stored_at) == (
        state, "crc64nvme", "crc32", "s3://b/k")


@pytest.mark.parametrize("half, state", [("listed", "stored"), ("listed", "listed"),
                                         ("fetched", "fetched"), ("fetched", "listed")])
def test_only_the_state_of_its_half_is_done(world, half, state):
    post = begun(world, half, "k")
    assert post.take(post.half, [back("k", state)]) == [] and len(post.suspects) == 1


def test_a_failure_is_nobodys_until_the_side_was_asked(world):
    post = begun(world, "listed", "k", "l")
    assert post.take(post.half, [back("k", "failed", "timed out")]) == []
    assert world.asked == 1 and not post.is_idle and not world.work
    for _ in range(3):
        post.turn()
    assert [each.key for each in post.half.out.values()] == ["l"], "a suspect is not fed"
    assert post.decide(False) == [] and found(world.ledger, "k").tries == 0
    post.turn()
    assert sorted(each.key for each in post.half.out.values()) == ["k", "l"]
    post.take(post.half, [back("k", "failed", "timed out")])
    [(before, after)] = post.decide(True)
    assert (after.state, after.tries, after.error, after.volume) == (
        "listed", 1, "timed out", before.volume)
    assert post.decide(True) == []


def test_a_volume_in_trouble_is_no_rows_fault(world):
    post = begun(world, "fetched", "k")
    post.take(post.half, [back("k", "missing", "there is no file")])
    world.volume.trouble = "not mounted"
    assert post.decide(True) == [] and post.suspects == []


@pytest.mark.parametrize("error, is_sides", [
    ("cannot put: S3 says SlowDown: Please reduce your request rate.", True),
    ("S3 says InsufficientStorage", True), ("S3 says HTTP507", True),
    ("S3 says ThrottlingException: x", True), ("S3 says ExpiredToken", True),
    ("S3 says AccessDenied", False), ("S3 says SlowDownload", False),
    ("cannot read 'a/SlowDown': Input/output error", False)])
def test_what_a_server_says_of_itself(world, error, is_sides):
    """A key of the same words is a row's own."""
    post = begun(world, "fetched", "k")
    post.take(post.half, [back("k", "failed", error)])
    assert world.outages == [(error, True)] * is_sides
    assert (len(post.suspects), world.asked) == (not is_sides, not is_sides)


# --- what failed


def failing(post, world, key, states):
    """Let a row fail in these states, one after the other; return the last Delivery."""
    for state in states:
        half = post.half
        if not half.out:
            post.turn()
        assert post.take(half, [back(key, state, f"{state}!")]) == []
        [(before, after)] = post.decide(True)
        world.ledger.record([after])
        world.volume.change(before, after)
    return after


@pytest.mark.parametrize("states, last, tries", [
    (["failed"] * TRIES, "failed", 3), (["failed", "missing", "failed"], "failed", 3),
    (["missing"] * 3, "missing", 3), (["failed", "conflict"], "conflict", 2),
    (["mismatch"], "mismatch", 1), (["vanished"], "vanished", 1), (["listed"], "failed", 1)])
def test_tries(world, states, last, tries):
    """Three, but for what another try would only find again; its room is given back."""
    post = begun(world, "listed", "k")
    after = failing(post, world, "k", states)
    assert (after.state, after.tries, after.volume, after.error) == (
        last, tries, "", f"{states[-1]}!")
    assert (world.volume.dealt, world.volume.held, world.ledger.reserved()) == (0, 0, {})


def test_what_was_fetched_stays_where_it_is(world):
    """Its file is there, and so is its room."""
    post = begun(world, "fetched", "k")
    os.makedirs(os.path.join(world.volume.path, "a"))
    open(os.path.join(world.volume.path, "a", "k"), "w").close()
    after = failing(post, world, "k", ["failed"] * 3)
    assert (after.state, after.volume, world.volume.held) == (
        "failed", world.volume.path, charge(100))
    assert post.volume.rows == {"listed": 0, "fetched": 0}


def rotting(world, tries=0):
    """Return the Delivery after its file was found to have other bytes than were fetched."""
    post = begun(world, "fetched", "k", tries=tries, digest="d", proof="crc32")
    path = os.path.join(world.volume.path, "a", "k")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "w").close()
    after = failing(post, world, "k", ["mismatch"])
    assert os.path.exists(path) == bool(after.path)
    return after


def test_a_file_that_rots_is_fetched_anew(world):
    """It goes, and its room is that of what comes."""
    after = rotting(world)
    assert (after.state, after.volume, after.path, after.digest, after.proof, after.tries) == (
        "listed", world.volume.path, "", "", "", 1)
    assert (world.volume.dealt, world.volume.held) == (charge(100), 0)
    assert world.volume.rows == {"listed": 1, "fetched": 0}


@pytest.mark.parametrize("tries, is_shown", [(2, True), (0, False)])
def test_a_file_that_rots_stays(world, tries, is_shown):
    """If it was wrong as often as anything may be, or the source has not shown its version."""
    if not is_shown:
        world.ledger.is_listed = lambda name: False
    after = rotting(world, tries)
    assert (after.state, after.volume, after.path, after.tries) == (
        "mismatch", world.volume.path, "a/k", tries + 1)
    assert world.volume.held == charge(100)


def test_a_file_that_is_gone_is_fetched_again(world):
    post = begun(world, "fetched", "k")
    after = failing(post, world, "k", ["missing"])
    assert (after.state, after.volume) == ("listed", world.volume.path)
    assert (world.volume.rows, world.volume.held) == ({"listed": 1, "fetched": 0}, 0)
    after = failing(begun(world, "fetched", "l", tries=2), world, "l", ["missing"])
    assert (after.state, after.volume) == ("missing", ""), "not for ever"


# --- ends


def test_a_command_that_ends_with_a_fault_is_started_later_and_later(world):
    """It is said once for each reason; the side is asked whether it is its own."""
    post, waits, said = begun(world, "listed", "k"), [], []
    for number in range(8):
        post.half.has_failed, post.half.reason = True, "no room" if number < 5 else ""
        said.append(post.ended(post.half))
        begin = world.at
        while post.half is None:
            world.at += 0.5
            post.turn()
        waits.append(world.at - begin)
        post.turn()
        assert [each.key for each in post.half.out.values()] == ["k"]
    assert waits == [1, 2, 4, 8, 16, 32, LONGEST_WAIT, LONGEST_WAIT] and world.asked == 8
    name = f"s3-fetch on '{world.volume.path}'"
    assert said == [f"{name}: no room; it is started again", "", "", "", "",
                    f"{name}: ended with status 3; it is started again", "", ""]
    post.take(post.half, [back("k", "fetched")])
    post.half.has_failed, post.half.reason = True, "no room"
    assert post.ended(post.half), "after a success it is said anew"


def test_one_that_ended_well_or_was_stopped_says_nothing(world):
    post = begun(world, "listed", "k")
    assert post.ended(post.half) == "" and post.half is None
    post = world.post("listed")
    post.turn()
    post.half.stop()
    post.half.has_failed = True
    assert post.ended(Command([], {}, print)) == "" and post.half is not None
    assert post.ended(post.half) == "" and post.half is None and not world.asked


def test_one_that_fails_after_it_was_given_all_is_a_fault(world):
    """As where S3 does not know the key any more: not started at once, and the side is asked."""
    post = begun(world, "listed", "k")
    post.half.finish()
    post.half.has_failed, post.half.reason = True, "S3 says InvalidAccessKeyId"
    assert "InvalidAccessKeyId; it is started again" in post.ended(post.half)
    post.turn()
    assert post.half is None and world.asked == 1


def test_rows_without_a_delivery_change_nothing(world):
    post = begun(world, "listed", "k")
    assert post.take(post.half, [back("other", "fetched"), back("other", "failed")]) == []
    assert not post.suspects and delivery().name == found(world.ledger, "k").name


# --- what a command may not be given


def test_a_command_has_one_object_of_a_key(world):
    """The newer goes to another command: this one has the path and the target for the older."""
    post = begun(world, "listed", "k")
    given = post.half.out[1]
    world.ledger.record([given._replace(state="stored")])
    world.volume.count("listed", charge(100), -1)
    post.half.out.clear()
    newer = row("k")
    newer.etag = "newer"
    seen(world.ledger, newer)
    world.ledger.deal([(world.ledger.waiting(1 << 20, 1, True)[0], world.volume.path)])
    world.volume.count("listed", charge(100), 1)
    post.turn()
    first = post.half
    assert first.is_ending and not first.out
    post.ended(first)
    post.turn()
    post.turn()
    assert post.half is not first and [each.etag for each in post.half.out.values()] == ["newer"]


def test_the_last_rows_are_not_waited_with(world):
    """When nothing is to come a command is ended at once, with all the rows that it has."""
    post = begun(world, "listed", "k1", "k2")
    post.turn()
    assert not post.half.is_ending
    post.turn(is_last=True)
    assert post.half.is_ending and len(post.half.out) == 2
    put = begun(world, "fetched", "k3")
    put.turn(is_last=True)
    assert not put.half.is_ending, "two more are to come"
