"""Small requests about one bucket, many at once, each sent again while that may help."""

import time
from collections import deque

from s3kit.errors import Fault
from s3kit.s3 import verdicts
from s3kit.s3.asking import fault_of, once_more
from s3kit.s3.patience import Patience
from s3kit.s3.window import Alone
from s3kit.s3.wire import Wire

TOGETHER = 64


class Question:
    """A request: about a key, or with '' about the bucket; `tries` counts those that failed.

    `take(transfer)` has the answer and raises Fault where it is none; `fail(transfer, fault)` hears
    of the last one.
    """

    def __init__(self, key, query, take, fail, method):
        self.key, self.query, self.method = key, query, method
        self.take, self.fail = take, fail
        self.patience, self.tries = Patience(), 0


class Requests:
    """Sends Questions to the bucket of an Endpoint; `run` ends when all are answered.

    `check()` is called often and may raise; `renew(endpoint)` returns one with newer credentials,
    or raises NoCredentials.
    """

    def __init__(self, endpoint, check, renew):
        self.endpoint, self.check, self.renew = endpoint, check, renew
        self.wire, self.window = Wire(TOGETHER), Alone(TOGETHER)
        self.waiting, self.later = deque(), []      # Questions; (when, Question)

    def send(self, key, query, take, fail, method="GET", wait=0.0):
        """Send a request after `wait` seconds; return its Question."""
        question = Question(key, query, take, fail, method)
        self.put(question, wait)
        return question

    def put(self, question, wait):
        """Let a Question wait until it is sent."""
        if wait:
            self.later.append((time.monotonic() + wait, question))
        else:
            self.waiting.append(question)

    def run(self):
        """Send what waits and take what comes, until there is neither; what `fail` raises ends it.
        """
        try:
            while self.waiting or self.later or self.wire.active:
                self.check()
                now = time.monotonic()
                self.start(now)
                for transfer in self.wire.turn(self.pause(now)):
                    self.answered(transfer)
        except BaseException:
            self.wire.stop()
            raise

    def start(self, now):
        """Start what may be started now."""
        due = [again for again in self.later if again[0] <= now]
        self.later = [again for again in self.later if again[0] > now]
        self.waiting += [question for _, question in due]
        for _ in range(min(len(self.waiting), self.window.room(self.wire.active, now))):
            question, endpoint = self.waiting.popleft(), self.endpoint
            url = (endpoint.object_url(question.key, question.query) if question.key
                   else f"{endpoint.url}?{question.query}")
            self.wire.start(question, endpoint, url, method=question.method)

    def pause(self, now):
        """Return how long to wait for an answer."""
        until = [when for when, _ in self.later]
        if self.waiting:
            until.append(self.window.quiet_until)
        return min([0.5, *(max(0.0, when - now) for when in until if when > now)])

    def answered(self, transfer):
        """Take an answer; where it is none, ask again if that may help."""
        question = transfer.owner
        verdict = verdicts.verdict_of(transfer)
        if verdict == verdicts.SLOW:
            self.window.slow_down(time.monotonic())
        try:
            question.take(transfer)
            self.window.answered(transfer)
        except Fault as fault:
            question.tries += 1
            self.endpoint, wait = once_more(transfer, self.endpoint, question.patience, self.renew)
            if wait is None:
                question.fail(transfer, fault)
            else:
                self.put(question, wait)


def good(transfer, action):
    """Return a Transfer that was answered well. Raises NoSuchBucket, NoAccess or Fault: `cannot
    ACTION: ...`.
    """
    if verdicts.verdict_of(transfer) != verdicts.OK or transfer.errno:
        raise fault_of(transfer, action)
    return transfer
