"""s3-status: figures that are right, whoever writes meanwhile, and rows that are tried again."""

import csv
import hashlib
import json
import os
import struct
import subprocess
import sys
import zlib
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from conftest import BIN, clean_env, env_of
from contract import Running
from lxml import html
from odd_keys import ODD_KEYS

from manifests import read_rows
from s3kit.disk.ledger import Entry, Ledger
from s3kit.manifest import write
from s3kit.manifest.row import Row

HEAD = "#s3kit manifest 1\nbucket,key,version_id,is_delete_marker,size,state,proof,error\n"
LINES = ["b,a,v,,10,verified,crc32,", "b,c,v,,2000,verified,size,", "b,m,v,true,,listed,,",
         "d,e,v,,30,missing,,there is no file 'd/e'", "d,f,v,,,failed,,there is no file 'd/f'",
         "d,g,v,,5,unverifiable,size,nobody knows"]
MANIFEST = HEAD + "".join(f"{line}\n" for line in LINES) + f"#end rows={len(LINES)}\n"


def facts_of(done, status=0):
    """Return the object that --json wrote."""
    assert done.status == status, done.err
    return json.loads(done.out)


def rows_of(amounts):
    """Return {name: rows} of amounts."""
    return {name: amount["rows"] for name, amount in amounts.items()}


# --- a destination


@pytest.fixture
def broken(fake, run, tmp_path):
    """Return (the environment, a destination of four objects of which S3 refused two)."""
    for key in ("a", "bad/1", "bad/2", "c"):
        fake.put("b", key, key.encode() * 100)
    for key in ("bad/1", "bad/2"):
        fake.fault("status", key=key, times=None, status=403, code="AccessDenied")
    env, dest = env_of(fake), tmp_path / "d"
    listed = run("s3-manifest", "s3://b", env=env).out
    assert run("s3-fetch", "-q", "-j1", "-d", dest, env=env, input=listed).status == 1
    return env, dest


def test_what_failed_is_tried_again(broken, fake, run):
    """The ledger knows it: the very rows go through s3-fetch, and then nothing is wrong."""
    env, dest = broken
    facts = facts_of(run("s3-status", "--json", "-d", dest), 1)
    assert rows_of(facts["states"]) == {"failed": 2, "fetched": 2}
    assert facts["bytes"] == 2 * 500 + 2 * 100 and facts["rows_of_unknown_size"] == 0
    [error] = facts["errors"]
    assert (error["rows"], error["example"]["key"]) == (2, "bad/1")
    assert error["cause"].startswith("S3 says AccessDenied") and "s3-doctor" in error["advice"]
    written = run("s3-status", "--errors", "-d", dest)
    assert written.status == 1 and "2 rows (1000): S3 says AccessDenied" in written.err
    assert [(row.key, row.state, row.etag != "") for row in read_rows(written.out)] == [
        ("bad/1", "failed", True), ("bad/2", "failed", True)]
    fake.faults.clear()
    before = len(fake.log)
    again = run("s3-fetch", "-j1", "-d", dest, env=env, input=written.out)
    assert again.status == 0 and {row.state for row in read_rows(again.out)} == {"fetched"}
    assert sorted(each.key for each in fake.log[before:] if each.key) == ["bad/1", "bad/2"]
    facts = facts_of(run("s3-status", "--json", "-d", dest))
    assert rows_of(facts["states"]) == {"fetched": 4} and facts["errors"] == []


def test_what_s3_verify_finds_wrong(broken, fake, run):
    """And what it finds right, later."""
    env, dest = broken
    fake.faults.clear()
    fetched = run("s3-fetch", "-q", "-j1", "-d", dest, env=env,
                  input=run("s3-manifest", "s3://b", env=env).out).out
    (dest / "b" / "a").rename(dest / "kept")
    assert run("s3-verify", "-q", "-j1", "-d", dest, env=env, input=fetched).status == 1
    facts = facts_of(run("s3-status", "--json", "-d", dest), 1)
    assert rows_of(facts["states"]) == {"verified": 3, "missing": 1}
    assert [error["cause"] for error in facts["errors"]] == ["there is no file '...'"]
    (dest / "kept").rename(dest / "b" / "a")
    assert run("s3-fetch", "-q", "-j1", "-d", dest, env=env, input=fetched).status == 0
    assert rows_of(facts_of(run("s3-status", "--json", "-d", dest))["states"]) == {
        "verified": 3, "fetched": 1}


