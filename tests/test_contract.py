"""What every command promises (s3kit(7)): each promise one test over every command.

Where a promise cannot apply to a command, the table beside the test says why. The commands run as
people run them: bin/s3-*, in sessions of their own, on pipes, files and pseudo-terminals.
"""

import base64
import fcntl
import gzip
import importlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import sqlite3
import stat
import struct
import termios
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import pytest
import zstandard
from certificates import self_signed
from contract import (
    ASKERS,
    BODIES,
    BUCKET,
    COMMANDS,
    FAR,
    FETCH,
    FILTER,
    FROZEN,
    HEAD,
    INSTEAD,
    LIMIT,
    LIST,
    MANIFEST,
    MIGRATE,
    NOBODY,
    PASSERS,
    POOLED,
    PROOF,
    PRUNE,
    PUT,
    READERS,
    RESTORE,
    RESTORES,
    STARTED,
    STATES,
    VERIFY,
    WAIT,
    Running,
    World,
    lines_of,
    marked,
    one_fault,
    over,
    parsed,
    quoted,
    read,
    some_rows,
    treats,
    until,
    xml,
)
from conftest import KEPT, SERVERS
from fakes3 import CHARACTERS, Credential, FakeS3
from fakes3.store import Upload

from s3kit.disk import lock
from s3kit.disk.paths import path_of
from s3kit.manifest import row as rows
from s3kit.manifest.stored_at import copy_of

# What a command may say when a signal ends it, once it has counted rows.
ENDED = re.compile(r"(s3-\w+: (interrupted|stopped); [\d,]+( of [\d,]+)? rows? done; [a-z ]+\n)?")

NAMES = [command for command in COMMANDS if " " not in command]
# they have no rows: held to what goes for all, see the end of this file
TALKERS = ("s3-policy", "s3-doctor")
RELAY = "s3-relay"      # its rows are its own: see tests/commands/test_relay.py
# It passes no rows on but those with errors: see tests/commands/test_status.py.
STATUS = "s3-status"
STAYS = {command: set(BODIES) - set(FROZEN) if command in RESTORES else set()
         for command in COMMANDS}  # what needs nothing
DAY = 86400
PROMISED = 3  # seconds to stop after a signal: 2 are promised, 1 is the machine's

# What could act on a terminal: ESC, OSC, CR, a line of its own, C1, bidirectional controls.
HOSTILE = ("esc\x1b[31mred", "osc\x1b]0;title\x07", "cr\rs3-fetch: gone", "nl\nall is well",
           "c1\x9b31m", "bidi\u202etxt.exe")
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def pytest_generate_tests(metafunc):
    """Run what talks to a server against each character of the fake, too."""
    if "character" in metafunc.fixturenames:
        metafunc.parametrize("character",
                             [pytest.param(None, id=pytest.HIDDEN_PARAM), *CHARACTERS])


@pytest.fixture(autouse=True)
def kept(request, record_property):
    """Tell the table of servers of each promise, by the command that makes it; see conftest."""
    of = getattr(request.node, "callspec", None)
    if of and of.params.get("character") and "command" in of.params:
        server, command = of.params["character"], of.params["command"]
        status, state, _ = INSTEAD.get((server, command), (0, "", ""))
        instead = [(command, state or f"status {status}")] if status else []
        record_property(SERVERS, [("server", server), *instead, (command, KEPT)])


@pytest.fixture(autouse=True)
def house():
    """Hold every test to its time, and to leaving no process behind."""
    STARTED.clear()
    guard = threading.Timer(3 * LIMIT, lambda: [each.kill() for each in STARTED])
    guard.start()
    yield
    guard.cancel()
    left = {running.process.args[0]: pids for running in list(STARTED) if (pids := running.end())}
    assert not left, "processes were left behind"


@pytest.fixture
def world(request, tmp_path, shims, fake):
    """A World with a strict fake, made for the test's command."""
    callspec = getattr(request.node, "callspec", None)
    return World(tmp_path, shims, fake, callspec and callspec.params.get("command"))


def test_the_ledger_of_these_tests_is_s3_verifys(tmp_path, shims):
    """What World.prove writes for s3-prune is what a run of s3-verify leaves, as far as s3-prune
    looks at it.
    """
    with FakeS3() as s3:
        worlds = [World(tmp_path / command, shims, s3, command) for command in (VERIFY, PRUNE)]
        assert worlds[0].run(worlds[0].usual(VERIFY)).status == 0
    made, left = ({entry.key: (entry[:5], entry.path, entry.state, entry.proof,
                               entry.is_file((each.there / entry.path).stat())) for entry
                   in each.ledger().find_all([(BUCKET, key, "") for key in BODIES]).values()}
                  for each in worlds)
    assert made == left and len(made) == 3


# ---------------------------------------------------------------------------------------------------
# 1. stdin is the manifest if no FILE or `-`; a terminal there is a usage error with a hint

@pytest.mark.parametrize("files", ([], ["-"]), ids=("no FILE", "-"))
@pytest.mark.parametrize("command", READERS)
def test_stdin_is_the_manifest(world, tmp_path, command, files):
    data = world.manifest(command)
    done = world.run(world.words(command, *files), input=data)
    assert ((done.status, sorted(row.key for row in parsed(done.out, tmp_path)))
            == (world.status, sorted(BODIES))), done.err


@pytest.mark.parametrize("command", (LIST, MIGRATE))
def test_who_reads_no_manifest_leaves_stdin_alone(world, command):
    """It must not eat what is meant for another."""
    done = world.shell(f"{shlex.join(world.usual(command))} >/dev/null; cat", input=b"for others")
    assert (done.status, done.out) == (0, b"for others")


@pytest.mark.parametrize("files", ([], ["-"], ["by hand 1.csv", "-"]),
                         ids=("no FILE", "-", "beside a file"))
@pytest.mark.parametrize("command", READERS)
def test_terminal_on_stdin_is_a_usage_error(world, command, files):
    world.by_hand(f"{BUCKET},a.txt")
    if command == MANIFEST and len(files) == 2:
        files = files[1:] + files[:1]       # it reads one source after the other
    done = world.run(world.words(command, *files), terminal="0", cwd=world.folder, seconds=5)
    assert done.status == 2 and not done.out
    assert "s3://" in lines_of(command, done.err)[0], "no hint"


# ---------------------------------------------------------------------------------------------------
# 2. stdout carries the manifest, and nothing else

@pytest.mark.parametrize("command", READERS)
def test_stdout_is_a_manifest(world, tmp_path, command):
    csv, xml = world.side_by_side(*({"words": [*world.usual(command), "-v", "-f", form]}
                                    for form in ("csv", "xml")))
    assert (csv.status, xml.status) == (world.status, world.status)
    assert csv.out.startswith(b"#s3kit manifest 1\n") and xml.out.startswith(b"<manifest ")
    for done in (csv, xml):
        assert {row.key for row in parsed(done.out, tmp_path)} == set(BODIES)


def test_stdout_of_s3_list_is_names(world):
    """s3-list makes no manifest: its stdout has the names, and with --json an object a line."""
    plain, objects = world.side_by_side(*({"words": [*world.usual(LIST), option]}
                                          for option in ("-v", "--json")))
    assert plain.out.decode().splitlines() == sorted(BODIES)
    assert [json.loads(line)["key"] for line in objects.out.splitlines()] == sorted(BODIES)


# What these make is what people want to see on a terminal.
ON_TERMINAL = {LIST: "", MANIFEST: "", FILTER: "", FETCH: "3 rows fetched",
               VERIFY: "3 rows verified", PUT: "3 rows stored", RESTORE: "2 rows asked for",
               WAIT: "2 rows restored", PRUNE: "3 rows deleted",
               MIGRATE: "1 of 1 bucket complete"}


@pytest.mark.servers
@pytest.mark.parametrize("command", COMMANDS)
def test_terminal_on_stdout_gets_a_summary(world, command):
    calls = [{"words": [*world.usual(command), *quiet], "terminal": "12"} for quiet in ([], ["-q"])]
    if command == PRUNE:        # what one deletes is gone before for the other
        done, quiet = (world.side_by_side(call)[0] for call in calls)
    else:
        done, quiet = world.side_by_side(*calls)
    if not (world.ended(done) and world.ended(quiet)):
        assert "#s3kit" not in done.screen
    elif ON_TERMINAL[command]:
        assert ("#s3kit" not in done.screen and ON_TERMINAL[command] in done.screen
                and quiet.screen == "")
    else:
        assert all(key in done.screen and key in quiet.screen for key in BODIES)


@pytest.mark.parametrize("command", (RESTORE, WAIT, PRUNE))
def test_what_costs_or_deletes_is_not_begun_with_nobody_to_ask(world, command):
    """On a terminal that is not ours to ask on, and without --yes."""
    words = [word for word in world.usual(command) if word != "--yes"]
    one_fault(command, world.run(words, terminal="1"), 2, "--yes")
    assert not world.s3.log


@pytest.mark.parametrize("command", READERS)
def test_o_dash_insists(world, tmp_path, command):
    data = world.manifest(command)
    done = world.run([*world.words(command), "-o", "-"], input=data, terminal="1")
    assert {row.key for row in parsed(done.screen.encode(), tmp_path)} == set(BODIES)


# ---------------------------------------------------------------------------------------------------
# 3. stderr is for people

def faulty(world, command):
    """Return the words of a call in which two things go wrong, each said in a line."""
    if command == LIST:
        return [LIST, f"s3://{BUCKET}/none"]
    if command in PASSERS:
        return [command, world.by_hand(f"{BUCKET},a,x", f"{BUCKET},b,-1", f"{BUCKET},c,1",
                                       head="bucket,key,size")]
    if command == MIGRATE:
        # of a run it says the phases, too: see tests/commands/test_migrate.py
        return world.telling(MIGRATE)
    return world.words(command, world.named(command, "none1", "none2", "a.txt"))


# s3-migrate writes them on stdout: they are asked for
FAULTS = dict.fromkeys(COMMANDS, 2) | {LIST: 1, MIGRATE: 0}
# a line where there is no terminal
SUMMARY = dict.fromkeys(COMMANDS, 1) | {LIST: 0, MANIFEST: 0, FILTER: 0, MIGRATE: 0}


@pytest.mark.servers
@pytest.mark.parametrize("command", COMMANDS)
def test_one_line_for_each_fault(world, command):
    loud, quiet = world.side_by_side({"words": faulty(world, command)},
                                     {"words": [*faulty(world, command), "-q"]})
    # the good row is one of them where the server cannot do with it what is wanted
    faults = FAULTS[command] + bool(world.instead and command in READERS)
    assert ((loud.status, len(lines_of(command, loud.err)))
            == (1, faults + SUMMARY[command])), loud.err
    assert (quiet.status, len(lines_of(command, quiet.err))) == (1, faults), quiet.err


# s3-list shows what it finds as it comes: there is nothing to draw a bar of.
BARS = dict.fromkeys(COMMANDS, True) | {LIST: False}


