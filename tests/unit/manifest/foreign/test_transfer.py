"""The ledger of transfer_v5, and missing.txt of its successors."""

import io

import pytest
from odd_keys import KEYS

from s3kit.errors import Cut, Fault
from s3kit.manifest.foreign.text_lines import HOLD
from s3kit.manifest.foreign.transfer import reader
from s3kit.manifest.row import FAILED, LISTED, Row

TEXTS = ["007", "NA", "null", "nan", "1e5", "TRUE", "a: 5", ": ", "key, with", 'q"uote']


def read(form, data, step=1 << 20, bucket="b"):
    """Return (rows, why the reading stopped) of a list that comes in pieces."""
    made = reader(form, bucket, None)
    rows = [row for at in range(0, len(data), step) for row in made.feed(data[at:at + step])]
    return rows + made.close(), made.stop


def ledger(pairs):
    """Return a ledger as pandas' to_csv writes it."""
    import csv
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(pairs)
    return file.getvalue().encode()


@pytest.mark.parametrize("step", [1 << 20, 3])
@pytest.mark.parametrize("keys", [[key for key in KEYS if "\r" not in key], TEXTS])
def test_a_ledger(keys, step):
    """Keys are text; later runs append without a header, or another ledger is put behind."""
    pairs = [(key, str(at)) for at, key in enumerate(keys)]
    data = b"Key,Size\n" + ledger(pairs[:3]) + b"\nKey,Size\r\n" + ledger(pairs[3:])
    rows, stop = read("transfer-ledger", data, step)
    assert not stop
    assert rows == [Row("b", key, size=size, state=LISTED) for key, size in pairs]


@pytest.mark.parametrize("step", [1 << 20, 3])
def test_missing(step):
    """The size is what follows the last `: `; keys with line ends have none that can be told."""
    keys = [key for key in KEYS + TEXTS if "\n" not in key and not key.startswith("\ufeff")]
    data = "".join(f"{key}: {at}\n" for at, key in enumerate(keys)).encode()
    rows, stop = read("transfer-missing", data, step)
    assert not stop
    assert rows == [Row("b", key, size=str(at), state=LISTED) for at, key in enumerate(keys)]


@pytest.mark.parametrize("form, data", [
    ("transfer-ledger", b"Key,Size\na,1\nb,1048"), ("transfer-missing", b"a: 1\nb: 1048")])
def test_a_cut_size_is_not_a_size(form, data):
    """The last line has an end in all that the tools write."""
    rows, stop = read(form, data)
    assert [row.key for row in rows] == ["a"]
    assert isinstance(stop, Cut) and "was cut" in str(stop)


@pytest.mark.parametrize("form, line, why", [
    ("transfer-ledger", "a", "not a key and its size"),
    ("transfer-ledger", "a,b,1", "not a key and its size"),
    ("transfer-ledger", "a,1.0", "size '1.0' is not a number of bytes"),
    ("transfer-ledger", "a\rb,1", "not CSV"),
    ("transfer-ledger", "a,", "not a key and its size"), ("transfer-ledger", ",1", "no key"),
    ("transfer-missing", "a", "not a key, ': ' and its size"),
    ("transfer-missing", "a: b", "size 'b' is not a number of bytes"),
    ("transfer-missing", "a: ", "not a key, ': ' and its size"),
    ("transfer-missing", ": 1", "no key")])
def test_lines_that_make_no_sense(form, line, why):
    """They are failed rows that say their line, and stop nothing."""
    good = "g,1" if form == "transfer-ledger" else "g: 1"
    rows, stop = read(form, f"{good}\r\n{line}\r\n{good}\r\n".encode())
    assert not stop and [row.state for row in rows] == [LISTED, FAILED, LISTED]
    assert rows[1].error.startswith(f"line 2: {why}") and rows[1].verbatim is not None


def test_what_never_ends():
    """It is not gathered for ever."""
    made = reader("transfer-missing", "b", None)
    made.feed(b"a: 1\n" + b"x" * (HOLD + 1))
    assert isinstance(made.stop, Fault) and made.feed(b": 1\n") == [] == made.close()
