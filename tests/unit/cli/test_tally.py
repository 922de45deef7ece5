"""What a command counts, and the status that follows."""

import threading
from types import SimpleNamespace

import pytest

from s3kit.cli.person import Person
from s3kit.cli.tally import Tally
from s3kit.manifest import row as rows

CALM = SimpleNamespace(prog="s3-fetch", quiet=False, verbose=False)


def row(state, error="", name="s3://b/k"):
    """Return what a Tally needs to know of a row."""
    return SimpleNamespace(state=state, error=error, name=name)


def test_rows_and_amounts_from_several_threads_are_all_counted():
    """Reader, pool and outbox count at once."""
    tally = Tally(CALM)

    def count():
        for _ in range(2000):
            tally.count(row(rows.FETCHED))
            tally.add("bytes", 3)
            tally.count(row(rows.FAILED))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ((tally.of(rows.FETCHED), tally.of(rows.FAILED), tally.rows(), tally.amount("bytes"))
            == (8000, 8000, 16000, 24000))


@pytest.mark.parametrize("states, status", [((), 0), ((rows.FETCHED,), 0),
                                            ((rows.FETCHED, rows.FAILED), 1),
                                            ((rows.UNVERIFIABLE,), 5),
                                            ((rows.UNVERIFIABLE, rows.MISMATCH), 1)])
def test_the_status_of_states(states, status):
    """1 outweighs 5."""
    tally = Tally(CALM)
    for state in states:
        tally.count(row(state))
    assert tally.status() == status


def test_the_summary_leaves_out_what_a_person_thought(monkeypatch):
    """Half a minute before a yes."""
    said = []
    tally = Tally(CALM)
    monkeypatch.setattr(Person, "thought", Person.thought + 30)
    tally.started -= 32
    tally.summary(SimpleNamespace(end=said.append), ["2 rows", ""])
    assert said == ["s3-fetch: 2 rows in 2.0 s"]


@pytest.mark.parametrize("verbose", [False, True])
def test_many_rows_at_once(capsys, verbose):
    """Are counted, and with -v named, as one after the other would be."""
    many = [row(rows.FETCHED), row(""), row(rows.FETCHED, name="s3://b/j")]
    one, all_at_once = (Tally(SimpleNamespace(**vars(CALM) | {"verbose": verbose})) for _ in "12")
    for each in many:
        one.count(each)
    said = capsys.readouterr().err
    all_at_once.count_all(many)
    assert all_at_once.states == one.states and capsys.readouterr().err == said
    assert bool(said) == verbose