@pytest.mark.system("minutes")
@pytest.mark.parametrize("command", COMMANDS)
def test_progress_only_on_a_terminal_and_not_with_q(world, command):
    world.s3.latency = 0.3          # long enough for a bar to be drawn
    words = flood(world, command) if command == FILTER else world.usual(command)
    there, quiet = world.side_by_side({"words": words, "terminal": "2"},
                                      {"words": [*words, "-q"], "terminal": "2"})
    if world.ended(there) and world.ended(quiet):
        assert bool(re.search("[\r\x1b]", there.screen)) == BARS[command]
        assert quiet.screen == ""
    else:
        lines_of(command, quiet.screen)


# As an honest s3-manifest writes them.
ESCAPES = {"\x1b": "%1B", "\x07": "%07", "\r": "%0D", "\n": "%0A", "\x9b": "%C2%9B"}
ENCODED = ["".join(ESCAPES.get(letter, letter) for letter in key) for key in HOSTILE]


def hostile_rows(world, verdict=","):
    """Return a manifest of hostile names, in a state and with a proof."""
    return world.file("hostile.csv",
                      marked(*(f"{BUCKET},{quoted(cell)},4,,{verdict}" for cell in ENCODED)))


def shows_hostile(world, command, case):
    """Return the words of calls that show hostile names on stdout or in a message."""
    bad = world.by_hand(f"{HOSTILE[0]},k,,", f"{BUCKET},k,{HOSTILE[1]},",
                        f"{BUCKET},k,,{HOSTILE[5]}", head="bucket,key,size,state")
    if case == "in an option":
        words = world.words(command)
        return [[*words, f"--{HOSTILE[0]}"], [*words, "--max-size", HOSTILE[1]],
                [*world.usual(command), "-q", *(["--sort"] if command == FILTER
                                                else ["--region"]), HOSTILE[2]]]
    if command == LIST and case == "in an error":
        return ([[LIST, f"s3://{BUCKET}/{key}/none"] for key in (HOSTILE[0], HOSTILE[5])]
                + [[LIST, HOSTILE[1]]])
    if command == LIST:
        world.s3.get(BUCKET, "a.txt").storage_class = HOSTILE[4]
        return [[LIST, "-lR", "--versions", f"s3://{BUCKET}"], [LIST, f"s3://{BUCKET}"]]
    if command == MIGRATE:
        return ([[MIGRATE, HOSTILE[1]],
                 [*world.words(MIGRATE, place=world.folder / HOSTILE[3]), "none", "-q"],
                 [MIGRATE, "reset", HOSTILE[5]]] if case == "in an error"
                else [[*world.usual(MIGRATE), "-q", "-v"]])
    if case == "in an error":
        return [[*world.words(command, bad), "-q"],
                [*world.words(command, world.folder / HOSTILE[1]), "-q"]]
    if command == MANIFEST:
        return [[MANIFEST, "-q", "-v", f"s3://{BUCKET}"]]
    if command == PUT:
        return shows_uploads(world)
    return [[*world.words(command,
                          hostile_rows(world, f"verified,{PROOF}" if command == PRUNE else ",")),
             "-q", "-v"]]


def shows_uploads(world):
    """Return the words of calls of s3-put: of rows whose files are there, each named by another,
    too, that does not tell its size; of uploads that are not complete.
    """
    lines = []
    for number, (key, cell) in enumerate(zip(HOSTILE, ENCODED)):
        world.lay(path_of(BUCKET, key).partition("/")[2], b"four")
        lines += [f"{BUCKET},{quoted(cell)},{size},,listed," for size in (4, 5)]
        upload = Upload(f"{number}{HOSTILE[5]}", key, world.s3.clock.now(), number, None, None,
                        {"storage_class": HOSTILE[4]})
        for bucket in (FAR, f"{FAR}1"):
            world.s3.bucket(bucket).uploads[upload.id] = upload
    words = world.words(PUT, world.file("puts.csv", marked(*lines)))
    return [[*words, "-q", "-v"], [*world.words(PUT), "-q", "--uploads"]]


@pytest.mark.system("minutes")
@pytest.mark.parametrize("case", ("names", "in an error", "in an option"))
@pytest.mark.parametrize("command", COMMANDS)
def test_no_name_acts_on_a_terminal(world, command, case):
    for key in HOSTILE:
        world.s3.put(BUCKET, key, b"four")
        world.lay(key, b"four")
    calls = shows_hostile(world, command, case)
    for words, done in zip(calls, world.side_by_side(*({"words": words, "terminal": "12"}
                                                       for words in calls))):
        assert done.screen and not RAW.search(
            done.screen), f"{words}: {RAW.search(done.screen)[0]!r} came raw"
        # its rows are on the screen, too
        if case != "names" and (command not in PASSERS or case != "in an error"):
            lines_of(command, done.screen)


def test_no_prefix_in_a_plan_acts_on_a_terminal(world):
    """s3-prune -n names the prefixes of what would go."""
    lines = []
    for key, cell in zip(HOSTILE, ENCODED):
        world.prove(f"{key}/k", b"four")
        lines.append(f"{BUCKET},{quoted(cell + '/k')},4,,verified,{PROOF}")
    done = world.run([PRUNE, "-n", "-d", str(world.there)], input=marked(*lines))
    assert done.status == 0 and "6 versions to delete" in done.err and "osc" in done.err
    assert not RAW.search(done.err)


def test_no_target_in_a_plan_acts_on_a_terminal(world):
    """s3-put -n -v names what would go where."""
    lines = [f"{BUCKET},{quoted(cell)},4,,listed," for cell in ENCODED]
    for key in HOSTILE:
        world.lay(path_of(BUCKET, key).partition("/")[2], b"four")
    done = world.run([PUT, "-n", "-v", "-d", str(world.there), "--to", f"s3://{FAR}/{HOSTILE[1]}"],
                     input=marked(*lines))
    assert done.status == 0 and "6 rows to send" in done.err and "would go to" in done.err
    assert not RAW.search(done.err)


def test_null_separated_names_do_not_act_on_a_terminal(world):
    """What s3-list -0 writes is for machines, and raw; a terminal is none."""
    world.s3.put(BUCKET, HOSTILE[0], b"four")
    words = [LIST, "-0", "-R", f"s3://{BUCKET}"]
    piped, shown = world.side_by_side({"words": words}, {"words": words, "terminal": "1"})
    assert HOSTILE[0].encode() in piped.out and "\x1b" not in shown.screen


@pytest.mark.parametrize("command", COMMANDS)
def test_no_row_makes_two_lines_of_a_fault(world, command):
    """A name with a line break must not be able to write a line of its own, as if we had said it.
    """
    key = "nl%0As3-fetch: all done"
    source = ({LIST: f"s3://{BUCKET}/a\ns3-list: all done", MIGRATE: "a\ns3-migrate: all done"}
              .get(command))
    if command in PASSERS:
        source = world.by_hand(f"{BUCKET},{key},x", head="bucket,key,size")
    words = world.words(command, source or world.named(command, key))
    done, option = world.side_by_side(
        {"words": [*words, "-q"]}, {"words": [*world.words(command), f"--no\n{command}: all done"]})
    assert done.status == (2 if command == MIGRATE else 1)      # no bucket has such a name
    assert len(done.err.splitlines()) == 1, done.err
    assert (option.status, len(lines_of(command, option.err))) == (2, 1), option.err


@pytest.mark.parametrize("command", ASKERS)
def test_no_message_of_a_server_acts_on_a_terminal(world, command):
    """What S3 says is shown as what it is, on stderr and in the rows."""
    world.s3.fault("status", method=None, times=None, status=403, code="AccessDenied",
                   message=" ".join(HOSTILE))
    done = world.run([*world.usual(command), "-q", *(["-o", "-"] if command in READERS else [])],
                     terminal="12")
    assert done.status in (1, 3, 5)
    assert not RAW.search(done.screen), f"{RAW.search(done.screen)[0]!r} came raw"


# ---------------------------------------------------------------------------------------------------
# 4. Exit status

def but(status, **whys):
    """Return {command: status}, but for those commands (`restores` are two) of which a text says
    why it cannot apply.
    """
    table = dict.fromkeys(COMMANDS, status)
    for name, why in whys.items():
        table |= dict.fromkeys(RESTORES if name == "restores" else ("s3-" + name,), why)
    return table


NO_S3 = {"filter": "asks nothing of S3"}
NO_FILTERS = {"list": "s3-list has no filters", "migrate": "takes whole buckets"}
NO_ROWS = {"list": "reads no rows", "migrate": "reads no rows"}
ACTS_ON_ROWS = dict.fromkeys(("fetch", "verify", "put", "restores", "prune"), "acts on rows")
READS_FILES = dict.fromkeys(("filter", *ACTS_ON_ROWS), "reads FILE")

# The end of each call's words, and the status it must have with each command.
WRONG_WORDS = {
    "unknown option": (["--no-such-option"], but(2)),
    "abbreviated option": (["--vers"], but(2)),
    "option without its value": (["--endpoint-url"], but(2, **NO_S3)),
    "filter without its value": (["--include"], but(2, **NO_FILTERS)),
    "bad size": (["--min-size", "12Q"], but(2, **NO_FILTERS)),
    "bad time": (["--newer", "soon"], but(2, **NO_FILTERS)),
    "bad regular expression": (["--include-regex", "("], but(2, **NO_FILTERS)),
    "bad format": (["-f", "json"], but(2, list="has --json", migrate="has --json")),
    "columns without key": (["--columns", "a,b"], but(2, **NO_ROWS)),
    "no number of jobs":
    (["-j", "0"],
     but(2, **dict.fromkeys(("list", "manifest", "filter", "restores", "prune"), "no workers"))),
    "no number of connections": (["-c", "0"], but(2, verify="reads the disk only", **NO_S3)),
    "bad rate": (["--limit-rate", "fast"], but("no -", fetch=2, put=2, migrate=2)),
    "bad --at": (["--at", "noon"], but(2, list="no -", migrate="no -", **ACTS_ON_ROWS)),
    "two moments":
    (["--at", "1d", "--versions"],
     but(2, list="no -", migrate="no -", filter="no --versions", **ACTS_ON_ROWS)),
    "payer who is not": (["--request-payer", "nobody"], but(2, **NO_S3)),
    "-i and -o":
    (["-i", "-o", "x"], but(2, list="no -", manifest="no -i", filter="no -i", migrate="no -")),
    "not an address": (["s4://x"], but(2, **READS_FILES)),
    "no bucket in an address": (["s3:///x"], but(2, **READS_FILES)),
    "a contradiction":
    # --wait, --yes
    (["-n"], but("has no other word against it", **{"restore --wait": 2}, prune=2)),
    "bad span of time": (["--poll", "5"], but("no -", restores=2, migrate=2)),
    "bad state": (["--state", "gone"], but("no -", filter=2)),
    "bad expression": (["--where", "size >"], but("no -", filter=2)),
    "unknown column": (["--where", "colour = 'red'"], but("no -", filter=2)),
    "bad shard": (["--shard", "5/4"], but("no -", filter=2)),
    "nobody's job": (["--shard", "auto/4"], but("no -", filter=2)),
    "no number of rows": (["--first", "0"], but("no -", filter=2)),
    "nothing to compare with": (["--diff"], but("no -", filter=2)),
    "a seed of nothing": (["--seed", "1"], but("no -", filter=2)),
    "sums and a file": (["--totals", "-o", "x"], but("no -", filter=2)),
    "pieces without a number": (["--split-rows", "1", "-o", "x.csv"], but("no -", filter=2)),
    "pieces on stdout": (["--split-rows", "1"], but("no -", filter=2)),
    "bare and not CSV": (["--bare", "-f", "xml"], but("no -", filter=2)),
    "no address to send to": (["--to", "far"], but("no -", put=2)),
    "bad size of parts": (["--part-size", "5M"], but("no -", put=2)),
    "bad metadata": (["--metadata", "colour"], but("no -", put=2)),
    "aborts without uploads": (["--abort"], but("no -", put=2)),
    "uploads of a manifest": (["--uploads"], but("no -", put=2)),
    "a place for nothing": (["-d", "x"], but("has its own -d, or none", filter=2)),
}


