"""Which actions a server does not know: found out where it refuses a policy without saying why."""

import json
from pathlib import Path

import pytest
from fakes3 import CHARACTERS
from policyruns import ALICE, BOB, OLD, circle, deny, document, live

from s3kit.errors import Fault
from s3kit.policy.documents import compact, parse
from s3kit.policy.intent import Intent
from s3kit.policy.unknown_actions import actions_in, unknown_actions

KNOWN = ["s3:GetObject", "s3:PutObject*", "s3:GetBucketVersioning"]


def test_they_are_named_and_the_old_policy_is_live(place, run):
    """Ceph's gateway does not know what replication does; its answer has no message."""
    place.character = CHARACTERS["ceph-policies"]()
    run("plan", "b", "-t", "read-only", "--by", "username")
    status, _, err = run("apply", "b", "--yes")
    assert status == 1 and live(place) == OLD
    assert "S3 says InvalidArgument" in err and "None" not in err
    assert ("this server does not know s3:GetObjectAttributes, s3:GetObjectVersionAttributes, "
            "s3:ObjectOwnerOverrideToBucketOwner, s3:PutIntelligentTieringConfiguration, "
            "s3:ReplicateDelete, s3:ReplicateObject, s3:ReplicateTags") in err
    assert json.loads(Path("policies/b.json").read_text()), "it may be edited"


def refusing(unknown, code="InvalidArgument", always=False):
    """Return (f(text) that puts a policy on a server which does not know these actions, what it
    took).
    """
    taken = []

    def put(text):
        if always or set(unknown) & set(actions_in(parse(text))):
            fault = Fault("S3 says " + code)
            fault.code = code
            raise fault
        taken.append(json.loads(text))
    return put, taken


def tried(put, *actions):
    """Return the unknown ones of some actions."""
    new = document(deny(Action=list(actions)))
    return unknown_actions(put, Intent("b", circle(ALICE, BOB), compact(OLD), compact(new)))


@pytest.mark.parametrize("unknown", [[], ["s3:New"], ["s3:New", "s3:Newer", "s3:Newest"]])
def test_what_is_tried_allows_nobody_anything(unknown):
    """Beside the old policy; known actions are never named."""
    put, taken = refusing(unknown)
    assert tried(put, *KNOWN, *unknown) == sorted(unknown)
    for each in taken:
        *old, trial = each["Statement"]
        assert old == OLD["Statement"] and trial["Effect"] == "Allow"
        assert "stranger" in trial["Condition"]["StringEquals"]["aws:PrincipalArn"]


def test_a_server_that_refuses_all_is_not_about_actions():
    put, taken = refusing([], always=True)
    assert tried(put, *KNOWN) == [] and not taken


def test_other_faults_are_no_answer():
    put, _ = refusing(KNOWN, "InternalError")
    with pytest.raises(Fault, match="InternalError"):
        tried(put, *KNOWN)
