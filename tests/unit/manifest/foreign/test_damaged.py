"""Listings of other tools, damaged at will: rows or a Fault come, never anything else."""

import pytest
from foreignruns import LISTINGS, read
from hypothesis import given, settings
from hypothesis import strategies as st

from s3kit.errors import Fault
from s3kit.manifest import csv_form, foreign

COLUMNS = {"rclone-lsf": ["key", "size", "hash", "last_modified", "x"],
           "rclone-lsf-csv": ["sha1", "ModTime", "size", "key"]}
NDJSON = (b'{"s3kit_manifest":"1","extras":["n"],"shard":"1/2"}\n{"bucket":"b","key":"k","n":"1"}\n'
          b'{"verbatim":{"key":"%"},"state":"failed","error":"x"}\n{"Key":"k","IsLatest":true}\n'
          b'{"Prefix":"p"}\n{"end":{"rows":4}}\n')
COMMANDS = (b"# two\ncp --raw --version-id 'v' 's3://b/it'\\''s' 'b/x'\n"
            b"mv -n \"s3://b/k\" d/\ncp s3://b/a* x\nrm s3://b/k\n")
FILES = {"aws": "aws-versions-nopaginate.json", "s3xml": "objects-v1.xml",
         "s5cmd-ls": "s5cmd-error.json", "rclone-lsjson": "rclone.json", "ndjson": NDJSON,
         "rclone-lsf": "../rclone-lsf.txt", "rclone-lsf-csv": "../rclone-lsf.csv",
         "rclone-check": "../rclone-check.txt", "s5cmd": COMMANDS,
         "xxhsum": "../sums/xxhsum-0.8.3-tag.txt", "hashdeep": "../sums/hashdeep-rl0.txt"}
PIECES = st.sampled_from([b"{", b"}", b"[", b"]", b'"', b",", b":", b"null", b"true", b"1e5", b"\n",
                          b"\\ud800", b"\xff", b"\0", b"<", b">", b"<Key>", b"&#1;", b'"Key":null,',
                          b'"Name":"b",', b'"end":{},', b"'", b"\\", b" ", b";",
                          b"%%%% size,filename\n",
                          b'"RestoreStatus":{"x":[]},'])
CHANGES = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 30), st.just(b"") | PIECES),
                   min_size=1, max_size=6)


@pytest.mark.parametrize("form", FILES)
@settings(max_examples=40)
@given(CHANGES, st.sampled_from([7, 500, None]))
def test_damage(form, changes, step):
    """Whatever is cut out and put in, and what comes of it can be written."""
    file = FILES[form]
    data = file if isinstance(file, bytes) else (LISTINGS / file).read_bytes()[:3000]
    for at, length, piece in changes:
        at %= len(data) + 1
        data = data[:at] + piece + data[at + length:]
    reader = foreign.reader(form, "b", COLUMNS.get(form))
    rows, stop = read(reader, data, step)
    assert stop is None or isinstance(stop, Fault)
    for writer in (csv_form.Writer(), foreign.writer("ndjson")):
        assert writer.begin(reader.extras) and writer.rows(rows) is not None
