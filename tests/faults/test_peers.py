"""make compare: s3kit's column does no harm, and the judge sees it where a tool does."""

import random
import sys

import conftest
import pytest
from bench.peers import Peers

from faults import peers
from faults.oracle import World
from faults.peers import (
    BODIES,
    HOSTILE,
    TOOLS,
    Place,
    Result,
    Tool,
    compare,
    judge_body,
    kill,
    table,
    tasks,
)

OURS = TOOLS[0]
READ = ("import shutil, sys, urllib.request as u; shutil.copyfileobj(u.urlopen(sys.argv[1]), "
        "open(sys.argv[2], 'wb', 0), 4096)")
GET = f'"{sys.executable}" -c "{READ}" {{url}}/b/%s {{dest}}/%s'
TAKE = GET % ("object", "object")  # takes what it is given, and writes it under the final name
ESCAPES = r"printf '\033]0;owned\007'"


@pytest.fixture
def others(tmp_path, shims):
    """What tools are told of a server; no peer is installed there."""
    return Peers(tmp_path / "none", tmp_path, shims)


def place_of(tool, others, tmp_path, limit=60):
    """Return a Place whose fake believes everybody."""
    world = World(tmp_path / "world", {}, versioning="",
                  dest=tmp_path / "world" / "near" / "deep" / "dest")
    world.fake.sign = False
    return Place(tool, others, world, limit)


def run_ours(cases, others, tmp_path, **which):
    """Run s3kit's column of the comparison."""
    count = cases("as in make compare: spoilt bodies, hostile buckets, kills")
    results = compare(tasks([OURS], **which), others, tmp_path)
    for result in results:
        with count.case(result.case):
            assert result.is_harmless, f"{result.verdict}: {result.said}"
    return results


@pytest.mark.system("minutes")
def test_our_column(cases, others, tmp_path):
    results = run_ours(cases, others, tmp_path, slow=False, kills=1, cuts=False)
    wanted = {f"{name}, {way}" for name,
              body in BODIES.items() if not body.is_slow for way in peers.WAYS} | set(HOSTILE)
    assert wanted <= {result.case for result in results}


@pytest.mark.system("minutes")
@pytest.mark.long
@pytest.mark.timeout(1800)
def test_our_whole_column(cases, others, tmp_path):
    """With stalls, more kills, and power cuts; these need root."""
    results = run_ours(cases, others, tmp_path)
    assert sum(result.group == "power" for result in results) == peers.CUTS


@pytest.mark.system("minutes")
@pytest.mark.parametrize("line,name,limit,wanted", [
    (TAKE, "one bit flipped, CRC32 sent", 60, peers.FALSE),
    (TAKE, "200 with an error document", 60, peers.FALSE),
    (TAKE, "short, no length announced, CRC32 sent", 60, peers.FALSE),
    (TAKE, "another ETag", 60, peers.RIGHT),
    (f"{TAKE}; rm {{dest}}/object", "another ETag", 60, peers.FALSE),
    (f"{TAKE}; exit 1", "one bit flipped, CRC32 sent", 60, peers.BAD),
    (f"{TAKE}; exit 1", "another ETag", 60, peers.ERROR),
    (f"{TAKE}; rm {{dest}}/object; exit 1", "one bit flipped, CRC32 sent", 60, peers.ERROR),
    (TAKE, "stalls half-way", 2, peers.HANG)])
def test_judge_of_bodies(others, tmp_path, line, name, limit, wanted):
    """Whatever a tool makes of a body, the verdict says what a script would have been told."""
    place = place_of(Tool("liar", line), others, tmp_path, limit)
    with place.world:
        judged, said, _ = judge_body(place, BODIES[name], None)
        assert judged == wanted, said


