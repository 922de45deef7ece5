"""Input of any kind: every key goes through the forms and the commands unchanged, and nothing that
is read ends in a traceback.
"""

import csv
import gzip
import importlib.util
import io
import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import BIN, clean_env

from faults.fuzz import READERS
from faults.oracle import World, rows_of

ODD_CELLS = [
    ("last_modified", b"2400-01-01T00:00:00Z"), ("last_modified", b"9999-12-31T23:59:59Z"),
    ("last_modified", b"0001-01-01T00:00:00Z"),
    ("last_modified", b"yesterday"), ("last_modified", b"\xff"), ("version_id", b"\xff"),
    ("version_id", "é".encode()),
    ("version_id", b"a\nX-Injected: 1"), ("version_id", b"a&b#c d?"),
    ("version_id", b"a=b%20+/~.&partNumber=1#y?"), ("version_id", b"a\0b"),
    ("etag", b"\xff"), ("etag", "é".encode()), ("etag", b"a\nX-Injected: 1"),
    ("etag", b"a\r\nRange: bytes=0-0"), ("etag", b"a\0b"),
    ("path", b"x\xff"), ("path", b"x%00y"), ("path", b"../x"), ("path", b"/x"),
    ("path", b"x/" * 3000 + b"y"), ("path", b"x" * 300),
    ("path", b"b/good/below"), ("size", b"9999999999999999999"), ("size", b"9" * 5000),
    ("size", b"\xff"), ("storage_class", b"\xff"),
    ("checksum", b"\xff"), ("checksum", b"AAAA"), ("checksum_algorithm", b"\xff"),
    ("digest", b"\xff"), ("digest", b"xxh3-128:"),
    ("proof", b"etag-md5-parts:0"), ("proof", b"\xff"), ("error", b"\xff"), ("restore", b"\xff"),
    ("state", b"\xff"), ("bucket", b"\xff")]


def odd_manifest(column, cell):
    """Return a manifest of three good rows, and between them one of another object with an odd
    cell.
    """
    table = io.StringIO()
    names = ["bucket", "key", column] if column != "bucket" else ["bucket", "key"]
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(names)
    for key in ("good1", "odd", "good2", "good3"):
        row = {"bucket": "b", "key": key,
               **({column: cell.decode("utf-8", "surrogateescape")} if key == "odd" else {})}
        writer.writerow([row.get(name, "") for name in names])
    return table.getvalue().encode("utf-8", "surrogateescape")


@pytest.mark.system("minutes")
@pytest.mark.parametrize("which", [0, pytest.param(1, marks=pytest.mark.long)])
def test_odd_cells(cases, tmp_path, which):
    """A row that makes no sense fails alone: its neighbours are fetched, and every row leaves the
    command.
    """
    count = cases("a cell that makes no sense")
    for at, (column, cell) in enumerate(ODD_CELLS[which::2]):
        with count.case(f"{column} {cell[:30]}"), World(tmp_path / str(at), {
                "good1": b"1", "odd": b"o", "good2": b"2", "good3": b"3"}) as world:
            world.list.write_bytes(odd_manifest(column, cell))
            ran = world.run("s3-fetch", "-j", 1, "--retries", 0, "-d", world.dest, world.list)
            check_odd(world, ran, "fetched")
            checked = world.run("s3-verify", "-j", 1, "-d", world.dest, world.list)
            check_odd(world, checked, "verified")
            assert ("Traceback" not in ran.err + checked.err
                    and "worker died" not in ran.err + checked.err), ran.err + checked.err
            assert not world.fake.requests(where=lambda request: "x-injected" in request.headers
                                           or "partNumber" in request.query
                                           or ("range" in request.headers)), (
                                               "a cell became a header or a query of its own")
        world.remove()


def check_odd(world, ran, state):
    """Every row came out; the good ones are done, the odd one is done rightly or says what is
    wrong.
    """
    rows = {row["key"]: row for row in rows_of(ran.out)}
    assert sorted(rows) == ["good1", "good2", "good3", "odd"], (
        f"{ran.status}, and of the rows only {sorted(rows)} came: {ran.err[-300:]}")
    assert [rows[key]["state"] for key in ("good1", "good2", "good3")] == [
        state] * 3, ran.err[-300:]
    odd = rows["odd"]
    assert ((ran.status == 0) == (odd["state"] == state)
            and (odd["state"] == state or odd["error"])), (ran.status, odd["state"], odd["error"])
    world.believe(rows.values())
    if odd["state"] != state:
        assert odd["state"] in ("failed", "conflict", "vanished", "mismatch", "missing",
                                "unverifiable"), odd["state"]


# --- keys

ODD = ["\0", "\n", "\r", "\t", "\x1b", "\x7f", "\x85", "%", "%25", "%41", "=", "+", "-", "@", ",",
       '"', "'", "<", "&", ">", ";", "#", "#end rows=1", "/", "//", "..", ".", " ", "\u2028",
       "\ufeff", "\ufffe", "\uffff", "\ufffd", "\ud7ff", "\ue000", "é", "e\u0301", "\U0001f600",
       "\U0010ffff"]