@pytest.mark.parametrize("case, command", over({case: by for case, (_, by) in WRONG_WORDS.items()}))
def test_wrong_words_are_2_and_nothing_is_done(world, command, case):
    words, status = WRONG_WORDS[case]
    words = [*world.usual(command), *words]
    before = sorted(world.folder.rglob("*"))
    done = world.run(words)
    assert (done.status, done.out) == (status[command], b""), done.err
    assert len(lines_of(command, done.err)) == 1, done.err
    assert not world.s3.log and sorted(world.folder.rglob("*")) == before


# How a call is spoilt, and its status. s3-verify needs S3 only for what neither the row nor the
# ledger says: without it such rows are `unverifiable`, 5. s3-migrate ends with 3 where a phase
# does, whatever the phase's status.
SPOILT = {
    "some failed": but(1),  # all done, 0: see everywhere else
    "unverifiable": but(0, **NO_ROWS, fetch="has checked what can be checked", verify=5, put=5,
                        prune=5),
    "missing file": but(3, **NO_ROWS, manifest=2),  # s3-manifest: is it an address?
    "directory for a file": but(2, **NO_ROWS, manifest="makes a manifest of a directory",
                                put="sends what is in a directory"),
    "missing list of buckets": but("no -", manifest=3),
    "cut input": but(3, **NO_ROWS),
    "empty input": but(3, **NO_ROWS),
    "foreign input": but(3, **NO_ROWS),
    "newer manifest": but(3, **NO_ROWS),
    "no credentials": but(3, verify=5, **NO_S3),
    "wrong secret": but(3, verify=5, **NO_S3),
    # other rows may be allowed, or have another bucket
    "access denied": but(3, verify=5, fetch=1, put=1, restores=1, prune=1, **NO_S3),
    "no such bucket": but(3, verify=1, fetch=1, restores=1, prune=1, **NO_S3),
    "not an endpoint": but(3, verify=5, **NO_S3),
    "no place for -o": but(3, list="no -o", migrate="no -o"),
    "-o is a directory": but(3, list="no -o", migrate="no -o"),
    "no place for -d": but(3, list="no -d", manifest="no -d", restores="no -d",
                           filter="reads only"),
    "an unknown column in the end": but("has no --sort", filter=3),
}


# The reason must not be lost, least of all where rows are only `unverifiable` for it.
WHY = {"no credentials": "credentials", "wrong secret": "SignatureDoesNotMatch",
       "access denied": "AccessDenied", "not an endpoint": "not an url", "cut input": "cut",
       "empty input": "empty", "foreign input": "JSON", "newer manifest": "newer",
       "missing list of buckets": "No such file"}


def spoil(world, command, case):
    """Return (words, options) of a call that is spoilt in the way the case says."""
    words, options = world.usual(command), {}
    data = marked(f"{BUCKET},a.txt,5,,unverifiable,")
    if case == "some failed":
        words = faulty(world, command) if command != MIGRATE else words
        world.s3.fault("status", key="a.txt" if command == MIGRATE else "-", times=None, status=403)
    elif case == "unverifiable":
        # not every server says how it encrypts
        parts = "-1" if world.s3.character.name else ""
        world.s3.put(BUCKET, "a.txt", b"alpha", etag="0" * 32 + parts, sse="aws:kms", checksum=None)
        words = world.words(command)
        if command == PUT:
            data = marked(world.row(command, "a.txt"))
        options["input"] = f"bucket,key\n{BUCKET},a.txt\n".encode() if command == VERIFY else data
    elif case in ("missing file", "directory for a file"):
        words = world.words(command, world.home / ("none" if case == "missing file" else ""))
    elif case == "missing list of buckets":
        words = [MANIFEST, "--buckets-file", "/nonexistent"]
    elif case in ("cut input", "empty input", "foreign input", "newer manifest"):
        words = world.words(command)
        options["input"] = {"cut input": data[:-3], "empty input": b"",
                            "foreign input": b'{"key": 1}\n',
                            "newer manifest": data.replace(b"manifest 1", b"manifest 2")}[case]
    elif case == "no credentials":
        options["env"] = NOBODY
    elif case == "wrong secret":
        options["env"] = {"AWS_SECRET_ACCESS_KEY": "wrong"}
    elif case == "access denied":
        world.s3.fault("status", method=None, times=None, status=403)
    elif case == "no such bucket":
        if command == PRUNE:
            world.prove("a.txt", BODIES["a.txt"], bucket="none")
        words = world.words(command, {LIST: "s3://none", MANIFEST: "s3://none", MIGRATE: "none"}
                            .get(command) or world.named(command, "a.txt", bucket="none"))
        if command == PUT:
            words = [*world.usual(command), "--to", "s3://none"]
    elif case == "not an endpoint":
        words += ["--endpoint-url", "not an url"]
    elif case == "no place for -o":
        words += ["-o", str(world.folder / "none" / "out.csv")]
    elif case == "-o is a directory":
        words += ["-o", str(world.home)]
    elif case == "an unknown column in the end":
        words += ["--sort", "colour"]
    elif case == "no place for -d":
        file = world.named(command, "a.txt")
        words = world.words(command, BUCKET if command == MIGRATE else file, place=file)
    return words, options


@pytest.mark.parametrize("case, command", over(SPOILT))
def test_exit_status(world, command, case):
    words, options = spoil(world, command, case)
    done = world.run(words, **options)
    # a run that ends before its work never meets what is wrong with the rows
    wanted = max(SPOILT[case][command], world.status * (world.status == 3))
    if (case, command) == ("unverifiable", VERIFY) and world.s3.character.sums_all:
        wanted = 0
    assert done.status == wanted, (done.status, done.err)
    lines = lines_of(command, done.err)
    if done.status in (2, 3):
        # s3-migrate tells its phases; a row may fail before where that is promised instead
        assert len(lines) == 1 or command == MIGRATE or world.instead, done.err
        assert b"#end" not in done.out
    assert lines or not done.status, "no reason"
    assert WHY.get(case, "") in done.err, done.err
    assert not [path for path in world.folder.rglob("*.new")], "a temporary file was left"


def test_another_has_the_lock(world):
    """Of s3-migrate's place; all other commands wait for each other, or share the work."""
    words = world.telling(MIGRATE)
    folder = os.open(world.there / ".s3kit" / "migration", os.O_RDONLY)
    held = lock.hold(".lock", folder)
    try:
        one_fault(MIGRATE, world.run(["s3-migrate", *words[2:], BUCKET]), 4, "another s3-migrate")
        assert not world.s3.log
    finally:
        os.close(held)
        os.close(folder)


def test_two_fetches_share_a_destination(world):
    for number in range(40):
        world.s3.put(BUCKET, f"many/{number}", b"%d" % number * 1000)
    world.s3.latency = 0.05
    data = marked(*(world.row(FETCH, f"many/{number}") for number in range(40)))
    running = [world.start(world.words(FETCH), input=data) for _ in range(2)]
    with ThreadPoolExecutor(2) as both:
        done = list(both.map(Running.wait, running))
    assert [each.status for each in done] == [0, 0], [each.err for each in done]
    assert len(world.whole()) == 40


