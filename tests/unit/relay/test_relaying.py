"""The run: who is told what, and when all is done; its processes are stubs that do all at once."""

import os
import queue
from argparse import Namespace
from types import SimpleNamespace

import pytest
from unit.relay.ends import OPTIONS
from unit.relay.rows import Place, changed, found, row, seen

from s3kit.errors import Fault
from s3kit.manifest.row import Row
from s3kit.relay import dealing, posts, relaying, source_listing
from s3kit.relay.deliveries import BLOCK, Deliveries, charge, delivery_of
from s3kit.relay.relaying import Relay
from s3kit.relay.side import Side
from s3kit.relay.volumes import Volume

CALLS = 400         # of check(), after which a run that should have ended has not


class Command:
    """A stub of a Half: it gives rows back at once, as `outcome(words, row)` says."""

    outcome = None

    def __init__(self, words, env, hear):
        self.words, self.hear, self.out, self.fed, self.names = words, hear, {}, 0, {}
        self.is_ending = self.is_stopped = self.has_failed = False

    def feed(self, deliveries, bucket):
        """Do all at once."""
        back = []
        for each in deliveries:
            self.fed += 1
            self.out[self.fed] = each
            made = each.row(bucket)
            made.extra = {"relay": str(self.fed)}
            made.state = {"fetch": "fetched", "put": "stored"}[self.words[0]]
            if made.state == "fetched":
                made.path = f"a/{made.key}"
            Command.outcome(self.words, made)
            back.append(made)
        self.hear(("rows", self, back))

    def finish(self):
        """End, after all that was given."""
        self.is_ending = True
        self.hear(("ended", self))

    def taken_back(self, row):
        """Return the Delivery of a Row."""
        return self.out.pop(int(row.extra["relay"]), None)


