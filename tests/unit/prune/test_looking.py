"""Rows that are stored elsewhere: S3 is asked for their copy first, and what it says counts."""

import time
from datetime import datetime, timezone

import pytest
from unit.prune.conftest import S3, Access

from s3kit.errors import Fault, NoAccess
from s3kit.manifest.row import FAILED, LOCKED, PRUNED
from s3kit.prune import copies
from s3kit.prune.choice import DAY
from s3kit.prune.copies import ABSENT, SEEN, UNTOLD, Seen, Sought
from s3kit.prune.looking import TRIES
from s3kit.prune.removed import Removed
from s3kit.s3.verdicts import AGAIN, EXPIRED, FATAL

THERE = Seen(SEEN, etag="f" * 32, size=4)


def asked(s3):
    """Return what S3 was asked, in lists: keys, those of copies in brackets."""
    return [[f"[{job.key}]" if isinstance(job, Sought) else job.key for job in jobs]
            for jobs in s3.asked]


def test_what_is_stored_goes_when_its_copy_was_seen(destination, delete):
    """Together; no file is looked for; the ledger knows, where it knew the file."""
    rows = [destination.store("one"), destination.store("two")]
    destination.prove("two")
    (destination.path / "b" / "two").unlink()
    s3, seen = S3(before=lambda jobs: seen.append(destination.known("two"))), []
    deleting = delete(rows, s3)
    assert asked(s3) == [["[to/one]", "[to/two]"], ["one", "two"]]
    assert [(row.key, row.state) for row in delete.left] == [("one", PRUNED), ("two", PRUNED)]
    assert seen == [("verified", 0), (PRUNED, 1)] and destination.known("two") == (PRUNED, 0)
    assert deleting.summary()[0] == "2 rows deleted (8)"


@pytest.mark.parametrize("answers, error", [
    ([Seen(ABSENT)], copies.GONE), ([Seen(SEEN, etag="x", size=4)], copies.REPLACED),
    ([Seen(FAILED, "a page")], "cannot be looked at: a page"),
    ([Seen(AGAIN, "reset")] * TRIES, "cannot be looked at: reset")],
    ids=["gone", "replaced", "a page", "no answer"])
def test_what_is_not_there_keeps_its_source(destination, delete, answers, error):
    """And does not count for --max-delete."""
    rows, s3 = [destination.store("k")], S3({"to/k": answers[:]})
    destination.prove("k")
    deleting = delete(rows, s3)
    assert delete.left[0].state == FAILED and error in delete.left[0].error
    assert asked(s3) == [["[to/k]"]] * len(answers)
    assert destination.known("k") == ("verified", 0) and deleting.asked == 0


def test_what_fails_in_passing_is_asked_again(destination, delete):
    """The copy, and then the deletion, each as often as it may; and with new credentials."""
    s3 = S3({"to/k": [Seen(AGAIN, "reset")] * (TRIES - 1) + [Seen(EXPIRED, "old"), THERE],
             "k": [Removed(AGAIN, "reset")] * (TRIES - 1)})
    delete([destination.store("k")], s3, Access(fresh_ones=1))
    assert delete.left[0].state == PRUNED
    assert asked(s3) == [["[to/k]"]] * (TRIES + 1) + [["k"]] * TRIES
    assert s3.asked[-1][0].endpoint.generation == 1


@pytest.mark.parametrize("ago, options, state", [
    (60, {}, PRUNED), (DAY + 60, {}, FAILED),
    (DAY + 60, {"verified_since": datetime(2000, 1, 1, tzinfo=timezone.utc)}, PRUNED)])
@pytest.mark.parametrize("how", ["refused", "no such bucket", "no access"])
def test_where_nobody_may_look(destination, delete, ago, options, state, how):
    """What s3-put has written counts for a day, or since when it is told; people hear of it once.
    """
    bucket = {"no such bucket": "none", "no access": "closed"}.get(how, "far")
    rows = [destination.store(key, at=time.time() - ago, to_bucket=bucket) for key in ("j", "k")]
    for row in rows:
        row.extra["stored_at"] = row.extra["stored_at"].replace("far", bucket)
    s3 = S3({f"to/{key}": [Seen(UNTOLD, "AccessDenied")] for key in ("j", "k")})
    delete(rows, s3, Closed(), **options)
    assert {row.state for row in delete.left} == {state}
    warnings = [text for text in delete.tally.said if text.startswith("warning")]
    assert len(warnings) == (state == PRUNED)
    assert all("stored too long ago" in row.error for row in delete.left if state == FAILED)


class Closed(Access):
    """An Access to whose bucket `closed` nobody is let."""

    def endpoint(self, bucket):
        """Return a bucket's Endpoint."""
        if bucket == "closed":
            raise NoAccess("S3 says AccessDenied")
        return super().endpoint(bucket)


def test_what_s3_refuses_for_good(destination, delete):
    s3 = S3({"to/k": [Seen(FATAL, "S3 says InvalidAccessKeyId")]})
    with pytest.raises(Fault, match="InvalidAccessKeyId"):
        delete([destination.store("k")], s3)
    assert not delete.left


def test_what_s3_keeps(destination, delete):
    """The ledger goes back, as for files."""
    row = destination.store("k")
    destination.prove("k")
    delete([row], S3({"k": [Removed(LOCKED, "held", is_kept=True)]}))
    assert delete.left[0].state == LOCKED and destination.known("k") == ("verified", 0)


def test_another_object_of_the_name_stays_known(destination, delete):
    """The ledger's file of it is not taken for the only copy of what went."""
    row = destination.store("k")
    destination.prove("k")
    entry = destination.ledger.find("b", "k", "v")
    destination.ledger.record([entry._replace(etag="0" * 32)])
    delete([row], S3())
    assert delete.left[0].state == PRUNED and destination.known("k") == ("verified", 0)


def test_a_source_that_cannot_be_deleted_safely(destination, delete):
    """That it is stored does not make it safer."""
    row = destination.store("k", version_id="")
    row.version_id = ""
    delete([row], S3())
    assert row.state == FAILED and "names no version" in row.error


def test_what_goes_is_no_copy_any_more(destination, delete):
    """Before S3 hears of it: nobody deletes another source by its word."""
    destination.store("source", to_bucket="b", to_key="copy", to_version_id="v")
    destination.store("other", to_bucket="b", to_key="copy2", to_version_id="v")
    seen = []
    delete([destination.prove("copy")],
           S3(before=lambda jobs: seen.append(destination.uploads.at("b", "copy").far_proof)))
    assert seen == [""] and destination.uploads.at("b", "copy2").far_proof == "crc32"
