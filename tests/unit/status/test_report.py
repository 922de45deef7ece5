"""The figures as text."""

from s3kit.manifest.row import Row
from s3kit.status import report
from s3kit.status.figures import Figures
from s3kit.status.report import lines


def facts(*rows, **more):
    """Return the facts of rows."""
    figures = Figures()
    figures.add(rows)
    return {"is_whole": True, "destination": None, "manifests": [], "uploads": None,
            **figures.facts(), **more}


def manifest(name, rows, shards=()):
    """Return what is said of a manifest."""
    return {"name": name, "rows": rows, "shards": list(shards)}


ROWS = [Row("b", "a", "v", size="2048", state="verified", proof="crc32"),
        Row("b", "c", state="missing", error="there is no file 'b/c'"),
        Row("d", "m", is_delete_marker="true", state="listed")]


def test_all_of_it():
    """Figures by state and proof, of which how many are proven, what is wrong."""
    said = list(lines(facts(*ROWS, manifests=[manifest("m.csv", 3)])))
    assert said[0] == "m.csv: 3 rows (2.0K and 1 of unknown size)"
    table = [line.split() for line in said]
    assert ["verified", "1", "2.0K"] in table and ["crc32", "1", "2.0K"] in table
    assert ["missing", "1", "0", "+", "1", "of", "unknown", "size"] in table
    assert "proven: 1 row (2.0K); not proven: 1 row (0 and 1 of unknown size)" in said
    assert "1 delete marker, without bytes" in said
    assert said[-2:] == ["             1  there is no file '...'", "                s3://b/c"]


def test_errors_say_what_to_do():
    """With an example as it is."""
    said = list(lines(facts(*ROWS), with_errors=True))
    assert said[-3:] == ["1 row (0 and 1 of unknown size): there is no file '...'",
                         "  s3://b/c: there is no file 'b/c'", "  s3-fetch tries it again"]
    assert list(lines(facts(ROWS[0]), True))[-1] == "nothing is wrong"


def test_what_is_not_whole_says_so():
    """Before any figure; shards of a manifest, too."""
    said = list(lines(facts(is_whole=False, manifests=[manifest("a", 0, ["1/2"]),
                                                       manifest("b", 0)])))
    assert said[:5] == ["a: only shard 1/2", "a: 0 rows", "b: 0 rows",
                        "NOT WHOLE: the input was cut, and these are the rows that came",
                        "in all: 0 rows (0)"]


def test_what_a_destination_has_besides():
    """When it changed, copies, deletions whose answer is not known."""
    amount = {"rows": 2, "bytes": 5, "rows_of_unknown_size": 0}
    said = list(lines(facts(destination="/d", changed_at="2026", unanswered_deletions=1, uploads={
        "stored": amount, "unconfirmed": amount, "unfinished": 3})))
    assert said[0] == "/d: 0 rows (0); changed last 2026"
    assert [line for line in said if "stored" in line or "asked" in line or "not complete" in line
            ] == ["1 row of those pruned: S3 was asked, and its answer is not known: the same "
                  "s3-prune goes on", "stored from here by s3-put: 2 rows (5)",
                  "stored, but not there when it was looked at last: 2 rows (5)",
                  "3 uploads not complete: s3-put --uploads lists them"]


def test_long_tables_end(monkeypatch):
    """And say how much is not shown."""
    monkeypatch.setattr(report, "MOST_LINES", 2)
    rows = [Row(f"bucket-{letter}", "k", state="failed", error=f"{letter} is wrong")
            for letter in "wxyz"]
    found = facts(*rows, other_errors={"rows": 7})
    said = list(lines(found))
    assert "  and 2 more (--json has them)" in said
    assert said[-2:] == ["             2  of 2 more causes", "             7  of other causes"]
    assert list(lines(found, True))[-1] == "             7  of other causes"
