"""What is put before a policy that shuts others out."""

import json
import re
from pathlib import Path

import pytest
from fakes3 import CHARACTERS
from policydocs import ROOT, USERS
from policyruns import (
    ALICE,
    BOB,
    GLASS,
    OLD,
    ONLY_ME,
    circle,
    deny,
    document,
    live,
    new_one,
)

from s3kit.policy.documents import compact
from s3kit.policy.identity import ARN_KEY, NAME_KEY
from s3kit.policy.intent import Intent
from s3kit.policy.rehearsal import HARMLESS, REHEARSAL, cleaned, rehearsal, turned_rehearsals


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


@pytest.mark.parametrize("character, by", [("ceph-policies", "arn"), (None, "username")])
def test_a_server_that_heeds_no_deny_of_ours(place, run, character, by):
    """It spares us, and everybody else, too: the policy is not put, and the old one is live."""
    run("plan", "b", *ONLY_ME, "--by", by)
    if character:
        place.character = CHARACTERS[character]()
    else:
        place.user = None
    status, _, err = run("apply", "b", "--yes")
    assert status == 1 and "the policy would keep nobody out" in err and live(place) == OLD
    assert not [request
                for request in place.log if new_one(request) and b"S3KitOnlyMe" in request.body]


@pytest.mark.parametrize("template", [("read-only",), ("read-only", "--exempt", GLASS, "--by",
                                                       "arn")])
def test_a_server_that_freezes_nothing(place, run, template):
    """It takes the Deny of all writes, and does not heed it."""
    run("plan", "b", "-t", *template)
    place.character = CHARACTERS["ceph-policies"]()
    place.character.unknown = re.compile(b"nothing")
    if len(template) == 1:
        place.user = None
    status, _, err = run("apply", "b", "--yes")
    assert status == 1 and "would keep nobody out" in err and live(place) == OLD


def test_what_cannot_be_tried_is_said(place, run):
    """Whoever may not see the versioning cannot see either whether a Deny is heeded."""
    run("plan", "b", "-t", "read-only")
    place.fault("status", key="", times=None, status=403, code="AccessDenied",
                where=lambda request: "versioning" in request.query)
    status, _, err = run("apply", "b", "--yes")
    assert status == 0 and "it cannot be tried whether this server would heed a Deny" in err


def test_two_users_on_ceph(place, run):
    """They keep access: their names are not in one list, which spares nobody there."""
    place.character = CHARACTERS["ceph-policies"]()
    assert run("plan", "b", *ONLY_ME, "--by", "username")[0] == 0
    status, _, err = run("apply", "b", "--yes")
    assert status == 0 and "S3KitOnlyMe" in str(live(place)), err
    found = json.loads(Path("policies/b.json").read_text())
    found["Statement"][1]["Condition"] = {"StringNotEquals": {"aws:username": ["me", "glass"]}}
    Path("policies/b.json").write_text(json.dumps(found))
    before = live(place)
    status, _, err = run("apply", "b", "--yes", "--overwrite")
    assert status == 1 and "does not spare us by aws:username" in err and live(place) == before


@pytest.mark.parametrize("old", [OLD, None])
def test_a_rehearsal_that_was_killed_is_taken_back_first(place, run, old):
    """What it denies us would look like a permission that we do not have."""
    place.bucket("b").policy = old and json.dumps(old)
    assert run("plan", "b", *ONLY_ME)[0] == 0
    left = deny(Sid=REHEARSAL, Action=HARMLESS, Principal="*", Resource="arn:aws:s3:::b")
    kept = old["Statement"] if old else []
    place.bucket("b").policy = json.dumps(document(*kept, left))
    status, _, err = run("apply", "b", "--yes")
    assert status == 0 and "S3KitOnlyMe" in str(live(place)), err
    assert REHEARSAL not in str(live(place))


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


def turned(*statements, old=None, key=ARN_KEY):
    """Return [(the statements of a turned rehearsal of putting these, the keys that are turned)].
    """
    found = turned_rehearsals(Intent("b", circle(ALICE, BOB, key=key), old and compact(old),
                                     compact(document(*statements))))
    return [(json.loads(text)["Statement"], keys) for text, keys in found.items()]


MADE = {"Sid": REHEARSAL, "Effect": "Deny", "Principal": "*", "Action": HARMLESS,
        "Resource": "arn:aws:s3:::b"}


def test_what_is_turned_round():
    """What spares the caller then means the caller; the rest of the statement stays."""
    services = {"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}
    by_arn = MADE | {"Condition": {"StringEquals": {"aws:PrincipalArn": ALICE}} | services}
    both = SPARING | {"Condition": SPARING["Condition"] | services}
    assert turned(both) == [([by_arn], [ARN_KEY])]
    by_name = SPARING | {"Condition": {"StringNotEquals": {"aws:username": "alice"},
                                       "StringNotLikeIfExists": {"aws:username": "bo?"}}}
    assert turned(by_name) == [([MADE | {"Condition": {"StringEquals": {"aws:username": "alice"},
                                                       "StringLike": {"aws:username": "alice"}}}],
                                ["aws:username"])]
    others = {name: value for name, value in SPARING.items() if name != "Principal"}
    spared = {"AWS": [ALICE, BOB, ROOT, ROOT.split(":")[4]]}
    (found,), _ = turned(others | {"NotPrincipal": spared, "Condition": {}})[0]
    assert found["Principal"] == {"AWS": ALICE} and "NotPrincipal" not in found


def test_each_new_deny_is_tried_alone():
    """One that is heeded would hide another that is not; those of the same meaning are one, and
    what is live already is not tried.
    """
    more = SPARING | {"Sid": "More", "Action": "s3:Put*"}
    by_arn = MADE | {"Condition": {"StringEquals": {"aws:PrincipalArn": ALICE}}}
    assert turned(OTHER, SPARING, more) == [([MADE], []), ([by_arn], [ARN_KEY])]
    assert turned(OTHER, SPARING, old=document(OTHER)) == [([OTHER, by_arn], [ARN_KEY])]


def test_arns_where_names_are_all_that_is_known():
    """Whether the server knows them is what is tried."""
    by_arn = MADE | {"Condition": {"StringEquals": {"aws:PrincipalArn": ALICE}}}
    assert turned(SPARING, key=NAME_KEY) == [([by_arn], [ARN_KEY])]


def test_what_cannot_be_turned_round():
    """Denies that would not refuse the caller for sure tell nothing of a server."""
    elsewhere = SPARING | {"Condition": SPARING["Condition"] | {"NotIpAddress": {
        "aws:SourceIp": "10.0.0.0/8"}}}
    plain = SPARING | {"Condition": SPARING["Condition"] | {"Bool": {
        "aws:SecureTransport": "false"}}}
    mallory = OTHER | {"Principal": {"AWS": "arn:aws:iam::111111111111:user/mallory"}}
    assert turned(elsewhere) == turned(plain) == turned(mallory) == []


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
