"""The figures as a page to keep: one file, readable without scripts, that asks for nothing.

It is built by lxml, element by element, so that no name in it can become markup; what could turn
text round or act otherwise is written out (text.visible).
"""

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from lxml import etree
from lxml.builder import E

from s3kit.disk.durable import Replacement
from s3kit.errors import of_file
from s3kit.manifest import row as rows
from s3kit.status.charts import donut
from s3kit.status.report import name_of, told
from s3kit.status.worth import kind_of, meaning_of, worth_of
from s3kit.text import count, visible
from s3kit.units import show_size

STYLE = Path(__file__).with_name("page.css")
# Nothing is loaded and nothing is run, whatever might have come into the page.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
LIBRARIES = ("boto3", "pycurl", "lxml", "xxhash", "awscrt", "pygal")
MOST_KINDS = 40         # lines of a table; --json has all
STATES = frozenset(rows.STATES)


def write_page(path, facts):
    """Write the page to a path, atomically. Raises Fault."""
    data = page(facts)
    try:
        with Replacement(path) as place:
            place.file.write(data)
    except OSError as error:
        raise of_file("write", path, error) from None


def page(facts):
    """Return the page as bytes."""
    subject = facts["destination"] or ", ".join(each["name"] for each in facts["manifests"])
    made = E.html(
        {"lang": "en"},
        E.head(E.meta({"charset": "utf-8"}),
               E.meta({"name": "viewport", "content": "width=device-width, initial-scale=1"}),
               E.meta({"name": "color-scheme", "content": "light dark"}),
               E.meta({"http-equiv": "Content-Security-Policy", "content": POLICY}),
               E.title(f"s3-status: {visible(subject)}"), E.style(STYLE.read_text())),
        E.body(head(facts, subject),
               E.main(*[part for part in (cards(facts), kinds(facts, "states", "State"),
                                          kinds(facts, "proofs", "Proof"), wrong(facts),
                                          unproven(facts), origin(facts), versions(facts))
                        if part is not None])))
    return b"<!DOCTYPE html>\n" + etree.tostring(made, method="html", encoding="utf-8") + b"\n"


def head(facts, subject):
    """Return the top: what this is of, from when, and the verdict."""
    kind, verdict = verdict_of(facts)
    return E.header(
        E.p({"class": "kicker"}, "s3-status report"), E.h1(bdi(subject)),
        E.p({"class": f"verdict {kind}"}, verdict),
        E.p({"class": "dim"}, f"Written {facts['at']}" + (
            f"; the ledger changed last {facts['changed_at']}" if facts["changed_at"] else "")))


def verdict_of(facts):
    """Return (class, sentence) of what the figures mean."""
    wrong, unproven = sum_of_errors(facts), facts["unproven"]["rows"]
    shards = [mark for each in facts["manifests"] for mark in each["shards"]]
    if not facts["is_whole"]:
        return "bad", "The input was cut: this is not all."
    if wrong:
        return "bad", f"{count(wrong, 'row')} with something wrong or unverifiable."
    if unproven:
        return "open", f"Nothing is wrong; {count(unproven, 'row')} not proven."
    if not facts["proven"]["rows"]:
        return "open", "There is nothing to prove."
    if shards:
        return "open", f"Every row is proven, but only shard {', '.join(shards)} was read."
    return "good", ("Every row is proven." if facts["manifests"]
                    else "Everything that the ledger knows of is proven.")


def sum_of_errors(facts):
    """Return how many rows have an error."""
    return facts["other_errors"]["rows"] + sum(each["rows"] for each in facts["errors"])


def cards(facts):
    """Return the large figures."""
    def card(title, number, below):
        return E.div({"class": "card"}, E.h2(title), E.p({"class": "number"}, number),
                     E.p({"class": "dim"}, below))
    proven, total = facts["proven"], facts["rows"] - facts["delete_markers"]
    share = f"{proven['rows'] * 1000 // total / 10:g} %" if total else "-"
    markers = facts["delete_markers"]
    return E.section(
        {"class": "cards"},
        card("Rows", f"{facts['rows']:,}", f"{count(markers, 'delete marker')} among them"
             if markers else "object versions"),
        card("Bytes", show_size(facts["bytes"]), size_in_full(facts)),
        card("Proven", share, told(proven)),
        card("Not proven", f"{facts['unproven']['rows']:,}", size_in_full(facts["unproven"])),
        card("With errors", f"{sum_of_errors(facts):,}",
             count(len(facts["errors"]), "cause")))


def size_in_full(amount):
    """Return an amount's bytes to the last, and how many rows do not say theirs."""
    unknown = amount["rows_of_unknown_size"]
    return count(amount["bytes"], "byte") + (f", {unknown:,} of unknown size" if unknown else "")


def kinds(facts, what, title):
    """Return the section of rows by state or by proof: a ring, and a table of its slices."""
    found = list(facts[what].items())
    shown = found[:MOST_KINDS]
    ring = donut([(visible(name), colour(what, name), amount["rows"]) for name, amount in found],
                 f"Rows by {title.lower()}")
    if ring is None:
        return None
    explained = worth_of if what == "proofs" else meaning_of
    return E.section(
        E.h2(f"By {title.lower()}"),
        E.div({"class": "beside"}, ring, E.div(
            sums(what, title, shown, lambda name: E.div(
                {"class": "kind"}, E.span({"class": f"key {colour(what, name)}"}),
                E.div(bdi(name), E.div({"class": "dim small"}, explained(name))))),
            *more(found, shown, "kind"))))


