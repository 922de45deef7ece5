"""What a Snapshot says, in words for people."""

from s3kit.runs.pace import show_left
from s3kit.units import show_size


def facts_of(snapshot, left):
    """Return what a Snapshot says in numbers, for people."""
    yield how_much(snapshot)
    if left >= 0:
        yield f"{show_left(left)} left"
    if snapshot.speed:
        yield f"{amount(snapshot, snapshot.speed)}/s"
    if snapshot.text:
        yield snapshot.text
    elif snapshot.unit == "B":
        yield f"{snapshot.count:,} rows"


def how_much(snapshot):
    """Return what is done, and of how much as far as that is known."""
    done, unit = amount(snapshot, snapshot.done), units(snapshot)
    if snapshot.total:
        about = "about " if snapshot.is_about else ""
        return f"{done} of {about}{amount(snapshot, snapshot.total)}{unit}"
    if snapshot.expected > snapshot.done:
        return f"{done} of at least {amount(snapshot, snapshot.expected)}{unit}"
    return f"{done}{unit}"


def amount(snapshot, number):
    """Return a number of bytes or of other things."""
    if snapshot.unit == "B":
        return show_size(number)
    return f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:.1f}"


def units(snapshot):
    """Return the unit's name where the amount does not have it."""
    return "" if snapshot.unit == "B" else f" {snapshot.unit.strip()}s"