def some_key(chance):
    """Return a key of 1 to 1,024 bytes of UTF-8: any characters, odd ones more often, now and then
    as long as can be.
    """
    most, text, size = chance.choice((1, 3, 20, 60, 255, 1024)), [], 0
    while size < most:
        code = chance.choice((0x80, 0x800, 0xD800, 0x110000))
        char = chance.choice(ODD) if chance.random() < 0.4 else chr(chance.randrange(code))
        if not 0xD800 <= ord(char[0]) < 0xE000:
            text.append(char)
            size += len(char.encode())
    text = "".join(text).encode()[:most].decode(errors="ignore")
    return text or "k"


@pytest.mark.system("minutes")
@pytest.mark.parametrize("number, most", [(1, 10_000), pytest.param(
    2, 1_000_000, marks=[pytest.mark.long, pytest.mark.timeout(7200)])])
def test_keys_through_a_pipe(cases, tmp_path, number, most):
    """Any keys go from CSV to XML and back through our commands, and come out as they went in;
    paths lead back to them.
    """
    from s3kit.disk.paths import key_of, path_of
    from s3kit.manifest.csv_form import Writer
    from s3kit.manifest.row import Row
    count, chance = cases("a key of any characters, CSV | XML | CSV"), random.Random(number)
    for start in range(0, most, 50_000):
        keys = [some_key(chance) for _ in range(min(50_000, most - start))]
        writer = Writer()
        made = writer.begin([]) + writer.rows([Row("b", key, path=path_of("b", key))
                                               for key in keys]) + writer.end(len(keys))
        (tmp_path / "keys.csv").write_bytes(made)
        line = (f"'{sys.executable}' '{BIN}/s3-manifest' -q -f xml keys.csv | '{sys.executable}' "
                f"'{BIN}/s3-manifest' -q -f csv - | "
                f"'{sys.executable}' '{BIN}/s3-manifest' -q -f xml - | '{sys.executable}' "
                f"'{BIN}/s3-manifest' -q -f csv - > back.csv")
        ran = subprocess.run(["bash", "-o", "pipefail", "-c", line], cwd=tmp_path, env=clean_env(),
                             capture_output=True, timeout=600)
        with count.case(f"{start} and on"):
            assert ran.returncode == 0, ran.stderr.decode()
            rows = rows_of((tmp_path / "back.csv").read_bytes().decode())       # read without s3kit
            assert len(rows) == len(keys)
            for key, row in zip(keys, rows):
                assert (row["key"] == key and key_of(row["path"])
                        == ("b", key)), f"{key!r} came back as {row['key']!r}"
            assert (tmp_path / "back.csv").read_bytes() == made
        count.run += len(keys) - 1


@pytest.mark.system("minutes")
def test_surrogates_through_a_pipe(cases, tmp_path):
    """A key that is no UTF-8 is failed by the first that reads it, named, and passed on; in CSV
    byte for byte.
    """
    count = cases("a key that is no UTF-8")
    for raw in (b"\xff", b"a\xed\xa0\x80b", b"\xc3", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"a\x80/b",
                b"\xed\xb0\x80\xed\xa0\x80"):
        with count.case(repr(raw)):
            ran = subprocess.run([sys.executable, BIN / "s3-manifest", "-"],
                                 input=b"bucket,key\nb," + raw + b"\nb,good\n", env=clean_env(),
                                 capture_output=True, timeout=60)
            lines = ran.stdout.split(b"\n")
            assert (ran.returncode == 1 and raw in lines[2] and b",failed," in lines[2]
                    and lines[3].startswith(b"b,good,")), ran.stdout
            again = subprocess.run([sys.executable, BIN / "s3-manifest", "-f", "xml", "-"],
                                   input=ran.stdout, env=clean_env(), capture_output=True,
                                   timeout=60)
            assert (again.returncode in (0, 1) and b'key="good"' in again.stdout
                    and b"Traceback" not in again.stderr), again.stderr


# --- bombs

XML = b'<manifest xmlns="urn:s3kit:manifest:1">'
MOST_MIB = 256
PEAK = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
sys.stderr.write(f"\\npeak {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10}")
sys.exit(done.returncode)
"""


def lol(levels=10):
    """Return a document whose entities would make gigabytes."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol" * 100}">'
                       for n in range(levels))
    return (f'<!DOCTYPE manifest [{entities}]>{XML.decode()}<object bucket="b" '
            f'key="&e{levels - 1};"/><end rows="1"/></manifest>'.encode())


def packed_zstd(data, times):
    """Return data as often as that, as zstd."""
    import zstandard
    engine = zstandard.ZstdCompressor().compressobj()
    return b"".join([engine.compress(data) for _ in range(times)]) + engine.flush()