def entries(count, state="fetched"):
    """Return the Entries of files that are not there."""
    return [Entry("b", f"k{number:05d}", "", "e", 3, "", "", "", "", "", f"b/k{number}", 1, 2, "",
                  "crc32", state, changed_at="2026-01-01T00:00:00Z") for number in range(count)]


@pytest.fixture
def ledger(tmp_path):
    """The ledger of the destination `d`, open as by s3-fetch."""
    (tmp_path / "d" / ".s3kit").mkdir(parents=True, mode=0o700)
    with closing(Ledger(tmp_path / "d" / ".s3kit")) as ledger:
        yield ledger


def test_while_another_writes(ledger, run, tmp_path):
    """In the middle of a transaction, too; what it has not committed is not there."""
    ledger.record(entries(10))
    with ledger.changing():
        ledger.base.execute("DELETE FROM object")
        facts = facts_of(run("s3-status", "--json", "-d", tmp_path / "d", timeout=20))
    assert rows_of(facts["states"]) == {"fetched": 10}
    assert rows_of(facts_of(run("s3-status", "--json", "-d", tmp_path / "d"))["states"]) == {}


def test_another_user_s(ledger, tmp_path):
    """A clear fault; nothing is made there."""
    ledger.record(entries(1))
    ledger.close()
    # The first call loads all that another user may not be able to read: Python itself.
    script = ("import os, sys; from s3kit.commands.status import main; main(['-d', '/none']); "
              "os.setuid(65534) if os.geteuid() == 0 else os.chmod(sys.argv[2] + '/.s3kit', 0); "
              "sys.exit(main(sys.argv[1:]))")
    done = subprocess.run([sys.executable, "-c", script, "-d", tmp_path / "d"], text=True,
                          capture_output=True, cwd=BIN.parent, env=clean_env(), timeout=60)
    (tmp_path / "d" / ".s3kit").chmod(0o700)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 2)
    assert done.stderr.endswith("ledger.sqlite3': Permission denied\n")


def test_no_destination(run, tmp_path):
    """It is said, and nothing is made."""
    done = run("s3-status", "-d", tmp_path / "none")
    assert (done.status, done.out, done.err.count("\n")) == (3, "", 1)
    assert "is no destination of s3-fetch or s3-put" in done.err and not list(tmp_path.iterdir())


# --- manifests