def sums(name, title, shown, cell=lambda name: bdi(name)):
    """Return the table of amounts by name, each name in a cell of its own make."""
    return E.table(
        {"id": name, "class": "sums"},
        E.thead(E.tr(E.th(title), E.th({"class": "n"}, "Rows"), E.th({"class": "n"}, "Bytes"))),
        E.tbody(*[E.tr(
            {"data-name": visible(kind)}, E.td(cell(kind)),
            E.td({"class": "n"}, f"{amount['rows']:,}"),
            E.td({"class": "n"}, E.span(f"{amount['bytes']:,}"), *[
                E.div({"class": "dim small"}, f"+ {unknown:,} of unknown size")
                for unknown in [amount["rows_of_unknown_size"]] if unknown]))
            for kind, amount in shown]))


def colour(what, name):
    """Return the class of a slice: of a state its name, of a proof what it is worth."""
    if what == "states":
        return f"s-{name if name in STATES else 'none'}"
    return f"p-{kind_of(name)}"


def more(found, shown, noun):
    """Return the line that says how many are not shown, if any."""
    left = len(found) - len(shown)
    return [E.p({"class": "dim"}, f"and {count(left, f'more {noun}')}")] if left else []


def wrong(facts):
    """Return the section of what is wrong, by cause."""
    if not facts["errors"]:
        return None
    others = facts["other_errors"]["rows"]
    return E.section(
        E.h2("What is wrong"),
        stack("errors", {"Rows": "n w8", "Cause": "w28", "An example": "w34", "What to do": ""},
              [(f"{each['rows']:,}", bdi(each["cause"]), code(name_of(each["example"])),
                each["advice"]) for each in facts["errors"]]),
        *([E.p({"class": "dim"}, f"and {count(others, 'row')} of other causes")] if others else []))


def unproven(facts):
    """Return the section that names what is not proven."""
    found = facts["unproven"]
    if not found["rows"]:
        return None
    left = found["rows"] - len(found["first"])
    return E.section(
        E.h2("What is not proven"),
        stack("unproven", {"Object": "w34", "State": "w12", "Proof": "w12", "Bytes": "n w12",
                           "Why": ""},
              [(code(name_of(each)), E.div(
                  {"class": "kind"}, E.span({"class": f"key {colour('states', each['state'])}"}),
                  bdi(each["state"])), bdi(each["proof"]), number(each["bytes"]),
                bdi(each["error"])) for each in found["first"]]),
        *([E.p({"class": "dim"}, f"and {left:,} more")] if left else []))


def stack(name, columns, lines):
    """Return a table of {title: class}, whose cells stand one below another where there is no room
    for them side by side.
    """
    def attributes(title):
        """Return those of a cell in a column."""
        return {"class": columns[title], "data-title": title}
    return E.table(
        {"id": name, "class": "stack"},
        E.thead(E.tr(*[E.th({"class": kind}, title) for title, kind in columns.items()])),
        E.tbody(*[E.tr(*[E.td(attributes(title), cell) for title, cell in zip(columns, cells)])
                  for cells in lines]))


def number(value):
    """Return a number for people; nothing where it is not known."""
    return "" if value is None else f"{value:,}"


def origin(facts):
    """Return the section that says what was read: buckets, manifests, copies."""
    found = list(facts["buckets"].items())
    shown = found[:MOST_KINDS]
    parts = [sums("buckets", "Bucket", shown), *more(found, shown, "bucket")]
    if facts["manifests"]:
        parts.append(stack(
            "manifests", {"Manifest": "", "Rows": "n w12", "Bytes": "n w12", "SHA-256": "w50"},
            [(bdi(each["name"] + shards_of(each)), number(each["rows"]), number(each["bytes"]),
              code(each["sha256"] or "unknown")) for each in facts["manifests"]]))
    else:
        parts += [E.p("From the ledger of ", code(facts["destination"])), *copies(facts)]
    return E.section(E.h2("From where"), *parts)


def shards_of(manifest):
    """Return of which shards a manifest is, in words."""
    return f" (only shard {', '.join(manifest['shards'])})" if manifest["shards"] else ""


def copies(facts):
    """Return paragraphs about what s3-put has stored from a destination, and what was deleted."""
    uploads, found = facts["uploads"], []
    if uploads["stored"]["rows"]:
        found.append(f"Stored from here by s3-put: {told(uploads['stored'])}, in "
                     f"{', '.join(uploads['buckets'])}")
    if uploads["unconfirmed"]["rows"]:
        found.append("Stored, but not there when it was looked at last: "
                     f"{told(uploads['unconfirmed'])}")
    if uploads["unfinished"]:
        found.append(f"{count(uploads['unfinished'], 'upload')} begun and not complete")
    if facts["unanswered_deletions"]:
        found.append(f"Of the rows that are pruned, {facts['unanswered_deletions']:,} were asked "
                     "to be deleted, and S3's answer is not known")
    return [E.p(bdi(text)) for text in found]


def versions(facts):
    """Return the section of what this was made with."""
    import sqlite3
    made = {"s3kit": facts["s3kit"], "Python": sys.version.split()[0],
            "SQLite": sqlite3.sqlite_version}
    for name in LIBRARIES:
        try:
            made[name] = version(name)
        except PackageNotFoundError:
            made[name] = "not installed"
    return E.section(E.h2("Made with"),
                     E.dl({"class": "versions"}, *[E.div(E.dt(name), E.dd(text))
                                                   for name, text in made.items()]))


def bdi(text):
    """Return an element of a text that nothing beside it is turned round by."""
    return E.bdi(visible(text))


def code(text):
    """Return an element of a name."""
    return E.code(bdi(text))