def packed_gzip(data, times):
    """Return data as often as that, as gzip."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1) as file:
        for _ in range(times):
            file.write(data)
    return out.getvalue()


MIB = 1 << 20
BOMBS = {
    "100,000 elements deep": lambda: XML + b"<a>" * 100_000,
    "100,000 objects deep": lambda: XML + b'<object bucket="b" key="k">' * 100_000,
    "an attribute of 100 MB": lambda: XML + b'<object bucket="b" key="' + b"x" * 100_000_000
    + b'"/>',
    "an attribute's name of 100 MB": lambda: XML + b'<object bucket="b" ' + b"x" * 100_000_000
    + b'=""/>',
    "a text of 100 MB": lambda: XML + b"x" * 100_000_000,
    "a comment of 100 MB": lambda: XML + b"<!--" + b"x" * 100_000_000,
    "1,000,000 attributes": lambda: XML + b"<object "
    + b" ".join(b'a%d="1"' % n for n in range(1_000_000)) + b"/>",
    "entities": lol,
    "a DOCTYPE": lambda: b'<!DOCTYPE manifest SYSTEM "file:///etc/passwd">' + XML
    + b'<end rows="0"/></manifest>',
    "an entity of a file": lambda: b'<!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + XML
    + b'<object bucket="b" key="&x;"/>',
    "a line of 300 MB": lambda: b"x" * 300_000_000,
    "a cell of 300 MB": lambda: b'bucket,key\nb,"' + b"x\n" * 150_000_000,
    "commas": lambda: b"bucket,key\n" + b"," * 100_000_000,
    "a line of 400 MB, gzip": lambda: packed_gzip(b"x" * MIB, 400),
    "a line of 400 MB, zstd": lambda: packed_zstd(b"x" * MIB, 400),
    "an attribute of 400 MB, gzip":
    lambda: packed_gzip(XML + b'<object bucket="b" key="' + b"x" * MIB, 1)
    + packed_gzip(b"x" * MIB, 400),
    "an attribute of 400 MB, zstd":
    lambda: packed_zstd(XML + b'<object bucket="b" key="' + b"x" * MIB, 1)
    + packed_zstd(b"x" * MIB, 400),
}


@pytest.mark.system("minutes")
def test_bombs(cases, tmp_path):
    """What is made to fill the memory is refused in one line, soon, and within 256 MiB."""
    count = cases("a bomb for a reader")
    for name, make in BOMBS.items():
        (tmp_path / "bomb").write_bytes(make())
        with count.case(name):
            ran = subprocess.run([sys.executable, "-c", PEAK, sys.executable, BIN / "s3-manifest",
                                  tmp_path / "bomb"], env=clean_env(), capture_output=True,
                                 timeout=60, preexec_fn=limit_memory)
            said, _, peak = ran.stderr.decode().rpartition("\npeak ")
            assert (ran.returncode in (1, 3) and "Traceback" not in said
                    and "s3-manifest: " in said), f"status {ran.returncode}: {said[-300:]}"
            assert "passwd" not in said.replace(str(tmp_path), "") and "root:" not in said, said
            assert int(peak) < MOST_MIB, f"{peak} MiB"


def limit_memory():
    """Let the test's process have no more than some gigabytes, whatever happens."""
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))


# --- fuzzing

def fuzz(cases, tmp_path, name, seconds):
    """Run one harness under atheris for so long; one input is one case."""
    if importlib.util.find_spec("atheris") is None:
        pytest.fail(
            "atheris is not installed, or has no wheel for Python "
            f"{sys.version_info[0]}.{sys.version_info[1]} here (see setup.cfg)")
    count = cases("fuzzing a reader (inputs)")
    with count.case(name):
        # Below a small process: what the tests had in memory would count as the harness's.
        ran = subprocess.run([sys.executable, "-c", PEAK, sys.executable,
                              Path(__file__).with_name("fuzz.py"), name, tmp_path,
                              f"-max_total_time={seconds}", f"-seed={int(time.time())}"],
                             env=clean_env(), capture_output=True, timeout=seconds * 2 + 60)
        said = ran.stderr.decode("utf-8", "replace") + ran.stdout.decode("utf-8", "replace")
        found = [path for path in tmp_path.iterdir()
                 if path.name.startswith(("crash-", "oom-", "timeout-", "leak-"))]
        inputs = [path.read_bytes()[:300] for path in found]
        assert ran.returncode == 0 and not found, f"{name}: {inputs} {said[-1500:]}"
        runs = int(said.rpartition("Done ")[2].split()[0])
        assert runs > 100, f"only {runs} inputs"
        count.run += runs - 1


@pytest.mark.system("minutes")
@pytest.mark.parametrize("name", READERS)
def test_fuzz(cases, tmp_path, name):
    fuzz(cases, tmp_path, name, 1)


@pytest.mark.system("minutes")
@pytest.mark.long
@pytest.mark.timeout(86400)
@pytest.mark.parametrize("name", READERS)
def test_fuzz_for_long(cases, tmp_path, name):
    fuzz(cases, tmp_path, name, int(os.environ.get("S3KIT_FUZZ_SECONDS", "120")))
