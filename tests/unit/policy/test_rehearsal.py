"""What is put before a policy that shuts others out."""

import json

import pytest
from policydocs import ROOT, USERS
from policyruns import ALICE, BOB, OLD, ONLY_ME, circle, deny, document, live, new_one

from s3kit.policy.documents import compact
from s3kit.policy.intent import Intent
from s3kit.policy.rehearsal import HARMLESS, REHEARSAL, cleaned, rehearsal


def test_a_server_that_does_not_spare_us(place, run):
    """It is tried with a harmless action first; the policy itself is never put."""
    run("plan", "b", *ONLY_ME, "--by", "arn")
    place.fault("status", key="", times=None, status=403, code="AccessDenied",
                where=lambda request: "versioning" in request.query
                and "S3KitRehearsal" in (place.bucket("b").policy or ""))
    status, _, err = run("apply", "b", "--yes")
    assert status == 1 and "does not spare us by aws:PrincipalArn" in err and live(place) == OLD
    assert not [request
                for request in place.log if new_one(request) and b"S3KitOnlyMe" in request.body]


SPARING = deny(Sid="Out", Condition={"StringNotEquals": {"aws:PrincipalArn": [*USERS, ROOT]}})
OTHER = deny(Sid="Writes", Action="s3:PutObject")
LEFT = deny(Sid=f"{REHEARSAL}1", Action=HARMLESS)


def trial(old, new):
    """Return the rehearsal of putting one document in place of another, as a document."""
    found = rehearsal(Intent("b", circle(ALICE, BOB), old and compact(old), compact(new)))
    return found and json.loads(found)


def test_what_is_rehearsed():
    """The Denies that could bar somebody from recovery, whatever else they have, of the harmless
    action alone; beside the old policy.
    """
    assert trial(None, document(OTHER)) is None
    made = {"Sid": REHEARSAL, "Effect": "Deny", "Principal": "*", "Action": HARMLESS,
            "Resource": "arn:aws:s3:::b", "Condition": SPARING["Condition"]}
    assert trial(None, document(OTHER, SPARING)) == document(made)
    assert trial(document(OTHER), document(SPARING)) == document(OTHER, made)
    without = {name: value for name, value in SPARING.items() if name != "Action"}
    second = without | {"Sid": "2", "NotAction": "s3:GetObject"}
    both = trial(document(OTHER), document(SPARING, second))
    assert both == document(OTHER, made, made | {"Sid": f"{REHEARSAL}1"})


def test_the_version_of_a_rehearsal():
    """The later of both: else a variable would mean nothing while it is tried."""
    old = {"Version": "2008-10-17", "Statement": [OTHER]}
    assert trial(old, document(SPARING))["Version"] == "2012-10-17"
    assert trial(old, old | {"Statement": [SPARING]})["Version"] == "2008-10-17"


@pytest.mark.parametrize("found, left", (
    (None, None), ("", ""), ("{ broken " + REHEARSAL, "{ broken " + REHEARSAL),
    (compact(document(OTHER)), compact(document(OTHER))),
    (compact(document(OTHER, LEFT)), compact(document(OTHER))), (compact(document(LEFT)), None),
    (json.dumps(document(OTHER | {"Principal": {"AWS": REHEARSAL}}), indent=1),
     json.dumps(document(OTHER | {"Principal": {"AWS": REHEARSAL}}), indent=1))))
def test_what_a_killed_rehearsal_left(found, left):
    """It is not part of the policy of before; what has nothing of it stays letter by letter."""
    assert cleaned(found) == left