@pytest.mark.parametrize("command", (*POOLED, PRUNE))
def test_a_ledger_in_use_is_waited_for(world, command):
    """Two that start in the same moment make the same new ledger."""
    folder = (world.dest if command == FETCH else world.there) / ".s3kit"
    folder.mkdir(parents=True, exist_ok=True)
    other = sqlite3.connect(folder / "ledger.sqlite3", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        running = world.start(world.usual(command))
        until(lambda: running.catches(signal.SIGTERM))
        time.sleep(0.5)
        other.execute("ROLLBACK")
    finally:
        other.close()
    world.ended(running.wait())


# What takes its time because it is tried again: started with the file's first test, looked at in
# the end.
SLOW = {
    # the rows fail, each by itself
    "unreachable": but(3, fetch=1, restores=1, verify=5, **NO_S3),
    "unreachable proxy": but(3, fetch=1, restores=1, verify=5, **NO_S3),
    "certificate not trusted": but(3, verify=5, **NO_S3),           # no use to try again
}
PROXY_SECRET = "CANARYproxy"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1: (file, key file)."""
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module", autouse=True)
def early(request, tmp_path_factory, shims, certificate):
    """The calls of SLOW, on their way since the file's first test."""
    running, port = {}, socket.socket()
    port.bind(("127.0.0.1", 0))             # bound, but nobody listens
    nobody = f"127.0.0.1:{port.getsockname()[1]}"
    with FakeS3(tls=certificate) as s3:
        if any(item.name.startswith("test_slow_exit_status") and item.module is request.module
               for item in request.session.items):
            folder = tmp_path_factory.mktemp("early")
            # of no single test: conftest must not count them as one's
            shutil.copytree(shims, folder / "bin")
            envs = {"unreachable": {"AWS_ENDPOINT_URL_S3": f"http://{nobody}"},
                    "unreachable proxy": {"AWS_ENDPOINT_URL_S3": "http://s3.example.test",
                                          "http_proxy": f"http://user:{PROXY_SECRET}@{nobody}"},
                    "certificate not trusted": {"AWS_ENDPOINT_URL_S3": s3.url}}
            for case, by in SLOW.items():
                for command in (each for each in by if not isinstance(by[each], str)):
                    world = World(folder / f"{case} {command}", folder / "bin", command=command)
                    retries = ["--retries", "1"] if command == FETCH else []
                    running[case, command] = world.start([*world.usual(command), *retries],
                                                         env=envs[case])
        yield running
    port.close()
    for each in running.values():
        each.end()
    assert not s3.log, "something was asked of a server that is not to be trusted"


@pytest.mark.system("minutes")
@pytest.mark.parametrize("case, command", over(SLOW))
def test_slow_exit_status(early, command, case):
    done = early[case, command].wait(2 * LIMIT)
    assert done.status == SLOW[case][command], (done.status, done.err)
    if case == "certificate not trusted" and command != VERIFY:
        assert "is not to be trusted" in done.err and "--ca-bundle" in done.err, done.err
    lines = lines_of(command, done.err)
    said = lines[1 if command == MIGRATE else 0]        # first it says its phase
    assert re.search({"certificate not trusted": "ertificate"}.get(case, "[Cc]onnect"),
                     said), done.err
    assert PROXY_SECRET not in done.err + done.out.decode()


# ---------------------------------------------------------------------------------------------------
# 5. Signals, pipes, full and closed streams

# How a command is held in flight: on S3's answer to the data plane and to boto3, on credentials
# that do not come, on a body that does not go on, on an archive, on an input that does not go on.
NO_BOTO3 = dict.fromkeys(("fetch", "verify", "restores"), "asks nothing of S3 through boto3")
NO_BODIES = {**NO_S3, "list": "pages are small", "manifest": "pages are small",
             "verify": "asks for headers only", "restores": "answers are small",
             "prune": "answers are small"}
# s3-put asks by itself whether anything is at its target, before it has workers that work.
HOLDS = {
    "answer": but(True, **NO_S3),
    "boto3": but(True, **NO_BOTO3, **NO_S3),
    "credentials": but(True, **NO_S3),
    "body": but(True, **NO_BODIES),
    "range": but(True, **NO_BODIES),
    "archive": but("waits for none", **{"restore --wait": True}),
    "input": but(True, **NO_ROWS),
}
MIB = 1 << 20


def ends_before_its_work(world, command):
    """Tell whether the command does nothing on this server, and says so: nothing is in flight."""
    if world.status != 3:
        return False
    return not world.ended(world.run(world.usual(command)))


def asked(world):
    """Return the keys that S3 was asked to restore; what it sent on comes again."""
    return [request.key for request in world.s3.requests("POST")
            if "restore" in request.query and request.status // 100 != 3]


def taken_parts(world):
    """Return the numbers of the parts that S3 was sent and has taken, one for each time."""
    return [request.query["partNumber"] for request in world.s3.requests("PUT", status=200)
            if "partNumber" in request.query]


def stored_keys(world):
    """Return the keys of what s3-put has stored; each must have every byte of its source."""
    there = world.s3.objects(FAR) if FAR in world.s3.buckets else []
    assert all(each.body == world.s3.get(BUCKET, each.key).body for each in there)
    return {each.key for each in there}


def is_of_data_plane(request):
    """Return whether a request is a listing's or an object's, not one that boto3 makes."""
    return bool(request.key) or "list-type" in request.query or "versions" in request.query


def hold(world, command, case):
    """Start a command's usual call and return it once it is held where the case says."""
    s3, options = world.s3, {}
    words = world.usual(command)
    if command in POOLED:
        words = world.words(command, world.file("held.csv", world.manifest(command)))
    if command in (VERIFY, PUT) and case != "input":
        words = world.usual(command)
    if command == MIGRATE:
        words = [*words, "-q"]          # it tells its phases
    # s3-prune's first is whether the server heeds conditions, s3-put's whether the target is empty
    if case == "answer":
        s3.fault("hang", method=None, times=None, where=is_of_data_plane,
                 after=int(command in (FETCH, PUT, PRUNE) and not world.instead))
    elif case == "boto3":
        words = [LIST] if command == LIST else words
        s3.fault("hang", method=None, times=None)
    elif case == "credentials":
        options["env"] = credential_process(world, "exec sleep 20")
    elif case in ("body", "range"):
        size = 2 * MIB if case == "body" else (17 if command == PUT else 66) * MIB
        s3.put(BUCKET, "held", os.urandom(MIB) * (size // MIB))
        if command == FETCH:
            words = world.words(command, world.file("held.csv", world.manifest(command, "held")))
        if command == PUT:
            words = world.words(command, world.named(command, *BODIES, "held"))
            world.lay("held", s3.get(BUCKET, "held").body)
            s3.fault("deaf", key="held", method="PUT", where=lambda request: (
                case == "body" or request.query.get("partNumber") == "3"))
        else:
            s3.fault("stall", key="held", times=1, after=int(case == "range"), seconds=60)
    elif case == "archive":
        s3.restore_seconds = dict.fromkeys(s3.restore_seconds, DAY)
    elif case == "input":
        words, options = world.words(command), {"input": "hold"}
    running = world.start(words, **options)
    until(lambda: running.catches(signal.SIGTERM) or running.process.poll() is not None)
    if case == "credentials":
        until(lambda: any("sleep" in command_line(pid) for pid in running.family()))
    elif case == "input":
        time.sleep(0.1)
    elif case == "archive":             # all are asked for, and one has been looked at again
        until(lambda: len(asked(world)) == 2 and s3.log[-1].method != "POST")
    else:
        until(lambda: any(fault.hits for fault in s3.faults) or running.process.poll() is not None)
    if (command, case) == (PUT, "range"):       # and the ledger knows the other parts
        until(lambda: len(taken_parts(world)) == 2)
        time.sleep(0.3)
    assert running.process.poll() is None, running.wait().err
    return running, words


def credential_process(world, script):
    """Return the environment in which credentials come from a script, as AWS's configuration has
    it.
    """
    config = world.file("config",
                        f"[default]\nregion = {world.s3.home}\n"
                        f"credential_process = sh -c '{script}'\n")
    return NOBODY | {"AWS_CONFIG_FILE": config}


def command_line(pid):
    """Return the words a process was started with, or nothing if it has gone."""
    try:
        return (Path("/proc", str(pid), "cmdline").read_bytes().replace(b"\0", b" ")
                .decode(errors="replace"))
    except OSError:
        return ""


# In the next test all get SIGTERM.
SENT = {"answer": signal.SIGINT, "boto3": signal.SIGTERM, "credentials": signal.SIGINT,
        "body": signal.SIGINT, "archive": signal.SIGINT, "input": signal.SIGTERM}


@pytest.mark.system("minutes")
@pytest.mark.parametrize("case, command", over({case: HOLDS[case] for case in SENT}))
def test_a_signal_ends_within_two_seconds(world, tmp_path, command, case):
    if ends_before_its_work(world, command):
        return
    running, words = hold(world, command, case)
    number = SENT[case]
    running.send(number)
    done = running.wait(PROMISED)
    assert done.status == -number and ENDED.fullmatch(done.err)
    if command in READERS:
        some_rows(done.out, tmp_path)
    if command == FETCH:
        world.whole()
    if case == "credentials":
        running.kill()  # whoever was asked for credentials is asked no more; boto3 does not say so


@pytest.mark.servers("answer")
@pytest.mark.system("minutes")
@pytest.mark.parametrize("case, command", over({case: HOLDS[case] for case
                                                in ("answer", "body", "range", "archive")}))
def test_the_same_command_resumes(world, tmp_path, command, case):
    if ends_before_its_work(world, command):
        return
    running, words = hold(world, command, case)
    running.send(signal.SIGTERM)
    assert running.wait(PROMISED).status == -signal.SIGTERM
    before = world.whole() if command in (FETCH, MIGRATE) else set()
    was_asked, stored, parts = asked(world), stored_keys(world), taken_parts(world)
    world.s3.faults.clear()
    world.s3.log.clear()
    world.s3.clock.advance(2 * DAY)
    done = world.run(words)
    world.ended(done)
    if command == LIST:
        assert done.out.decode().splitlines() == sorted(BODIES)
    elif command != MIGRATE:
        assert ({row.state for row in parsed(done.out, tmp_path) if row.key not in STAYS[command]}
                == {world.state})
    assert not set(was_asked) & set(asked(world)), "S3 was asked again"
    if command == PUT:
        assert stored_keys(world) >= set(BODIES)
        assert not [r for r in world.s3.requests("PUT") if r.key in stored], "it went again"
        # what a server does not list may not be there
        again = set(parts) & set(taken_parts(world))
        assert not again or world.s3.character.name == "empty-listings", "parts went again"
    if command in (FETCH, MIGRATE):
        assert world.whole() >= set(BODIES)
        assert not [r for r in world.s3.log
                    if r.key in before and r.method == "GET"], "what was there came again"
        assert not list((world.dest / ".s3kit" / "parts").iterdir())


@pytest.mark.parametrize("command", POOLED)
def test_a_signal_ends_though_workers_do_not_listen(world, command):
    """Workers that a broken disk or network has put to sleep must not hold us."""
    for number in range(300):
        world.s3.put(BUCKET, f"many/{number}", b"x")
        world.lay(f"many/{number}", b"x")
    world.s3.fault("hang", method=None, times=None, after=int(command == PUT))
    words = world.words(command, world.named(command, *(f"many/{number}" for number in range(300))))
    running = world.start([*words, "-j4"])
    until(lambda: len(running.workers()) == 4 and len(world.s3.log) >= 32)
    for pid in running.workers():
        os.kill(pid, signal.SIGSTOP)
    running.send(signal.SIGTERM)
    assert running.wait(PROMISED).status == -signal.SIGTERM


# Without workers nothing can be slow to go: the others end with the first signal, there and then.
@pytest.mark.parametrize("command", POOLED)
def test_a_second_signal_ends_at_once(world, command):
    """While workers are slow to go, the second signal does not wait: it is what we die of."""
    running, _ = hold(world, command, "answer")
    for pid in running.workers():
        os.kill(pid, signal.SIGSTOP)
    running.send(signal.SIGINT)
    time.sleep(0.1)         # long enough to be taken, shorter than the workers' second
    running.send(signal.SIGTERM)
    done = running.wait(PROMISED)
    assert done.status == -signal.SIGTERM and ENDED.fullmatch(done.err)


@pytest.mark.parametrize("command", COMMANDS)
def test_two_signals_in_the_same_moment(world, command):
    running, _ = hold(world, command, "input" if command == FILTER else "answer")
    for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT):
        running.send(number)
    done = running.wait(PROMISED)
    assert done.status in (-signal.SIGINT, -signal.SIGTERM) and ENDED.fullmatch(done.err)


@pytest.mark.parametrize("moment", ("workers start", "all is in flight"))
@pytest.mark.parametrize("command", POOLED)
def test_ctrl_c_reaches_all_processes_and_is_quiet(world, command, moment):
    """A terminal sends SIGINT to workers, too; the others have none."""
    if moment == "all is in flight":
        running, _ = hold(world, command, "answer")
    else:
        world.s3.latency = 5
        running = world.start(world.usual(command))
        # its Python has begun
        until(lambda: any(treats(pid, signal.SIGINT) for pid in running.workers()))
    os.killpg(running.pid, signal.SIGINT)
    done = running.wait(PROMISED)
    assert done.status == -signal.SIGINT and ENDED.fullmatch(done.err)


MANY = 40_000
FEW = 3_000             # so few that all are read, and wait to be written


def flood(world, command, most=MANY):
    """Return words that write much more than a pipe holds, without much ado; of rows that many."""
    if command == LIST:
        for number in range(400):
            world.s3.put(BUCKET, f"{number:03}" + "x" * 900, b"")
        return world.usual(LIST)
    if command == MIGRATE:
        return world.telling(MIGRATE, most)
    return world.words(command, world.file("flood.csv", passing(most)))


def passing(number):
    """Return a manifest of rows that every command passes on: delete markers."""
    return marked(*(f"{BUCKET},many/{n},true" for n in range(number)),
                  head="bucket,key,is_delete_marker")


@pytest.mark.system("minutes")
@pytest.mark.parametrize("most", (MANY, FEW))
@pytest.mark.parametrize("command", COMMANDS)
def test_a_signal_ends_though_nobody_reads_our_output(world, command, most):
    words = flood(world, command, most)
    reader, writer = os.pipe()
    running = world.start(words, stdout=writer)
    os.close(writer)
    filled = []

    def is_stuck():
        filled.append(struct.unpack("i", fcntl.ioctl(reader, termios.FIONREAD, b"\0" * 4))[0])
        return filled[-1] > 30_000 and filled[-200:].count(filled[-1]) == 200
    until(is_stuck)
    running.send(signal.SIGTERM)
    done = running.wait(PROMISED)
    os.close(reader)
    assert done.status == -signal.SIGTERM and ENDED.fullmatch(done.err)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_that_leaves_is_no_fault(world, command):
    done = world.shell(
        f'{shlex.join(flood(world, command))} | head -n 1 >/dev/null; echo "${{PIPESTATUS[0]}}"')
    assert (done.out, done.err) == (b"141\n", "")


@pytest.mark.parametrize("where, why",
                         (("/dev/full", "No space left on device"), ("&-", "Bad file descriptor")))
@pytest.mark.parametrize("what", ("work", "--help", "--version"))
@pytest.mark.parametrize("command", COMMANDS)
def test_output_that_cannot_be_written_is_3(world, command, what, where, why):
    words = [*world.telling(command), "-q"] if what == "work" else [*command.split(), what]
    done = world.shell(f"exec {shlex.join(words)} >{where}")
    assert done.status == 3 and why in lines_of(command, done.err)[-1]
    assert len(lines_of(command, done.err)) == 1 or what == "work" and world.instead


@pytest.mark.system("minutes")
@pytest.mark.parametrize("streams", ("<&- 2>&-", "2>/dev/full", "2> >(exec sleep 0)"))
@pytest.mark.parametrize("command", COMMANDS)
def test_other_streams_may_be_closed(world, command, streams):
    done = world.shell(f"exec {shlex.join(faulty(world, command))} {streams}")
    assert done.status == 1, done.err
    assert f"{command}: ".encode() not in done.out
    if command != LIST:         # where nothing is found nothing is listed
        found, cut = read(done.out, world.folder)
        assert len(found) == (2 if command == MIGRATE else 3) and not cut


@pytest.mark.parametrize("command", COMMANDS)
def test_all_streams_may_be_closed(world, command):
    """Then nothing may be written into what happens to be opened as 0, 1 or 2."""
    assert world.shell(f"exec {shlex.join(world.telling(command))} <&- >&- 2>&-").status == 3
    for path in [*world.dest.rglob("*"), *world.there.rglob("*")]:
        data = path.read_bytes() if path.is_file() and ".s3kit" not in str(path) else b""
        assert b"#s3kit" not in data and f"{command}:".encode() not in data, path


@pytest.mark.parametrize("command", READERS)
def test_o_writes_into_what_is_no_file(world, tmp_path, command):
    """`-o /dev/null` must not put a file in the device's place, nor `-o FIFO` in the FIFO's."""
    device, fifo = world.folder / "null", world.folder / "fifo"
    os.mkfifo(fifo)
    try:
        os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        open(device, "wb").close()
    except PermissionError:
        device = None               # only root makes devices, and not everywhere
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        done = world.side_by_side(*({"words": [*world.usual(command), "-o", str(path)]}
                                    for path in (fifo, device) if path))
        assert (stat.S_ISFIFO(fifo.stat().st_mode)
                and (not device or stat.S_ISCHR(device.stat().st_mode))), "replaced"
        assert [each.status for each in done] == [world.status] * len(done), (
            [each.err for each in done])
        assert len(parsed(os.read(reader, 1 << 16), tmp_path)) == 3
    finally:
        os.close(reader)


# ---------------------------------------------------------------------------------------------------
# 6. --help and --version

BEGINS = {"--help": "usage: {}", "-h": "usage: {}", "--version": "{} (s3kit) "}
FOREIGN = {"boto3", "botocore", "pycurl", "lxml", "xxhash", "awscrt", "tqdm", "socket", "ssl",
           "sqlite3"}


@pytest.mark.parametrize("option", BEGINS)
@pytest.mark.parametrize("command", (*NAMES, *TALKERS, RELAY, STATUS))
def test_help_and_version_need_nothing(tmp_path, shims, command, option):
    """No home, no credentials, no network, nothing that is not Python's own."""
    env = {"PATH": os.environ["PATH"], "PYTHONPROFILEIMPORTTIME": "1"}
    done = Running([shims / command, option], env, cwd=tmp_path).wait()
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.err.splitlines()}
    assert (done.status, done.out.decode().startswith(BEGINS[option].format(command))) == (0, True)
    assert not loaded & FOREIGN
    assert (all(line.startswith("import time:") for line in done.err.splitlines())
            and not list(tmp_path.iterdir()))


# ---------------------------------------------------------------------------------------------------
# 7. The S3 options are the AWS CLI's

def config_file(world, text):
    """Return an environment without credentials, with this AWS configuration."""
    return NOBODY | {"AWS_DEFAULT_REGION": None, "AWS_ENDPOINT_URL_S3": None,
                     "AWS_CONFIG_FILE": world.file("config", text)}


WRONG_KEYS = "aws_access_key_id = AKIAWRONG\naws_secret_access_key = wrong\n"
TOKEN = "session/token+of=the/test"


# The ways to tell who we are and where S3 is: what the log must show of all requests.
S3_CASES = {
    "--profile": {},
    "AWS_PROFILE, a services section and --request-payer alone": {"payer": True},
    "--endpoint-url, --region and --request-payer": {"region": "eu-central-1", "payer": True},
    "--no-sign-request": {"region": None},
    "session token and AWS_ENDPOINT_URL": {"token": TOKEN},
    "credential_process": {"token": TOKEN},
}


def s3_case(world, case):
    """Return (options, environment) of one of S3_CASES."""
    url, with_token = world.s3.url, {world.s3.access_key: Credential(FakeS3.secret_key, TOKEN)}
    keys = (f"aws_access_key_id = {world.s3.access_key}\n"
            f"aws_secret_access_key = {FakeS3.secret_key}\n")
    if case == "--profile":
        return ["--profile", "p"], config_file(world, f"[default]\n{WRONG_KEYS}[profile p]\n{keys}"
                                               f"endpoint_url = {url}\nregion = {world.s3.home}\n")
    if case.startswith("AWS_PROFILE"):
        env = config_file(world, f"[profile p]\n{keys}region = {world.s3.home}\nservices = s\n"
                          f"[services s]\ns3 =\n  endpoint_url = {url}\n")
        return ["--request-payer"], env | {"AWS_PROFILE": "p"}
    if case.startswith("--endpoint-url"):
        world.s3.region = None
        return ["--endpoint-url", url, "--region", "eu-central-1", "--request-payer",
                "requester"], {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}
    if case == "--no-sign-request":         # though there are credentials; without any: see TLS
        world.s3.sign = False
        return ["--no-sign-request"], {}
    world.s3.credentials = with_token
    if case.startswith("session token"):
        return [], {"AWS_SESSION_TOKEN": TOKEN, "AWS_ENDPOINT_URL_S3": None,
                    "AWS_ENDPOINT_URL": url}
    said = {"Version": 1, "AccessKeyId": world.s3.access_key, "SecretAccessKey": FakeS3.secret_key,
            "SessionToken": TOKEN, "Expiration": "2099-01-01T00:00:00Z"}
    return [], credential_process(world, f"cat {world.file('said.json', json.dumps(said))}")


def has_all(world, command, done):
    """Assert that a call of the usual words did all that it is for."""
    if not world.ended(done):
        return
    if command == MIGRATE:
        assert world.whole() == set(BODIES)
    else:
        assert all(key in done.out.decode() for key in BODIES)
    assert command not in RESTORES or sorted(asked(world)) == sorted(FROZEN)
    assert command != PRUNE or not world.s3.versions(BUCKET)
    assert command != PUT or stored_keys(world) == set(BODIES)


@pytest.mark.parametrize("case", S3_CASES)
@pytest.mark.parametrize("command", ASKERS)
def test_s3_options(world, command, case):
    options, env = s3_case(world, case)
    done = world.run([*world.usual(command), *options], env=env)
    has_all(world, command, done)
    log, shows = world.s3.requests(), {"region": world.s3.home, "payer": False,
                                       "token": None} | S3_CASES[case]
    assert log, "S3 was not asked"
    scopes = [re.search(r"/\d{8}/([^/]+)/s3/|$", r.headers.get("authorization", ""))[1]
              for r in log]
    assert set(scopes) == {shows["region"]}
    assert {r.headers.get("x-amz-security-token") for r in log} == {shows["token"]}
    # GetBucketVersioning knows no such header.
    assert {r.headers.get("x-amz-request-payer") for r in log if "versioning" not in r.query} == {
        "requester" if shows["payer"] else None}


# The options and the environment; without any, see SLOW.
TLS = {"--ca-bundle": (["--ca-bundle", "CERT"], {}),
       "AWS_CA_BUNDLE": ([], {"AWS_CA_BUNDLE": "CERT"}),
       "--no-verify-ssl and no credentials": (["--no-verify-ssl", "--no-sign-request"], NOBODY)}


@pytest.mark.system("minutes")
@pytest.mark.parametrize("case", TLS)
@pytest.mark.parametrize("command", ASKERS)
def test_tls(tmp_path, shims, certificate, character, command, case):
    options, env = TLS[case]
    with FakeS3(tls=certificate, sign="--no-sign-request" not in options,
                character=character) as s3:
        world = World(tmp_path, shims, s3, command)
        options = [certificate[0] if word == "CERT" else word for word in options]
        env = {name: certificate[0] if word == "CERT" else word for name, word in env.items()}
        done = world.run([*world.usual(command), *options], env=env)
        has_all(world, command, done)
    lines_of(command, done.err)


# ---------------------------------------------------------------------------------------------------
# 8. Options mean the same everywhere

# Where the text must differ: what is under -d is written by one command and read by the other; -n
# and --yes say what of; s3-migrate shows its status as s3-list its names.
OWN_WORDS = {"--dest", "--dry-run", "--yes", "--json", "--buckets-file", "--follow-links"}
# To s3-doctor they are the most that --speed tries.
TRIED = {"-j", "--jobs", "-c", "--connections"}
# s3-migrate hands them to s3-restore, which has the defaults; and its --yes is for one bucket.
HANDED_ON = {"--days", "--tier", "--max-pending", "--max-pending-size", "--poll"}
OF_A_BUCKET = {"--yes"}
# These write other tools' forms, too.
CONVERTERS, FORM = PASSERS, {"-f", "--format"}
# What s3-put gives to objects has the AWS CLI's names: it has no filter of that name. And --to is
# where s3-put sends to, and for s3-policy a file.
OTHERWISE = {PUT: {"--storage-class", "--to"}}
TOGETHER = {"-d": "--dest", "-j": "--jobs", "-c": "--connections", "-f": "--format",
            "-o": "--output", "-i": "--in-place", "-n": "--dry-run", "-q": "--quiet",
            "-v": "--verbose", "-h": "--help"}


def parsers():
    """Return {command: its parser}."""
    return {command: importlib.import_module(f"s3kit.commands.{command[3:]}").build_parser()
            for command in (*NAMES, *TALKERS, STATUS)}


@pytest.mark.parametrize("command", (*NAMES, *TALKERS, STATUS))
def test_options_mean_the_same(command):
    others = {option: (name, action) for name, made in parsers().items() for action in made._actions
              for option in action.option_strings if name != MIGRATE or option not in OF_A_BUCKET}
    for action in parsers()[command]._actions:
        for option in action.option_strings:
            name, other = others[option]
            if (
                    MIGRATE in (command, name) and option in HANDED_ON) or (
                        command == MIGRATE and option in OF_A_BUCKET):
                continue
            if "s3-doctor" in (command, name) and option in TRIED:
                continue
            if PUT in (command, name) and option in OTHERWISE[PUT]:
                continue
            if LIST in (command, name) and option in ("-0", "--null"):
                continue        # there it is what is written, else what is read
            if STATUS in (command, name) and option in ("-d", "--dest"):
                continue        # without it s3-status looks elsewhere, not here
            if {command, name} & set(CONVERTERS) and option in FORM:
                assert [parsers()[each].parse_args(["-f", form]).format
                        for each in CONVERTERS for form in ("csv", "xml")] == ["csv", "xml"] * 2
                continue
            for what in ("option_strings", "dest", "nargs", "const", "choices", "metavar",
                         "required", "default"):
                assert (getattr(action, what)
                        == getattr(other, what)), f"{option}: {what} differs from {name}'s"
            assert type(action) is type(other)
            if not OWN_WORDS & set(action.option_strings):
                assert action.help == other.help, f"{option} means something else in {name}"
            assert action.help, f"{option} says nothing"


@pytest.mark.parametrize("command", (*NAMES, *TALKERS))
def test_options_are_those_of_the_design(command):
    made = parsers()[command]
    options = {option: action for action in made._actions for option in action.option_strings}
    for short, long in TOGETHER.items():
        assert options.get(short) is options.get(long), f"{short} and {long}"
    assert {"-q", "-v", "--help", "--version"} <= options.keys()
    if "-d" in options:
        assert options["-d"].default == "."
    s3 = {"--profile", "--region", "--endpoint-url", "--no-sign-request", "--request-payer",
          "--ca-bundle", "--no-verify-ssl"}
    assert options.keys() & s3 == (set() if command == FILTER else s3)
    if command != FILTER:
        for words in (["--profile=p"],
                      ["--endpoint-url=u", "--no-sign-request", "--request-payer=requester"]):
            made.parse_args([*words, *(["--to", f"s3://{FAR}"] if command == PUT else [])])


# s3-list and s3-migrate read no FILE, s3-manifest may read several of any form, and s3-filter
# would lose the rows that it leaves out.
@pytest.mark.parametrize("command", (*POOLED, *RESTORES, PRUNE))
def test_i_rewrites_the_file_atomically(world, tmp_path, command):
    path = Path(world.file("rows.csv", world.manifest(command)))
    cut = Path(world.file("cut.csv", path.read_bytes()[:-4]))
    before, inode = cut.read_bytes(), path.stat().st_ino
    done = world.run([*world.words(command, path), "-i"])
    assert (done.status, done.out) == (world.status, b"") and path.stat().st_ino != inode
    for row in parsed(path.read_bytes(), tmp_path):
        is_done(world, command, row)
    assert world.run([*world.words(command, cut), "-i"]).status == 3
    assert cut.read_bytes() == before and not list(tmp_path.glob(".*.new"))


@pytest.mark.parametrize("command", READERS)
def test_o_is_atomic(world, tmp_path, command):
    target = Path(world.file("out.csv", "what was there"))
    data = world.manifest(command)
    assert world.run([*world.words(command), "-o", str(target)], input=data[:-4]).status == 3
    assert target.read_text() == "what was there" and not list(tmp_path.glob(".*.new"))
    done = world.run([*world.words(command), "-o", str(target)], input=data)
    found = parsed(target.read_bytes(), tmp_path)
    assert (done.status, done.out, len(found)) == (world.status, b"", 3)


# ---------------------------------------------------------------------------------------------------
# 9. Secrets never appear

CANARY_SECRET, CANARY_TOKEN = "CANARYsecret/0+1=2", "CANARYtoken/3+4=5"
CANARIES = {form for text in (CANARY_SECRET, CANARY_TOKEN) for form in (
    text[:11], quote(text), quote(text, safe=""), base64.b64encode(text.encode()).decode())}


def assert_silent(data, where):
    """Assert that no canary sings in `data`."""
    for canary in CANARIES:
        assert canary.encode() not in data, f"{canary} in {where}"


@pytest.mark.system("minutes")
@pytest.mark.parametrize("secret", (CANARY_SECRET, "the server has another"),
                         ids=("good", "refused"))
@pytest.mark.parametrize("command", ASKERS)
def test_secrets_never_appear(world, command, secret):
    seen = []

    def look(request):
        """Read what every process was started with, while they wait for this answer."""
        seen.extend(command_line(pid) for pid in running.family())
    world.s3.credentials = {world.s3.access_key: Credential(secret, CANARY_TOKEN)}
    world.s3.put(BUCKET, "large", b"x" * (2 * MIB))
    world.lay("large", b"x" * (2 * MIB))
    world.s3.hook = look
    secrets = world.file("secrets", f"[default]\naws_access_key_id = {world.s3.access_key}\n"
                         f"aws_secret_access_key = {CANARY_SECRET}\naws_session_token = "
                         f"{CANARY_TOKEN}\n")
    words = world.usual(command)
    # keys with dots are signed in Python, which holds the token
    if command in (*POOLED, *RESTORES, PRUNE):
        if command in (PUT, PRUNE):
            world.prove("../none", b"none")
        words = world.words(command, world.named(command, "a.txt", "none", "../none", "large"))
    running = SimpleNamespace(family=list)
    running = world.start([*words, "-v"], env=NOBODY | {"AWS_SHARED_CREDENTIALS_FILE": secrets})
    done = running.wait()
    assert world.s3.log
    assert done.status in ((0, 1, world.status) if secret == CANARY_SECRET else (3, 5, 1))
    assert (any(command in line for line in seen)
            and len(set(seen)) >= (2 if command in (*POOLED, MIGRATE) else 1))
    assert_silent(" ".join(seen).encode(), "a process title")
    assert_silent(done.out, "stdout")
    assert_silent(done.err.encode(), "stderr")
    for path in world.folder.rglob("*"):
        if path.is_file() and str(path) != secrets:
            assert_silent(path.read_bytes(), path.name)


def permissions(folder):
    """Return {path: permissions} of all that lies below a folder, itself included."""
    return {path: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}


# s3-list and s3-manifest keep no state, and s3-restore none that has a name.
@pytest.mark.parametrize("command", (*POOLED, PRUNE, MIGRATE))
def test_state_is_ours_alone(world, command):
    """Whatever the umask: 0600 and 0700, while it runs and afterwards. Manifests are as the umask
    says, wherever they are.
    """
    place = world.there if command in (VERIFY, PUT, PRUNE) else world.dest
    seen = {}
    # in ranges, which has a journal, and in parts, which has a lock
    size = {FETCH: 66, PUT: 9}.get(command, 0) * MIB or 5
    world.s3.put(BUCKET, "large", b"x" * size)
    world.lay("large", b"x" * size)
    world.s3.hook = lambda request: seen.update(permissions(place / ".s3kit"))
    out = world.folder / "out.csv"
    if command in POOLED:
        words = world.words(command, world.file("rows.csv",
                                                f"bucket,key,size\n{BUCKET},a.txt,5\n{BUCKET},"
                                                f"large,{size}\n"), "-o", out)
    else:
        words = [*world.usual(command), *(["--undo", str(out)] if command == PRUNE else [])]
    done = world.run(words, umask=0)
    if not world.ended(done) and world.status == 3:
        return
    seen |= permissions(place / ".s3kit")
    if command == PRUNE:
        seen[out] = stat.S_IMODE(out.stat().st_mode)
    manifests = {path: seen.pop(path) for path in list(seen)
                 if path.suffix in (".csv", ".new") and path != out}
    manifests |= {} if command in (PRUNE, MIGRATE) else {out: stat.S_IMODE(out.stat().st_mode)}
    assert set(manifests.values()) <= {0o666} and len(manifests) >= (command != PRUNE)
    assert len(seen) > {FETCH: 4, PUT: 3, MIGRATE: 6}.get(command, 2)
    assert {oct(mode) for path, mode in seen.items() if not mode & 0o100} == {"0o600"}, seen
    assert {oct(mode) for path, mode in seen.items() if mode & 0o100} == {"0o700"}, seen


# ---------------------------------------------------------------------------------------------------
# Inputs: each ends as it says; rows that came whole are done

def is_done(world, command, row):
    """Assert that a row of the output tells what was done."""
    if row.key in STAYS[command]:
        assert row.state == "listed"
        return
    assert row.state == world.state, (row.key, row.state, row.error)
    if command in RESTORES:
        assert world.s3.get(row.bucket, row.key, row.version_id or None).restore and row.restore
    if command == PRUNE:
        assert bool(world.s3.get(row.bucket, row.key, row.version_id or None)) == (
            row.state != "pruned")
    if command == FETCH:
        assert ((world.dest / row.path).read_bytes()
                == world.s3.get(BUCKET, row.key, row.version_id or None).body)
    if command == PUT:
        copy = copy_of(row)
        assert copy or row.state != "stored"        # what may be another object is not sent
        assert not copy or copy.bucket.startswith(FAR) and copy.key == row.key and (
            world.s3.get(copy.bucket, copy.key).body == BODIES[row.key])


def as_xml(world, command):
    """Return the manifest that a command takes up as XML."""
    found = (world.s3.get(BUCKET, key) for key in BODIES)
    verdict = f'state="verified" proof="{PROOF}"' if command == PRUNE else 'state="listed"'
    return xml(*(f'bucket="{BUCKET}" key="{v.key}" size="{v.size}" etag={quoteattr(v.etag)} '
                 f'{verdict}' for v in found))


def cuts(data):
    """Return {where: at} of places to cut an input."""
    last = data.rindex(b"#end" if data.startswith(b"#") else b"  <end")
    row = data.index(b'b,"a.txt"' if data.startswith(b"#") else b"  <object")
    return {"within the first line": 12, "after the first line": data.index(b"\n") + 1,
            "within a row": row + 8, "after a row": data.index(b"\n", row) + 1,
            "before the end mark": last, "within the end mark": last + 6,
            "but for the last byte": len(data.rstrip()) - (1 if data.startswith(b"<") else 0)}


@pytest.mark.system("minutes")
@pytest.mark.parametrize("form", ("csv", "xml"))
@pytest.mark.parametrize("command", READERS)
def test_cut_input(world, tmp_path, command, form):
    data = world.manifest(command) if form == "csv" else as_xml(world, command)
    mark = b"\n" if form == "csv" else b"/>"

    def one(number, where, at):
        place = None
        if command == FETCH:
            place = tmp_path / f"dest{number}"
        piped = number % 2
        words = world.words(command, *([] if piped else [world.file(f"cut{number}", data[:at])]),
                            place=place)
        if command == PUT:
            world.s3.bucket(f"{FAR}{number}")
            words += ["--to", f"s3://{FAR}{number}"]
        return where, at, place, world.run(words, input=data[:at] if piped else None)
    wrong = []
    with ThreadPoolExecutor(2) as two:
        for where, at, place, done in two.map(one, *zip(*((n, *cut) for n,
                                                          cut in enumerate(cuts(data).items())))):
            whole = min(3, max(0, data[:at].count(mark) - (2 if form == "csv" else 0)))
            if done.status != 3 or b"#end" in done.out or b"<end" in done.out:
                wrong.append(f"{where}: status {done.status}, {done.out[-60:]!r}, {done.err}")
                continue
            found = some_rows(done.out, tmp_path)
            lines_of(command, done.err)
            assert (sorted(row.key for row in found)
                    == sorted(list(BODIES)[:whole])), f"{where}: {found}"
            for row in found:
                is_done(SimpleNamespace(dest=place, s3=world.s3, state=world.state), command, row)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("command", [command for command in READERS if command not in PASSERS])
def test_cut_input_keeps_no_row_back_that_failed(world, tmp_path, command):
    """The last thing that happens is S3's answer."""
    verdict = f"verified,{PROOF}" if command == PRUNE else "listed,"
    for number in range(2):
        key = f"none{number}"
        if command == PRUNE:
            world.prove(key, b"four")
            world.s3.put(BUCKET, key, b"five")      # overwritten
        if command == PUT:
            world.lay(key, b"four")
            world.s3.fault("status", key=key, method="PUT", times=None, status=403)
    world.s3.latency = 0.2
    etag = "" if command == PUT else world.etag_of(b"four")
    lines = (f"{BUCKET},none{number},4,{etag},{verdict}" for number in range(2))
    done = world.run(world.words(command), input=marked(*lines).partition(b"#end")[0])
    assert done.status == 3 and "cut" in done.err
    found = some_rows(done.out, tmp_path)
    assert (sorted(row.key for row in found) == ["none0", "none1"]
            and all(row.state in rows.WRONG for row in found)), found


@pytest.mark.system("minutes")
@pytest.mark.parametrize("command", READERS)
def test_cut_input_and_a_reader_that_takes_its_time(world, tmp_path, command):
    """It has as long as if the input were whole."""
    source = world.file("cut.csv", passing(FEW).partition(b"#end")[0])
    done = world.shell(
        f"{shlex.join(world.words(command, source))} | (sleep 2; cat); exit ${{PIPESTATUS[0]}}")
    assert done.status == 3 and len(some_rows(done.out, tmp_path)) == FEW, done.err


@pytest.mark.parametrize("compress", (gzip.compress, zstandard.compress), ids=("gzip", "zstd"))
@pytest.mark.parametrize("command", READERS)
def test_compressed_input(world, tmp_path, command, compress):
    data = compress(world.manifest(command))
    done = world.run(world.words(command), input=data)
    assert done.status == world.status, done.err
    found = parsed(done.out, tmp_path)
    assert sorted(row.key for row in found) == sorted(BODIES)
    for row in found:
        is_done(world, command, row)
    cut = world.run(world.words(command), input=data[:-1])
    assert cut.status == 3 and "cut" in lines_of(command, cut.err)[-1]
    assert len(lines_of(command, cut.err)) == 1 or world.instead
    some_rows(cut.out, tmp_path)


# Where the count is wrong: in a pipe a stage was cut short, in a file a person took a line out.
@pytest.mark.system("minutes")
@pytest.mark.parametrize("form", ("csv", "xml"))
@pytest.mark.parametrize("kind, status", (("pipe", 3), ("file", 0)))
@pytest.mark.parametrize("command", READERS)
def test_wrong_count(world, tmp_path, command, kind, status, form):
    data = world.manifest(command) if form == "csv" else as_xml(world, command)
    data = data.replace(b"rows=3", b"rows=4").replace(b'rows="3"', b'rows="4"')
    words = world.words(command, *([world.file("rows", data)] if kind == "file" else []))
    done = world.run([*words, "-f", form], input=data if kind == "pipe" else None)
    assert done.status == (status or world.status) and "4 rows, 3 came" in done.err
    assert ("warning: " in done.err) == (kind == "file")
    found = parsed(done.out, tmp_path) if kind == "file" else some_rows(done.out, tmp_path)
    assert len(found) == 3
    for row in found:
        is_done(world, command, row)


def versioned(world, command):
    """Make versions of one key in the bucket `v`, and the oldest a file; return their ids, the
    oldest first.
    """
    world.s3.bucket("v", versioning="Enabled")
    ids = [world.s3.put("v", "k", body,
                        storage_class="GLACIER" if command in RESTORES else "STANDARD")
           for body in (b"one", b"two", b"three")]
    if command == PRUNE:
        world.prove("k", b"one", ids[0], "v")
    else:
        world.lay("k", b"one", "v")
    return ids


# A person's manifests of a version, a state and a proof, and the words that make sense of them.
BY_HAND = {"key,version_id and --bucket":
           (lambda *cells: f"key,version_id,state,proof\nk,{','.join(cells)}\n", ["--bucket", "v"]),
           "as a spreadsheet saves it": (
               lambda version, state, proof: "\ufeffVersion_ID, "
               f"KEY,State,PROOF\r\n{version},k,{state},{proof}\r\n", ["--bucket", "v"]),
           "no header, --columns": (lambda *cells: f"k,{','.join(cells)}\n",
                                    ["--bucket", "v", "--columns", "key,version_id,state,proof"]),
           "no header, standard columns, as grep leaves it":
           (lambda version, state, proof: f"v,k,{version},,,,,,,,,,,{state},,,{proof},\n", [])}


@pytest.mark.system("minutes")
@pytest.mark.parametrize("case", BY_HAND)
@pytest.mark.parametrize("command", READERS)
def test_manifest_by_hand(world, tmp_path, command, case):
    text, words = BY_HAND[case]
    ids = versioned(world, command)
    cells = (ids[0], "verified", PROOF) if command == PRUNE else (ids[0], "", "")
    done = world.run([*world.words(command), *words], input=text(*cells).encode())
    # a version is deleted by its id everywhere: that needs no condition
    status, state = (0, STATES[PRUNE]) if command == PRUNE else (world.status, world.state)
    assert done.status == status, done.err
    (row,) = parsed(done.out, tmp_path)
    assert (row.bucket, row.key, row.version_id) == ("v", "k", ids[0])
    assert row.state == ("" if command in PASSERS else state)
    if command == FETCH:
        assert (world.dest / row.path).read_bytes() == b"one"
    if command == PUT:
        assert world.s3.get(FAR, "k").body == b"one"
    if command == PRUNE:
        assert [version.id for version in world.s3.versions("v")] == ids[:0:-1]


@pytest.mark.system("minutes")
@pytest.mark.parametrize("command, form", ((MANIFEST, "csv"), (MANIFEST, "xml"), (FILTER, "csv"),
                                           (FILTER, "xml"), (FETCH, "csv"), (VERIFY, "xml"),
                                           (PUT, "csv"), (RESTORE, "xml"), (WAIT, "csv"),
                                           (PRUNE, "csv"), (PRUNE, "xml")))
def test_unknown_columns_are_carried_along(world, tmp_path, command, form):
    """10,000 rows; the first and the last are worked on, the others pass."""
    count = 10_000
    known = {0: "a.txt", count - 1: "dir/b.bin"}
    taken_up = "verified" if command == PRUNE else "listed"
    facts = [(n, known.get(n, n), len(BODIES[known[n]]) if n in known else n,
              world.etag(known.get(n, "")), taken_up if n in known else "",
              str(n not in known).lower()) for n in range(count)]
    if form == "csv":
        lines = (f'{n},{BUCKET},{key},{size},{quoted(etag)},{state},{PROOF},{marker},colour {n},'
                 '"a, b"' for n, key, size, etag, state, marker in facts)
        data = marked(*lines, head=f"no,{HEAD},is_delete_marker,My colour,x")
    else:
        data = xml(*(
            f'no="{n}" bucket="{BUCKET}" key="{key}" size="{size}" etag={quoteattr(etag)} '
            f'state="{state}" proof="{PROOF}" is_delete_marker="{marker}" '
            f'My_x0020_colour="colour {n}" x="a, b"'
            for n, key, size, etag, state, marker in facts))
    done = world.run([*world.words(command), "-f", form], input=data)
    assert done.status == world.status, done.err
    found = {int(row.extra["no"]): row for row in parsed(done.out, tmp_path)}
    assert sorted(found) == list(range(count))
    assert all(row.extra["My colour"] == f"colour {n}" and row.extra["x"] == "a, b" for n,
               row in found.items())
    assert all(row.state == "" for n, row in found.items() if n not in known)
    for n in known:
        is_done(world, command, found[n])


@pytest.mark.parametrize("command", READERS)
def test_doctype_ends_the_reading(world, tmp_path, command):
    secret = world.file("secret", "CANARY")
    document = f'<!DOCTYPE manifest [<!ENTITY x SYSTEM "file://{secret}">]>\n'.encode()
    data = document + as_xml(world, command).replace(b'key="a.txt"', b'key="&x;"')
    for done in world.side_by_side(*({"words": world.words(command), "input": first + data}
                                     for first in (b"", b'<?xml version="1.0"?>\n'))):
        one_fault(command, done, 3, "DOCTYPE")
        assert some_rows(done.out, tmp_path) == [] and b"CANARY" not in done.out


# Rows that make no sense, by what is wrong with them (with HEAD), and the columns that
# must be passed on as they came. Without a bucket s3-put sends the file that is named.
NONSENSE = {"no key": f"{BUCKET},,1,,listed,", "no bucket": ",k,1,,listed,",
            "no bucket's name": "../etc,k,1,,listed,", "not a size": f"{BUCKET},k,many,,listed,",
            "negative size": f"{BUCKET},k,-1,,listed,", "no state": f"{BUCKET},k,1,,bogus,",
            "bad escape": f"{BUCKET},100%,1,,listed,",
            "long key": f"{BUCKET},{'k' * 1025},1,,listed,", "too few": f"{BUCKET},k",
            "too many": f"{BUCKET},k,1,,listed,and,more", "odd quotes": f'{BUCKET},"k"x,1,,listed,'}


@pytest.mark.parametrize("command", READERS)
def test_nonsense_stops_nothing_else(world, tmp_path, command):
    good = [world.row(command, key) for key in BODIES]
    wrong = [line for case, line in NONSENSE.items() if (command, case) != (PUT, "no bucket")]
    lines = [good[0], *wrong[:6], good[1], *wrong[6:], good[2]]
    done = world.run([*world.words(command), "-q"], input=marked(*lines))
    assert done.status == 1
    found, cut = read(done.out, tmp_path)
    assert len(found) == len(lines) and not cut
    right = {row.key: row for row in found if row.key in BODIES}
    assert sorted(right) == sorted(BODIES)
    for row in right.values():
        is_done(world, command, row)
    # What made no sense goes on as `failed`, with the number of its line, and is named on stderr.
    assert sum(row.state == rows.FAILED for row in found) == (
        len(wrong) + len(BODIES) * (world.state == rows.FAILED))
    said = lines_of(command, done.err)
    for number, line in enumerate(lines, 3):
        assert (line in good) != any(f"line {number}:" in text
                                     for text in said), f"line {number}: {said}"
    if command == FETCH:
        assert world.whole() == set(BODIES), "a wrong row became an object"


# ---------------------------------------------------------------------------------------------------
# The ways of s3-filter: what is promised of its everyday call goes for all of them

# Its words; OTHER is a manifest of FEW rows beside the input.
WAYS = {"merge": ["--merge", "OTHER", "-"], "diff": ["--diff", "OTHER", "-"],
        "minus": ["--minus", "OTHER"], "sort": ["--sort", "-size"], "sample": ["--sample", "2000"],
        "split": ["--split-rows", "1000", "-o", "part-%d.csv"], "totals": ["--totals"],
        "by-prefix": ["--by-prefix", "1", "--json"], "bare": ["--bare"],
        "ndjson": ["-f", "ndjson"], "compressed": ["-o", "out.csv.gz"]}


def in_a_way(world, way, lines=FEW):
    """Return (words, options, input) of a call of s3-filter: what it leaves is in `home` or `tmp`.
    """
    temporary = world.folder / "tmp"
    temporary.mkdir(exist_ok=True)
    data = marked(*(f"{BUCKET},f{number % 999}/{number},{number},,listed," for number
                    in range(lines)))
    other = world.file("other.csv", data.replace(b"listed", b"fetched"))
    return ([FILTER, *(other if word == "OTHER" else word for word in WAYS[way])],
            {"env": {"TMPDIR": str(temporary)}}, data)


def left_behind(world):
    """Return the names of what a call of s3-filter left in its place and in that of what is
    temporary, but for pieces that are whole.
    """
    found = [path for folder in (world.home, world.folder / "tmp") for path in folder.iterdir()]
    return [path.name for path in found
            if not (path.name.startswith("part-") and b"\n#end rows=1000\n" in path.read_bytes())]


@pytest.mark.parametrize("number", (signal.SIGINT, signal.SIGTERM))
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("command", [FILTER])
def test_a_signal_ends_every_way_of_s3_filter(world, command, way, number):
    words, options, data = in_a_way(world, way)
    running = world.start(words, input="hold", **options)
    os.write(running.open[1], data[:60_000])
    until(lambda: running.catches(signal.SIGTERM))
    time.sleep(0.3)
    running.send(number)
    done = running.wait(PROMISED)
    assert done.status == -number and ENDED.fullmatch(done.err) and b"#end" not in done.out
    assert not left_behind(world)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("command", [FILTER])
def test_cut_input_ends_every_way_of_s3_filter(world, command, way):
    words, options, data = in_a_way(world, way)
    one_fault(FILTER, done := world.run(words, input=data.partition(b"#end")[0], **options), 3,
              "cut", f"{FEW:,} rows")
    assert b"#end" not in done.out and not left_behind(world)
    if way in ("totals", "by-prefix", "bare"):
        assert not done.out, "what looks whole is not"


@pytest.mark.parametrize("way", [way for way, words in WAYS.items() if "-o" not in words])
@pytest.mark.parametrize("command", [FILTER])
def test_output_of_every_way_of_s3_filter_that_cannot_be_written(world, command, way):
    words, options, data = in_a_way(world, way, MANY)
    source, command = world.file("whole.csv", data), shlex.join(words)
    full, closed, leaves = (world.shell(f"{command} <{shlex.quote(source)} {where}", **options)
                            for where in (">/dev/full", ">&-", "| (exec sleep 0); "
                                          'exit "${PIPESTATUS[0]}"'))
    one_fault(FILTER, full, 3, "No space left on device")
    one_fault(FILTER, closed, 3, "Bad file descriptor")
    assert (leaves.status, leaves.err) == (141, "") and not left_behind(world)


@pytest.mark.parametrize("way", ("merge", "diff", "sort", "minus", "split", "compressed"))
@pytest.mark.parametrize("command", [FILTER])
def test_a_full_disk_under_every_way_of_s3_filter(world, command, way):
    """No file may be larger than 10 KiB: the rows kept on it, or the output, are. Python must not
    write its own there, for it would leave compiled modules that are cut.
    """
    words, options, data = in_a_way(world, way, MANY)
    options["env"]["PYTHONDONTWRITEBYTECODE"] = "1"
    source = world.file("whole.csv", data)
    done = world.shell(f"ulimit -f 10; exec {shlex.join(words)} <{shlex.quote(source)} >/dev/null",
                       **options)
    one_fault(FILTER, done, 3, "File too large")
    assert not left_behind(world)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("command", [FILTER])
def test_no_name_acts_on_a_terminal_in_any_way_of_s3_filter(world, command, way):
    words, options, _ = in_a_way(world, way)
    hostile = marked(*(f"{BUCKET},{quoted(cell + '/k')},4,,listed," for cell in ENCODED))
    done = world.run([*words, "-q", "-v"], input=hostile, terminal="12", **options)
    assert done.status == (way == "diff") and "osc" in done.screen
    assert not RAW.search(done.screen), f"{RAW.search(done.screen)[0]!r} came raw"


# ---------------------------------------------------------------------------------------------------
# Commands without rows: what goes for all

DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Sid": "One", "Effect": "Allow",
                                                    "Principal": "*", "Action": "s3:GetObject",
                                                    "Resource": f"arn:aws:s3:::{BUCKET}/*"}]}


