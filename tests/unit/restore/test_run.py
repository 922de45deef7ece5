"""The run: the question before money is spent, and how rows go through the stage."""

from types import SimpleNamespace

import pytest
from rowruns import people_of, streams_of

from s3kit.errors import Cut, Fault, NoCredentials
from s3kit.manifest.row import Row
from s3kit.restore import run as module
from s3kit.restore.run import run

OPTIONS = {
    "prog": "s3-restore", "scheduler": None,
    "quiet": False, "verbose": False, "in_place": False, "rules": None,
    "min_size": None, "max_size": None, "newer": None, "older": None, "storage_class": None,
    "prices": None, "days": 7, "tier": "Standard", "fallback": None, "max_pending": 100,
    "max_pending_size": None, "connections": 4, "wait": False, "poll": 60.0, "dry_run": False,
    "again": False,
    "profile": None, "region": None, "endpoint_url": "http://127.0.0.1:9", "no_sign_request": True,
    "request_payer": None, "ca_bundle": None, "no_verify_ssl": False, "read_timeout": 300}


class Person:
    """Says yes or no; `shown` has the lines and questions."""

    def __init__(self, says):
        self.says, self.shown = says, []

    def show(self, line):
        """Show a line."""
        self.shown.append(line)

    def __call__(self, question):
        """Ask."""
        self.shown.append(question)
        return self.says


def done(rows, ask=None, cut=None, **options):
    """Run s3-restore on rows; return (what run returns, [(key, state)] of the rows that left)."""
    source, sink, left = streams_of([rows], cut)
    args = SimpleNamespace(**OPTIONS | options)
    return run(args, (source, sink), people_of(args), ask), left


ROWS = [Row("b", "cold", size="5", storage_class="GLACIER", state="listed"),
        Row("b", "warm", size="7", storage_class="STANDARD", state="listed")]


def test_who_says_no_pays_nothing():
    """All rows go on as they came; the status says that something is to do."""
    ask = Person(False)
    ended, left = done(ROWS, ask)
    assert left == [("cold", "listed"), ("warm", "listed")]
    assert ask.shown[-1] == "Ask S3 for 1 object (5)?" and ask.shown[0].startswith("GLACIER")
    assert ended.status() == 1 and "1 row not asked for" in ended.summary()


def test_no_question_where_nothing_costs():
    """S3 is not even asked where the rows need nothing."""
    ask = Person(False)
    ended, left = done(ROWS[1:], ask)
    assert left == [("warm", "listed")] and not ask.shown
    assert ended.status() == 0 and ended.summary() == ["0 rows restored", 0, 0, 0]


@pytest.mark.parametrize("dry_run, wanted", [(False, [("warm", "listed")]), (True, [])])
def test_what_is_not_its_own(dry_run, wanted):
    """It leaves, but not in a dry run, which writes what S3 would be asked for."""
    assert done(ROWS[1:], dry_run=dry_run)[1] == wanted


def test_a_cut_input_asks_no_question():
    """The estimate would not be true."""
    ask = Person(True)
    with pytest.raises(Cut):
        done(ROWS, ask, Cut("the input was cut"))
    assert not ask.shown


def test_prices_are_read_before_anything_is_asked():
    """Also where they are not needed."""
    with pytest.raises(Fault, match="cannot use the prices in '/none'"):
        done(ROWS, prices="/none")


def test_a_person_may_say_yes(monkeypatch):
    """Then S3 is asked, as soon as that can be done."""
    class Access:
        fresh = renew = staticmethod(lambda *_: [])

        def __init__(self, args, at_once):
            pass

        def endpoint(self, bucket):
            raise NoCredentials(f"no credentials for '{bucket}'")

    monkeypatch.setattr(module, "Access", Access)
    ask = Person(True)
    with pytest.raises(NoCredentials, match="no credentials for 'b'"):
        done(ROWS, ask)
    assert ask.shown


def test_the_rows_wait_on_disk():
    """In their order, as lists."""
    spool = module.Spool()
    for number in range(200):
        spool.add(number)
    found = list(module.drain(spool))
    assert [number for some in found for number in some] == list(range(200)) and len(found) > 1
