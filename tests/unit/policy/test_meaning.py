"""What documents say: what means the same, what differs, what comes of merging."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3kit.errors import Fault
from s3kit.policy import review
from s3kit.policy.documents import Broken, parse
from s3kit.policy.guard import faults_of
from s3kit.policy.identity import Caller, Circle
from s3kit.policy.meaning import canonical, changes, merged, same

ALLOW = {"Sid": "A", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
         "Resource": "arn:aws:s3:::b/*"}


def document(*statements, **more):
    """Return a document of statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)} | more


SAME = [({"Action": ["s3:GetObject"]}, {"Action": "S3:getobject"}),
        ({"Principal": "*"}, {"Principal": {"AWS": ["*"]}}),
        ({"Action": ["s3:a", "s3:b"]}, {"Action": ["s3:b", "s3:a", "s3:b"]}), (
            {"Principal": {"AWS": "111111111111"}},
            {"Principal": {"AWS": ["arn:aws:iam::111111111111:root"]}}), (
                {"Condition": {"Bool": {"aws:SecureTransport": False}}},
                {"Condition": {"Bool": {"AWS:securetransport": ["false"]}}}), (
                    {"Condition": {"NumericLessThan": {"s3:TlsVersion": 1.2}}},
                    {"Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}}}),
        ({"Condition": {}}, {})]


@pytest.mark.parametrize("one, other", SAME)
def test_what_means_the_same(one, other):
    """Servers write back what they were given in their own way."""
    assert same(json.dumps(document(ALLOW | one)), json.dumps(document(ALLOW | other), indent=3))


DIFFERENT = [({"Effect": "Deny"}, {}), ({"Resource": "arn:aws:s3:::b"}, {}), ({"Sid": "B"}, {}),
             ({"Resource": "arn:aws:s3:::B/*"}, {}),
             ({"Principal": {"AWS": "111111111111"}}, {"Principal": {"AWS": "111111111112"}}),
             ({"Condition": {"Bool": {"a": "true"}}}, {"Condition": {"Bool": {"a": "false"}}}), (
                 {"Condition": {"StringEquals": {"a": "x"}}},
                 {"Condition": {"StringEquals": {"a": "X"}}})]


@pytest.mark.parametrize("one, other", DIFFERENT)
def test_what_does_not(one, other):
    """One word changed is another policy."""
    assert not same(json.dumps(document(ALLOW | one)), json.dumps(document(ALLOW | other)))


def test_none_and_broken_policies_are_compared_too():
    """No policy is another than any; broken ones are the same only letter by letter."""
    assert same(None, None) and not same(None, json.dumps(document(ALLOW))) and not same("{", None)
    assert same("{", "{") and not same("{", "{ ")
    # another version
    assert not same(json.dumps(document(ALLOW)), json.dumps({"Statement": [ALLOW]}))


def test_merging():
    """Statements of others stay, ours are replaced, none is there twice, the version stays."""
    base = {"Version": "2008-10-17", "Id": "x",
            "Statement": [ALLOW, ALLOW | {"Sid": ""}, ALLOW | {"Sid": "S3KitOld"}]}
    new = merged(base,
                 [ALLOW | {"Sid": "S3KitOld", "Effect": "Deny"}, ALLOW, ALLOW | {"Sid": "New"}])
    assert new == base | {"Statement": [ALLOW, ALLOW | {"Sid": ""},
                                        ALLOW | {"Sid": "S3KitOld", "Effect": "Deny"},
                                        ALLOW | {"Sid": "New"}]}
    assert merged(None, [ALLOW]) == document(ALLOW)
    assert merged(document(ALLOW), [], without=["A"]) is None
    assert (merged(document(ALLOW, ALLOW | {"Sid": "B"}), [], without=["A"])
            == document(ALLOW | {"Sid": "B"}))


def test_the_version_of_what_is_merged():
    """A document's version is part of its meaning: it changes only where that changes nothing else.
    """
    old = {"Statement": [ALLOW]}
    assert "Version" not in merged(old, [ALLOW | {"Sid": "B"}])
    variable = ALLOW | {"Sid": "B", "Resource": "arn:aws:s3:::b/${*}"}
    assert merged(old, [variable])["Version"] == "2012-10-17"
    with pytest.raises(Fault, match="of version 2008-10-17"):
        merged({"Statement": [ALLOW | {"Resource": "arn:aws:s3:::b/${aws:username}"}]}, [variable])


def test_a_sid_is_never_overwritten_silently():
    """Another statement of the same Sid is refused, or replaced if somebody says so."""
    other = ALLOW | {"Effect": "Deny"}
    with pytest.raises(Fault, match="another statement with the Sid 'A'"):
        merged(document(ALLOW), [other])
    assert merged(document(ALLOW), [other], overwrite=True) == document(other)


def test_changes():
    """By Sid, or by meaning where there is none."""
    bare = {name: value for name, value in ALLOW.items() if name != "Sid"}
    old = document(ALLOW, bare, ALLOW | {"Sid": "gone"})
    new = document(bare | {"Action": ["S3:GetObject"]}, ALLOW | {"Effect": "Deny"},
                   ALLOW | {"Sid": "new"})
    assert [(change.sid, bool(change.old), bool(change.new)) for change in changes(old, new)] == \
        [("A", True, True), ("gone", True, False), ("new", False, True)]
    assert changes(None, None) == [] and len(changes(old, None)) == 3
    assert canonical(None) == ""


values = st.recursive(st.none() | st.booleans() | st.integers(-2, 2)
                      | st.sampled_from(["", "*", "Deny", "s3:*", "arn:aws:s3:::b", "AWS", "a:b"]),
                      lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                          st.sampled_from(["AWS", "Bool", "aws:username", "Null", "x"]), inner,
                          max_size=3), max_leaves=6)
fine = {"Sid": st.sampled_from(["", "a"]), "Effect": st.sampled_from(["Allow", "Deny"]),
        "Principal": st.just("*"), "Action": st.just("s3:*"), "Resource": st.just("*"),
        "Condition": st.just({"Bool": {"a": "true"}})}


@settings(max_examples=200)
@given(st.data())
def test_whatever_is_in_a_document(data):
    """It is refused in one line, or all that looks at documents can look at it."""
    drawn = {name: data.draw(values if data.draw(st.integers(0, 4)) == 0 else good) for name,
             good in fine.items()}
    found = document({name: value for name, value in drawn.items() if data.draw(st.integers(0, 9))})
    try:
        made = parse(json.dumps(found))
    except Broken as broken:
        assert "\n" not in str(broken)
        return
    circle = Circle(Caller("arn:aws:iam::111111111111:user/me"), [])
    assert same(json.dumps(made), json.dumps(made)) and not changes(made, made)
    assert review.differences(None, made) and review.table("b", None, made, circle)
    assert isinstance(faults_of(made, "b", circle), list)
