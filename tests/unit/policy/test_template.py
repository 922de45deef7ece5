"""The templates and the guard: never a document that leaves the exempt without a way back, whatever
was live before.
"""

import json
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

from s3kit.errors import Fault, Usage
from s3kit.policy.documents import checked, merged
from s3kit.policy.evaluator import ALLOW, DENY, MAY_DENY, UNSAID, answer
from s3kit.policy.identity import NAME_KEY, Caller, Circle
from s3kit.policy.template import (
    LOOK,
    PATTERNS,
    RECOVERY,
    TEMPLATES,
    Patterns,
    Setting,
    faults_of,
    statements_of,
)

EXAMPLES = int(os.environ.get("S3KIT_POLICIES", 400))
ALICE, BOB, CAROL = USERS
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Mover/me"


def circle(caller=ALICE, *exempt, **how):
    """Return a Circle."""
    return Circle(Caller(caller, SESSION if caller == ROLES[0] else ""), exempt, **how)


def setting(spared, role=ALICE, **how):
    """Return a Setting."""
    return Setting(BUCKET, spared, role, **how)


def document(*found, version="2012-10-17"):
    """Return a document of statements."""
    return {"Version": version, "Statement": list(found)}


def planned(template, spared, base=None, **how):
    """Return what s3-policy would write, or None where it refuses."""
    try:
        made = checked(merged(base, statements_of(template, setting(spared, **how))))
        return made if not faults_of(made, BUCKET, spared) else None
    except Fault:
        return None


