"""s3kit(3): its names are those of the package, and its examples give what it says."""

import doctest
import re
from pathlib import Path

from conftest import clean_env

from s3kit import manifest
from s3kit.manifest.row import STATES

PAGE = (Path(__file__).parents[1] / "man" / "s3kit.3").read_text()


def test_the_page_has_the_names_of_the_package():
    """No more, no fewer: what is not there may change."""
    named = [name for names in re.findall(r"^\.It (?:Fn|Vt|Va) (.+)$", PAGE, re.MULTILINE)
             for name in (names.split(" , ") if names.isupper() else names.split()[:1])]
    assert named == manifest.__all__ == sorted(manifest.__all__, key=named.index)
    assert {name.lower() for name in named if name.isupper()} == set(STATES)
    assert dir(manifest) == sorted(manifest.__all__)
    assert all(getattr(manifest, name) == name.lower() for name in named if name.isupper())


def examples():
    """Return the page's examples as one session of Python."""
    blocks = re.findall(r"^\.Bd -literal\n(.+?)^\.Ed$", PAGE, re.MULTILINE | re.DOTALL)
    return "\n".join(blocks).replace("\\&", "").replace("\\(aq", "'").replace("\\e", "\\")


def test_the_examples_are_true(tmp_path, monkeypatch):
    """As a reader would try them, one after another."""
    monkeypatch.chdir(tmp_path)
    for name, value in clean_env().items():
        monkeypatch.setenv(name, value)
    Path("fetched.csv").write_text("bucket,key,size,state\nb,a,12,fetched\nb,c,5,verified\n")
    Path("keys.txt").write_text("2024/a.jpg,3\n2024/b.jpg,big\n")
    Path("cut.csv").write_text("#s3kit manifest 1\nbucket,key\nb,a\n")
    session = doctest.DocTestParser().get_doctest(examples(), {}, "s3kit(3)", None, 0)
    assert len(session.examples) >= 12
    told = []
    doctest.DocTestRunner(verbose=False).run(session, out=told.append)
    assert not told, "".join(told)
