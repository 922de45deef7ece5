"""Bucket policies as documents: what is one, and how big."""

import json

import pytest

from s3kit.errors import Fault
from s3kit.policy import documents
from s3kit.policy.documents import Broken, parse

ALLOW = {"Sid": "A", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
         "Resource": "arn:aws:s3:::b/*"}


def document(*statements, **more):
    """Return a document of statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)} | more


BROKEN = {"{": "this is not JSON", "": "this is not JSON", "[]": "a JSON object",
          "null": "a JSON object", "[" * 100_000: "this is not JSON",
          '{"Statement": [], "Statement": []}': "'Statement' is there twice",
          '{"Statement": [{"Effect": "Deny", "Effect": "Allow"}]}': "'Effect' is there twice",
          '{"Statement": "\\ud800"}': "surrogates not allowed",
          '{"Statement": NaN}': "NaN is not a JSON number",
          '{"Statement": 1e999}': "this is not JSON",
          '{"Version": "2012-10-17"}': "has statements", '{"Statement": []}': "has statements",
          '{"Version": "2012-10-18", "Statement": [{}]}': "Version is one of",
          '{"Statement": [{}], "statement": []}': "has no 'statement'",
          '{"Id": 5, "Statement": [{}]}': "Id is a text"}


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_no_policy(text):
    """moto takes a `{`, and can then read nothing any more."""
    with pytest.raises(Broken, match=BROKEN[text].replace("[", r"\[")):
        parse(text)


FAULTS = [
    ({"Effect": "deny"}, "Effect is Allow or Deny"), ({"Sid": "a\nb"}, "Sid is a text"),
    ({"Sid": 1}, "Sid is a text"),
    ({"Efect": "Deny"}, "no element 'Efect'"), ({"NotAction": "s3:*"}, "Action or NotAction"),
    ({"Action": None}, "null is not a valid Action"),
    ({"Action": []}, "nothing is not a valid Action"),
    ({"Action": "GetObject"}, "is not a valid Action"),
    ({"Resource": "b/*"}, "is not a valid Resource"),
    ({"Resource": ["*", 1]}, "1 is not a valid Resource"), ({"Principal": "me"}, "Principal is"),
    ({"Principal": {}}, "Principal is"),
    ({"Principal": {"Aws": "*"}}, "no Principal 'Aws'"),
    ({"Principal": {"AWS": []}}, "names no AWS"),
    ({"Principal": {"AWS": "arn:aws:iam::111111111111:user/*"}}, "stands alone"),
    ({"Principal": {"Service": "*"}}, "stands alone"),
    ({"Condition": []}, "Condition is"), ({"Condition": {"Bool": {}}}, "Condition Bool has no"),
    ({"Condition": {"Bool": {"a": {}}}}, "no texts"),
    ({"Condition": {"Bool": {"a": [None]}}}, "no texts")]


@pytest.mark.parametrize("wrong, said", FAULTS)
def test_what_is_no_statement(wrong, said):
    """The statement is named, by its number and its Sid."""
    with pytest.raises(Broken) as caught:
        parse(json.dumps(document(ALLOW | {"Sid": "first"}, ALLOW | wrong)))
    assert said in str(caught.value) and str(caught.value).startswith("statement 2")


def test_two_statements_of_one_sid():
    """They could not be told apart when something is merged."""
    with pytest.raises(Broken, match="two statements have the Sid 'A'"):
        parse(json.dumps(document(ALLOW, ALLOW | {"Effect": "Deny"})))


def test_one_statement_needs_no_list():
    """As IAM has it."""
    assert parse(json.dumps(document(ALLOW) | {"Statement": ALLOW})) == document(ALLOW)


def test_size():
    """20 KB are 20 * 1,024 bytes of UTF-8 without blanks."""
    fixed = len(documents.compact(document(ALLOW | {"Sid": ""})).encode())
    whole = document(ALLOW | {"Sid": "", "Resource": "arn:aws:s3:::b/*"
                              + "\u00fc" * ((documents.MOST - fixed) // 2)})
    assert len(documents.compact(whole).encode()) in (documents.MOST, documents.MOST - 1)
    documents.check_size(whole)
    whole["Statement"][0]["Resource"] += "xx"
    with pytest.raises(Fault, match="more than the 20,480 that S3 takes"):
        documents.check_size(whole)
