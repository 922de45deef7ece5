"""Findings as people and programs get them."""

import io
import json
import os
from types import SimpleNamespace

import pytest

from s3kit.doctor import report
from s3kit.doctor.finding import FAULT, NOTE, OK, WARNING, Finding
from s3kit.doctor.report import Report

FINDINGS = [Finding("dns", OK, "there"), Finding("space", WARNING, "low", "make room", {"free": 7}),
            Finding("s3://b", FAULT, "gone\x1b[31m", "")]


class Terminal(io.StringIO):
    """A stream that people read."""

    def isatty(self):
        """Return that it is one."""
        return True


def reported(out=None, findings=FINDINGS, **options):
    """Return (what was printed, what was said) of Findings."""
    out, said = out or io.StringIO(), []
    args = SimpleNamespace(**{"json": False, "quiet": False, "verbose": False} | options)
    made = Report(args, out, said.append)
    made.add(findings)
    made.trace("GET /")
    made.summary()
    return out.getvalue().splitlines(), said


def test_a_pipe():
    """Tabs between, nothing acts on a terminal; the summary is not among the lines."""
    assert reported() == (["dns\tok\tthere", "space\twarning\tlow\tmake room",
                           "s3://b\tfault\tgone\\x1b[31m"],
                          ["3 checks: 1 fault (s3://b), 1 warning (space)"])


def test_quietly_and_loudly():
    """-q only what is wrong, -v each request."""
    lines, said = reported(quiet=True)
    assert [line.partition("\t")[0] for line in lines] == ["space", "s3://b"] and said == []
    assert reported(verbose=True)[1][0] == "GET /"


def test_json():
    """A line each, facts and all."""
    lines, _ = reported(json=True, out=Terminal())
    assert [json.loads(line) for line in lines] == [finding.json() for finding in FINDINGS]


@pytest.mark.parametrize("columns, folds", ((200, 1), (70, 2), (20, 2)))
def test_a_terminal(monkeypatch, columns, folds):
    """Columns; long lines are folded under themselves, in no less than NARROWEST."""
    monkeypatch.setattr(report.shutil, "get_terminal_size", lambda: os.terminal_size((columns, 25)))
    long = Finding("space", WARNING, "only little is left of it now", "make some more room there")
    lines, _ = reported(Terminal(), [FINDINGS[0], long])
    assert lines[0] == "dns          ok       there"
    assert lines[1].startswith("space        warning  only little") and len(lines) == 1 + folds
    assert all(line.startswith(" " * 22) for line in lines[2:])


@pytest.mark.parametrize("names, said", (
    ([], "0 faults, 0 warnings"), (["a", "a", "b"], "3 faults (a, b), 0 warnings"),
    (["a", "b", "c", "d", "e", "f"], "6 faults, 0 warnings")))
def test_what_the_summary_names(names, said):
    """Each once, if there are few."""
    found = [Finding("disk", NOTE, "x"), *(Finding(name, FAULT, "x") for name in names)]
    assert reported(findings=found)[1][0].partition(": ")[2] == said
