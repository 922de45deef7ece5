"""The run of a check, without S3; with it: tests/commands/test_manifest.py."""

from types import SimpleNamespace

import pytest

from s3kit.check.run import Checking
from s3kit.errors import Fault

GOOD = "#s3kit manifest 1\nbucket,key,size\nb,a,1\nb,c,2\n#end rows=2\n"


def check(tmp_path, monkeypatch, *texts, **options):
    """Return the Checking of files m0, m1, ... with these texts."""
    monkeypatch.chdir(tmp_path)
    for number, text in enumerate(texts):
        (tmp_path / f"m{number}").write_text(text)
    given = {"source": [f"m{number}" for number in range(len(texts))], "dest": ".",
             "online": False, "bucket": None, "columns": None, "from_form": None, "rules": None,
             "min_size": None, "max_size": None, "newer": None, "older": None,
             "storage_class": None}
    notes = []
    people = (SimpleNamespace(say=notes.append), None, SimpleNamespace(check=lambda: None))
    checking = Checking(SimpleNamespace(**given | options), people)
    checking.run()
    checking.notes = notes
    return checking


@pytest.mark.parametrize("text, status, said", [
    (GOOD, 0, ""), (GOOD.replace("rows=2", "rows=3"), 1,
                    "m0: the end mark says 3 rows, 2 came\n"),
    (GOOD[:-12], 1, "m0: the input was cut: no end mark after 2 rows\n"),
    (GOOD + "b,d,1\n", 3, "m0: line 6: something follows the end mark\n"),
    ("b;a\n", 3, "m0: columns are separated by ';': a manifest's are by ','\n"),
    ("", 3, "m0: the input is empty, not even a header came\n"),
    ("bucket,key,verison_id\nb,a,1\nb,a,2\n", 1,
     "m0:1: 'verison_id' is a column of your own: was version_id meant?\n"
     "m0:3: the same version as in line 2\n")])
def test_what_is_found(tmp_path, monkeypatch, capsys, text, status, said):
    """0: nothing; 1: something; 3: it could not be read to its end."""
    checking = check(tmp_path, monkeypatch, text)
    assert (checking.status(), capsys.readouterr().out) == (status, said)


def test_several_files_are_one_manifest(tmp_path, monkeypatch, capsys):
    """A row of one may come again in another; one that cannot be read does not hide the next."""
    checking = check(tmp_path, monkeypatch, GOOD, "a;b\n", GOOD, dest="d")
    assert capsys.readouterr().out == (
        "m1: columns are separated by ';': a manifest's are by ','\n"
        "m2:3: the same version as in m0:3\nm2:4: the same version as in m0:4\n")
    assert checking.status() == 3 and checking.rows == 4
    assert checking.summary() == ["4 rows checked", "3 faults found"] and checking.notes == []


def test_paths(tmp_path, monkeypatch, capsys):
    """Below DIR; a path that leads outside is told once."""
    check(tmp_path, monkeypatch, "bucket,key,path\nb,a,p\nb,c,p\nb,d,../x\n", dest="d")
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "m0:3: path: another row has the path 'p': line 2"
    assert out.count("outside") == 1


def test_a_file_that_is_not_there(tmp_path, monkeypatch):
    """Nothing can be said of it."""
    with pytest.raises(Fault, match="cannot open 'no'"):
        check(tmp_path, monkeypatch, source=["no"])
