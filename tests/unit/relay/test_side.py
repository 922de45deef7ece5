"""Sides: whether they can be reached, and what people hear of it."""

import errno
import io
import json
import os
from argparse import Namespace
from types import SimpleNamespace

import pytest
from unit.relay.ends import OPTIONS

from s3kit.errors import Fault
from s3kit.relay import side as module
from s3kit.relay.side import DOWN, HOUR, LONGEST_WAIT, NOWHERE, UP, Side, environment

KEYS = ("AKID", "the/secret", "the-token")


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes when a test says so: its first item."""
    at = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: at[0])
    return at


@pytest.fixture
def side(clock):
    """The target, which notes what is said in `heard_by_people`, and whose questions do nothing."""
    said = []
    made = Side("target", ("b", "p/q/r"), Namespace(**OPTIONS), None, said.append)
    made.heard_by_people, made.asked = said, 0

    def probe():
        made.asked += 1
    made.probe = probe
    return made


def answered(side, verdict, why=""):
    """Ask, and take this answer; return what it returns."""
    side.is_asked = True
    return side.heard(verdict, why)


def test_the_folder():
    """The part of the prefix that copies lack."""
    for prefix, folder in (("", ""), ("p", ""), ("p/", "p/"), ("p/q/r", "p/q/"), ("/", "/")):
        made = Side("source", ("a", prefix), Namespace(**OPTIONS), None, print)
        assert made.folder == folder


def test_it_is_said_once_hourly_and_at_the_end(side, clock):
    assert side.is_up and answered(side, UP) and side.heard_by_people == []
    for _ in range(200):
        assert not answered(side, DOWN, "no route") and not side.is_up
        clock[0] += 60
    said = side.heard_by_people
    assert said[0] == "target: no route; waiting until it can be reached"
    assert said[1:] == [f"target: out since {hours} h 0 min: no route" for hours in (1, 2, 3)]
    assert answered(side, UP) and side.is_up and side.why == ""
    assert said[4:] == ["target: can be reached again, after 3 h 20 min"]
    answered(side, DOWN, "no DNS")
    assert len(said) == 6 and HOUR == 3600


def test_it_is_looked_at_more_and_more_rarely_but_each_minute(side, clock):
    """One question at a time, which is one of ours, too."""
    answered(side, DOWN, "x")
    times = []
    for _ in range(3000):
        clock[0] += 0.1
        before = side.asked
        side.look()
        side.look()
        if side.asked != before:
            times.append(clock[0])
            answered(side, DOWN, "x")
    gaps = [round(later - earlier) for earlier, later in zip([1000.0, *times], times)]
    assert gaps[:6] == [1, 2, 4, 8, 16, 32] and set(gaps[6:]) == {round(LONGEST_WAIT)}
    answered(side, UP)
    clock[0] += 1000
    side.look()
    assert side.asked == len(times), "nobody asks while it is up"


def test_one_question_at_a_time(side):
    side.ask()
    side.ask()
    assert side.asked == 1
    side.heard(UP, "")
    side.ask()
    assert side.asked == 2


def test_many_rows_that_say_it_are_one_outage(side, clock):
    """The next look is due as if one had said it."""
    for _ in range(100):
        side.go_out("S3 says SlowDown", True)
    assert len(side.heard_by_people) == 1 and side.next_look == clock[0] + 1


def test_what_no_question_shows_is_over_when_work_is_done(side, clock):
    """A target without room answers questions: people do not hear of each try."""
    side.go_out("S3 says InsufficientStorage", True)
    for number in range(20):
        clock[0] = side.next_look
        side.look()
        assert side.asked == number + 1
        assert side.heard(UP, "") and side.is_up and side.why, "it is tried"
        side.go_out("S3 says InsufficientStorage", True)
        assert not side.is_up
    assert len(side.heard_by_people) == 1 and side.next_look - clock[0] == LONGEST_WAIT
    side.worked()
    assert not side.is_up, "an answer of before"
    answered(side, UP)
    side.worked()
    assert side.is_up and side.why == "" and len(side.heard_by_people) == 2
    assert "again" in side.heard_by_people[1]
    side.worked()
    assert len(side.heard_by_people) == 2


def test_a_bucket_that_is_not_there_ends_it(side):
    with pytest.raises(Fault, match="target: no such bucket"):
        answered(side, NOWHERE, "no such bucket")


# --- the question


@pytest.mark.parametrize("out, err, answer", [
    (json.dumps([UP, ""]), "", (UP, "")),
    (json.dumps([DOWN, "no route"]), "noise", (DOWN, "no route")),
    ("", "Traceback\n  lines\nMemoryError\n", (DOWN, "MemoryError")),
    ("", "", (DOWN, "the question was killed"))])
def test_a_question_that_fails_is_an_answer(monkeypatch, out, err, answer):
    """Also one whose process was killed."""
    side = Side("target", ("b", "p/"), Namespace(**OPTIONS), KEYS, print)
    asked = []

    def run(argv, **options):
        asked.append((argv, options))
        return SimpleNamespace(stdout=out, stderr=err)
    monkeypatch.setattr(module.subprocess, "run", run)
    events = []
    side.hear = events.append
    side.probe()
    assert events == [("probed", side, *answer)]
    [(argv, options)] = asked
    assert not any(key in word for key in KEYS for word in (*argv, options["input"]))
    assert options["env"]["AWS_SECRET_ACCESS_KEY"] == KEYS[1]
    assert json.loads(options["input"]) == OPTIONS | {"bucket": "b", "prefix": "p/"}


@pytest.mark.parametrize("fault, verdict", [
    (None, UP), ("status", DOWN), ("missing", NOWHERE), ("denied", UP)])
def test_the_answer(fake, monkeypatch, capsys, fault, verdict):
    """Who may not list may still put."""
    fake.bucket("b")
    for name, value in (("AWS_ACCESS_KEY_ID", fake.access_key),
                        ("AWS_SECRET_ACCESS_KEY", fake.secret_key if fault != "status" else "x")):
        monkeypatch.setenv(name, value)
    if fault == "denied":
        fake.fault("status", times=None, status=403, code="AccessDenied")
    question = OPTIONS | {"endpoint_url": fake.url, "region": "us-east-1", "prefix": "",
                          "bucket": "none" if fault == "missing" else "b"}
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(question)))
    assert module.main() == 0
    found, why = json.loads(capsys.readouterr().out)
    assert found == verdict and bool(why) == (verdict != UP)


# --- keys


def test_keys_are_the_only_ones(monkeypatch):
    """What is in the environment belongs to somebody else."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
                 "AWS_SECURITY_TOKEN", "AWS_DEFAULT_PROFILE"):
        monkeypatch.setenv(name, "theirs")
    monkeypatch.setenv("AWS_CA_BUNDLE", "stays")
    env = environment(("id", "secret", ""))
    assert {name: value for name, value in env.items() if name.startswith("AWS_")
            and name not in ("AWS_CONFIG_FILE",)} == {
        "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_CA_BUNDLE": "stays"}
    assert environment(KEYS)["AWS_SESSION_TOKEN"] == "the-token"
    assert environment(None) == dict(os.environ)


def test_keys_are_in_no_words_and_in_no_repr():
    side = Side("target", ("b", ""), Namespace(**OPTIONS), KEYS, print)
    assert not any(key in text for key in KEYS for text in (repr(side), *side.words))


def test_where_no_process_can_be_had_it_is_out(side, monkeypatch):
    """As where there are too many: it is asked again, not never."""
    def run(*_, **__):
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    heard = []
    monkeypatch.setattr(module.subprocess, "run", run)
    side.hear = heard.append
    Side.probe(side)
    [(kind, _, verdict, why)] = heard
    assert (kind, verdict) == ("probed", DOWN) and "temporarily unavailable" in why
