"""The page to keep: its numbers, by other readers, and that nothing in it acts."""

import csv
import re
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from lxml import html

from s3kit.errors import Fault
from s3kit.manifest import write
from s3kit.manifest.row import Row
from s3kit.status import page
from s3kit.status.figures import Figures
from s3kit.status.page import write_page

# Keys that would be markup, script, styles, comments, other text, or no XML at all.
HOSTILE = ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'--><!--", "]]>",
           "</style><style>*{display:none}", "&lt;b&gt;&amp;", "\u202egnp.exe", "\u2066a\u2069",
           "nl\nb", "\x00\x01\x1b[31m\x7f\x9b", "\ufffe", "\u05d0\u05d1\u05d2/\u0645",
           "javascript:alert(1)", "{{7*7}}", "x" * 1024]
ACTS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def facts_of(rows, **more):
    """Return the facts of rows."""
    figures = Figures()
    figures.add(rows)
    return {"s3kit": "1.2", "at": "2026-11-29T12:00:00Z", "is_whole": True, "destination": None,
            "manifests": [{"name": "m.csv", "rows": len(rows), "bytes": 7, "sha256": "0123abcd",
                           "shards": []}], "uploads": None, **figures.facts(), **more}


def rows_of(count=40):
    """Return rows in all states, with hostile keys among them."""
    kinds = [("verified", "crc32", ""), ("fetched", "size", ""), ("listed", "", ""),
             ("missing", "", "there is no file '{}'"), ("failed", "", "S3 says {}"),
             ("verified", "given-md5", ""), ("unverifiable", "size", "nobody knows")]
    keys = HOSTILE + [f"k{number}" for number in range(count)]
    found = []
    for number, key in enumerate(keys):
        state, proof, error = kinds[number % len(kinds)]
        found.append(Row("b" if number % 3 else "other-bucket", key, size=str(number * 1000),
                         state=state, proof=proof, error=error.format(key)))
    return [*found, Row("b", "marker", is_delete_marker="true", state="listed"),
            Row("b", "unsized", state="listed")]


@pytest.fixture
def made(tmp_path):
    """Return f(facts) -> the tree of the page as it was written."""
    def read(facts):
        write_page(str(tmp_path / "page.html"), facts)
        return html.fromstring((tmp_path / "page.html").read_bytes())
    return read


def table(tree, name):
    """Return the cells of a table's rows, as text."""
    return [[cell.text_content() for cell in line.findall("td")]
            for line in tree.xpath(f"//table[@id='{name}']/tbody/tr")]


def sums(tree, name):
    """Return {name: (rows, bytes)} of a table of amounts."""
    return {line.get("data-name"): (
        int(line[1].text.replace(",", "")), int(line[2][0].text.replace(",", "")))
        for line in tree.xpath(f"//table[@id='{name}']/tbody/tr")}


def counted(path, column):
    """Return {cell: (rows, bytes)} of a manifest's column, by Python's own csv module; of proofs
    without delete markers.
    """
    rows, sizes = Counter(), Counter()
    with open(path, newline="", encoding="utf-8") as file:
        for line in csv.DictReader(line for line in file if not line.startswith("#")):
            if column != "proof" or line["is_delete_marker"] != "true":
                rows[line[column] or "none"] += 1
                sizes[line[column] or "none"] += int(line["size"] or 0)
    return {name: (rows[name], sizes[name]) for name in rows}


def test_its_numbers_are_the_manifest_s(made, tmp_path):
    """As another reader counts them, hostile keys and all."""
    rows = rows_of()
    write(tmp_path / "m.csv", rows)
    tree = made(facts_of(rows))
    for name, column in (("states", "state"), ("proofs", "proof"), ("buckets", "bucket")):
        assert sums(tree, name) == counted(tmp_path / "m.csv", column)
    cards = {card[0].text: card[1].text for card in tree.xpath("//*[@class='card']")}
    assert cards["Rows"] == f"{len(rows)}"
    assert int(cards["Not proven"]) == len(table(tree, "unproven")) == sum(
        row.proof != "crc32" and not row.is_marker for row in rows)
    assert sum(int(cells[0]) for cells in table(tree, "errors")) == int(cards["With errors"])
    assert table(tree, "manifests") == [["m.csv", f"{len(rows)}", "7", "0123abcd"]]


def test_no_name_is_markup(made):
    """The page has the elements that it would have with other names, and no control characters."""
    rows = rows_of()
    harmless = [Row(row.bucket, f"k{number}", size=row.size, state=row.state, proof=row.proof,
                    error=f"e{number}" if row.error else "", is_delete_marker=row.is_delete_marker)
                for number, row in enumerate(rows)]
    hostile, plain = made(facts_of(rows)), made(facts_of(harmless))
    tags = [Counter(each.tag for each in tree.iter()) for tree in (hostile, plain)]
    assert set(tags[0]) == set(tags[1])
    assert not hostile.xpath("//script | //img | //a | //link | //iframe | //object | //@href | "
                             "//@src | //@onerror | //@onload | //comment()")
    assert len(hostile.xpath("//style")) == 1
    assert not ACTS.search(hostile.text_content().replace("\t", ""))
    names = "".join(cells[0] for cells in table(hostile, "unproven"))
    assert "onerror=alert(1)>" in names and "\\u202egnp.exe" in names and "]]>" in names


