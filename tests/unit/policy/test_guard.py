"""The guard: no document leaves the exempt without a way back, whatever was live before."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policydocs import (
    ACCOUNT,
    AWAY,
    BUCKET,
    BUCKET_ARN,
    EVERYBODY,
    ROLES,
    ROOT,
    USERS,
    context_of,
    documents,
    judge,
    statements,
    surroundings,
)
from policyruns import ALICE, BOB, CAROL, SESSION, circle, deny, document, setting

from s3kit.errors import Fault
from s3kit.policy.guard import faults_of, refuse
from s3kit.policy.meaning import merged
from s3kit.policy.template import RECOVERY, TEMPLATES, statements_of

EXAMPLES = int(os.environ.get("S3KIT_POLICIES", 400))


def has_way_back(made, spared, around):
    """Assert by the second evaluator that all the exempt keep recovery, in a world where every key
    is known.
    """
    for arn in spared.exempt:
        session = SESSION if arn == ROLES[0] else f"arn:aws:sts::{ACCOUNT}:assumed-role/x/y"
        for action in RECOVERY:
            assert judge(made, arn, context_of(arn) | around, action, BUCKET_ARN,
                         session) != "deny", (arn, action)


def shuts_out(made, arn):
    """Return whether a document denies somebody anything of recovery."""
    around = {"aws:sourceip": ("203.0.113.1",)}
    return any(judge(made, arn, context_of(arn) | around, action, BUCKET_ARN) == "deny"
               for action in RECOVERY)


def never_locked_out(base, template, caller, others, around, services, edit):
    """Plan, perhaps edit, judge as apply does; what passes leaves all the exempt a way back."""
    spared = circle(caller, *others)
    try:
        made = merged(base, statements_of(template, setting(spared, services=services)))
    except Fault:
        assert template == "only-me" and not spared.rescuers
        return False
    if edit:
        made = made | {"Statement": [*made["Statement"], edit]}
    if faults_of(made, BUCKET, spared):
        return False
    has_way_back(made, spared, around)
    if shuts_out(made, f"arn:aws:iam::{ACCOUNT}:user/zoe"):
        assert set(others) & ({*USERS, *ROLES}
                              - {caller}), "nobody but the caller and the root is left"
    return True


arguments = given(st.none() | documents(most=2), st.sampled_from(sorted(TEMPLATES)),
                  st.sampled_from([*USERS, *ROLES]),
                  st.lists(st.sampled_from([*USERS, *ROLES, *AWAY]), max_size=3), surroundings(),
                  st.booleans(), st.none() | statements())


@pytest.mark.system("minutes")
@settings(max_examples=EXAMPLES)
@arguments
def test_random_policies_never_lock_out(base, template, caller, others, around, services, edit):
    """Random live policies, principals, templates and edits."""
    never_locked_out(base, template, caller, others, around, services, edit)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_ten_thousand_policies():
    """The same 10,000 times; a fifth or more must have passed the guard, else it proves nothing."""
    passed = []

    @settings(max_examples=10_000)
    @arguments
    def tried(base, template, caller, others, around, services, edit):
        passed.append(never_locked_out(base, template, caller, others, around, services, edit))
    tried()
    assert len(passed) >= 10_000 and sum(passed) > len(passed) / 5, (sum(passed), len(passed))


@settings(max_examples=EXAMPLES // 2)
@given(documents(most=3, refuses=()), st.sampled_from([*USERS, *ROLES]),
       st.lists(st.sampled_from(EVERYBODY), max_size=2), surroundings())
def test_what_the_guard_passes_locks_nobody_out(made, caller, others, around):
    """Documents that somebody else wrote, NotPrincipal and all."""
    spared = circle(caller, *others)
    if any("NotPrincipal" in statement for statement in made["Statement"]):
        for statement in made["Statement"]:
            if "NotPrincipal" in statement and statement["Effect"] == "Deny" and statement.get(
                    "Action") == "s3:*" and not statement.get(
                        "Condition") and statement.get(
                            "Resource") == BUCKET_ARN and caller not in str(statement):
                assert faults_of(made, BUCKET, spared)
        return
    if not faults_of(made, BUCKET, spared):
        has_way_back(made, spared, around)


LOCKING = [
    deny(), deny(Action="s3:PutBucketPolicy"), deny(Action="s3:*Policy", Resource=BUCKET_ARN),
    deny(NotAction="s3:GetObject") | {"Action": None},
    deny(Principal={"AWS": ALICE}), deny(Principal={"AWS": ACCOUNT}),
    deny(NotPrincipal={"AWS": BOB}) | {"Principal": None},
    deny(NotPrincipal={"AWS": ALICE}) | {"Principal": None}, deny(Resource="*"),
    deny(Resource="arn:aws:s3:::*"), deny(NotResource="arn:aws:s3:::other") | {"Resource": None},
    deny(Condition={"StringNotEquals": {"aws:PrincipalArn": ALICE}}),
    deny(Condition={"StringNotEquals": {"aws:PrincipalArn": [ALICE, ROOT]}}),
    deny(Condition={"StringNotEquals": {"aws:PrincipalArn": [ALICE, BOB]}}),
    deny(Condition={"StringNotEquals": {"aws:PrincipalArn": [BOB, CAROL, ROOT]}}),
    deny(Condition={"StringNotEquals": {"aws:username": ["alice", "bob"]}}),
    deny(Condition={"ArnNotLike": {"aws:PrincipalArn": SESSION}}),
    deny(Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}}),
    deny(Condition={"DateGreaterThan": {"aws:CurrentTime": "2030-01-01"}}),
    deny(Condition={"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
    deny(Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}),
    deny(Condition={"StringUnlike": {"aws:PrincipalArn": [ALICE, BOB, ROOT]}}),
    deny(Condition={"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}})]


@pytest.mark.parametrize("statement", LOCKING, ids=range(len(LOCKING)))
def test_what_the_guard_refuses(statement):
    """What locks out the caller, Bob or the root, or may do so: also of conditions that only a
    request can tell.
    """
    statement = {name: value for name, value in statement.items() if value is not None}
    assert faults_of(document(statement), BUCKET, circle(ALICE, BOB))


def test_what_it_passes():
    """A Deny that spares all three; one of something else; one on another bucket."""
    spared = deny(Condition={"StringNotEquals": {"aws:PrincipalArn": [ALICE, BOB, ROOT]}})
    for fine in (spared, deny(Action="s3:GetObject"), deny(Resource="arn:aws:s3:::other"),
                 deny(Principal={"AWS": CAROL})):
        assert faults_of(document(fine), BUCKET, circle(ALICE, BOB)) == []
    # Alone with the root is not enough: one principal can get lost.
    alone = deny(Condition={"StringNotEquals": {"aws:PrincipalArn": [ALICE, ROOT]}})
    assert faults_of(document(alone), BUCKET, circle(ALICE)) == [
        "it shuts out others of the account: that wants one more principal of the account who "
        "keeps access (--exempt ARN)"]
    assert faults_of(None, BUCKET, circle(ALICE)) == []


def test_what_the_user_knows_of_requests():
    """A Deny outside of a VPC endpoint is no lock-out for those who say that they come through it.
    """
    outside = document(deny(Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}))
    assert faults_of(outside, BUCKET, circle(ALICE, BOB))
    assert faults_of(outside, BUCKET,
                     circle(ALICE, BOB, assumed={"aws:sourcevpce": ("vpce-1",)})) == []
    assert faults_of(outside, BUCKET, circle(ALICE, BOB, assumed={"aws:sourcevpce": ("vpce-2",)}))


def test_the_caller_alone_may_lose_his_way():
    """With --remove-self; the others must still have theirs."""
    mine = deny(Principal={"AWS": ALICE})
    assert faults_of(document(mine), BUCKET, circle(ALICE, BOB), but_self=True) == []
    assert faults_of(document(deny(Principal={"AWS": [ALICE, BOB]})), BUCKET, circle(ALICE, BOB),
                     but_self=True)


def test_what_is_refused_is_said_in_one_line():
    """All that is wrong at once; nothing where nothing is."""
    refuse([])
    with pytest.raises(Fault, match="^refused: one; two$"):
        refuse(["one", "two"])
