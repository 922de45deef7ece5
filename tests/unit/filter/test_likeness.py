"""Whether two rows are of the same bytes."""

import base64

import pytest

from s3kit.filter.likeness import compare
from s3kit.manifest.row import Row

MD5, OTHER = "0123456789abcdef" * 2, "f" * 32
SHA = base64.b64encode(bytes(32)).decode()
KMS = {"EncryptionStatus": "SSE-KMS"}


def row(**cells):
    """Return a Row of ten bytes."""
    return Row("b", "k", **{"size": "10", **cells})


def checksum(value, kind="FULL_OBJECT", algorithm="SHA256"):
    """Return the columns of a checksum."""
    return {"checksum": value, "checksum_type": kind, "checksum_algorithm": algorithm}


@pytest.mark.parametrize("one, other, expected", [
    # sizes tell that bytes differ, and only if nothing else can be compared that they do not
    ({}, {}, "same size"),
    ({}, {"size": "11"}, "changed size"),
    ({}, {"size": ""}, "unknown "),
    ({"size": "", "last_modified": "2026-01-01T00:00:00Z"},
     {"size": "", "last_modified": "2026-01-01T00:00:00Z"}, "unknown "),
    ({"etag": MD5}, {"etag": MD5, "size": "11"}, "changed size"),
    # ETags of one kind
    ({"etag": MD5}, {"etag": MD5.upper()}, "same etag"),
    ({"etag": MD5}, {"etag": OTHER}, "changed etag"),
    ({"etag": MD5, "size": ""}, {"etag": MD5}, "same etag"),
    ({"etag": f"{MD5}-2"}, {"etag": f"{MD5}-2"}, "same etag"),
    ({"etag": f"{MD5}-2"}, {"etag": f"{OTHER}-2"}, "changed etag"),
    ({"etag": f"{MD5}-2"}, {"etag": f"{OTHER}-3"}, "unknown etag"),
    ({"etag": MD5}, {"etag": f"{MD5}-1"}, "unknown etag"),
    ({"etag": "opaque"}, {"etag": "else"}, "unknown etag"),
    ({"etag": f"{MD5}-x", "size": ""}, {"etag": f"{MD5}-x"}, "unknown "),
    ({"etag": MD5, "extra": KMS}, {"etag": OTHER}, "unknown etag"),
    ({"etag": MD5}, {"etag": MD5, "extra": {"sse": "aws:kms", "x": "y"}, "size": ""}, "unknown "),
    ({"etag": MD5, "extra": {"encryption_status": "SSE-S3"}}, {"etag": OTHER}, "changed etag"),
    ({"etag": "opaque", "size": ""}, {"etag": "else"}, "unknown etag"),
    ({"etag": "opaque"}, {"etag": "opaque"}, "same size"),
    ({"etag": "opaque"}, {}, "same size"),
    # checksums and digests are stronger
    ({"etag": MD5, **checksum(SHA)}, {"etag": OTHER, **checksum(SHA)}, "same checksum"),
    ({"etag": MD5, **checksum(SHA)}, {"etag": MD5, **checksum("else")}, "changed checksum"),
    ({"etag": MD5, **checksum(SHA)}, {"etag": MD5, **checksum(SHA, algorithm="CRC32")},
     "same etag"),
    (checksum(f"{SHA}-2", "COMPOSITE"), checksum(SHA), "same size"),
    (checksum(f"{SHA}-2", "COMPOSITE"), checksum(f"{SHA}-3", "COMPOSITE"), "same size"),
    (checksum(f"{SHA}-2", "COMPOSITE"), checksum(f"{SHA}-2", "COMPOSITE"), "same checksum"),
    ({"digest": "xxh3-128:AB"}, {"digest": "xxh3-128:ab"}, "same digest"),
    ({"digest": "xxh3-128:ab"}, {"digest": "sha256:ab"}, "same size"),
    ({"digest": f"sha256:{'0' * 64}"}, checksum(SHA), "same digest"),
    ({"digest": f"md5:{MD5}"}, {"etag": MD5}, "same etag"),
    ({"digest": f"md5:{MD5}"}, {"etag": OTHER}, "changed etag"),
    # a version
    ({"version_id": "v"}, {"version_id": "v"}, "same version_id"),
    ({"version_id": "v"}, {"version_id": "w"}, "same size"),
    ({"version_id": "null"}, {"version_id": "null"}, "same size"),
    ({"version_id": "v", "etag": MD5}, {"version_id": "v", "etag": OTHER}, "changed etag"),
    # delete markers
    ({"is_delete_marker": "true"}, {"is_delete_marker": "true"}, "same is_delete_marker"),
    ({"is_delete_marker": "true"}, {}, "changed is_delete_marker")])
def test_what_decides(one, other, expected):
    """Either way round."""
    assert " ".join(compare(row(**one), row(**other))) == expected
    assert " ".join(compare(row(**other), row(**one))) == expected


def test_another_bucket():
    """Its ETags may be of another kind, though the bytes are the same; its versions have their own
    ids.
    """
    one, other = row(etag=f"{MD5}-2"), row(etag=f"{OTHER}-3")
    other.bucket = "c"
    assert compare(one, other) == ("same", "size")
    one, other = Row("a", "k", "v", size="1"), Row("b", "k", "v", size="1")
    assert compare(one, other) == ("same", "size")
