"""Settings in YAML, and what is said of those that make no sense."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.errors import UNFINISHED, USAGE, Fault, Usage
from s3kit.relay.settings import Settings, load


@pytest.mark.parametrize("text", ["007", "1e5", "no", "NA", "0x10", "2026-01-31", "12:30", "1_000",
                                  ".5", "=", "é", "a/b ", "yes"])
def test_plain_values_are_texts(written, text):
    """What YAML would make another kind of is a key, a prefix or a name all the same."""
    for value in (text.strip(), f"'{text}'"):
        found = load(written(f"name: {value}\n")).text("name")
        assert found == (text if value != text.strip() else text.strip())


@pytest.mark.parametrize("text", ["", "~", "null", "''"])
def test_nothing_is_none(written, text):
    """An empty value is as good as none."""
    settings = load(written(f"name: {text}\nother: x\n"))
    assert settings.text("name") is None is settings.size("name") is settings.flag("missing")
    assert "name" not in settings and "missing" not in settings and "other" in settings
    assert settings.items("name") == [] if text != "''" else True


def test_a_byte_order_mark_anchors_and_merges(written):
    """What editors put before it is nothing; `<<` has settings of another mapping, which those
    beside it precede.
    """
    found = load(written("\ufeffone: &o {a: 1, b: 2}\ntwo: {<<: *o, b: 3}\n"))
    assert found.values == {"one": {"a": "1", "b": "2"}, "two": {"a": "1", "b": "3"}}


def test_values_of_each_kind(written, tmp_path):
    """Sizes, spans, flags, paths, choices, lists and groups."""
    found = load(written("size: 1.5G\nspan: 5m\nyes: True\nno: off\npath: sub/../work\nhome: ~/x\n"
                         "one: b\nlist: [a, b]\ngroup: {x: y}\nshort: z\nroot: /r/\n"))
    assert found.size("size") == 3 << 29 and found.span("span") == 300
    assert found.flag("yes") is True and found.flag("no") is False
    assert found.file("path") == str(tmp_path / "work") and found.file("root") == "/r"
    assert not found.file("home").startswith("~")
    assert found.choice("one", ("a", "b")) == "b" and found.texts("list") == ["a", "b"]
    assert found.part("group").text("x") == "y" == found.part("group").values["x"]
    assert found.part("short", "x").text("x") == "z" and found.part("none").values == {}


def test_paths_of_what_is_no_file_are_the_current_directory_s():
    """A pipe has no directory to be meant from."""
    assert Settings({"work": "w"}, "/dev/fd/63").file("work") == "w"


WRONG = [
    ("size", "x: big", "x makes no sense: 'big' is not a size"),
    ("size", "x: [1]", "x is not one text"),
    ("span", "x: 60", "x makes no sense: '60' is not a span of time"),
    ("flag", "x: maybe", "x is neither true nor false"),
    ("text", "x: {a: b}", "x is not one text"),
    ("text", 'x: "\\ud800"', "x is not Unicode text"),
    ("items", "x: a", "x is not a list"),
    ("texts", "x: [a, [b]]", "x is not a list of texts"),
    ("part", "x: a", "x is not a group of settings"),
    ("part", "x: [a]", "x is not a group of settings"),
]


@pytest.mark.parametrize("kind, text, said", WRONG)
def test_wrong_kinds(written, kind, text, said):
    """One line with the file's and the setting's name."""
    path = written(text)
    with pytest.raises(Usage) as raised:
        getattr(load(path), kind)("x")
    assert str(raised.value).startswith(f"'{path}': {said}")
    assert "\n" not in str(raised.value)


def test_choices_and_sizes_that_move_nothing(written):
    """What may be chosen is said."""
    settings = load(written("x: small\ny: 0"))
    with pytest.raises(Usage, match="x is not one of large, listed"):
        settings.choice("x", ("large", "listed"))
    with pytest.raises(Usage, match="y is 0"):
        settings.size("y", 1)
    assert settings.size("y") == 0


@pytest.mark.parametrize("text, said", [
    ("adress: x", "no setting 'adress': was 'address' meant?"),
    ("bucket_name: x", "no setting 'bucket_name': was 'address' meant?"),
    ("zzz: x", "no setting 'zzz'$"),
    ("{access_key:FAKE: x}", "no setting 'access_key'$")])
def test_names_that_are_none(written, text, said):
    """What was meant is guessed; a key that is glued to a name is not shown."""
    with pytest.raises(Usage, match=said):
        load(written(text)).check(("address", "region"))


NOT_YAML = [
    ("a: 'FAKE", "not YAML at line 1"), ("a: b: FAKE", "': ' in it without quotes"),
    ("a:\n\tb: FAKE", "a tab is no indent"), ("a: *FAKE", "without quotes"),
    ("a: !FAKE x", "without quotes"), ("a: !!int x", "not YAML"), ("a: !!map x", "not YAML"),
    ("a: !!python/name:os.system x", "not YAML"), ("a: @FAKE", "not YAML at line 1, column 4"),
    ("a: 1\n---\nb: FAKE", "one document"), ("\x01", "not YAML"),
    ("a: 1\nb: 2\na: FAKE", "line 3: 'a' is there twice"),
    ("s:\n  a: 1\n  'a': FAKE", "line 3: 'a' is there twice"), ("<<: {}\n<<: {}", "there twice"),
    ("? [a]\n: FAKE", "line 1: this is not the name"), ("~: FAKE", "not the name"),
    ("[" * 5000, "without end"), ("", "is empty"), ("# nothing", "is empty"),
    ("- a", "has no settings"), ("FAKE", "has no settings"),
]


@pytest.mark.parametrize("text, said", NOT_YAML)
def test_what_is_no_yaml(written, text, said):
    """The place is said, and nothing of what stands there."""
    path = written(text)
    with pytest.raises(Usage) as raised:
        load(path)
    complaint = str(raised.value).replace(path, "f")    # pytest names directories after parameters
    assert said in complaint and raised.value.status == USAGE
    assert "FAKE" not in complaint and "\n" not in complaint


def test_what_cannot_be_read(written, tmp_path):
    """The system's reason."""
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(Fault, match="cannot read") as raised:
            load(str(path))
        assert raised.value.status == UNFINISHED
    with pytest.raises(Fault, match="not UTF-8"):
        load(written(b"a: \xff"))


def test_without_the_library(written, monkeypatch):
    """What to install is said."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(Fault, match=r"pip install s3kit\[relay\]"):
        load(written("a: b"))


NAMES = st.text(st.sampled_from("abc:[]{}&*!|>'\"%@`#,?- \n\t~<=0.\\"), max_size=30)


@given(NAMES)
def test_nothing_but_faults_come_of_any_text(tmp_path_factory, text):
    """Whatever stands there."""
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text)
    try:
        load(str(path))
    except Fault:
        pass
