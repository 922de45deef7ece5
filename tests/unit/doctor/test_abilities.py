"""What servers that are not Amazon's can do, and what is said of that."""

from types import SimpleNamespace

import pytest
from fakes3 import CHARACTERS

from s3kit.doctor import abilities
from s3kit.doctor.finding import NOTE, OK, UNKNOWN
from s3kit.s3.address import Endpoint

NAMES = [ability.name for ability in abilities.ABILITIES]


@pytest.fixture
def look(fake):
    """Return f(character's name, key) -> {what was seen: state} of a bucket with one object of two
    parts.
    """
    fake.bucket("b", versioning="Enabled")
    fake.put("b", "k", b"x" * 20, parts=[10, 10])
    endpoint = Endpoint("b", f"{fake.url}/b", "us-east-1", fake.access_key, fake.secret_key)

    def look(character=None, key="k"):
        if character:
            fake.character = CHARACTERS[character]()
        fake.log.clear()
        found = abilities.findings(endpoint, key, lambda: None, lambda text: None)
        return {finding.seen.removeprefix(fake.url): finding.state for finding in found}

    return look


def test_a_server_that_can_do_all(fake, look):
    """One line; nothing is changed, and no key is named to be deleted."""
    before = fake.versions("b")
    assert look() == {f" has {', '.join(NAMES)}": OK} and fake.versions("b") == before
    assert [request.key for request in fake.requests(method="POST")] == [""]


def test_what_is_not_there_is_named_with_what_is_done(look):
    found = look("no-bulk-delete")
    assert found.pop("no many deletions in one request: one by one") == NOTE
    assert list(found) == [f" has {', '.join(name for name in NAMES if 'deletions' not in name)}"]


def test_what_has_no_key_to_be_tried_on(look):
    """An empty bucket."""
    assert look(key=None) == {" has versions, many deletions in one request": OK,
                              "nothing is known of ranges, part sizes, checksums, conditions":
                              UNKNOWN}


def test_what_is_refused_is_not_known(fake, look):
    """Whoever may not ask does not see what the server could do."""
    fake.fault("status", key=None, method=None, times=None, status=403)
    assert look() == {f"nothing is known of {', '.join(NAMES)}": UNKNOWN}


def answer(status, body=b"", code="", errno=0, **headers):
    """Return a Transfer with these."""
    return SimpleNamespace(status=status, body=body, code=code, errno=errno, headers={
        name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("name, found, holds", [
    ("versions", answer(200, b"<ListBucketResult/>"), False),
    ("versions", answer(200, b"<?xml version='1.0'?><ListVersionsResult>"), True),
    ("versions", answer(501, code="NotImplemented"), False), ("versions", answer(500), None),
    ("many deletions in one request", answer(200, b"<DeleteResult/>"), True),
    ("many deletions in one request", answer(400, code="MalformedXML"), True),
    ("many deletions in one request", answer(405, code="MethodNotAllowed"), False),
    ("many deletions in one request", answer(200, b"<ListBucketResult/>"), None),
    ("ranges", answer(206), True), ("ranges", answer(416), True), ("ranges", answer(200), False),
    ("part sizes", answer(206), True), ("part sizes", answer(200), False),
    ("checksums", answer(200, x_amz_checksum_crc32="x"), True), ("checksums", answer(200), False),
    ("checksums", answer(400), False), ("checksums", answer(403), None),
    ("conditions", answer(412), True), ("conditions", answer(200), False)])
def test_what_answers_tell(name, found, holds):
    ability = next(each for each in abilities.ABILITIES if each.name == name)
    assert ability.holds(found) is holds
