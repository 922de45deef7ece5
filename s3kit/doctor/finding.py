"""What a check finds, and how bad that is."""

from typing import NamedTuple

OK = "ok"
NOTE = "note"           # worth knowing, nothing wrong
UNKNOWN = "unknown"     # could not be seen; that is no fault
WARNING = "warning"     # will hurt some work
FAULT = "fault"         # no work before this is put right
WRONG = (WARNING, FAULT)


class Finding(NamedTuple):
    """One line of a report: of what, its state, what was seen, and what to do about it (or
    nothing).

    `facts` are for programs: values as JSON has them.
    """

    what: str
    state: str
    seen: str
    advice: str = ""
    facts: dict = {}

    def line(self):
        """Return what was seen and what to do, as one sentence."""
        return f"{self.seen}: {self.advice}" if self.advice else self.seen

    def json(self):
        """Return the Finding as JSON has it: what it does not say is left out."""
        told = {"check": self.what, "state": self.state, "seen": self.seen, "advice": self.advice,
                **self.facts}
        return {name: value for name, value in told.items() if value not in ("", None)}
