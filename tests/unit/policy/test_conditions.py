"""What the operators of conditions say, also of what is not known or cannot be read."""

import pytest

from s3kit.policy.conditions import every, meets, opposite, some
from s3kit.policy.evaluator import Asker

ARN = "arn:aws:iam::111111111111:user/me"


def holds(operator, wanted, *given):
    """Return whether a condition holds for a request whose key has these values; None: nobody
    knows them.
    """
    context = {} if given == (None,) else {"s3:key": given}
    return meets({operator: {"S3:Key": wanted}}, Asker(ARN, "user", context=context), True)


def test_what_cannot_be_known():
    """It decides nothing, unless the others do already."""
    assert [every(each) for each in ((), (True, True), (True, None), (None, False))] == [
        True, True, None, False]
    assert [some(each) for each in ((), (False, False), (False, None), (None, True))] == [
        False, False, None, True]
    assert [opposite(each) for each in (True, False, None)] == [False, True, None]


@pytest.mark.parametrize("operator, wanted, given, is_met", (
    ("NumericEquals", "10", "10.0", True), ("NumericLessThan", 5, "-6", True),
    ("NumericGreaterThanEquals", ["x", "7"], "7", True), ("NumericNotEquals", "7", "8", True),
    ("DateEquals", "2026-01-01T00:00:00Z", "1767225600", True),
    ("DateNotEquals", "2026-01-01", "2026-01-02", True),
    ("BinaryEquals", "QUI=", "QUI=", True), ("StringNotEqualsIgnoreCase", "A", "a", False),
    ("IpAddress", "2001:db8::/32", "2001:db8::1", True),
    ("IpAddress", "10.0.0.7/8", "10.1.1.1", True), ("IpAddress", "10.0.0.0/8", "::1", False),
    ("Bool", "true", "false", False), ("NoSuchOperator", "a", "a", None)))
def test_operators(operator, wanted, given, is_met):
    """Each compares in its own way; one that nobody knows says nothing."""
    assert holds(operator, wanted, given) is is_met
    assert holds(operator, wanted, None) is None


@pytest.mark.parametrize("wanted", ("1_0", "nan", "inf", "\u0661", " 10", "1e1", "", "0x0a"))
def test_numbers_that_are_not_written_as_iam_writes_them(wanted):
    """Python would read most of them, and one that nobody can compare would say "no"."""
    assert holds("NumericEquals", wanted, "10") is None
    assert holds("NumericLessThan", wanted, "10") is None
    assert holds("DateLessThan", "\u0661" * 10, "2026-01-01") is None
    assert holds("DateGreaterThan", "yesterday", "2099-01-01") is None, "no word of IAM's"


@pytest.mark.parametrize("operator, met", (
    ("StringEquals", False), ("StringNotEquals", True), ("StringEqualsIfExists", True),
    ("ForAllValues:StringEquals", True), ("ForAnyValue:StringEquals", False),
    ("ForAnyValue:StringNotEquals", False), ("Null", True)))
def test_a_key_that_is_absent(operator, met):
    """That is known of it."""
    assert holds(operator, "true" if operator == "Null" else "a") is met


def test_several_values_of_a_request():
    """Only the operators for sets compare them."""
    assert holds("StringEquals", "a", "a", "b") is None
    assert holds("ForAnyValue:StringEquals", "a", "a", "b") is True
    assert holds("ForAllValues:StringEquals", "a", "a", "b") is False
    assert holds("ForAllValues:StringEquals", ["a", "b"], "a", "b") is True
