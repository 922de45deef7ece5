"""One run of s3-policy: what all its verbs share, and what people are told."""

import json
import re
import sys

from s3kit.errors import DONE, SOME_FAILED, Fault, NoAccess, Usage
from s3kit.policy.directory import Shelf
from s3kit.policy.identity import ARN_KEY, NAME_KEY, Circle, caller, confirm, principal
from s3kit.policy.live import Live
from s3kit.s3.session import Session
from s3kit.s3.translation import DENIED, UNREACHED
from s3kit.text import visible

KEYS = {"arn": ARN_KEY, "username": NAME_KEY}


class Run:
    """The options, S3, the directory of documents, and who documents are judged by.

    `say(program, text)` tells people; `signals` is checked before each bucket.
    """

    def __init__(self, args, say, signals):
        self.args, self.signals = args, signals
        self.say = lambda text: args.quiet or say(args.prog, text)
        self.complain = lambda text: say(args.prog, text)
        self.session, self.shelf = Session(args), Shelf(args.dir)
        self.live = Live(self.session)
        self.warned, self.known = set(), set()
        self.caller = self.exempted = None      # asked for by the verbs that need them
        self.has_put = False

    def each(self, buckets, do):
        """Do something with every bucket, whatever becomes of the others; return the status."""
        status = DONE
        for bucket in buckets:
            self.signals.check()
            try:
                status = max(status, do(bucket))
            except Fault as fault:
                self.complain(f"{bucket}: {fault}")
                self.tell({"bucket": bucket, "state": "failed", "error": str(fault)})
                if is_general(fault):
                    return fault.status
                status = SOME_FAILED
        self.signals.check()
        return status

    # --- what people are told

    def tell(self, facts):
        """Print facts as JSON, if they are wanted so."""
        if self.args.json:
            sys.stdout.write(json.dumps(facts) + "\n")

    def print(self, lines, file=None):
        """Print lines for people; nothing in them acts on a terminal."""
        (file or sys.stdout).write("".join(f"{visible(line)}\n" for line in lines))

    def warn(self, text):
        """Say something once."""
        if text not in self.warned:
            self.warned.add(text)
            self.say(f"warning: {text}")

    def conclude(self, bucket, state, text, status=DONE):
        """Say what became of a bucket; return its status."""
        self.say(f"{bucket}: {text}")
        self.tell({"bucket": bucket, "state": state})
        return status

    # --- who is judged by

    def circle(self, facts=None):
        """Return the Circle of the options, of a plan's facts, and of who we are now.

        Raises Fault.
        """
        args, facts = self.args, facts or {}
        if self.exempted is None:
            self.caller = caller(self.session, args.caller)
            self.exempted = [self.confirmed(principal(arn, self.session)) for arn in args.exempt]
        is_named = not self.live.is_amazons and ":user/" in self.caller.arn
        if args.by == "username" and self.live.is_amazons:
            raise Usage(
                "--by username is for servers that do not know aws:PrincipalArn; Amazon's does")
        key = KEYS.get(args.by) or facts.get("key") or (NAME_KEY if is_named else ARN_KEY)
        is_secure = self.session.client.meta.endpoint_url.startswith("https:")
        planned = [self.confirmed(principal(arn, self.session)) for arn in facts.get("exempt", ())]
        return Circle(self.caller, [*self.exempted, *planned], key, is_secure, assumed(args.assume))

    def confirmed(self, arn):
        """Return the ARN of somebody who is to keep access.

        Raises Fault if IAM says that there is nobody of that name.
        """
        if arn not in self.known and arn != self.caller.arn:
            unknown = confirm(arn, self.session, self.caller.account)
            if unknown:
                self.warn(
                    f"IAM could not be asked ({unknown}) whether all who shall keep access exist: "
                    "make sure of it")
            self.known.add(arn)
        return arn


def is_general(fault):
    """Return whether a fault is not one bucket's alone: we are nobody, or S3 cannot be reached."""
    return fault.code in UNREACHED or isinstance(fault, NoAccess) and fault.code not in DENIED


def assumed(words):
    """Return {condition key: (value,)} of KEY=VALUE; () if the value is empty. Raises Usage."""
    found = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not re.fullmatch(r"[\w:/.-]+", key):
            raise Usage(f"--assume '{word}': KEY=VALUE is wanted, as aws:SourceVpce=vpce-1234")
        found[key.lower()] = (value,) if value else ()
    return found