def talk(world, command):
    """Return the words of a call that asks S3 and tells what it found."""
    world.s3.bucket(BUCKET).policy = json.dumps(DOCUMENT)
    if command == "s3-policy":
        return [command, "show", "--live", BUCKET]
    return [command, "-d", str(world.folder), BUCKET]


@pytest.mark.servers
@pytest.mark.parametrize("command", TALKERS)
def test_talkers_tell(world, command):
    done, quiet = world.side_by_side({"words": talk(world, command)},
                                     {"words": [*talk(world, command), "-q"]})
    assert done.status == 0 and BUCKET in done.out.decode() and world.s3.log
    assert not quiet.err and not RAW.search(done.out.decode().replace("\n", "").replace("\t", ""))


@pytest.mark.parametrize("where, why",
                         (("/dev/full", "No space left on device"), ("&-", "Bad file descriptor")))
@pytest.mark.parametrize("what", ("work", "--help", "--version"))
@pytest.mark.parametrize("command", TALKERS)
def test_talkers_whose_output_cannot_be_written(world, command, what, where, why):
    words = [*talk(world, command), "-q", "--json"] if what == "work" else [command, what]
    done = world.shell(
        f"exec {shlex.join([word for word in words if word != '-q' or command != 's3-doctor'])} "
        f">{where}")
    one_fault(command, done, 3, why)


