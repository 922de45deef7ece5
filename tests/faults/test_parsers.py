"""Input of any kind: every key goes through the forms and the commands unchanged, and nothing that is read ends in a traceback."""

import csv
import io

import pytest

from faults.oracle import World, rows_of

ODD_CELLS = [
    ("last_modified", b"2400-01-01T00:00:00Z"), ("last_modified", b"9999-12-31T23:59:59Z"), ("last_modified", b"0001-01-01T00:00:00Z"),
    ("last_modified", b"yesterday"), ("last_modified", b"\xff"), ("version_id", b"\xff"), ("version_id", "é".encode()),
    ("version_id", b"a\nX-Injected: 1"), ("version_id", b"a&b#c d?"), ("version_id", b"a=b%20+/~.&partNumber=1#y?"), ("version_id", b"a\0b"),
    ("etag", b"\xff"), ("etag", "é".encode()), ("etag", b"a\nX-Injected: 1"), ("etag", b"a\r\nRange: bytes=0-0"), ("etag", b"a\0b"),
    ("path", b"x\xff"), ("path", b"x%00y"), ("path", b"../x"), ("path", b"/x"), ("path", b"x/" * 3000 + b"y"), ("path", b"x" * 300),
    ("path", b"b/good/below"), ("size", b"9999999999999999999"), ("size", b"9" * 5000), ("size", b"\xff"), ("storage_class", b"\xff"),
    ("checksum", b"\xff"), ("checksum", b"AAAA"), ("checksum_algorithm", b"\xff"), ("digest", b"\xff"), ("digest", b"xxh3-128:"),
    ("proof", b"etag-md5-parts:0"), ("proof", b"\xff"), ("error", b"\xff"), ("restore", b"\xff"), ("state", b"\xff"), ("bucket", b"\xff")]


def odd_manifest(column, cell):
    """Return a manifest of three good rows, and between them one of another object with an odd cell."""
    table = io.StringIO()
    names = ["bucket", "key", column] if column != "bucket" else ["bucket", "key"]
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(names)
    for key in ("good1", "odd", "good2", "good3"):
        row = {"bucket": "b", "key": key, **({column: cell.decode("utf-8", "surrogateescape")} if key == "odd" else {})}
        writer.writerow([row.get(name, "") for name in names])
    return table.getvalue().encode("utf-8", "surrogateescape")


def test_odd_cells(cases, tmp_path):
    """A row that makes no sense fails alone: its neighbours are fetched, and every row leaves the command."""
    count = cases("a cell that makes no sense")
    for at, (column, cell) in enumerate(ODD_CELLS):
        with count.case(f"{column} {cell[:30]}"), World(tmp_path / str(at), {"good1": b"1", "odd": b"o", "good2": b"2", "good3": b"3"}) as world:
            world.list.write_bytes(odd_manifest(column, cell))
            ran = world.run("s3-fetch", "-j", 1, "--retries", 0, "-d", world.dest, world.list)
            check_odd(world, ran, "fetched")
            checked = world.run("s3-verify", "-j", 1, "-d", world.dest, world.list)
            check_odd(world, checked, "verified")
            assert "Traceback" not in ran.err + checked.err and "worker died" not in ran.err + checked.err, ran.err + checked.err
            assert not world.fake.requests(where=lambda request: "x-injected" in request.headers or "partNumber" in request.query
                                           or ("range" in request.headers)), "a cell became a header or a query of its own"
        world.remove()


def check_odd(world, ran, state):
    """Every row came out; the good ones are done, the odd one is done rightly or says what is wrong."""
    rows = {row["key"]: row for row in rows_of(ran.out)}
    assert sorted(rows) == ["good1", "good2", "good3", "odd"], f"{ran.status}, and of the rows only {sorted(rows)} came: {ran.err[-300:]}"
    assert [rows[key]["state"] for key in ("good1", "good2", "good3")] == [state] * 3, ran.err[-300:]
    odd = rows["odd"]
    assert (ran.status == 0) == (odd["state"] == state) and (odd["state"] == state or odd["error"]), (ran.status, odd["state"], odd["error"])
    world.believe(rows.values())
    if odd["state"] != state:
        assert odd["state"] in ("failed", "conflict", "vanished", "mismatch", "missing", "unverifiable"), odd["state"]
