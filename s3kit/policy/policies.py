"""s3-policy's work: what each verb does with each bucket, and what people are told of it."""

import json
import re
import sys

from s3kit.errors import DONE, SOME_FAILED, Fault, NoAccess, Usage
from s3kit.policy import documents, review
from s3kit.policy.applying import Applying, Live, cleaned, errand_of, planned, readable, undoing
from s3kit.policy.directory import APPLY, BACKUP, ROLLBACK, Shelf, read_backup
from s3kit.policy.evaluator import ALLOW, answer
from s3kit.policy.identity import ARN_KEY, NAME_KEY, Circle, caller, confirm, principal
from s3kit.policy.simulation import Simulation
from s3kit.policy.template import NEEDS, RECOVERY, Setting, arn_of, faults_of, statements_of
from s3kit.s3.address import parse_s3
from s3kit.s3.session import Session
from s3kit.s3.translation import DENIED, UNREACHED
from s3kit.text import count, visible

ADDRESS = re.compile(r"s3://[^\s'\"|;&<>]+")
KEYS = {"arn": ARN_KEY, "username": NAME_KEY}
SETTLE, QUICK = 5, 1  # seconds that Amazon's S3 has to take in the canary's policy, and all others
UNSEEN = "an organization's control policies may bind even the root, and cannot be seen from here"
ALLOW_ONLY = "this denies nothing: whoever has rights of his own in the account keeps them"
LIFECYCLE = "lifecycle rules go on deleting: no policy binds them"


