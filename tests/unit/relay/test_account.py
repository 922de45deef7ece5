"""What people see of a run."""

from types import SimpleNamespace

import pytest
from unit.relay.rows import changed, row, seen

from s3kit.relay.account import Account
from s3kit.relay.deliveries import Deliveries


@pytest.fixture
def account(tmp_path):
    """An Account of one volume on which two rows are; `bar` is what the bar was told."""
    ledger = Deliveries(str(tmp_path / "relay.sqlite3"), "a")
    ledger.take_route("s3://a/", "s3://b/", "id")
    bar = []
    made = Account(ledger, [SimpleNamespace(rows={"fetched": 2, "listed": 1})], SimpleNamespace(
        expect=lambda size: bar.append(("expect", size)), move=lambda *of: bar.append(of)))
    made.bar = bar
    yield made
    ledger.close()


def test_the_bar(account):
    account.expect(100)
    account.expect(150)
    account.show()
    account.deliver(30)
    assert account.bar == [("expect", 100), ("expect", 50), (0, "2 rows on volumes, 0 delivered"),
                           (30, "2 rows on volumes, 1 delivered")]


def test_the_end(account):
    assert (account.summary()[0], account.status()) == ("nothing to deliver", 0)
    seen(account.deliveries, row("k"), row("l"))
    changed(account.deliveries, "k", state="stored")
    account.deliver(2048)
    assert [part for part in account.summary() if part] == ["1 row delivered (2.0K)", "1 row left"]
    assert account.status() == 1
    changed(account.deliveries, "l", state="unverifiable")
    account.rotten = 2
    assert account.summary()[1] == "2 rotten files fetched again"
    assert (account.summary()[3], account.status()) == ("1 unverifiable", 5)
