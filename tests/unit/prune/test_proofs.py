"""Whether a row's version may go: row, ledger's entry and file, as a table."""

from types import SimpleNamespace

import pytest

from s3kit.disk.ledger import Entry
from s3kit.manifest import row as rows
from s3kit.manifest.row import Row
from s3kit.prune import proofs
from s3kit.prune.proofs import BrokenProof, Rules
from s3kit.units import epoch_ns

TIME = "2026-01-01T12:00:00Z"
ROW = {"bucket": "b", "key": "k", "version_id": "v", "etag": "e", "size": "4",
       "last_modified": TIME, "state": rows.VERIFIED, "proof": "md5"}
FILE = SimpleNamespace(st_mode=0o100644, st_ino=7, st_size=4, st_mtime_ns=9)
ENTRY = Entry("b", "k", "v", "e", 4, TIME, "", "", "", "", "b/k", FILE.st_mtime_ns, 7, "", "md5",
              rows.VERIFIED, changed_at=TIME)


@pytest.mark.parametrize("changed, rules, why", [({}, {}, ""),
                                                 ({"state": rows.FETCHED}, {}, proofs.NOT_VERIFIED),
                                                 ({"state": rows.FETCHED}, {"fetched": True}, ""),
                                                 ({"state": ""}, {}, proofs.NOT_VERIFIED),
                                                 ({"state": rows.FAILED}, {}, rows.FAILED),
                                                 ({"state": rows.PRUNED}, {}, rows.PRUNED),
                                                 ({"state": rows.LOCKED}, {}, rows.LOCKED), (
                                                     {"is_delete_marker": "true", "state": ""}, {},
                                                     proofs.MARKER), (
                                                         {"is_delete_marker": "true", "state": ""},
                                                         {"markers": True}, ""), (
                                                             {"is_delete_marker": "true",
                                                              "state": "", "version_id": ""},
                                                             {"markers": True}, proofs.MARKER)])
def test_what_a_row_says_by_itself(changed, rules, why):
    assert proofs.why_not_considered(Row(**{**ROW, **changed}), Rules(**rules)) == why


@pytest.mark.parametrize("row, entry, status, rules, why", [
    ({}, {}, FILE, {}, ""), ({}, {"state": rows.PRUNED}, FILE, {}, ""),
    ({}, None, FILE, {}, "does not know"), ({}, {"path": ""}, FILE, {}, "does not know"),
    ({}, {"state": rows.FETCHED}, FILE, {}, "says that it is fetched"),
    ({}, {"state": rows.FETCHED}, FILE, {"fetched": True}, ""),
    ({}, {"state": rows.MISMATCH}, FILE, {"fetched": True}, "says that it is mismatch"),
    ({"etag": "x"}, {}, FILE, {}, "another object"),
    ({"size": "5"}, {}, FILE, {}, "another object"),
    ({"path": "b/x"}, {}, FILE, {}, "another object"),
    ({}, {"proof": "size"}, FILE, {}, "nothing but its size"),
    ({}, {"proof": "size"}, FILE, {"sized": True}, ""),
    ({}, {"proof": ""}, FILE, {"sized": True}, "nothing but"),
    ({}, {"proof": "given-md5"}, FILE, {"sized": True}, "a digest that was given"),
    ({}, {"proof": "given-md5"}, FILE, {"given": True}, ""),
    ({}, {"proof": "size"}, FILE, {"given": True}, "nothing but its size"),
    ({}, {}, None, {}, "has gone"), ({}, {"inode": 8}, FILE, {}, "was changed"),
    ({}, {"size": 5}, FILE, {}, "another"),
    ({}, {"mtime_ns": 5}, FILE, {}, "was changed")])
def test_why_a_proof_is_broken(row, entry, status, rules, why):
    known = None if entry is None else ENTRY._replace(**entry)
    found = proofs.why_broken(Row(**{**ROW, **row}), known, status, Rules(**rules))
    assert (why in found and isinstance(found, BrokenProof)) if why else found == ""


@pytest.mark.parametrize("row, entry, gone", [({}, {"state": rows.PRUNED}, True), ({}, {}, False),
                                              ({}, None, False),
                                              ({}, {"state": rows.PRUNED, "tries": 1}, False),
                                              ({"etag": "x"}, {"state": rows.PRUNED}, False), (
                                                  {"version_id": "null"}, {"state": rows.PRUNED},
                                                  True),
                                              ({"version_id": ""}, {"state": rows.PRUNED}, True), (
                                                  {"version_id": "",
                                                   "last_modified": "2026-01-01T14:00:00+02:00"},
                                                  {"state": rows.PRUNED}, True), (
                                                      {"version_id": "",
                                                       "last_modified": "2026-01-01T12:00:01Z"},
                                                      {"state": rows.PRUNED}, False), (
                                                          {"version_id": "", "last_modified": ""},
                                                          {"state": rows.PRUNED}, False), (
                                                              {"version_id": "", "etag": ""},
                                                              {"state": rows.PRUNED}, False)])
def test_only_what_s3_confirmed_is_gone(row, entry, gone):
    known = None if entry is None else ENTRY._replace(**entry)
    assert proofs.is_gone(Row(**{**ROW, **row}), known) is gone


@pytest.mark.parametrize("changed, since, stale", [({}, TIME, False),
                                                   ({}, "2026-01-01T12:00:01Z", True),
                                                   ({"changed_at": ""}, TIME, True), (
                                                       {"changed_at": "2026-01-01T12:00:00.500Z"},
                                                       TIME, False), (
                                                           {"path": "b/k/", "changed_at": ""}, TIME,
                                                           False)])
def test_what_is_read_back(changed, since, stale):
    assert proofs.is_stale(ENTRY._replace(**changed), epoch_ns(since)) is stale


def test_the_rules_of_a_command_line():
    args = SimpleNamespace(fetched=True, accept_proof=["size"], delete_markers=False,
                           noncurrent_only=True)
    rules = Rules.of(args)
    assert rules == (True, True, False, True, False)
    assert rules.accept("size") and not rules.accept("") and not rules.accept("given-md5")
    args.accept_proof = ["given"]
    assert Rules.of(args).accept("given-md5") and not Rules.of(args).accept("size")
