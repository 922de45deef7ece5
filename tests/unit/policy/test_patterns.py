"""Patterns and policy variables."""

import time
from types import SimpleNamespace

import pytest

from s3kit.policy.patterns import glob, like

ASKER = SimpleNamespace(context={"aws:username": ("a*",), "aws:tags": (), "aws:many": ("a", "b")})


@pytest.mark.parametrize("pattern, text, is_like", (
    ("", "", True), ("*", "", True), ("?", "", False), ("a*c", "abbc", True), ("a*c", "ac", True),
    ("a*c", "acd", False), ("a?c", "abc", True), ("a?c", "ac", False), ("**a", "ba", True),
    ("*ab", "aab", True), ("[a]", "a", False), ("A", "a", False), ("a*b*c", "a-c-b", False),
    ("a*", "a\n", True), ("${*}", "x", False)))
def test_without_variables(pattern, text, is_like):
    """Only `*` and `?` mean something, and every character must be had."""
    assert glob(pattern, text) is is_like


@pytest.mark.parametrize("pattern, text, is_like", (
    ("x/${aws:username}/*", "x/a*/k", True), ("x/${aws:username}", "x/ab", False),
    ("${AWS:UserName}", "a*", True), ("${*}${?}${$}", "*?$", True), ("${*}", "a", False),
    ("${aws:tags, 'none'}", "none", True), ("${aws:tags}", "", None), ("${aws:many}", "a", None),
    ("${aws:unknown}", "a", None), ("${aws:unknown, 'a'}", "a", None)))
def test_variables(pattern, text, is_like):
    """Their values are no patterns; one that cannot be known leaves it open."""
    assert like(pattern, text, ASKER, True) is is_like
    assert like(pattern, pattern.replace("*", "x").replace("?", "x"), ASKER, False) is True


def test_many_wildcards_take_no_time():
    """A pattern like this keeps a backtracking matcher busy for ever."""
    before = time.process_time()
    assert not glob("*a" * 200 + "b", "a" * 1000) and glob("*a" * 200, "a" * 1000)
    assert time.process_time() - before < 1
