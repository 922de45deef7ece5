"""JSON taken apart as it comes: against json.loads, in any pieces."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3kit.errors import Cut, Fault
from s3kit.manifest.foreign import json_parts
from s3kit.manifest.foreign.json_parts import Parts, text_of

VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                      lambda inner: st.lists(inner, max_size=3)
                      | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=6)
DOCUMENTS = st.lists(st.lists(VALUES, max_size=4)
                     | st.dictionaries(st.text(max_size=4), VALUES, max_size=4), max_size=3)


def parts_of(data, step=None):
    """Return what comes of bytes, and the Parts."""
    parts, found = Parts(), []
    for at in range(0, len(data), step or len(data) or 1):
        found += parts.feed(data[at:at + (step or len(data))])
    return found + parts.feed(b"", last=True), parts


@settings(max_examples=100)
@given(DOCUMENTS, st.sampled_from([None, 1, 2]), st.booleans(), st.integers(1, 9))
def test_documents(documents, indent, is_ascii, step):
    """Elements of lists one by one, all else as it is."""
    text = "\n".join(json.dumps(document, indent=indent, ensure_ascii=is_ascii)
                     for document in documents)
    expected = []
    for document in documents:
        document = json.loads(json.dumps(document), parse_int=str)
        for name, value in ([("", document)] if isinstance(document, list) else document.items()):
            expected += [(name, one) for one in (value if isinstance(value, list) else [value])]
        expected.append((None, None))
    found, parts = parts_of(text.encode("utf-8", "surrogatepass"), step)
    assert [(name, value) for name, value, _ in found] == expected
    assert parts.stop is None and not parts.is_open
    for at in range(1, len(text) - 1, 7):
        _, cut = parts_of(text.encode("utf-8", "surrogatepass")[:at], step)
        assert cut.is_open or cut.stop or len(documents) > 1


def test_lines_and_numbers():
    """Each part has its line; numbers keep all digits."""
    found, _ = parts_of(b'\xef\xbb\xbf{"a":\n[\n9007199254740993,\n\n{"b": 1.10\n}],\n"c": 1e3}', 2)
    assert found == [("a", "9007199254740993", 3), ("a", {"b": "1.10"}, 5), ("c", "1e3", 7),
                     (None, None, 7)]


@pytest.mark.parametrize("text, line", [
    (b'[\n{"a" 1}   ,        1]', 2), (b'[1 2]', 1), (b'{"a": NaN}', 1), (b'x', 1), (b'{1: 2}', 1),
    (b'{"a": 1;', 1), (b'{"a"\n,"b"]       ', 2), (b"[" * 100000 + b"\n", 1)])
def test_what_is_not_json(text, line):
    _, parts = parts_of(text)
    assert (isinstance(parts.stop, Cut) and f"line {line}: not JSON" in str(parts.stop)
            or parts.is_open)


def test_a_value_without_end(monkeypatch):
    monkeypatch.setattr(json_parts, "HOLD", 1000)
    _, parts = parts_of(b'["' + b"x" * 5000, 100)
    assert type(parts.stop) is Fault


@pytest.mark.parametrize("value, text", [
    (None, ""), (True, "true"), (False, "false"), ("007", "007"), (["CRC32", "SHA1"], "CRC32 SHA1"),
    ({"a": "b"}, '{"a": "b"}'), ([], "")])
def test_values_as_text(value, text):
    assert text_of(value) == text
