"""s3-policy backup: what is live is kept, letter by letter."""

import json

from policyruns import OLD, backups

from s3kit.policy.directory import BACKUP


def test_what_is_kept(place, run):
    """Also that there is none, and what cannot be read; where, is printed."""
    for text in (json.dumps(OLD, indent=7), "{ broken", None):
        place.bucket("b").policy = text
        status, out, err = run("backup", "b")
        (newest, *_) = backups()
        assert (status, out, err) == (0, newest.path + "\n", "")
        assert (newest.text, newest.next, newest.why) == (text, None, BACKUP)
    assert len(backups()) == 3 and not place.requests(method="PUT")
    assert json.loads(run("backup", "c", "--json")[1]) == {
        "bucket": "c", "state": "kept", "path": backups("c")[0].path}


def test_what_cannot_be_read_is_not_kept(place, run):
    """The others are; the status says that one is not."""
    place.fault("status", key="", method="GET", bucket="b", times=None, status=403,
                code="AccessDenied")
    status, out, err = run("backup", "b", "c")
    assert status == 1 and "b: S3 says AccessDenied" in err and out.count("\n") == 1
    assert not backups() and len(backups("c")) == 1


def test_a_backup_is_not_what_apply_put(place, run):
    """rollback does not take it for what was live before."""
    run("backup", "b")
    assert "apply has kept no backup" in run("rollback", "b", "--yes")[2]
