"""Rules that say which answers are spoiled, and the table of the kinds of faults.

A kind is a function (s3, request, response, **options) -> Response. Those that replace the answer
get no response: the request is not carried out, unless the rule says done=True. Those of another
stage than ANSWER do something else: see BEFORE and ARRIVAL.
"""

from dataclasses import dataclass

from fakes3.operations import step_of

KINDS = {}
ANSWER = "answer"       # the answer is spoilt
BEFORE = "before"       # before the request is carried out; all rules that take it count
ARRIVAL = "arrival"     # while the request's body comes: returns an Interruption


def kind(name, replaces=False, stage=ANSWER):
    """Enter a function among the kinds of faults."""
    def enter(function):
        function.replaces, function.stage = replaces, stage
        KINDS[name] = function
        return function
    return enter


@dataclass(eq=False)
class Fault:
    """One rule; `hits` counts the answers it has spoilt."""

    kind: str
    key: object
    bucket: str
    method: str
    times: int
    after: int
    where: object
    step: str
    done: bool
    options: dict
    seen: int = 0
    hits: int = 0

    def takes(self, request):
        """Tell whether this request is one to spoil, and count it."""
        if self.method not in (None, request.method) or self.bucket not in (None, request.bucket):
            return False
        if not (self.key(request.key) if callable(self.key) else self.key in (None, request.key)):
            return False
        if self.where and not self.where(request):
            return False
        if self.step and self.step != step_of(request):
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        self.seen += 1
        if self.seen <= self.after:
            return False
        self.hits += 1
        return True