@pytest.mark.parametrize("streams", ("<&- 2>&-", "2>/dev/full", "2> >(exec sleep 0)"))
@pytest.mark.parametrize("command", TALKERS)
def test_talkers_whose_other_streams_are_closed(world, command, streams):
    done = world.shell(f"exec {shlex.join(talk(world, command))} {streams}")
    assert done.status == 0 and f"{command}: ".encode() not in done.out


@pytest.mark.parametrize("number", (signal.SIGINT, signal.SIGTERM))
@pytest.mark.parametrize("command", TALKERS)
def test_a_signal_ends_talkers(world, command, number):
    words = talk(world, command)
    world.s3.fault("hang", method=None, times=None)
    running = world.start(words)
    until(lambda: running.catches(signal.SIGTERM))
    time.sleep(0.3)
    running.send(number)
    done = running.wait(PROMISED)
    assert ((done.status, [line for line in done.err.splitlines() if "Traceback" in line])
            == (-number, []))


@pytest.mark.parametrize("wrong", (["--no-such-option"], ["--endpoint-url"],
                                   ["--request-payer", "nobody"], ["--vers"]))
@pytest.mark.parametrize("command", TALKERS)
def test_wrong_words_of_talkers(world, command, wrong):
    words = talk(world, command)
    done = world.run([*words, *wrong])
    one_fault(command, done, 2)
    assert not done.out and not world.s3.log


