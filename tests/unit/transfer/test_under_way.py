"""What an engine says of what it is at."""

from s3kit.transfer import under_way
from s3kit.transfer.put_job import Identity, PutJob
from s3kit.transfer.under_way import extent


def test_it_is_said_once_a_second(desk):
    """Of the job that has been longest at it, and when nothing is under way any more."""
    engine = desk.engine()
    for key in "kl":
        desk.fake.put("b", key, b"x" * 1000)
        desk.fake.fault("hang", key=key)
    engine.add(1, [desk.job(key="k"), desk.job(key="l")])
    engine.turn(0)
    watch, now = engine.under_way, engine.under_way.said_at
    assert watch.due(now + 0.5) is None
    requests, name, moved, size, seconds, total = watch.due(now + 1.5)
    assert (requests, name, moved, size, total) == (2, "k", 0, 1000, 0) and 0 < seconds < 3
    assert watch.due(now + 2) is None
    engine.wire.stop()
    assert watch.due(now + 3) == (0, "", 0, 0, 0.0, 0) and watch.due(now + 9) is None


def test_all_bytes_are_counted(desk):
    engine = desk.engine()
    desk.fake.put("b", "k", b"x" * 1000)
    desk.do(desk.job(), engine=engine)
    engine.notes()
    assert engine.under_way.total == 1000


def test_a_long_name_is_cut(desk, monkeypatch):
    """What is said goes into a file that is small."""
    monkeypatch.setattr(under_way, "LONGEST_NAME", 3)
    engine = desk.engine()
    desk.fake.put("b", "abcdef", b"x")
    desk.fake.fault("hang", key="abcdef")
    engine.add(1, [desk.job(key="abcdef")])
    engine.turn(0)
    assert engine.under_way.said(0)[1] == "abc"


def test_how_much_a_job_is_of(desk):
    """A range is of its own bytes, a file that goes up of its own; what is not known is 0."""
    job = desk.job()
    assert extent(job._replace(start=10, end=30)) == 20
    assert extent(job._replace(size=-1)) == 0 and extent(job._replace(size=7)) == 7
    assert extent(PutJob("put", "b", "k", "p", Identity(5, 0, 0, 0))) == 5
