"""The commands of each phase, and that each understands its words."""

import importlib
import os

import pytest
from unit.migrate.conftest import options

from s3kit.migrate.phases import ASK, DELETE, FETCH, NOW, RESTORE, SCAN, VERIFY
from s3kit.migrate.pipelines import Pipelines
from s3kit.pipeline.processes import s3_words, words_of

EVERYTHING = {"quiet": True, "verbose": True, "limit_rate": 1000, "days": 3, "tier": "Bulk",
              "max_pending": 9, "max_pending_size": 1 << 40, "poll": "5s", "profile": "p",
              "region": "eu-1", "endpoint_url": "http://e", "request_payer": "requester",
              "ca_bundle": "/ca", "no_sign_request": True, "no_verify_ssl": True}


def pipeline(phase, **changed):
    """Return the pipeline of a phase that reads IN and leaves OUT."""
    return Pipelines(options(**changed), "b").of(phase, "OUT", "IN", "2026-01-01T00:00:00Z")


@pytest.mark.parametrize("phase, names", [(SCAN, ["manifest"]), (NOW, ["manifest"]),
                                          (ASK, ["fetch", "restore"]),
                                          (RESTORE, ["fetch", "restore", "fetch"]),
                                          (FETCH, ["fetch"]), (VERIFY, ["verify"]),
                                          (DELETE, ["prune"])])
@pytest.mark.parametrize("changed", [{}, EVERYTHING], ids=["plain", "everything"])
def test_each_command_understands_its_words(phase, names, changed):
    """The first reads the manifest before, the last leaves this one's."""
    stages = pipeline(phase, **changed)
    assert [words[0] for words in stages] == names
    for at, (name, *words) in enumerate(stages):
        args = importlib.import_module(f"s3kit.commands.{name}").build_parser().parse_args(words)
        assert (args.output == "OUT") is (at == len(stages) - 1)
        if name == "manifest":
            assert args.file == ["s3://b"] if hasattr(args, "file") else words[-1] == "s3://b"
        else:
            assert args.file == (["IN"] if at == 0 else [])


def test_what_is_handed_on():
    """To each the options that it has, as they were given."""
    first, restore, last = pipeline(RESTORE, **EVERYTHING)
    assert first == ["fetch", "--quiet", "--verbose", *s3_words(options(**EVERYTHING)),
                     "--connections=5", "--jobs=3", f"--dest={os.path.abspath('d')}", "--retries=7",
                     "--limit-rate=1000", "IN"]
    assert restore[-6:] == ["--days=3", "--tier=Bulk", "--max-pending=9",
                            f"--max-pending-size={1 << 40}", "--poll=5s", "--wait"]
    assert last == [*first[:-1], "--output=OUT"]


def test_the_archive_is_asked_and_not_waited_for():
    assert not [words for words in pipeline(ASK) if "--wait" in words]
    assert [words for words in pipeline(RESTORE) if "--wait" in words]


@pytest.mark.parametrize("current_only", [True, False])
def test_what_is_scanned(current_only):
    words, = pipeline(SCAN, current_only=current_only)
    assert ("--versions" in words) is not current_only


def test_what_was_verified_since_the_scan_is_not_read_again():
    words, = pipeline(VERIFY)
    assert "--verified-since=2026-01-01T00:00:00Z" in words


def test_a_deletion_asks_nobody():
    """The question was s3-migrate's own."""
    words, = pipeline(DELETE)
    assert "--yes" in words and "--delete-markers" in words


def test_options_that_were_not_given_are_not_handed_on():
    assert words_of(options(days=None, tier="", poll="1m"), "days", "tier", "poll") == ["--poll=1m"]
    assert s3_words(options()) == [] and s3_words(options(no_verify_ssl=True)) == [
        "--no-verify-ssl"]
