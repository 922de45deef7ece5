"""What people are warned of before they rely on a document."""

from types import SimpleNamespace

import pytest
from policydocs import ROOT, USERS
from policyruns import BOB, circle, deny, document

from s3kit.policy.advice import ALLOW_ONLY, LIFECYCLE, UNSEEN, advise, show_table

SPARING = {"StringNotEquals": {"aws:PrincipalArn": [*USERS, ROOT]}}
OPEN = {"Sid": "O", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::b/*"}


def warned(made, is_amazons=True):
    """Return what is said of a document."""
    said = []
    advise(SimpleNamespace(warn=said.append, live=SimpleNamespace(is_amazons=is_amazons)), "b",
           made, circle(USERS[0], BOB))
    return said


@pytest.mark.parametrize("statement, is_amazons, said", (
    (deny(Action="s3:PutObject"), True, []),
    (deny(Condition=SPARING), True, [UNSEEN]), (deny(Condition=SPARING), False, []),
    (deny(Sid="S3KitFreeze", Action="s3:PutObject"), True, [LIFECYCLE]),
    (OPEN | {"Principal": {"AWS": BOB}}, True, [ALLOW_ONLY]),
    (OPEN, True, [ALLOW_ONLY, "b: this lets in requests of other accounts",
                  "b: this lets in requests without signature"])))
def test_what_is_worth_a_warning(statement, is_amazons, said):
    """Each in its own case only."""
    assert warned(document(statement), is_amazons) == said


@pytest.mark.parametrize("as_json, file, is_shown", ((False, None, True), (True, None, False),
                                                     (True, "stderr", True)))
def test_the_table_is_not_for_programs(as_json, file, is_shown):
    """stdout has JSON alone where that is wanted; people who are asked see the table anyway."""
    shown = []
    args = SimpleNamespace(json=as_json, principal=[], action=[], key="k")
    show_table(SimpleNamespace(args=args, print=lambda *given: shown.append(given)), "b",
               (None, document(OPEN)), circle(USERS[0], BOB), file)
    assert bool(shown) == is_shown
    for lines, where in shown:
        assert where == file and lines[0] == f"s3://b (the caller is {USERS[0]})"
        assert any(line.startswith("without signature") and "no > allow" in line for line in lines)