@pytest.fixture
def world(tmp_path, monkeypatch):
    """`relay(**plan)` makes a Relay of two volumes; `listed` are the source's rows, `said` what
    people hear, `outcome` what commands do to rows.
    """
    made = SimpleNamespace(said=[], listed=[], verdicts={}, calls=0)
    made.outcome = lambda words, row: None
    Command.outcome = lambda words, row: made.outcome(words, row)
    monkeypatch.setattr(posts, "Half", Command)
    monkeypatch.setattr(relaying, "stop_all", lambda halves: None)
    monkeypatch.setattr(relaying, "TURN_SECONDS", 0.001)
    monkeypatch.setattr(relaying, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(dealing, "SECONDS", 0.0)
    monkeypatch.setattr(posts.os.path, "lexists", lambda path: True)

    def listing(side, hear):
        hear(("listed", list(made.listed)))
        hear(("listing ended", True, ""))
        return SimpleNamespace(stop=lambda: None)
    monkeypatch.setattr(source_listing, "SourceListing", listing)
    monkeypatch.setattr(Side, "probe", lambda side: side.hear(
        ("probed", side, *made.verdicts.get(side.name, ("up", "")))))
    made.ledger = Deliveries(str(tmp_path / "relay.sqlite3"), "a")
    made.ledger.take_route("s3://a/x/", "s3://b/y/", "id")
    made.volumes = [Volume(str(tmp_path / name), 1 << 20, 0) for name in ("v", "w")]
    for volume in made.volumes:
        volume.begin("id", False)
        made.ledger.add_volume(volume.path)

    def check():
        made.calls += 1
        assert made.calls < CALLS, "it does not end"

    def relay(**plan):
        plan = Namespace(**{"by_size": True, "every": None, "round_size": None, "pool": ["-c1"],
                            "verbose": False} | plan)
        made.sides = [Side(name, address, Namespace(**OPTIONS), None, made.said.append)
                      for name, address in (("source", ("a", "x/y")), ("target", ("b", "z/")))]
        made.progress = SimpleNamespace(expected=0, moved=0)
        made.progress.expect = lambda size: bar(expected=size)
        made.progress.move = lambda size, text: bar(moved=size)
        return Relay(plan, made.sides, made.volumes, made.ledger,
                     (made.said.append, check, made.progress))

    def bar(**more):
        for name, size in more.items():
            setattr(made.progress, name, getattr(made.progress, name) + size)
    made.relay = relay
    yield made
    made.ledger.close()


def states(world):
    """Return {state: rows} of the ledger."""
    return {state: rows for state, (rows, _) in world.ledger.census().items()}


def on_volume(world, key, number=0, **fields):
    """Have the ledger know a row on a volume; return its Delivery."""
    seen(world.ledger, row(key))
    return changed(world.ledger, key, volume=world.volumes[number].path, path=f"a/{key}", **fields)


def test_all_is_delivered(world):
    world.listed = [row(f"k{number}", number * 1000) for number in range(50)]
    relay = world.relay()
    relay.run()
    assert (states(world), relay.status(), world.said) == ({"stored": 50}, 0, [])
    assert relay.summary()[0] == "50 rows delivered (1.2M)" and not any(relay.summary()[1:])
    assert world.progress.expected == world.progress.moved == sum(range(50)) * 1000
    for volume in world.volumes:
        assert (volume.dealt, volume.held, set(volume.rows.values())) == (0, 0, {0})
    again = world.relay()
    again.run()
    assert again.summary()[0] == "nothing to deliver" and again.status() == 0


def test_each_copy_is_named_on_demand(world):
    world.listed = [row("k")]
    world.outcome = lambda words, row: row.extra.update(stored_at="s3://b/z/k")
    world.relay(verbose=True).run()
    assert world.said == ["s3://a/k: s3://b/z/k"]


def test_what_the_commands_are_told(world):
    """The strip is what the source's prefix has up to its last slash."""
    commands = [post.words for post in world.relay().posts]
    assert [words[0] for words in commands] == ["fetch", "put"] * 2
    for words, volume in zip(commands, [each for each in world.volumes for _ in "12"]):
        assert f"--dest={volume.path}" in words and "-c1" in words
        assert ("--remove-local" in words) == (words[0] == "put")
    assert {"--to=s3://b/z/", "--strip=x/"} < set(commands[1])


def test_it_takes_up_what_was_left(world):
    """Room is counted as the ledger has it; what was dealt to a volume that is none any more waits
    again, what has come there is named.
    """
    on_volume(world, "dealt")
    on_volume(world, "fetched", 1, state="fetched")
    for key, state in (("lost", "listed"), ("far", "fetched")):
        on_volume(world, key)
        changed(world.ledger, key, volume="/elsewhere", state=state)
    relay = world.relay()
    relay.begin()
    assert [(volume.dealt, volume.held) for volume in world.volumes] == [
        (charge(100), 0), (0, charge(100))]
    assert found(world.ledger, "lost").volume == ""
    work = os.path.dirname(world.ledger.path)
    assert world.said == [
        "warning: 1 row fetched on '/elsewhere', which is not among the volumes (if it is lost: "
        f"s3-relay reset --lost /elsewhere -w {work})"]
    for volume in world.volumes:
        volume.dealt = volume.held = 0
        volume.rows = dict.fromkeys(volume.rows, 0)
    world.listed = list(map(row, ("dealt", "fetched", "lost", "far")))
    relay.run()
    assert states(world) == {"stored": 3, "fetched": 1} and relay.status() == 1
    assert "1 row left" in relay.summary()


def test_what_failed_at_the_target_is_put_by_the_next_run(world):
    """From where it is: nothing is fetched."""
    world.listed = [row("k")]
    world.outcome = lambda words, row: words[0] == "put" and fail(row)
    first = world.relay()
    first.run()
    assert (states(world), first.status()) == ({"failed": 1}, 1)
    assert "1 row failed" in first.summary()
    assert [line for line in world.said if "s3://a/k: no" in line] == ["s3://a/k: no"]
    for volume in world.volumes:
        volume.dealt = volume.held = 0
    world.outcome, done = lambda words, row: done.append(words[0]), []
    second = world.relay()
    second.run()
    assert (done, states(world), second.status()) == (["put"], {"stored": 1}, 0)
    assert sum(volume.held for volume in world.volumes) == 0


@pytest.mark.parametrize("wrong, status", [(1, 0), (2, 0), (3, 1), (99, 1)])
def test_a_file_that_rots_is_fetched_again(world, wrong, status):
    """As often as anything is tried; it is said, and counted."""
    world.listed, left = [row("k")], [wrong]

    def outcome(words, row):
        if words[0] == "put" and left[0]:
            left[0] -= 1
            fail(row, "mismatch", "the digest differs")
    world.outcome = outcome
    relay = world.relay()
    relay.run()
    assert relay.status() == status and set(states(world)) == {("stored", "mismatch")[status]}
    again = min(wrong, posts.TRIES - 1)
    assert relay.account.rotten == again and f"{again} rotten file" in relay.summary()[1]
    said = ["s3://a/k: the digest differs; it is fetched again"] * again + [
        "s3://a/k: the digest differs"] * status
    assert world.said == said
    assert sum(volume.held + volume.dealt for volume in world.volumes) == status * charge(100)


def test_what_was_overwritten_before_it_could_be_put(world):
    """The newer is delivered; the older, which the target would not take, has no room any more."""
    older, newer = row("k", etag="older"), row("k")
    on_volume(world, "other", state="failed", error="no")
    seen(world.ledger, older)
    changed(world.ledger, delivery_of(older, 1).name, volume=world.volumes[1].path, path="a/k",
            state="failed", error="no")
    world.listed = [newer]
    relay = world.relay()
    relay.run()
    assert states(world) == {"failed": 1, "vanished": 1, "stored": 1} and relay.status() == 1
    assert [volume.held for volume in world.volumes] == [charge(100), 0]


def test_what_has_rotten_before_its_source_was_seen(world):
    """It waits for the listing; the next run finds what has failed."""
    on_volume(world, "k", state="mismatch", tries=1, error="the digest differs")
    on_volume(world, "gone", state="fetched")
    world.listed, left = [row("k")], ["gone"]
    world.outcome = lambda words, row: row.key in left and words[0] == "put" and fail(
        row, "mismatch", "the digest differs")
    world.relay().run()
    assert states(world) == {"stored": 1, "mismatch": 1}
    assert world.said == [
        "s3://a/gone: the digest differs; it is fetched again if the source still has it"]
    left.clear()
    world.listed.append(row("gone"))
    for volume in world.volumes:
        volume.dealt = volume.held = 0
    world.relay().run()
    assert states(world) == {"stored": 2} and len(world.said) == 1


def fail(row, state="failed", error="no"):
    """Make a row fail."""
    row.state, row.error, row.path = state, error, row.path


@pytest.mark.parametrize("state, status, part", [
    ("failed", 1, "1 row failed"), ("mismatch", 1, "1 row failed"), ("vanished", 0, ""),
    ("unverifiable", 5, "1 unverifiable")])
def test_statuses(world, state, status, part):
    """What vanished is the source's own affair."""
    seen(world.ledger, row("k"))
    changed(world.ledger, "k", state=state)
    relay = world.relay()
    assert relay.status() == status and part in [text or "" for text in relay.summary()]


def test_a_row_that_fits_nowhere_fails_once(world):
    world.listed = [row("large", 2 << 20), row("small", 5)]
    relay = world.relay()
    relay.run()
    assert states(world) == {"failed": 1, "stored": 1} and relay.status() == 1
    [said] = world.said
    assert said.startswith("s3://a/large: 2.0M does not fit on any volume (the largest takes ")


def test_a_volume_that_is_away_is_said_and_waited_for(world, monkeypatch):
    """Also when it was away from the beginning; when it comes back, what fits nowhere is told."""
    away, world.listed = world.volumes[1], [row("large", 2 << 20), row("small", 5)]
    look = Volume.look

    def looked(volume):
        look(volume)
        if volume is away and world.calls < 20:
            volume.trouble = "'w' is not what it was: is it mounted?"
    monkeypatch.setattr(Volume, "look", looked)
    away.look()
    relay = world.relay()
    relay.run()
    assert world.said[0] == "'w' is not what it was: is it mounted?; what is there waits"
    assert f"'{away.path}' can be used again" in world.said and world.calls >= 20
    assert sum("is it mounted" in line for line in world.said) == 1
    assert states(world) == {"failed": 1, "stored": 1}


def test_rows_wait_for_room_that_others_will_give_back(world, monkeypatch):
    """Somebody else has filled the disks: with --once it waits, and says so once."""
    place = Place(4)
    monkeypatch.setattr("os.statvfs", lambda path: place)
    real = Place(1 << 20)
    monkeypatch.setattr(Volume, "capacity", lambda volume: 1 << 20)
    world.listed = [row("k", 10 * BLOCK)]
    relay = world.relay()
    check = relay.check

    def later():
        check()
        if world.calls == 30:
            vars(place).update(vars(real))
    relay.check = later
    relay.run()
    assert world.said == ["rows wait for room on the volumes"] and states(world) == {"stored": 1}


def test_rows_that_wait_for_the_room_of_failed_ones_are_left(world):
    """Nothing would ever give it back."""
    for number in (0, 1):
        on_volume(world, f"f{number}", number, state="unverifiable")
        changed(world.ledger, f"f{number}", size=(1 << 20) - 4 * BLOCK)
    world.listed = [row("k", 100 * BLOCK)]
    relay = world.relay()
    relay.run()
    assert states(world) == {"unverifiable": 2, "listed": 1} and relay.status() == 1
    assert "1 row left" in relay.summary()


def test_rounds_of_one_run(world):
    """With --once, too, it lists again until nothing waits."""
    world.listed = [row(f"k{number}", 100) for number in range(10)]
    world.relay(round_size=250).run()
    assert states(world) == {"stored": 10}
    assert world.ledger.one("SELECT listing FROM route") == (4,)


def test_a_side_that_is_out(world):
    """It is asked, said once, noted in the ledger, and no try is counted."""
    world.listed, world.verdicts["target"] = [row("k")], ("down", "no route")

    def outcome(words, row):
        if words[0] == "put" and world.verdicts["target"][0] == "down":
            fail(row, error="connection refused")
    world.outcome = outcome
    relay = world.relay()
    relay.begin()
    for _ in range(30):
        relay.turn()
    assert world.ledger.all("SELECT side, why FROM outage") == [("target", "no route")]
    assert states(world) == {"fetched": 1}
    assert world.said == ["target: no route; waiting until it can be reached"]
    world.verdicts["target"] = ("up", "")
    world.sides[1].next_look = 0
    while not relay.is_over():
        relay.turn()
    relay.look()
    assert states(world) == {"stored": 1} and found(world.ledger, "k").tries == 0
    assert world.ledger.all("SELECT * FROM outage") == [] and len(world.said) == 2


def test_no_such_bucket_ends_it(world):
    world.verdicts["target"] = ("nowhere", "there is no bucket 'b'")
    stopped, relay = [], world.relay()
    relay.stop = lambda: stopped.append(True)
    with pytest.raises(Fault, match="target: there is no bucket 'b'"):
        relay.run()
    assert stopped == [True]


def test_what_vanished_is_counted(world):
    seen(world.ledger, row("k"))
    for volume in world.volumes:
        volume.trouble = "x"
    relay = world.relay()
    relay.volumes = []
    relay.run()
    assert world.said == ["1 row vanished from the source before they were fetched"]
    assert relay.status() == 0


def test_it_goes_on_for_ever(world):
    """With --every it is never over."""
    relay = world.relay(every=60.0)
    relay.begin()
    for _ in range(20):
        relay.turn()
        assert not relay.is_over()


def test_many_events_are_taken_together_but_not_all(world):
    """Who brings more is held back; signals are heard between."""
    relay = world.relay()
    for number in range(90):
        relay.events.put(("listed", [Row(bucket="a", key=f"k{number}", size="1")]))
    with pytest.raises(queue.Full):
        for _ in range(20):
            relay.events.put_nowait(())
    assert len(list(relay.come())) == 65