def test_it_asks_for_nothing(made, tmp_path):
    """No address is in it but names, and its policy lets nothing be loaded or run."""
    made(facts_of(rows_of()))
    data = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert data.startswith("<!DOCTYPE html>\n<html lang=\"en\">")
    assert "content=\"default-src 'none'; style-src 'unsafe-inline'\"" in data
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", data)


@pytest.mark.parametrize("rows, kind, says", [
    ([Row("b", "k", state="verified", proof="crc32")], "good", "Every row is proven."),
    ([], "open", "There is nothing to prove."),
    ([Row("b", "k", state="listed")], "open", "Nothing is wrong; 1 row not proven."),
    ([Row("b", "k", state="missing")], "bad", "1 row with something wrong or unverifiable.")])
def test_the_verdict(made, rows, kind, says):
    """First of all."""
    [verdict] = made(facts_of(rows)).xpath("//p[starts-with(@class, 'verdict')]")
    assert (verdict.get("class"), verdict.text) == (f"verdict {kind}", says)


def test_a_verdict_is_on_no_more_than_was_read(made):
    """A ledger does not know what was only listed, a shard not the others."""
    rows = [Row("b", "k", state="verified", proof="crc32")]
    shard = {"name": "m", "rows": 1, "bytes": 7, "sha256": "0", "shards": ["1/2"]}
    uploads = {"stored": {"rows": 0}, "unconfirmed": {"rows": 0}, "unfinished": 0}
    for more, says in (
            ({"manifests": [], "destination": "/d", "uploads": uploads},
             "Everything that the ledger knows of is proven."),
            ({"manifests": [shard]}, "Every row is proven, but only shard 1/2 was read."),
            ({"is_whole": False}, "The input was cut: this is not all.")):
        assert made(facts_of(rows, **more)).xpath("//p[starts-with(@class, 'verdict')]/text()") == [
            says]


def test_a_part_of_a_hundred_is_never_all(made):
    """One row of many thousands that is not proven is seen."""
    facts = facts_of([Row("b", "k", state="listed")])
    for name, number in (("rows", 100_000), ("proven", {**facts["proven"], "rows": 99_999})):
        facts[name] = number
    assert made(facts).xpath("//*[@class='card'][3]/p[1]/text()") == ["99.9 %"]


def test_what_a_destination_says(made):
    """Copies, deletions whose answer is not known, when it changed."""
    amount = {"rows": 2, "bytes": 5, "rows_of_unknown_size": 0}
    tree = made(facts_of([], destination="/data", manifests=[], changed_at="2026-01-01T00:00:00Z",
                         unanswered_deletions=1, uploads={
                             "stored": amount, "unconfirmed": amount, "unfinished": 3,
                             "buckets": {"far": amount}}))
    text = " ".join(tree.text_content().split())
    for said in ("the ledger changed last 2026-01-01T00:00:00Z", "From the ledger of /data",
                 "Stored from here by s3-put: 2 rows (5), in far",
                 "not there when it was looked at last: 2 rows (5)",
                 "3 uploads begun and not complete", "S3's answer is not known"):
        assert said in text, said


def test_lists_end(made, monkeypatch):
    """And say how much is not shown."""
    monkeypatch.setattr(page, "MOST_KINDS", 2)
    facts = facts_of([Row(f"bucket{number}", "k", state="failed", error=f"{letter} broke")
                      for number, letter in enumerate("wxyz")])
    facts["unproven"]["first"] = facts["unproven"]["first"][:1]
    facts["other_errors"] = {"rows": 9}
    text = made(facts).text_content()
    assert "and 2 more buckets" in text and "and 3 more" in text
    assert "and 9 rows of other causes" in text


def test_what_it_was_made_with(made):
    """Of every library the version, of one that is not there that it is not."""
    page_text = made(facts_of([])).xpath("//dl")[0].text_content()
    assert "s3kit1.2" in page_text and f"SQLite{sqlite3.sqlite_version}" in page_text
    assert all(name in page_text for name in page.LIBRARIES)


def test_a_page_that_cannot_be_written(tmp_path):
    """Is not begun, and one that is there stays until the new one is whole."""
    with pytest.raises(Fault, match="cannot write '.*none/page.html': No such file"):
        write_page(str(tmp_path / "none" / "page.html"), facts_of([]))
    path = tmp_path / "page.html"
    path.write_text("old")
    broken = facts_of([])
    del broken["at"]
    with pytest.raises(KeyError):
        write_page(str(path), broken)
    assert path.read_text() == "old" and [each.name for each in Path(tmp_path).iterdir()] == [
        "page.html"]
