"""The figures of manifests."""

import hashlib
from types import SimpleNamespace

import pytest

from s3kit.errors import Cut
from s3kit.manifest.row import Row
from s3kit.status.manifests import Heard, figures_of

GOOD, BAD = Row("b", "a", state="verified", proof="crc32", size="3"), Row("b", "c", state="missing")


class Source:
    """Manifests: [(name, batches, whether it is cut)]."""

    def __init__(self, *inputs):
        self.given, self.inputs = inputs, []

    def batches(self):
        """Yield the rows."""
        for name, batches, is_cut in self.given:
            heard = Heard()
            heard.update(name.encode())
            self.inputs.append(SimpleNamespace(name=name, hash=heard,
                                               shards=["", "1/2"] if "shard" in name else [""]))
            yield from batches
            if is_cut:
                raise Cut(f"{name}: the input was cut")


def test_each_manifest_is_told(tmp_path):
    """Its rows, its bytes, their digest; one without rows, too."""
    wrong, named, moves = [], [], []
    figures, more, cut = figures_of(Source(("one", [[GOOD, BAD], [GOOD]], False),
                                           ("none", [], False), ("shard", [[BAD]], False)),
                                    wrong.append, named.append, moves.append)
    assert cut is None and figures.facts()["rows"] == 4
    assert [(each["name"], each["rows"], each["bytes"], each["shards"])
            for each in more["manifests"]] == [("one", 3, 3, []), ("none", 0, 4, []),
                                               ("shard", 1, 5, ["1/2"])]
    assert more["manifests"][0]["sha256"] == hashlib.sha256(b"one").hexdigest()
    assert wrong == [[BAD], [BAD]] and named == [BAD, BAD] and moves == [2, 1, 1]


def test_an_input_that_was_cut():
    """The rows that came are counted; it has no digest."""
    figures, more, cut = figures_of(Source(("one", [[GOOD]], False), ("two", [[GOOD]], True)))
    assert str(cut) == "two: the input was cut" and figures.facts()["rows"] == 2
    assert [each["sha256"] is None for each in more["manifests"]] == [False, True]


@pytest.mark.parametrize("name", ["there", "gone"])
def test_a_file_that_was_not_read_as_a_stream(tmp_path, name):
    """It is read again; if it can be."""
    (tmp_path / "there").write_bytes(b"SQLite")
    source = Source((str(tmp_path / name), [[GOOD]], False))
    batches = source.batches

    def opened():
        for batch in batches():
            source.inputs[-1].hash = None
            yield batch
    source.batches = opened
    [manifest] = figures_of(source)[1]["manifests"]
    assert (manifest["bytes"], manifest["sha256"]) == (
        (6, hashlib.sha256(b"SQLite").hexdigest()) if name == "there" else (None, None))