@pytest.mark.parametrize("command", TALKERS)
def test_no_message_of_a_server_acts_on_a_terminal_of_talkers(world, command):
    words = talk(world, command)
    world.s3.fault("status", method=None, times=None, status=403, code="AccessDenied",
                   message=" ".join(HOSTILE))
    done = world.run(words, terminal="12")
    assert done.status in (1, 3) and not RAW.search(done.screen)


@pytest.mark.parametrize("secret", (CANARY_SECRET, "the server has another"),
                         ids=("good", "refused"))
@pytest.mark.parametrize("command", TALKERS)
def test_secrets_of_talkers(world, command, secret):
    world.s3.credentials = {world.s3.access_key: Credential(secret, CANARY_TOKEN)}
    secrets = world.file("secrets", f"[default]\naws_access_key_id = {world.s3.access_key}\n"
                         f"aws_secret_access_key = {CANARY_SECRET}\naws_session_token = "
                         f"{CANARY_TOKEN}\n")
    done = world.run([*talk(world, command), "-v"],
                     env=NOBODY | {"AWS_SHARED_CREDENTIALS_FILE": secrets})
    assert (done.status == 0) == (secret == CANARY_SECRET) and world.s3.log
    for data, where in ((done.out, "stdout"), (done.err.encode(), "stderr")):
        assert_silent(data, where)


@pytest.mark.parametrize("name", ["s3-fetch", "s3-put", "s3-prune", "s3-restore"])
def test_a_dry_run_rewrites_no_file(run, tmp_path, name):
    """FILE would lose the rows that nothing would be done with."""
    to = ["--to", "s3://far"] if name == PUT else []
    before = "#s3kit manifest 1\nbucket,key,state\nb,k1,\nb,k2,verified\n#end rows=2\n"
    (tmp_path / "m.csv").write_text(before)
    done = run(name, *to, "-n", "-i", tmp_path / "m.csv", "--include", "k1", cwd=tmp_path)
    assert (done.status, (tmp_path / "m.csv").read_text()) == (2, before), done.err
    assert "(-n)" in done.err and "-i" in done.err and os.listdir(tmp_path) == ["m.csv"]
