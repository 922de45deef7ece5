"""Findings: one a line, as compilers write them."""

from s3kit.check.findings import Findings


def test_places(capsys):
    """By lines and by rows, of several files; what could act on a terminal is written out."""
    findings = Findings()
    findings.add_file("a.csv")
    first = findings.place(3)
    findings.add(first, "size", "many")
    findings.add_file("b\x1b.xml")
    findings.has_rows()
    second = findings.place(1 << 39)
    findings.add(second, "", "twice")
    findings.write("at all")
    assert capsys.readouterr().out == (
        f"a.csv:3: size: many\nb\\x1b.xml: row {1 << 39}: twice\nat all\n")
    assert findings.count == 3
    assert findings.other(first, findings.place(9)) == "a.csv:3"
    assert findings.other(second, findings.place(9)) == f"row {1 << 39}"
