"""What tests of s3-migrate's parts share: a work directory whose folders hold manifests."""

from types import SimpleNamespace

import pytest

from s3kit.manifest.csv_form import Writer
from s3kit.manifest.row import COLUMNS, Row
from s3kit.migrate.folder import Folder

TIME = "2026-01-01T12:00:00Z"
OPTIONS = {"all_buckets": False, "exclude_bucket": [], "yes": [], "no_delete": False,
           "current_only": False, "rescan": False, "no_restore": False, "quiet": False,
           "verbose": False, "jobs": 3, "connections": 5, "retries": 7, "limit_rate": 0,
           "days": None, "tier": None, "max_pending": None, "max_pending_size": None, "poll": None,
           "profile": None, "region": None, "endpoint_url": None, "request_payer": None,
           "ca_bundle": None, "no_sign_request": False, "no_verify_ssl": False,
           "read_timeout": 300, "dest": "d", "work": None}


def options(**changed):
    """Return the options of a command line."""
    return SimpleNamespace(**OPTIONS | changed)


def row(key="k", **columns):
    """Return a verified row of bucket `b`."""
    return Row("b", key, **{"version_id": "v", "size": "4", "last_modified": TIME, "etag": "e",
                            "state": "verified", "proof": "md5"} | columns)


def write(folder, phase, *rows, end=True):
    """Write the manifest of a phase, as a command leaves it, or without its end mark."""
    folder.make()
    writer = Writer()
    text = writer.text([list(COLUMNS)]) + writer.rows(rows)
    with open(folder.file(phase), "wb") as file:
        file.write(b"#s3kit manifest 1\n" + text + (b"#end rows=%d\n" % len(rows) if end else b""))


@pytest.fixture
def folder(tmp_path):
    """The Folder of bucket `b`, not made yet."""
    return Folder(tmp_path / "work", "b", lambda: None)
