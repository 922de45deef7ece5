"""An engine: batches and their answers, what S3's refusals mean, and what the parent hears."""

import os
import socket

from s3kit.transfer import engine as module
from s3kit.transfer.engine import current_umask
from s3kit.transfer.job import FATAL, FULL, WRITTEN

# --- batches


def test_a_batch_comes_back_when_all_of_it_is_done(desk, engine):
    """In its order, whatever came of its jobs; one that waits holds up no other batch."""
    desk.fake.put("b", "k", b"body")
    desk.fake.fault("hang", key="k", times=1)
    engine.add(1, [desk.ask()])
    engine.add(2, [desk.job("local", etag="", path=path) for path in ("one", "full", "two")])
    assert engine.busy
    (ticket, outcomes), = engine.turn(0)
    assert ticket == 2
    assert [(one.state, one.error) for one in outcomes] == [
        ("done", "one"), (FULL, "No space left on device"), ("done", "two")]
    assert list(engine.batches) == [1] and engine.wire.active == 1


def test_only_so_many_requests_at_once(desk, engine):
    """As many as connections; the others follow."""
    desk.fake.put("b", "k", b"body")
    engine.add(1, [desk.ask() for _ in range(9)])
    most, done = 0, []
    while not done:
        done = engine.turn(0.5)
        most = max(most, engine.wire.active)
        assert engine.wire.active <= 4
    assert most == 4 and [one.state for one in done[0][1]] == ["done"] * 9
    assert not engine.busy


def test_a_turn_ends_when_the_parent_says_something(desk, engine):
    """Though S3 says nothing."""
    desk.fake.put("b", "k", b"body")
    desk.fake.fault("hang", key="k")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        engine.watch(theirs.fileno())
        engine.add(1, [desk.ask()])
        ours.send(b"x")
        assert engine.turn(1000) == []


def test_what_takes_long_to_load_is_loaded_while_s3_is_waited_for(desk, engine, monkeypatch):
    """And not where nothing needs it."""
    loaded = []
    monkeypatch.setattr(module, "crc_function", loaded.append)
    desk.fake.put("b", "k", b"body")
    desk.fake.fault("hang", key="k", times=None)
    for checksum_type, then in (("COMPOSITE", []), ("FULL_OBJECT", ["crc64nvme"])):
        engine.add(checksum_type, [desk.ask(checksum_type=checksum_type)])
        for _ in range(3):
            assert engine.turn(0) == []
        assert loaded == then


def test_a_destination_that_cannot_be_used(desk):
    """It is every job's outcome: the parent found it good."""
    desk.folder.write_bytes(b"")
    outcomes = desk.do(desk.job(etag=""), desk.job(etag=""))
    assert {(one.state, one.error) for one in outcomes} == {
        (FATAL, f"cannot use the destination '{desk.folder}': File exists")}
    assert desk.fake.log == []


# --- what the parent hears


def test_bytes_are_counted(desk, engine, monkeypatch):
    """Those of bodies at once, those of files at times; each once."""
    desk.fake.put("b", "k", bytes(1000))
    assert desk.do(desk.job(), engine=engine).state == WRITTEN
    assert engine.notes() == [("moved", 1000)] and engine.notes() == []
    engine.read = 500
    assert engine.notes() == []
    engine.read_at -= module.READ_SECONDS + 1
    assert engine.notes() == [("read", 500)] and engine.notes() == [] and engine.read == 0


def test_answers_that_take_long(desk, engine):
    """That they are waited for is said at times, as long as nothing comes."""
    desk.fake.put("b", "k", b"body")
    desk.fake.fault("hang", key="k", times=2)
    engine.add(1, [desk.ask(), desk.ask()])
    engine.turn(0)
    assert engine.notes() == []
    for _ in range(2):
        engine.waited_at -= module.WAITING_SECONDS + 1
        assert engine.notes() == [("waiting", 2)] and engine.notes() == []


def test_bodies_share_the_memory(desk, monkeypatch):
    """No more begin than fit into it; one that alone is too large does."""
    for key in "kabcde":
        desk.fake.put("b", key, b"x" * 1000)
    monkeypatch.setattr(module, "HELD_BYTES", 2500)
    desk.fake.latency = 0.05
    engine = desk.engine(connections=9)
    engine.add(1, [desk.job(key=key) for key in "abcde"])
    engine.turn(0)
    assert engine.wire.active == 2 and engine.held == 2000
    while not engine.turn(0.5):
        assert engine.wire.active <= 2
    assert engine.held == 0
    monkeypatch.setattr(module, "HELD_BYTES", 10)
    assert desk.do(desk.job(), engine=engine).state == WRITTEN


def test_a_rate_is_kept(desk):
    """A body is paused when its share is used up, and goes on later; none is lost."""
    body = os.urandom(2 << 20)
    desk.fake.put("b", "k", body)
    engine = desk.engine(rate=1000.0)
    engine.add(1, [desk.job()])
    while not engine.rate.halted:
        assert engine.turn(0.5) == []
    moved = engine.moved
    assert 0 < moved < len(body) and engine.rate.tokens < 0
    for _ in range(3):
        assert engine.turn(0.02) == [] and engine.moved == moved
    engine.rate.most = engine.rate.tokens = 1e12      # time passes
    while not (done := engine.turn(0.5)):
        pass
    assert done[0][1][0].state == WRITTEN and engine.moved == len(body)


# --- the end


def test_breaking_off_leaves_only_what_can_be_resumed(desk):
    """A half object is of no use; a whole one that waits for its name is kept for the next run."""
    desk.fake.put("b", "k", b"body")
    desk.fake.put("b", "half", bytes(1 << 20))
    desk.fake.fault("stall", key="half")
    engine = desk.engine()
    whole = desk.do(desk.job(), engine=engine)
    engine.add(2, [desk.job(key="half")])
    while not engine.moved > 4:
        engine.turn(0.5)
    assert len(os.listdir(engine.tree.parts)) == 2
    engine.close()
    assert os.listdir(engine.tree.parts) == [whole.path]
    assert not engine.wire.active and not engine.unnamed.held


def test_the_umask_is_what_it_was():
    before = os.umask(0o027)
    try:
        assert current_umask() == 0o027 == os.umask(0o027)
    finally:
        os.umask(before)