class Policies:
    """One run of s3-policy; each verb is a method that takes buckets and returns the status."""

    def __init__(self, args, say, signals):
        self.args, self.signals = args, signals
        self.say = lambda text: args.quiet or say(args.prog, text)
        self.complain = lambda text: say(args.prog, text)
        self.session, self.shelf = Session(args), Shelf(args.dir)
        self.live = Live(self.session)
        self.warned, self.known = set(), set()
        self.exempted, self.has_put = None, False

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

    # --- plan

    def plan(self, buckets, patterns=None):
        """Write a document for each bucket; return the status.

        `patterns` are those of a manifest, by bucket.
        """
        args, circle = self.args, self.circle()
        if not args.template and not args.without:
            raise Usage("--template only-me, read-only, migrate, tls-only or a FILE is wanted")
        role = self.confirmed(principal(args.role,
                                        self.session)) if args.role else circle.caller.arn
        pipeline, addresses = commands_in(args.pipeline), [parse_s3(text) for text
                                                           in ADDRESS.findall(args.pipeline)]

        def planned(bucket):
            listed = tuple(prefix for name, prefix in addresses if name == bucket)
            return self.plan_one(Setting(bucket, circle, role, not args.no_services,
                                         tuple(self.exempted), pipeline,
                                         (patterns or {}).get(bucket) or ("*",), listed or ("",)))
        with self.shelf.held():
            return self.each(buckets, planned)

    def plan_one(self, setting):
        """Plan for one bucket; return the status. Raises Fault."""
        args, bucket, circle = self.args, setting.bucket, setting.circle
        base = cleaned(self.live.get(bucket))
        old = readable(base)
        if base and not old:
            raise Fault(
                "the live policy cannot be read (backup keeps it; apply --overwrite would replace "
                "it by one of your own)")
        statements = statements_of(args.template, setting) if args.template else []
        document = documents.merged(old, statements, args.without, args.overwrite)
        if document is None:
            raise Fault(
                "without these statements nothing is left; delete the policy with rollback, or by "
                "hand")
        documents.checked(document)
        documents.check_size(document)
        faults = faults_of(document, bucket, circle)
        if faults:
            raise Fault("refused: " + "; ".join(faults))
        if not args.overwrite and self.shelf.is_edited(bucket):
            raise Fault(
                f"'{self.shelf.place(bucket)}' was edited since it was planned (--overwrite writes "
                "a new one)")
        exempt = [arn for arn in circle.exempt if arn != circle.caller.root]
        self.shelf.save(bucket, documents.pretty(document), {
            "base": base, "exempt": exempt, "key": circle.key, "template": args.template})
        lines = review.differences(old, document)
        self.say(f"{bucket}: '{self.shelf.place(bucket)}' "
                 + ("changes nothing" if not lines else "planned: " + told(old, document)))
        if args.verbose:
            self.print(lines, sys.stderr)
        self.advise(bucket, document, circle)
        self.tell({"bucket": bucket, "state": "planned", "path": self.shelf.place(bucket),
                   "changes": lines})
        return DONE

    def advise(self, bucket, document, circle):
        """Say what people should know before they rely on a document."""
        statements = document["Statement"]
        sids = {each.get("Sid") for each in statements}
        if "S3KitFreeze" in sids:
            self.warn(LIFECYCLE)
        if not any(each["Effect"] == "Deny" for each in statements):
            self.warn(ALLOW_ONLY)
        _, stranger = circle.strangers()[0]
        if self.live.is_amazons and any(answer(document, stranger, action, arn_of(bucket, circle))
                                        .is_barred for action in RECOVERY):
            self.warn(UNSEEN)
        for name, cells in review.rows_of(bucket, None, document, circle):
            if name in review.OUTSIDE and any(will == ALLOW for _, will in cells):
                self.warn(f"{bucket}: this lets in requests of {name}" if name == "other accounts"
                          else f"{bucket}: this lets in requests {name}")

    # --- looking

    def show(self, buckets):
        """Print documents: what is planned, or live, or the last backup."""
        def one(bucket):
            if self.args.live:
                text = self.live.get(bucket)
            elif self.args.backup:
                kept = self.shelf.backups(bucket)
                if not kept:
                    raise Fault("there is no backup")
                text = kept[0].text
            else:
                text = self.shelf.planned(bucket)
                if text is None:
                    raise Fault(
                        f"nothing is planned: there is no '{self.shelf.place(bucket)}' (--live "
                        "shows what is live)")
            document = readable(text)
            if text is None:
                self.say(f"{bucket}: no policy")
            shown = documents.pretty(document) if document else f"{text or 'null'}\n"
            if sys.stdout.isatty():
                self.print(shown.splitlines())
            else:
                sys.stdout.write(shown)
            return DONE
        return self.each(buckets, one)

    def diff(self, buckets):
        """Print what is planned against what is live; return 1 if they differ anywhere."""
        def one(bucket):
            document, old = planned(bucket, self.shelf), self.live.get(bucket)
            lines = review.differences(readable(old), document)
            if old and not readable(old):
                lines.insert(0, "- a policy that cannot be read")
            if self.args.json:
                self.tell({"bucket": bucket, "differs": bool(lines), "changes": lines})
            elif lines:
                self.print([f"s3://{bucket}", *lines])
            return SOME_FAILED if lines else DONE
        return self.each(buckets, one)

    def check(self, buckets):
        """Print the table of who may do what, before and after; return 1 where a document may not
        be put.
        """
        simulation = Simulation(self.session, self.say)
        self.circle()
        self.args.principal = [principal(arn, self.session) for arn in self.args.principal]

        def one(bucket):
            circle = self.circle(self.shelf.facts(bucket))
            old = readable(cleaned(self.live.get(bucket)))
            document = old if self.args.live else planned(bucket, self.shelf)
            if document:
                documents.check_size(document)
                self.advise(bucket, document, circle)
            faults = (faults_of(document, bucket, circle)
                      + simulation.faults_of(document, bucket, circle))
            self.show_table(bucket, old, document, circle)
            for fault in faults:
                self.complain(f"{bucket}: {fault}")
            self.tell({"bucket": bucket, "safe": not faults, "faults": faults,
                       "table": self.table(bucket, old, document, circle)})
            return SOME_FAILED if faults else DONE
        return self.each(buckets, one)

    def show_table(self, bucket, old, document, circle, file=None):
        """Print who may do what, on stdout unless that is for JSON."""
        if self.args.json and not file:
            return
        args = self.args
        self.print([f"s3://{bucket} (the caller is {circle.caller.arn})", *review.table(
            bucket, old, document, circle, args.principal, args.action, args.key),
                    "(- not said here: their own policies decide; ? depends on the request)"], file)

    def table(self, bucket, old, document, circle):
        """Return {who: {action: [before, after]}}."""
        args = self.args
        rows = review.rows_of(bucket, old, document, circle, args.principal, args.action, args.key)
        return {name: dict(zip(args.action or review.ACTIONS, cells)) for name, cells in rows}

    # --- changing

    def backup(self, buckets):
        """Keep the live policies; print where."""
        def one(bucket):
            path = self.shelf.keep(bucket, self.live.get(bucket), why=BACKUP).path
            if self.args.json:
                self.tell({"bucket": bucket, "state": "kept", "path": path})
            else:
                self.print([path])
            return DONE
        with self.shelf.held():
            return self.each(buckets, one)

    def apply(self, buckets, ask):
        """Put what is planned, the canary first: if that fails no other is tried.

        Return the status.
        """
        args, simulation = self.args, Simulation(self.session, self.say)
        canary = args.canary or (buckets[0] if buckets else None)
        buckets = [canary, *(bucket for bucket in buckets if bucket != canary)] if canary else []
        self.circle()

        def one(bucket):
            facts = self.shelf.facts(bucket)
            removes_self = bucket in args.remove_self
            errand = errand_of(bucket, self.live, self.shelf, self.circle(facts), args.overwrite,
                               removes_self)
            if errand.is_done:
                return self.conclude(bucket, "unchanged", "has this policy already")
            old, document = errand.documents
            faults = simulation.faults_of(document, bucket, errand.circle, removes_self)
            if faults:
                raise Fault("refused: " + "; ".join(faults))
            self.advise(bucket, document, errand.circle)
            if args.dry_run or ask:
                file = None if args.dry_run else sys.stderr
                self.show_table(bucket, old, document, errand.circle, file)
                if file or not args.json:
                    self.print(review.differences(old, document), file)
            if args.dry_run:
                return self.conclude(bucket, "to apply", "would be applied: " + told(old, document))
            if ask and not ask(f"Put this policy on s3://{bucket}?"):
                return self.conclude(bucket, "kept", "left as it is", SOME_FAILED)
            self.carry_out(errand, APPLY)
            return self.conclude(bucket, "applied", "applied: " + told(old, document))

        if args.dry_run:
            return self.each(buckets, one)
        with self.shelf.held():
            status = self.each(buckets[:1], one)
            if status != DONE and buckets[1:]:
                self.complain(
                    f"{count(len(buckets) - 1, 'other bucket')} not tried: '{canary}' came first, "
                    "as the canary")
                for bucket in buckets[1:]:
                    self.tell({"bucket": bucket, "state": "not tried"})
                return status
            return max(status, self.each(buckets[1:], one))

    def rollback(self, buckets, ask):
        """Put back what was live before apply, or what a backup says; return the status."""
        args = self.args
        chosen = read_backup(args.to) if args.to else None
        self.circle()

        def one(bucket):
            errand = undoing(bucket, self.live, self.shelf, self.circle(), chosen, args.overwrite)
            if errand.is_done:
                return self.conclude(bucket, "unchanged",
                                     "nothing to roll back: the policy of before is live")
            document = readable(errand.text)
            if ask or args.dry_run and not args.json:
                self.print([f"s3://{bucket}", *review.differences(errand.documents[0], document)],
                           None if args.dry_run else sys.stderr)
            if args.dry_run:
                return self.conclude(bucket, "to roll back", "would be rolled back"
                                     + ("" if errand.text else " to no policy"))
            if ask and not ask(f"Put the old policy back on s3://{bucket}?"):
                return self.conclude(bucket, "kept", "left as it is", SOME_FAILED)
            self.carry_out(errand, ROLLBACK)
            return self.conclude(bucket, "rolled back",
                                 "rolled back" + ("" if errand.text else " to no policy"))

        if args.dry_run:
            return self.each(buckets, one)
        with self.shelf.held():
            return self.each(buckets, one)

    def carry_out(self, errand, why):
        """Put an errand's policy; a signal waits until that is at its end, whichever."""
        settle = self.args.settle
        if settle is None:
            settle = SETTLE if self.live.is_amazons and not self.has_put else QUICK
        self.has_put = True
        self.signals.graceful = True
        try:
            (Applying(self.live, self.shelf, self.complain, settle, lambda: self.signals.number)
             .run(errand, why))
        finally:
            self.signals.graceful = False

    def conclude(self, bucket, state, text, status=DONE):
        """Say what became of a bucket; return its status."""
        self.say(f"{bucket}: {text}")
        self.tell({"bucket": bucket, "state": state})
        return status


