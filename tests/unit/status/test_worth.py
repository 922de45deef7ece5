"""What states and proofs mean."""

import pytest

from s3kit.manifest.row import STATES
from s3kit.status.worth import MEANINGS, WORTHS, kind_of, meaning_of, worth_of


def test_every_state_has_a_meaning():
    """And what is none has one, too."""
    assert set(MEANINGS) == set(STATES)
    assert meaning_of("none") == "the row does not say"


@pytest.mark.parametrize("proof, kind, says", [
    ("crc64nvme", "bytes", "S3's checksum crc64nvme of all its bytes"),
    ("etag-md5", "bytes", "S3's ETag, an MD5 of all its bytes"),
    ("etag-md5-parts:8388608", "bytes", "S3's ETag: the MD5s of parts of this size"),
    ("digest", "bytes", "our digest, taken when its bytes came"),
    ("given-md5", "given", "a digest that another program took"),
    ("size", "size", "how many bytes there are, and no more"),
    ("none", "none", "nothing was compared"), ("", "none", "nothing was compared"),
    ("(others)", "others", "of several kinds")])
def test_proofs(proof, kind, says):
    """Each by its kind."""
    assert (kind_of(proof), worth_of(proof)) == (kind, says) and kind in WORTHS
