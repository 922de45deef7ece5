"""What a policy says of a request: against a second evaluator, rule by rule, and with keys that
nobody knows.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policydocs import (
    ACCOUNT,
    ACTIONS,
    BUCKET_ARN,
    EVERYBODY,
    OTHER,
    ROLES,
    ROOT,
    USERS,
    context_of,
    documents,
    judge,
    resource_of,
    statements,
    surroundings,
)

from s3kit.policy.evaluator import (
    ALLOW,
    DENY,
    MAY_ALLOW,
    MAY_DENY,
    UNSAID,
    Asker,
    answer,
    applies,
)

ALICE = USERS[0]
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Mover/me"


def asker(arn, context=None, session=""):
    """Return an Asker with everything known that follows from the ARN, and more."""
    kind = arn.split(":")[5].partition("/")[0]
    return Asker(arn, kind, arn.split(":")[4], context_of(arn) | (context or {}), session)


def says(effect="Deny", arn=ALICE, action="s3:GetObject", context=None, version="2012-10-17",
         session="", **elements):
    """Return the verdict of a document of one statement."""
    statement = {"Effect": effect, "Principal": "*", "Action": "s3:*", "Resource": "*"} | elements
    for name in ("Principal", "Action", "Resource"):
        if f"Not{name}" in elements:
            del statement[name]
    return answer({"Version": version, "Statement": [statement]}, asker(arn, context, session),
                  action, resource_of(action)).verdict


@settings(max_examples=250)
@given(documents(), st.sampled_from(EVERYBODY), st.sampled_from(ACTIONS), surroundings())
def test_two_evaluators_agree(document, arn, action, around):
    """With every key known there are three answers, and two programs give the same one."""
    session = (SESSION if arn.endswith("role/Mover")
               else f"arn:aws:sts::{arn.split(':')[4]}:assumed-role/x/y" if ":role/" in arn else "")
    context = context_of(arn) | around
    who = asker(arn, around, session)
    has_absent_variable = "${" in str(document) and not context["aws:username"]
    verdict = answer(document, who, action, resource_of(action)).verdict
    if not (has_absent_variable and verdict in (MAY_DENY, MAY_ALLOW)):
        assert verdict == judge(document, arn, context, action, resource_of(action), session)


@pytest.mark.system("minutes")
@settings(max_examples=250)
@given(documents(refuses=()), st.sampled_from(EVERYBODY), st.sampled_from(ACTIONS), surroundings(),
       st.data())
def test_what_is_not_known_is_never_taken_for_known(document, arn, action, around, data):
    """Whatever keys are hidden, an answer given without them is the one that is given with them."""
    whole = asker(arn, around)
    hidden = data.draw(st.sets(st.sampled_from(sorted(whole.context))))
    half = whole._replace(context={name: value for name,
                                   value in whole.context.items() if name not in hidden})
    for statement in document["Statement"]:
        guess = applies(statement, half, action, resource_of(action), document["Version"])
        assert guess in (None, applies(statement, whole, action, resource_of(action),
                                       document["Version"]))


def test_the_order_of_verdicts():
    """An explicit deny, then what may be one, then what allows, then nothing."""
    def verdict(*found):
        made = [{"Sid": sid, "Effect": effect, "Principal": "*", "Action": "*", "Resource": "*",
                 **({"Condition": {"StringEquals": {"aws:SourceVpce": "v"}}} if unknown else {})}
                for sid, effect, unknown in found]
        return answer({"Version": "2012-10-17", "Statement": made}, asker(ALICE), "s3:GetObject",
                      "arn:aws:s3:::b/k")
    assert (verdict(("a", "Allow", False), ("b", "Deny", False), ("c", "Deny", False))
            == (DENY, ("b", "c")))
    assert verdict(("a", "Allow", False), ("b", "Deny", True)) == (MAY_DENY, ("b",))
    assert (verdict(("a", "Allow", True)) == (MAY_ALLOW, ("a",))
            and verdict(("a", "Allow", True), ("b", "Allow", False)) == (ALLOW, ("b",)))
    assert answer(None, asker(ALICE), "s3:GetObject", "*").verdict == UNSAID
    bare = {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}
    assert answer(bare, asker(ALICE), "s3:GetObject", "*") == (DENY, ("statement 1",))


CASES = [
    # Action: case does not count, * and ? do; Resource: case counts.
    ({"Action": "S3:GETOBJECT"}, DENY), ({"Action": "s3:Get?bject"}, DENY),
    ({"Action": "s3:GetObjectX"}, UNSAID),
    ({"NotAction": "s3:Get*"}, UNSAID), ({"NotAction": ["s3:Put*", "s3:List*"]}, DENY),
    ({"Resource": BUCKET_ARN}, UNSAID), ({"Resource": f"{BUCKET_ARN}/*"}, DENY),
    ({"Resource": f"{BUCKET_ARN}/A/*"}, UNSAID),
    ({"NotResource": f"{BUCKET_ARN}/*"}, UNSAID), ({"NotResource": BUCKET_ARN}, DENY),
    ({"Resource": "arn:aws:s3:::${aws:username}/*"}, UNSAID),
    ({"Resource": "arn:aws:s3:::b/${aws:PrincipalTag/team}"}, MAY_DENY),
    ({"Resource": "arn:aws:s3:::b/${*}"}, UNSAID),
    # Principal
    ({"Principal": {"AWS": "*"}}, DENY), ({"Principal": {"AWS": [ROOT]}}, DENY),
    ({"Principal": {"AWS": ACCOUNT}}, DENY),
    ({"Principal": {"AWS": OTHER}}, UNSAID), ({"Principal": {"AWS": USERS[1]}}, UNSAID),
    ({"Principal": {"AWS": ["x", ALICE]}}, DENY),
    ({"Principal": {"Service": "logging.s3.amazonaws.com"}}, UNSAID),
    ({"Principal": {"CanonicalUser": "79a5"}}, MAY_DENY),
    ({"Principal": {"Federated": "cognito-identity.amazonaws.com"}}, UNSAID),
    ({"Principal": {"AWS": "AIDAIOSFODNN7EXAMPLE"}}, UNSAID),
    ({"effect": "Allow", "Principal": {"AWS": ACCOUNT}}, UNSAID),
    ({"effect": "Allow", "Principal": {"AWS": ACCOUNT}, "arn": ROOT}, ALLOW),
    ({"effect": "Allow", "Principal": {"AWS": ALICE}}, ALLOW),
    # A role, and one of its sessions
    ({"Principal": {"AWS": ROLES[0]}, "arn": ROLES[0]}, DENY),
    ({"Principal": {"AWS": SESSION}, "arn": ROLES[0]}, MAY_DENY),
    ({"Principal": {"AWS": SESSION}, "arn": ROLES[0], "session": SESSION}, DENY),
    ({"Principal": {"AWS": SESSION}, "arn": ROLES[0], "session": SESSION + "2"}, UNSAID),
    ({"Principal": {"AWS": SESSION.replace("Mover", "Other")}, "arn": ROLES[0]}, UNSAID),
    # NotPrincipal wants the account, too, and of a role what nobody can write down beforehand
    ({"NotPrincipal": {"AWS": ALICE}}, MAY_DENY),
    ({"NotPrincipal": {"AWS": [ALICE, ACCOUNT]}}, UNSAID),
    ({"NotPrincipal": {"AWS": USERS[1]}}, DENY),
    ({"NotPrincipal": {"AWS": [ROLES[0], ROOT]}, "arn": ROLES[0]}, MAY_DENY),
    ({"NotPrincipal": {"AWS": [ALICE, ROOT]}, "arn": ROOT}, UNSAID),
    # Conditions
    ({"Condition": {"StringEquals": {"aws:username": "alice"}}}, DENY),
    ({"Condition": {"StringEquals": {"aws:username": "Alice"}}}, UNSAID),
    ({"Condition": {"StringEqualsIgnoreCase": {"AWS:UserName": "Alice"}}}, DENY),
    ({"Condition": {"StringLike": {"aws:username": ["x", "al*"]}}}, DENY),
    ({"Condition": {"StringNotEquals": {"aws:username": ["alice", "bob"]}}}, UNSAID),
    ({"Condition": {"StringNotEquals": {"aws:username": "bob"}}}, DENY),
    ({"Condition": {"StringNotLike": {"aws:username": "al*"}}}, UNSAID),
    ({"Condition": {"StringEquals": {"aws:username": "al*"}}}, UNSAID),
    ({"Condition":
      {"StringEquals": {"aws:username": "alice"}, "Bool": {"aws:SecureTransport": "false"}}},
     UNSAID),
    ({"Condition": {"StringEquals": {"aws:username": "alice", "aws:PrincipalAccount": OTHER}}},
     UNSAID),
    ({"Condition": {"StringEquals": {"aws:username": "x"}}, "arn": ROOT}, UNSAID),
    ({"Condition": {"StringNotEquals": {"aws:username": "x"}}, "arn": ROOT}, DENY),
    ({"Condition": {"StringEqualsIfExists": {"aws:username": "x"}}, "arn": ROOT}, DENY),
    ({"Condition": {"ForAllValues:StringEquals": {"aws:username": "x"}}, "arn": ROOT}, DENY),
    ({"Condition": {"ForAnyValue:StringNotEquals": {"aws:username": "x"}}, "arn": ROOT}, UNSAID),
    ({"Condition": {"Null": {"aws:username": "true"}}}, UNSAID),
    ({"Condition": {"Null": {"aws:username": "true"}}, "arn": ROOT}, DENY),
    ({"Condition": {"Null": {"aws:TokenIssueTime": "true"}}}, MAY_DENY),
    ({"Condition": {"ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "b"]}},
      "context": {"aws:tagkeys": ("c", "b")}}, DENY),
    ({"Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}},
      "context": {"aws:tagkeys": ("c", "b")}}, UNSAID),
    ({"Condition": {"StringEquals": {"aws:TagKeys": ["a", "b"]}},
      "context": {"aws:tagkeys": ("c", "b")}}, MAY_DENY),
    ({"Condition": {"ArnLike": {"aws:PrincipalArn": f"arn:*:iam::{ACCOUNT}:user/*"}}}, DENY),
    ({"Condition": {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::*:user/a*"}}}, DENY),
    ({"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:*:user/alice"}}}, MAY_DENY),
    ({"Condition": {"ArnLike": {"aws:PrincipalArn": "*"}}}, DENY),
    ({"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:*::*:user/a?ice"}}}, DENY),
    ({"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:*:iam::user/alice:*"}}}, UNSAID),
    ({"Condition": {"ArnNotLike": {"aws:PrincipalArn": [ALICE, ROOT]}}}, UNSAID),
    ({"Condition": {"StringLike": {"aws:PrincipalArn": "arn:aws:*:user/alice"}}}, DENY),
    ({"Condition": {"Bool": {"aws:SecureTransport": False}}}, UNSAID),
    ({"Condition": {"Bool": {"aws:SecureTransport": "TRUE"}}}, DENY),
    ({"Condition": {"Bool": {"aws:SecureTransport": "yes"}}}, MAY_DENY),
    ({"Condition": {"NumericLessThan": {"s3:TlsVersion": 1.2}}}, UNSAID),
    ({"Condition": {"NumericLessThanEquals": {"s3:TlsVersion": "1.2"}}}, DENY),
    ({"Condition": {"NumericLessThan": {"s3:TlsVersion": "one"}}}, MAY_DENY),
    ({"Condition": {"NumericNotEquals": {"s3:TlsVersion": "1.20"}}}, UNSAID),
    ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
      "context": {"aws:sourceip": ("10.9.9.9",)}}, DENY),
    ({"Condition": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
      "context": {"aws:sourceip": ("10.9.9.9",)}}, UNSAID),
    ({"Condition": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, MAY_DENY), (
        {"Condition": {"IpAddress": {"aws:SourceIp": "all"}},
         "context": {"aws:sourceip": ("10.9.9.9",)}}, MAY_DENY),
    ({"Condition": {"DateLessThan": {"aws:CurrentTime": "2026-01-01"}},
      "context": {"aws:currenttime": ("2025-12-31T23:59:59Z",)}}, DENY),
    ({"Condition": {"DateGreaterThan": {"aws:EpochTime": "1767225600"}},
      "context": {"aws:epochtime": ("1767225601",)}}, DENY),
    ({"Condition": {"DateGreaterThan": {"aws:CurrentTime": "2030-01-01"}}}, MAY_DENY),
    ({"Condition": {"StringResembles": {"aws:username": "alice"}}}, MAY_DENY),
    ({"Condition": {"ForSomeValues:StringEquals": {"aws:username": "x"}}}, MAY_DENY),
    # Variables, which documents of the first version do not know
    ({"Condition": {"StringEquals": {"aws:username": "${aws:username}"}}}, DENY),
    ({"Condition": {"StringEquals": {"aws:username": "${aws:username}"}}, "version": "2008-10-17"},
     UNSAID),
    ({"Condition": {"StringLike": {"aws:username": "al${*}ce"}},
      "context": {"aws:username": ("al*ce",)}}, DENY),
    ({"Condition": {"StringLike": {"aws:username": "al${*}ce"}}}, UNSAID),
    ({"Condition": {"StringEquals": {"aws:username": "${aws:PrincipalTag/a, 'alice'}"}},
      "context": {"aws:principaltag/a": ()}}, DENY),
    ({"Condition": {"StringLike": {"aws:username": "${aws:userid}"}},
      "context": {"aws:username": ("x",), "aws:userid": ("*",)}}, UNSAID),
]


@pytest.mark.parametrize("elements, verdict", CASES)
def test_rules(elements, verdict):
    """The IAM User Guide, rule by rule."""
    assert says(**elements) == verdict


def test_who_signs_nothing_is_not_spared_by_a_missing_key():
    """Why the templates say BoolIfExists: requests without signature have no
    aws:PrincipalIsAWSService.
    """
    nobody = Asker("", "nobody", "", {"aws:principalarn": (), "aws:principalisawsservice": ()})
    for operator, verdict in (("Bool", UNSAID), ("BoolIfExists", DENY)):
        statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
                     "Condition": {"StringNotEquals": {"aws:PrincipalArn": ALICE},
                                   operator: {"aws:PrincipalIsAWSService": "false"}}}
        assert answer({"Statement": [statement]}, nobody, "s3:GetObject",
                      BUCKET_ARN).verdict == verdict


@settings(max_examples=100)
@given(statements(refuses=()))
def test_every_statement_gets_an_answer(statement):
    """No combination of elements is too much."""
    for arn in EVERYBODY:
        assert applies(statement, Asker(arn, "user", ACCOUNT, {}), "s3:GetObject", BUCKET_ARN,
                       "2012-10-17") in (True, False, None)