@pytest.mark.parametrize("how", ["a file", "-", "standard input", "xml", "gzip"])
def test_figures_of_a_manifest(run, tmp_path, how):
    """In any form, from anywhere."""
    (tmp_path / "m.csv").write_text(MANIFEST)
    path, data = tmp_path / "m.csv", None
    if how in ("xml", "gzip"):
        path = tmp_path / ("m.xml" if how == "xml" else "m.csv.gz")
        assert run("s3-filter", "-o", path, tmp_path / "m.csv").status == 0
    elif how != "a file":
        path, data = "-", MANIFEST
    words = [] if how == "standard input" else [path]
    facts = facts_of(run("s3-status", "--json", *words, input=data), 1)
    assert rows_of(facts["states"]) == {"verified": 2, "listed": 1, "missing": 1, "failed": 1,
                                        "unverifiable": 1}
    assert rows_of(facts["proofs"]) == {"crc32": 1, "size": 2, "none": 2}
    assert rows_of(facts["buckets"]) == {"b": 3, "d": 3}
    assert (facts["rows"], facts["bytes"], facts["rows_of_unknown_size"],
            facts["delete_markers"]) == (6, 2045, 1, 1)
    assert (facts["proven"]["rows"], facts["unproven"]["rows"]) == (1, 4)
    assert [(each["cause"], each["rows"]) for each in facts["errors"]] == [
        ("there is no file '...'", 2), ("nobody knows", 1)]
    [manifest] = facts["manifests"]
    data = MANIFEST.encode() if data else Path(path).read_bytes()
    assert (manifest["rows"], manifest["bytes"], manifest["sha256"]) == (
        6, len(data), hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("keep, status", [("verified,crc32", 0), ("size", 5), ("", 1)])
def test_the_status(run, keep, status):
    """Nothing wrong; nobody knows; something is wrong."""
    lines = [line for line in LINES if keep in line]
    assert run("s3-status", input="bucket,key,version_id,is_delete_marker,size,state,proof,error\n"
               + "\n".join(lines)).status == status


def test_errors_as_rows(run, tmp_path):
    """With unknown columns, as they came; what is wrong is said beside, with -v of each row."""
    lines = [f"{line},x y" if "d/e" in line else f"{line}," for line in LINES]
    text = "\n".join([HEAD.strip() + ",mine", *lines, "#end rows=6\n"])
    done = run("s3-status", "--errors", "-v", input=text)
    assert done.status == 1 and [(row.key, row.extra) for row in read_rows(done.out)] == [
        ("e", {"mine": "x y"}), ("f", {"mine": ""}), ("g", {"mine": ""})]
    assert "s3-status: s3://d/e?versionId=v: there is no file 'd/e'" in done.err
    assert "2 rows (30 and 1 of unknown size): there is no file '...'" in done.err
    quiet = run("s3-status", "--errors", "-q", "-f", "xml", input=MANIFEST)
    assert quiet.err == "" and quiet.out.startswith("<manifest") and len(read_rows(quiet.out)) == 3
    kept = run("s3-status", "--errors", "--json", "-o", tmp_path / "e.csv", input=MANIFEST)
    assert facts_of(kept, 1)["rows"] == 6 and len(read_rows(tmp_path / "e.csv")) == 3


def test_a_cut_input(run, tmp_path):
    """Everything says so: the message, the figures, the status; no page, and rows without an end.
    """
    cut = MANIFEST.rpartition("#end")[0]
    done = run("s3-status", input=cut)
    assert done.status == 3 and done.out.startswith("NOT WHOLE: the input was cut")
    assert done.err == ("s3-status: standard input: the input was cut: no end mark after 6 rows\n")
    facts = facts_of(run("s3-status", "--json", input=cut), 3)
    assert not facts["is_whole"] and facts["manifests"][0]["sha256"] is None
    done = run("s3-status", "--errors", "-q", input=cut)
    assert done.status == 3 and "#end" not in done.out and done.out.count("\n") == 5
    assert run("s3-status", "-q", "--html", "page.html", input=cut).status == 3
    kept = run("s3-status", "-q", "--errors", "-o", "e.csv", input=cut)
    assert kept.status == 3 and kept.out.startswith("NOT WHOLE") and not list(tmp_path.iterdir())


@pytest.mark.parametrize("words, says", [
    (["-d", "d", "m.csv"], "two things to look at"), (["-o", "x", "m.csv"], "go with --errors"),
    (["-f", "xml", "m.csv"], "go with --errors"), (["--html", "-"], "--html writes a file"),
    (["s3://b/"], "takes a manifest: s3-manifest"),
    (["--errors"], "want -d DIR, or a manifest"), (["--watch", "m.csv"], "are of runs"),
    (["."], "is a directory")])
def test_asked_wrongly(run, words, says):
    """One line, and nothing done."""
    done = run("s3-status", *words)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1) and says in done.err


@pytest.mark.parametrize("words", [[], ["--errors"], ["--json"], ["-"]])
def test_on_a_terminal(shims, tmp_path, words):
    """There the causes are shown, not the rows; a manifest is not waited for."""
    (tmp_path / "m.csv").write_text(MANIFEST.replace("d/e", "\x1b[31m\u202e"))
    env = clean_env({"PATH": f"{shims}:{os.environ['PATH']}", "XDG_RUNTIME_DIR": tmp_path})
    alone = Running(["s3-status", *words], env, terminal="012", cwd=tmp_path).wait()
    is_of_runs = words in ([], ["--json"])
    assert alone.status == (0 if is_of_runs else 2)
    assert ("runs" if is_of_runs else "s3-manifest s3://") in alone.screen
    if words == ["-"]:
        return
    shown = Running(["s3-status", *words, "m.csv"], env, terminal="12", cwd=tmp_path).wait()
    assert shown.status == 1 and "#s3kit" not in shown.screen and "\x1b" not in shown.screen
    assert "there is no file '...'" in shown.screen