def is_general(fault):
    """Return whether a fault is none of one bucket: we are nobody, or S3 cannot be reached."""
    return fault.code in UNREACHED or isinstance(fault, NoAccess) and fault.code not in DENIED


def told(old, document):
    """Return in a few words how two documents differ."""
    found = documents.changes(old, document)
    parts = [(sum(not each.old for each in found), "added"),
             (sum(bool(each.old and each.new) for each in found), "changed"),
             (sum(not each.new for each in found), "removed")]
    return ", ".join(f"{count(number, 'statement')} {word}" for number,
                     word in parts if number) or "no statement differs"


def assumed(words):
    """Return {condition key: (value,)} of KEY=VALUE; () if the value is empty. Raises Usage."""
    found = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not re.fullmatch(r"[\w:/.-]+", key):
            raise Usage(f"--assume '{word}': KEY=VALUE is wanted, as aws:SourceVpce=vpce-1234")
        found[key.lower()] = (value,) if value else ()
    return found


def commands_in(pipeline):
    """Return the commands of ours in a pipeline as somebody types it. Raises Usage."""
    found = dict.fromkeys(re.findall(r"\bs3-[a-z]+", pipeline))
    unknown = [name for name in found if name not in NEEDS]
    if unknown or not found:
        why = (f"{unknown[0]} needs nothing that is known" if unknown
               else "there is no command in it")
        raise Usage(f"--pipeline '{pipeline}': {why}")
    return tuple(found)
