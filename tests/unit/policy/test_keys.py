"""The keys of a manifest as few patterns of a policy."""

from hypothesis import given, settings
from hypothesis import strategies as st
from policydocs import BUCKET_ARN
from policyruns import ALICE, circle, document

from s3kit.policy.evaluator import ALLOW, answer
from s3kit.policy.keys import PATTERNS, Patterns

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
