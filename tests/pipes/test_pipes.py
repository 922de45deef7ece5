"""Pipelines as people type them: each tests/pipes/NAME.sh is run by bash, its transcript must be
NAME.out.

s3-*.sh tell about one command each, pairs*.sh have two pipelines to a line that must agree. The
scripts find two small buckets (below) on a real server, and nothing in them changes from run to
run: what would is cut out in the scripts. `S3KIT_WRITE_PIPES=1 pytest tests/test_pipes.py` writes
the transcripts anew; read the difference before you believe it.
"""

import os
import time
from pathlib import Path

import pytest

PIPES = Path(__file__).resolve().parent
FLAT = {"a.txt": b"alpha\n", "b/100%.txt": b"per cent\n", "b/c d.txt": b"blank\n",
        "=sum.csv": b"1,2\n", "x&y<z>.txt": b"markup\n", "img/one.jpg": b"\xff\xd8" * 1000,
        "img/two.png": b"\x89PNG" * 300, "tab\there.txt": b"control\n",
        "\u00fcber/\u65e5\u672c.txt": b"not ASCII\n"}
VERSIONS = [("doc.txt", b"first\n"), ("doc.txt", b"second\n"), ("old/gone.txt", b"bye\n"),
            ("old/kept.txt", b"stay\n"), ("old", b"beside a directory\n")]


@pytest.fixture(scope="module")
def buckets(seaweed):
    """pipes-flat, never versioned; pipes-versions with versions and a delete marker; both again for
    what deletes; empty ones for what uploads.
    """
    client = seaweed.client()
    for bucket in ("pipes-flat", "pipes-versions", "pipes-prune", "pipes-prune-versions",
                   "pipes-migrate", "pipes-migrate-versions", "uploaded", "uploaded-versions",
                   "pipe-policy"):
        try:
            client.create_bucket(Bucket=bucket)
        except client.exceptions.BucketAlreadyOwnedByYou:
            pass        # the answer to the first try came too late
        if bucket.endswith("versions"):
            client.put_bucket_versioning(Bucket=bucket,
                                         VersioningConfiguration={"Status": "Enabled"})
    for key in ("a.txt", "b/c d.txt", "img/one.jpg", "img/two.png"):
        for bucket in ("pipes-prune", "pipes-migrate", "pipe-policy"):
            client.put_object(Bucket=bucket, Key=key, Body=FLAT[key], ChecksumAlgorithm="CRC32")
    for body in (b"first\n", b"second\n", b"third\n"):
        for bucket in ("pipes-prune-versions", "pipes-migrate-versions"):
            client.put_object(Bucket=bucket, Key="doc.txt", Body=body, ChecksumAlgorithm="CRC32")
        time.sleep(1.1)
    for bucket in ("pipes-prune-versions", "pipes-migrate-versions"):
        client.delete_object(Bucket=bucket, Key="doc.txt")
    for key, body in FLAT.items():
        client.put_object(Bucket="pipes-flat", Key=key, Body=body, ChecksumAlgorithm="CRC32")
    for key, body in VERSIONS:
        client.put_object(Bucket="pipes-versions", Key=key, Body=body, ChecksumAlgorithm="CRC32")
        time.sleep(1.1)         # so that the order of versions is in their times
    client.delete_object(Bucket="pipes-versions", Key="old/gone.txt")
    return seaweed


@pytest.mark.parametrize("script", sorted(PIPES.glob("*.sh")), ids=lambda path: path.stem)
def test_transcript(script, buckets, pipe, tmp_path):
    """What people would see is what the file beside the script says."""
    done = pipe(f". '{PIPES}/lib.bash'; . '{script}'", env=buckets.env | {"LC_ALL": "C.UTF-8"},
                cwd=tmp_path, timeout=200)
    seen, wanted = done.out + done.err, script.with_suffix(".out")
    if os.environ.get("S3KIT_WRITE_PIPES"):
        wanted.write_text(seen, encoding="utf-8")
    assert seen == wanted.read_text(encoding="utf-8")
