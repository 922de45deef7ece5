"""Where buckets are, for people and as JSON."""

import json

import pytest
from unit.migrate.conftest import row, write

from s3kit.migrate import standing
from s3kit.migrate.phases import DELETE, FETCH, RESTORE, SCAN, VERIFY

ARCHIVED = row(state="listed", storage_class="GLACIER")


@pytest.mark.parametrize("phases, found, deleting, status", [
    ([], [], True, "scan"), ([SCAN], [row(state="listed", storage_class="STANDARD")], True,
                             "fetch"),
    ([SCAN], [ARCHIVED], True, "restore"), ([SCAN, RESTORE], [ARCHIVED], True, "fetch"),
    ([SCAN, FETCH], [row(state="fetched")], True, "verify"),
    ([SCAN, FETCH, VERIFY], [row()], True, "proven"),
    ([SCAN, FETCH, VERIFY], [row()], False, "complete"),
    ([SCAN, FETCH, VERIFY], [row(state="failed")], True, "not proven"),
    ([SCAN, FETCH, VERIFY, DELETE], [row()], True, "not deleted"),
    ([SCAN, FETCH, VERIFY, DELETE], [row(state="pruned")], True, "complete")])
def test_the_phase_that_comes_next(folder, phases, found, deleting, status):
    for phase in phases:
        write(folder, phase, *found)
    facts = standing.facts_of(folder, deleting)
    assert facts["status"] == status and facts["complete"] is (status == "complete")
    assert facts["bucket"] == "b" and facts["rows"] == len(found) * bool(phases)


def test_the_facts(folder):
    """Of the manifest of the last phase that has ended."""
    write(folder, SCAN, row(state="listed"))
    write(folder, FETCH, row(state="fetched"), row(state="failed", size="2048"))
    facts = standing.facts_of(folder, True)
    assert facts == {"bucket": "b", "status": "verify", "complete": False, "rows": 2,
                     "bytes": 2052, "wrong": 1, "states": {"fetched": 1, "failed": 1}}
    assert [json.loads(line) for line in standing.objects([facts, facts])] == [facts] * 2


def test_the_table():
    """Columns as wide as their widest; numbers to the right."""
    facts = [{"bucket": "b", "status": "not deleted", "rows": 1234, "bytes": 1024, "wrong": 0,
              "states": {"verified": 1000, "failed": 234}},
             {"bucket": "photos", "status": "scan", "rows": 0, "bytes": 0, "wrong": 0,
              "states": {}}]
    assert standing.table(facts) == [
        "BUCKET STATUS       ROWS SIZE WRONG STATES",
        "b      not deleted 1,234 1.0K     0 234 failed, 1,000 verified",
        "photos scan            0    0     0"]
