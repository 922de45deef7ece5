"""The templates: what each of them denies and allows to whom."""

import json

import pytest
from policydocs import ACCOUNT, AWAY, BUCKET, BUCKET_ARN, ROLES, ROOT
from policyruns import ALICE, BOB, CAROL, circle, deny, document, planned, setting

from s3kit.errors import Fault, Usage
from s3kit.policy.evaluator import ALLOW, DENY, MAY_DENY, UNSAID, answer
from s3kit.policy.guard import faults_of
from s3kit.policy.identity import NAME_KEY, Caller, Circle
from s3kit.policy.meaning import merged
from s3kit.policy.template import LOOK, RECOVERY, other_than, statements_of


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


def test_a_server_that_knows_names_only():
    """Nothing may rest on ARNs there; there is no root to spare."""
    spared = circle(ALICE, CAROL, key=NAME_KEY)
    made = planned("only-me", spared)
    assert made["Statement"][0]["Condition"] == {"StringNotEquals": {NAME_KEY: "alice"},
                                                 "StringNotLike": {NAME_KEY: "carol"}}
    by_arn = document(deny(Condition={"StringNotEquals":
                                      {"aws:PrincipalArn": [ALICE, CAROL, ROOT]}}))
    assert faults_of(by_arn, BUCKET, spared)
    with pytest.raises(Fault, match="is not a user"):
        statements_of("only-me", setting(circle(ALICE, ROLES[1], key=NAME_KEY)))


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


@pytest.mark.parametrize("names, condition", [
    (["alice"], {"StringNotEquals": {NAME_KEY: ["alice"]}}),
    (["alice", "bob"], {"StringNotEquals": {NAME_KEY: "alice"}, "StringNotLike": {NAME_KEY:
                                                                                  "bob"}}),
    (["alice", "b*b"], {"StringNotEquals": {NAME_KEY: ["alice", "b*b"]}}),
    (["alice", "bob", "carol"], {"StringNotEquals": {NAME_KEY: ["alice", "bob", "carol"]}})])
def test_users_by_name(names, condition):
    """Two with an operator each: Ceph takes several values of one for any of them."""
    assert other_than(names) == condition


def test_two_users_by_name_keep_access():
    """And nobody else does."""
    spared = circle(ALICE, BOB, key=NAME_KEY)
    made = planned("only-me", spared)
    assert verdicts(made, spared, "s3:GetObject") == {
        ALICE: UNSAID, BOB: UNSAID, "others of the account": DENY, "other accounts": DENY,
        "without signature": DENY}
