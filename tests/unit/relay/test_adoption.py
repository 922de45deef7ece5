"""What the ledgers of transfer_v5 claim."""

import csv
import io
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from odd_keys import KEYS

from s3kit.errors import Fault
from s3kit.relay import adoption
from s3kit.relay.adoption import MOST_WARNINGS, claims

TEXTS = ["007", "NA", "null", "nan", "1e5", "TRUE", "Key", "Size", "a: 5", "key, with", 'q"uote',
         "100%", "%41", "#x"]
# pandas does not quote a lone CR, so nobody can tell what such a line was.
PLAIN = [key for key in KEYS + TEXTS if "\r" not in key]
ANY = st.text(st.one_of(st.characters(exclude_categories=["Cs"], exclude_characters="\r"),
                        st.sampled_from(',"\n %')), min_size=1, max_size=20)
PAIRS = st.lists(st.tuples(ANY, st.integers(0, 50 << 40)), max_size=20)


def rows(pairs):
    """Return rows as pandas' to_csv writes them (index=False, header=False)."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(pairs)
    return file.getvalue().encode()


def ledger(*runs):
    """Return a ledger that these runs have appended to."""
    return b"Key,Size\n" + b"".join(map(rows, runs))


def of(path, prefix=""):
    """Return (claims, warnings) of a ledger."""
    found = claims(path, prefix)
    return list(found), found.warnings


@pytest.mark.parametrize("prefix", ["", "p/", "p", "a b/é"])
def test_a_ledger(written, prefix):
    """Keys are texts, whatever they look like; the prefix is put before them as it is."""
    pairs = [(key, at) for at, key in enumerate(PLAIN)]
    found, warnings = of(written(ledger(pairs[:9], pairs[9:]), "l.csv"), prefix)
    assert found == [(prefix + key, size) for key, size in pairs] and not warnings


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PAIRS, PAIRS, st.sampled_from(["", "p/"]), st.sampled_from([1, 7, 1 << 20]))
def test_there_and_back(tmp_path, first, later, prefix, block):
    """What was written comes, in its order, doubles too, wherever blocks end; and it can be read
    again.
    """
    path = tmp_path / "l.csv"
    path.write_bytes(ledger(first, later))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adoption, "BLOCK", max(block, len("\ufeffKey,Size\n") * 2))
        found = claims(str(path), prefix)
        for _ in range(2):
            assert list(found) == [(prefix + key, size) for key, size in first + later]
            assert found.warnings == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PAIRS, PAIRS, st.data())
def test_cut_and_gone_on(tmp_path, first, later, data):
    """A power cut takes the end of a line away, and the next run goes on behind it: what comes is
    of whole lines or said not to be, and most lines before the cut come in any case.
    """
    path, whole = tmp_path / "l.csv", ledger(first)
    kept = whole[:data.draw(st.integers(len(b"Key,Size\n"), len(whole)))]
    path.write_bytes(kept + rows(later))
    found, warnings = of(str(path))
    entire = sum(kept.startswith(ledger(first[:number])) for number in range(1, len(first) + 1))
    assert found[:entire] == first[:entire]
    if kept == ledger(first[:entire]):
        assert found[entire:] == later and not warnings


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80))
def test_anything(tmp_path, data):
    """Claims, warnings or a Fault come of any bytes."""
    path = tmp_path / "l.csv"
    path.write_bytes(b"Key,Size\n" + data)
    try:
        found, _ = of(str(path))
        assert all(key and size >= 0 for key, size in found)
    except Fault as fault:
        assert str(path) in str(fault)


@pytest.mark.parametrize("line, why", [
    ("NA", "line 3: not a key and its size"), ("a,b,1", "line 3: not a key and its size"),
    (",5", "line 3: no key (pandas drops names like NA)"),
    ("a,1.5", "line 3: size '1.5' is not a number of bytes"), ("a,-1", "line 3: size '-1'"),
    ("a\rb,1", "line 3: not CSV"), (b"\xff,1", "line 3: "),
    ('"a,b', "line 3: not a key and its size")])
def test_lines_that_make_no_sense(written, line, why):
    """They are said, and the others come; also those behind a quote that was cut away."""
    line = line if isinstance(line, bytes) else line.encode()
    path = written(b'Key,Size\ng,1\n' + line + b'\nh,2\n"i,j",3\n', "l.csv")
    found, warnings = of(path)
    assert found == [("g", 1), ("h", 2), ("i,j", 3)]
    assert len(warnings) == 1 and warnings[0].startswith(f"'{path}', {why}")


def test_sizes_that_pandas_made_floats(written):
    """One row without a size makes all of them such when the file is written again."""
    found, warnings = of(written("Key,Size\na,1048576.0\ncut,\n,5.0\n", "l.csv"))
    assert found == [("a", 1 << 20)] and len(warnings) == 2


@pytest.mark.parametrize("end, why", [("b,104", "the last line has no end"),
                                      ('"b\n', "a quote is opened and never closed")])
def test_a_cut_last_line(written, end, why):
    """A size that was cut is another size."""
    found, warnings = of(written("Key,Size\na,1\n" + end, "l.csv"))
    assert found == [("a", 1)] and len(warnings) == 1 and why in warnings[0]


def test_other_heads(written):
    """Windows' line ends, a byte order mark, a header of a later run; nothing at all."""
    text = '\ufeffKey,Size\r\na,1\r\n\r\nKey,Size\r\nb,2\r\n'
    assert of(written(text, "l.csv")) == ([("a", 1), ("b", 2)], [])
    assert of(written('"Key","Size"\n"a","1"\n', "l.csv")) == ([("a", 1)], [])
    assert of(written("Key,Size\n", "l.csv")) == of(written("", "l.csv")) == ([], [])


@pytest.mark.parametrize("text", ["a,1\n", ",Key,Size\n0,a,1\n", "a: 5\n", "Key\n", '{"a": 1}'])
def test_what_is_no_ledger(written, text):
    """The wrong file adopts nothing."""
    with pytest.raises(Fault, match="is not a ledger of transfer_v5"):
        of(written(text, "l.csv"))


def test_what_cannot_be_read(tmp_path, written):
    """The system's reason; and where a quote has no end within reason, its line."""
    with pytest.raises(Fault, match="cannot read"):
        of(str(tmp_path / "none"))
    found = iter(claims(written('Key,Size\na,1\n"b' + "x,1\n" * 400_000, "l.csv")))
    assert next(found) == ("a", 1)
    with pytest.raises(Fault, match="l.csv': line 3: no end of the record"):
        list(found)


def test_many_lines_that_make_no_sense(written):
    """Some are named, all are counted."""
    found, warnings = of(written("Key,Size\n" + "x\n" * 1000 + "a,1\n", "l.csv"))
    assert found == [("a", 1)] and len(warnings) == MOST_WARNINGS + 1
    assert "1,000 lines in all" in warnings[-1]


@pytest.mark.long
def test_memory_does_not_grow(tmp_path):
    """A block's rows are there at once, no more."""
    path = tmp_path / "l.csv"
    with open(path, "wb") as file:
        file.write(b"Key,Size\n")
        for part in range(20):
            file.write(b"".join(b"run/%d/frame_%06d.bin,1048576\n" % (part, at)
                                for at in range(10_000)))
    tracemalloc.start()
    try:
        assert sum(1 for _ in claims(str(path))) == 200_000
        assert tracemalloc.get_traced_memory()[1] < 60 << 20
    finally:
        tracemalloc.stop()
