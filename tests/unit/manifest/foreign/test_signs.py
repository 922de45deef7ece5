"""Which form the first bytes show."""

import os

import pytest
from foreignruns import LISTINGS, SUMS

from s3kit.manifest import foreign
from s3kit.manifest.streams import Input

FORMS = {"aws": "aws", "s5cmd": "s5cmd-ls", "rclone": "rclone-lsjson", "versions": "s3xml",
         "objects": "s3xml"}


@pytest.mark.parametrize("path", sorted(path for path in LISTINGS.iterdir() if path.suffix),
                         ids=lambda path: path.name)
def test_real_files(path):
    """What a tool wrote is taken for what it is, and for one thing only."""
    made = Input(os.open(path, os.O_RDONLY), path.name, "b")
    try:
        for _ in made.batches():
            pass
    except Exception:
        pass            # some are not whole
    finally:
        os.close(made.fd)
    assert made.reader.form == FORMS[path.stem.partition("-")[0]]


@pytest.mark.parametrize("path", sorted(path for path in SUMS.iterdir() if path.suffix),
                         ids=lambda path: path.name)
def test_real_sums(path):
    """What begins with XXH32s of eight digits can be anything."""
    form = path.stem.partition("-")[0]
    if path.name in ("xxhsum-0.8.1.txt", "xxhsum-0.8.3.txt"):
        form = None
    assert foreign.recognised(path.read_bytes()[:foreign.HEAD]) == form


@pytest.mark.parametrize("head, form", [
    (b'{"s3kit_manifest":"1"}', "ndjson"), (b'{"bucket":"b","key":"k"}', "ndjson"),
    (b'{"key": "k"}', "ndjson"), (b'{"Key":"k","LastModified":"x"}', "ndjson"),
    (b'{"Prefix":"x/"}', "ndjson"), (b'{\n    "DeleteMarkers": [', "aws"),
    (b'{"key":"s3://b/k","type":"file"}', "s5cmd-ls"), (b'{"key": "s3://b/k"}', None),
    (b"<Error><Code>AccessDenied</Code>", "s3xml"), (b"<Error>no", None),
    (b"<?xml version='1.0'?>\n<ListVersionsResult xmlns='x'>", "s3xml"),
    (b"<ListVersionsResults>", None), (b'{"a": 1}', None), (b'[{"Key": "k"}]', None)])
def test_heads(head, form):
    assert foreign.recognised(head) == form