def deny(**more):
    """Return a Deny of everything."""
    return {"Sid": "D", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": [BUCKET_ARN, f"{BUCKET_ARN}/*"]} | more


# --- never without a way back


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


def test_a_server_that_knows_names_only():
    """Nothing may rest on ARNs there; there is no root to spare."""
    spared = circle(ALICE, CAROL, key=NAME_KEY)
    made = planned("only-me", spared)
    assert made["Statement"][0]["Condition"] == {"StringNotEquals": {NAME_KEY: ["alice", "carol"]}}
    by_arn = document(deny(Condition={"StringNotEquals":
                                      {"aws:PrincipalArn": [ALICE, CAROL, ROOT]}}))
    assert faults_of(by_arn, BUCKET, spared)
    with pytest.raises(Fault, match="is not a user"):
        statements_of("only-me", setting(circle(ALICE, ROLES[1], key=NAME_KEY)))


# --- the templates


def verdicts(made, spared, action, resource=f"{BUCKET_ARN}/k"):
    """Return {who: verdict} of the exempt and strangers."""
    found = {arn: answer(made, spared.asker(arn), action, resource).verdict
             for arn in spared.exempt}
    return found | {name: answer(made, asker, action, resource).verdict for name,
                    asker in spared.strangers()}


def test_only_me():
    """Everybody else is denied everything; services are not; the exempt have what it takes to undo
    it.
    """
    spared = circle(ROLES[1], BOB)
    made = planned("only-me", spared)
    nobody = {"others of the account": DENY, "other accounts": DENY, "without signature": DENY,
              "AWS services": UNSAID}
    assert verdicts(made, spared, "s3:GetObject") == {ROLES[1]: UNSAID, BOB: UNSAID,
                                                      ROOT: UNSAID} | nobody
    assert (verdicts(made, spared, "s3:DeleteBucketPolicy", BUCKET_ARN)
            == {ROLES[1]: ALLOW, BOB: ALLOW, ROOT: UNSAID} | nobody)
    assert verdicts(planned("only-me", spared, services=False), spared, "s3:PutObject")[
        "AWS services"] == MAY_DENY
    assert ROLES[1] in made["Statement"][0]["Condition"]["StringNotEquals"]["aws:PrincipalArn"]
    for alone in ((), (ROLES[1],), (ROOT,), tuple(AWAY)):
        with pytest.raises(Usage, match="one more principal"):
            statements_of("only-me", setting(circle(ROLES[1], *alone)))


@pytest.mark.parametrize("action", ["s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectTagging",
                                    "s3:DeleteObject", "s3:DeleteObjectVersion",
                                    "s3:AbortMultipartUpload", "s3:ReplicateDelete",
                                    "s3:BypassGovernanceRetention"])
def test_read_only_objects(action):
    """Nobody writes, not even the caller or the root, unless exempt; services may."""
    spared = circle(ALICE, BOB)
    made = planned("read-only", spared, role=CAROL, writers=(BOB,))
    assert verdicts(made, spared, action) == {ALICE: DENY, BOB: UNSAID, ROOT: DENY,
                                              "others of the account": DENY, "other accounts": DENY,
                                              "without signature": DENY, "AWS services": UNSAID}
    assert answer(made, spared.asker(CAROL), "s3:GetObjectVersion",
                  f"{BUCKET_ARN}/k").verdict == ALLOW
    assert answer(made, spared.asker(CAROL), "s3:RestoreObject", f"{BUCKET_ARN}/k").verdict == ALLOW


def test_read_only_settings():
    """What would delete behind the scenes is frozen too; policies can still be changed."""
    spared = circle(ALICE)
    made = planned("read-only", spared)
    for action in ("s3:PutLifecycleConfiguration", "s3:DeleteBucket", "s3:PutBucketVersioning"):
        assert verdicts(made, spared, action, BUCKET_ARN)[ALICE] == DENY
    for action in RECOVERY:
        assert verdicts(made, spared, action, BUCKET_ARN)[ROOT] == UNSAID


def test_tls_only():
    """Over TLS nothing changes; without it nothing goes; who talks without it himself is not let to
    try.
    """
    spared = circle(ALICE)
    made = planned("tls-only", spared)
    assert verdicts(made, spared, "s3:GetObject")[ALICE] == UNSAID
    insecure = circle(ALICE, is_secure=False)
    assert (verdicts(made, insecure, "s3:GetObject")[ALICE] == DENY
            and planned("tls-only", insecure) is None)


def test_migrate_needs_no_more_than_it_needs():
    """Each pipeline has its own actions, each manifest its own keys."""
    spared = circle(ALICE)
    read = planned("migrate", spared, role=ROLES[1], pipeline=("s3-fetch", "s3-verify"),
                   allowed=("2024/*", "a.txt"))
    mover = spared.asker(ROLES[1])
    for action, resource, verdict in (("s3:GetObject", f"{BUCKET_ARN}/2024/x", ALLOW),
                                      ("s3:GetObject", f"{BUCKET_ARN}/a.txt", ALLOW),
                                      ("s3:GetObject", f"{BUCKET_ARN}/b.txt", UNSAID),
                                      ("s3:DeleteObject", f"{BUCKET_ARN}/a.txt", UNSAID),
                                      ("s3:PutObject", f"{BUCKET_ARN}/a.txt", UNSAID),
                                      ("s3:RestoreObject", f"{BUCKET_ARN}/a.txt", UNSAID),
                                      ("s3:GetBucketVersioning", BUCKET_ARN, ALLOW),
                                      ("s3:PutBucketPolicy", BUCKET_ARN, UNSAID)):
        assert answer(read, mover, action, resource).verdict == verdict, (action, resource)
    assert answer(read, spared.asker(ALICE), "s3:GetObject",
                  f"{BUCKET_ARN}/a.txt").verdict == UNSAID
    prune = planned("migrate", spared, role=ROLES[1], pipeline=("s3-prune",), allowed=("a.txt",))
    assert answer(prune, mover, "s3:DeleteObjectVersion", f"{BUCKET_ARN}/a.txt").verdict == ALLOW
    assert answer(prune, mover, "s3:DeleteObject", f"{BUCKET_ARN}/b.txt").verdict == UNSAID
    assert answer(prune, mover, "s3:DeleteObject",
                  f"{BUCKET_ARN}/s3kit-no-such-key-00ff").verdict == ALLOW


def test_migrate_lists_what_the_pipeline_lists():
    """A prefix if it has one, all of the bucket if not."""
    spared = circle(ALICE)
    for prefixes, asked, verdict in ((((""),), (), ALLOW), (("2024/",), ("2024/",), ALLOW),
                                     (("2024/",), ("2025/",), UNSAID), (("2024/",), ("",), UNSAID)):
        made = planned("migrate", spared, pipeline=("s3-manifest",), prefixes=prefixes)
        asker = spared.asker(ALICE)
        asker = asker._replace(context=asker.context | {"s3:prefix": asked})
        assert answer(made, asker, "s3:ListBucketVersions", BUCKET_ARN).verdict == verdict, (
            prefixes, asked)


def test_a_template_of_ones_own(tmp_path):
    """Words in braces are filled in; `{exempt}` is all of them; policy variables stay what they
    are.
    """
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(document(deny(Sid="Mine", Resource=[
        "arn:{partition}:s3:::{bucket}", "arn:{partition}:s3:::{bucket}/${aws:username}"],
                                             Condition={"StringNotEquals": {
                                                 "aws:PrincipalArn": [
                                                     "{exempt}",
                                                     "arn:{partition}:iam::{account}:role/x"]}}))))
    spared = circle(ALICE, BOB)
    made, = statements_of(str(file), setting(spared))
    assert made["Resource"] == [BUCKET_ARN, f"{BUCKET_ARN}/${{aws:username}}"]
    assert (made["Condition"]["StringNotEquals"]["aws:PrincipalArn"]
            == [ALICE, BOB, ROOT, f"arn:aws:iam::{ACCOUNT}:role/x"])
    assert planned(str(file), spared) and planned(str(file), circle(CAROL, ALICE))
    file.write_text("{")
    with pytest.raises(Fault, match="mine.json': this is not JSON"):
        statements_of(str(file), setting(spared))
    with pytest.raises(Fault, match="No such file"):
        statements_of(str(tmp_path / "none"), setting(spared))


def test_partitions():
    """China's and the government's buckets have other ARNs."""
    there = Circle(Caller("arn:aws-cn:iam::111111111111:user/a"),
                   ["arn:aws-cn:iam::111111111111:user/b"])
    made = merged(None, statements_of("only-me", setting(there)))
    assert not [text for text in json.dumps(made).split('"') if text.startswith("arn:aws:")]
    assert faults_of(made, BUCKET, there) == []


# --- which keys


keys = st.text(st.sampled_from("ab/*?$c{}"), min_size=1, max_size=12)


@settings(max_examples=200)
@given(st.lists(keys, min_size=1, max_size=120))
def test_patterns_have_every_key(found):
    """However many keys, there are few patterns, and each key is like one of them."""
    made = Patterns()
    for key in found:
        made.add(key)
    patterns = made.all()
    assert len(patterns) <= PATTERNS
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                 "Resource": [f"{BUCKET_ARN}/{each}" for each in patterns]}
    for key in found:
        assert answer(document(statement), circle(ALICE).asker(ALICE), "s3:GetObject",
                      f"{BUCKET_ARN}/{key}").verdict == ALLOW


def test_patterns_are_no_wider_than_they_must_be():
    """Few keys are named, many in a directory are that directory; nothing more."""
    made = Patterns()
    for key in ("2024/a", "2024/b/c", "x*"):
        made.add(key)
    assert made.all() == ("2024/a", "2024/b/c", "x${*}")
    for number in range(1000):
        made.add(f"logs/{number % 3}/{number}")
    assert (made.all() == ("2024/a", "2024/b/", "logs/0/*", "logs/1/*", "logs/2/*", "x${*}")
            or made.all() == ("2024/a", "2024/b/*", "logs/0/*", "logs/1/*", "logs/2/*", "x${*}"))
    for number in range(1000):
        made.add(f"{number}")
    assert made.all() == ("*",)


def test_names_that_are_used_elsewhere():
    """What a pipeline asks of a bucket is in every one of them."""
    assert set(LOOK) <= set(RECOVERY) | {"s3:GetBucketVersioning"}


@pytest.mark.parametrize("text", ('{"{exempt}": 1}', '[]', '"{exempt}"', "1", "null",
                                  '{"Statement": [{"{exempt}": "{exempt}"}]}',
                                  '{"Statement": {"Condition": {"A": {"{exempt}": []}}}}'))
def test_a_file_that_is_not_a_template(tmp_path, text):
    """Any JSON is a line about what is wrong with it."""
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(Fault, match="t.json"):
        statements_of(str(tmp_path / "t.json"), setting(circle(ALICE, BOB)))