def test_output_that_cannot_be_written(run, pipe, tmp_path):
    """The status tells."""
    (tmp_path / "m.csv").write_text(MANIFEST)
    for words in ("m.csv", "--json m.csv", "--errors m.csv"):
        done = pipe(f"s3-status {words} > /dev/full")
        assert done.status == [3] and "No space left on device" in done.err


# --- the page


def odd_rows(count):
    """Return rows of all odd keys, and more, in several states."""
    kinds = [("verified", "crc32", ""), ("missing", "", "there is no file 'b/{}'"),
             ("fetched", "size", ""), ("failed", "", "S3 says {}")]
    keys = [key for key, _ in ODD_KEYS if not set(key) & {"\ufffe"}]
    keys += [f"k{number}" for number in range(count)] + ["<script>alert(1)</script>", "\"'--><b>"]
    return [Row("b", key, size=str(number), state=kinds[number % 4][0], proof=kinds[number % 4][1],
                error=" ".join(kinds[number % 4][2].format(key).split()))
            for number, key in enumerate(keys)]


def test_the_page_has_the_manifest_s_numbers(run, tmp_path):
    """By Python's csv module and lxml; of odd keys and others."""
    write(tmp_path / "m.csv", odd_rows(2000))
    done = run("s3-status", "--html", "page.html", "m.csv")
    assert (done.status, done.out) == (1, "")
    counts, sizes = Counter(), Counter()
    with open(tmp_path / "m.csv", newline="", encoding="utf-8") as file:
        for line in csv.DictReader(line for line in file if not line.startswith("#")):
            counts[line["state"]] += 1
            sizes[line["state"]] += int(line["size"])
    tree = html.parse(str(tmp_path / "page.html"))
    assert {line.get("data-name"): tuple(int(text.replace(",", "")) for text in (
        line[1].text, line[2][0].text)) for line in tree.xpath("//table[@id='states']/tbody/tr")
            } == {state: (counts[state], sizes[state]) for state in counts}
    assert len(tree.xpath("//table[@id='unproven']/tbody/tr")) == 1000
    more = sum(counts.values()) - counts["verified"] - 1000
    assert f"and {more:,} more" in tree.getroot().text_content()
    assert hashlib.sha256((tmp_path / "m.csv").read_bytes()).hexdigest() in (
        tree.xpath("//table[@id='manifests']")[0].text_content())


@pytest.mark.long
@pytest.mark.system("chromium")
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_in_a_browser(run, tmp_path, width):
    """Its document is what was written: no name has become markup. And something is to be seen."""
    write(tmp_path / "m.csv", odd_rows(50))
    assert run("s3-status", "-q", "--html", "page.html", "m.csv").status == 1
    page = tmp_path / "page.html"
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},900",
         "--screenshot=page.png", "--dump-dom", page.as_uri()], cwd=tmp_path, timeout=120,
        env=clean_env({"HOME": tmp_path}), capture_output=True)
    assert done.returncode == 0, done.stderr
    seen, written = html.fromstring(done.stdout), html.parse(str(page)).getroot()
    assert Counter(each.tag for each in seen.iter()) == Counter(each.tag for each in written.iter())
    assert seen.xpath("//main")[0].text_content() == written.xpath("//main")[0].text_content()
    size, kinds = drawn(tmp_path / "page.png")
    assert size == (width, 900) and kinds > 100


def drawn(path):
    """Return ((width, height), how many kinds of bytes its filtered lines are of) of a PNG: those
    of a blank one are of a few (https://www.w3.org/TR/png/, "Filter types").
    """
    data, at, lines = path.read_bytes(), 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body, at = data[at + 8:at + 8 + length], at + 12 + length
        if kind == b"IHDR":
            size = struct.unpack(">II", body[:8])
        lines += body if kind == b"IDAT" else b""
    return size, len(set(zlib.decompress(lines)))