@pytest.mark.system("minutes")
@pytest.mark.parametrize("line,name,wanted", [
    ("true", "6 keys with ../", peers.FALSE),
    ("false", "6 keys with ../", peers.ERROR),
    ("printf 'the body of key number 0' > {dest}/../x", "6 keys with ../", peers.OUTSIDE),
    ("printf x > {dest}/../../sentinel/file; exit 1", "6 keys with ../", peers.OUTSIDE),
    ("rm {dest}/../../sentinel/file", "6 keys with ../", peers.OUTSIDE),
    ("printf 'the body of key number 0' > {dest}/a; exit 1", "8 keys that want the same names",
     peers.ERROR),
    ("printf 'the body of' > {dest}/a; exit 1", "8 keys that want the same names", peers.BAD),
    ("printf x > {dest}/link/new", "a linked directory in the destination", peers.OUTSIDE),
    ("printf 'the body of key number 0' > {dest}/link", "a link in place of the file",
     peers.OUTSIDE),
    (TAKE, "overwritten between list and get", peers.RIGHT)])
def test_judge_of_buckets(others, tmp_path, line, name, wanted):
    """What is missing, and what is outside, is seen."""
    place = place_of(Tool("liar", line), others, tmp_path)
    with place.world:
        judged, said, _ = HOSTILE[name](place, random.Random(1))
        assert judged == wanted, said


@pytest.mark.system("minutes")
@pytest.mark.parametrize("shows,wanted", [((ESCAPES, "true"), peers.RAW),
                                          (("true", ESCAPES), peers.RAW),
                                          (("true", "false"), peers.ERROR),
                                          (("test -t 1 && test -t 2", "true"), peers.RIGHT)])
def test_judge_of_terminals(others, tmp_path, shows, wanted):
    place = place_of(Tool("liar", "", show=shows), others, tmp_path)
    with place.world:
        judged, said, _ = HOSTILE["escape sequences in a name, on a terminal"](
            place, random.Random(1))
        assert judged == wanted, said


@pytest.mark.system("minutes")
def test_judge_of_kills(others, tmp_path):
    """A tool that writes under the final name leaves a part of an object there."""
    place = place_of(Tool("liar", "; ".join(GET % (f"object{n}", f"object{n}") for n in range(2))),
                     others, tmp_path)
    with place.world:
        judged, said, _, counts = kill(place, random.Random(1), objects=2)
        assert (judged, counts) == (peers.PARTIAL, (1, 0)), said


@pytest.mark.system("mkfs.ext4", "mkfs.xfs", "root")
@pytest.mark.long
def test_judge_of_power_cuts(others, tmp_path):
    """What is only in memory is lost. Needs root."""
    line = "mkdir -p {dest} && for n in 1 2 3; do printf x > {dest}/$n; done"
    assert ({verdict for verdict, *_ in peers.cut(Tool("liar", line), others, tmp_path)}
            == {peers.LOST})


@pytest.mark.system("minutes")
def test_what_did_not_happen_is_no_success(others, tmp_path):
    """A tool that never asks for the object proves nothing."""
    task, = [task for task in tasks([Tool("idle", "true")], kills=0, cuts=False)
             if task[2] == "no body, once"]
    result, = compare([task], others, tmp_path)
    assert result.verdict == peers.UNTRIED and not result.is_harmless


@pytest.mark.system("minutes")
def test_table():
    """One line a case, spoilt once and for ever in one cell; the last line counts."""
    lines = table([Result("x", "body", "short, once", "right", "", 0),
                   Result("x", "body", "short, ever", "HANG", "", 0), *[
                       Result("x", "kill", f"kill -9, seed {seed}", "right", "", 0, (0, seed))
                       for seed in (3, 4)]])
    assert lines[1:] == ["short                    right / HANG",
                         "kill -9 at random times  0 partial, 7 left over in 2 kills", "",
                         "runs that ended badly: x 1 of 4"]


@pytest.mark.system("minutes")
def test_our_commands_are_those_of_this_checkout(others, tmp_path):
    """Whatever else is on the PATH."""
    place = place_of(Tool("s3kit", "command -v s3-fetch"), others, tmp_path)
    with place.world:
        assert place.copy().out.decode().strip() == str(conftest.SHIMS / "s3-fetch")
