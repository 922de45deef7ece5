"""The message of a "Compute checksum" task, in the spellings in which people have it."""

import json

import pytest
from batch_reports import TOLD, message

from s3kit.manifest.foreign.checksum_message import take
from s3kit.manifest.row import Row

S3S = message(TOLD)


def taken(text):
    """Return a row that has taken a message."""
    row = Row("b", "k")
    take(row, text)
    return row


@pytest.mark.parametrize("text", [
    S3S, json.dumps(TOLD), S3S.replace('"', '""'), S3S.replace('"', '\\"'), str(TOLD),
    S3S.replace('"', ""), S3S.replace('"', "").replace("u003d", "\\u003d"),
    "{" + ", ".join(f"{name}={told}" for name, told in TOLD.items()) + "}",
    json.dumps(TOLD, indent=1),
    json.dumps({"checksumBase64": TOLD["checksum_base64"], "ETag": f'"{"0" * 32}-3"',
                "ChecksumAlgorithm": "MD5", "checksum_type": "FULL_OBJECT"}),
    json.dumps({name: told for name, told in TOLD.items() if name != "checksum_base64"})])
def test_spellings(text):
    """JSON with \\u003d; quotes doubled, escaped, single or lost; other names for the same."""
    assert taken(text) == Row("b", "k", etag="0" * 32 + "-3", checksum_algorithm="MD5",
                              checksum_type="FULL_OBJECT", checksum=TOLD["checksum_base64"])


@pytest.mark.parametrize("text", ["", "Successful", "null", "[]", '{"a": 1}', '{"checksum": 1}',
                                  "[" * 100_000 + "checksum"])
def test_other_messages_say_nothing(text):
    """A task of another kind has any message at all."""
    assert taken(text) == Row("b", "k")


@pytest.mark.parametrize("changes, why", [
    ({"checksum_hex": "00" * 16}, "not the one in hexadecimal"), ({"checksum_hex": "x"}, "base64"),
    ({"checksum_base64": "?"}, "base64"), ({"checksumAlgorithm": "SHA256"}, "has 16 bytes"),
    ({"checksum_base64": "", "checksum_hex": ""}, "told no checksum")])
def test_messages_that_contradict_themselves(changes, why):
    """No checksum is better than a wrong one."""
    with pytest.raises(ValueError, match=why):
        taken(json.dumps(TOLD | changes))


def test_composite_and_unknown_ones():
    """The number of parts stays; an algorithm of the future is carried along."""
    assert taken(json.dumps(TOLD | {"checksum_base64": f"{TOLD['checksum_base64']}-3",
                                    "checksumType": "COMPOSITE"})).checksum.endswith("==-3")
    assert taken(json.dumps(TOLD | {"checksumAlgorithm": "BLAKE3"})).checksum_algorithm == "BLAKE3"
