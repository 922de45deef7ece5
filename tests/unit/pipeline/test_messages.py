"""What all workers hear, and what those hear that start later."""

from typing import NamedTuple

from s3kit.pipeline.messages import Messages


class Endpoint(NamedTuple):
    """What is kept bucket by bucket."""

    bucket: str
    number: int


def test_kept_messages_do_not_grow():
    messages = Messages()
    for number in range(1000):
        messages.add(("endpoints", [Endpoint("a", number)]), keep=True)
        messages.add(("rate", number), keep=True)
        messages.add(("slow", None))
    assert messages.kept() == [("endpoints", [Endpoint("a", 999)]), ("rate", 999)]
    assert len(messages.take()) == 3000 and messages.take() == []


def test_each_bucket_keeps_its_newest_endpoint():
    """Whichever list that was in."""
    messages = Messages()
    messages.add(("endpoints", [Endpoint("a", 1), Endpoint("b", 1)]), keep=True)
    messages.add(("endpoints", [Endpoint("b", 2)]), keep=True)
    assert messages.kept() == [("endpoints", [Endpoint("a", 1), Endpoint("b", 2)])]


def test_what_is_not_kept_is_heard_once():
    """By those who are there."""
    messages = Messages()
    messages.add(("slow", None))
    assert messages.kept() == [] and messages.take() == [("slow", None)] and not messages.take()
