"""The two S3s of a relay: how each is reached, and whether it can be reached now."""

import json
import os
import subprocess
import sys
import threading
import time
from argparse import Namespace

from s3kit.errors import Fault, NoSuchBucket, reason
from s3kit.pipeline.processes import argv_of_module, s3_words
from s3kit.units import show_span

LONGEST_WAIT = 60.0     # seconds between two looks at a side that is out, or two starts
HOUR = 3600.0
UP, DOWN, NOWHERE = "up", "down", "nowhere"
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
OTHERS = ("AWS_SECURITY_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE")


class Side:
    """One of the two S3s, `name` for people, with the bucket and prefix that matter.

    `options` have the AWS CLI's names. `keys` are (id, secret, token or None) where a configuration
    has them, which go through the environment of our commands and nowhere else. `say(text)` tells
    people; `hear(event)`, set by who runs it, gets ("probed", this, verdict, why) from a thread.
    """

    def __init__(self, name, address, options, keys, say):
        self.name, (self.bucket, self.prefix) = name, address
        self.options, self.say, self.hear = options, say, None
        self.words = s3_words(options)
        self.env = environment(keys)
        self.out_since = self.said_at = None
        self.why, self.wait, self.next_look, self.is_asked = "", 1.0, 0.0, False
        self.is_of_work = self.is_tried = False

    @property
    def folder(self):
        """The prefix up to its last slash, which the keys of copies lack."""
        return self.prefix[:self.prefix.rfind("/") + 1]

    @property
    def is_up(self):
        """Whether it is not known to be out, or is tried again."""
        return self.out_since is None or self.is_tried

    def ask(self):
        """Find out whether it can be reached, in a thread; nothing if that is under way."""
        if not self.is_asked:
            self.is_asked = True
            threading.Thread(target=self.probe, name=f"{self.name} probe", daemon=True).start()

    def probe(self):
        """Run the question in a process with the side's own credentials, and tell the answer."""
        question = vars(self.options) | {"bucket": self.bucket, "prefix": self.prefix}
        try:
            done = subprocess.run(argv_of_module("s3kit.relay.side"), input=json.dumps(question),
                                  env=self.env, capture_output=True, text=True)
            verdict, why = json.loads(done.stdout)
        except OSError as error:        # no process can be had now
            verdict, why = DOWN, reason(error)
        except ValueError:
            verdict, why = DOWN, (done.stderr.strip().splitlines() or ["the question was killed"])[
                -1]
        self.hear(("probed", self, verdict, why))

    def heard(self, verdict, why):
        """Take an answer; return whether the side can be reached. Raises Fault where waiting is of
        no use.
        """
        self.is_asked = False
        if verdict == NOWHERE:
            raise Fault(f"{self.name}: {why}")
        if verdict != UP:
            self.go_out(why)
        elif self.is_of_work:
            self.is_tried = True
        else:
            self.come_back()
        return verdict == UP

    def go_out(self, why, is_of_work=False):
        """It cannot be reached: said once, and once an hour. What `is_of_work`, as a lack of room
        there, no question shows: only when some work is done is it over.
        """
        now = time.monotonic()
        if self.is_up or now >= self.next_look:     # not once for each of many rows
            self.next_look = now + self.wait
            self.wait = min(LONGEST_WAIT, self.wait * 2)
        self.why, self.is_tried = why, False
        self.is_of_work = self.is_of_work or is_of_work
        if self.out_since is None:
            self.out_since = self.said_at = now
            self.say(f"{self.name}: {why}; waiting until it can be reached")
        elif now - self.said_at >= HOUR:
            self.said_at = now
            self.say(f"{self.name}: out since {show_span(now - self.out_since)}: {why}")

    def worked(self):
        """What was asked of it was done."""
        if self.is_tried:
            self.come_back()

    def come_back(self):
        """It can be reached."""
        if self.out_since is not None:
            span = show_span(time.monotonic() - self.out_since)
            self.say(f"{self.name}: can be reached again, after {span}")
        self.out_since, self.wait, self.why = None, 1.0, ""
        self.is_of_work = self.is_tried = False

    def look(self):
        """Ask again where that is due."""
        if not self.is_up and time.monotonic() >= self.next_look:
            self.ask()


def environment(keys):
    """Return the environment of our commands for one side."""
    env = dict(os.environ)
    if keys:
        for name in KEYS + OTHERS:
            env.pop(name, None)
        env |= {name: value for name, value in zip(KEYS, keys) if value}
    return env


def main():
    """Answer the question on stdin, a JSON object of S3 options, bucket and prefix, on stdout:
    [verdict, why].
    """
    from s3kit.s3 import asking
    from s3kit.s3.access import Access
    question = Namespace(**json.load(sys.stdin))
    try:
        access = Access(question)
        asking.is_empty(access.endpoint(question.bucket), question.prefix, access.renewed)
        answer = [UP, ""]
    except NoSuchBucket as fault:
        answer = [NOWHERE, str(fault)]
    except Fault as fault:
        answer = [DOWN, str(fault)]
    json.dump(answer, sys.stdout)
    return 0
