"""s3-policy plan: each bucket's document, made of its live policy and a template."""

import re
import sys

from s3kit.errors import DONE, Fault, Usage
from s3kit.policy import review
from s3kit.policy.advice import advise
from s3kit.policy.documents import check_size, checked, pretty, readable
from s3kit.policy.guard import faults_of, refuse
from s3kit.policy.identity import principal
from s3kit.policy.meaning import merged
from s3kit.policy.rehearsal import cleaned
from s3kit.policy.template import NEEDS, Setting, statements_of
from s3kit.s3.address import parse_s3

ADDRESS = re.compile(r"s3://[^\s'\"|;&<>]+")


def plan(run, buckets, patterns=None):
    """Write a document for each bucket; return the status.

    `patterns` are those of a manifest, by bucket. Raises Fault.
    """
    args, circle = run.args, run.circle()
    if not args.template and not args.without:
        raise Usage("--template only-me, read-only, migrate, tls-only or a FILE is wanted")
    role = run.confirmed(principal(args.role, run.session)) if args.role else circle.caller.arn
    pipeline = commands_in(args.pipeline)
    addresses = [parse_s3(text) for text in ADDRESS.findall(args.pipeline)]

    def one(bucket):
        listed = tuple(prefix for name, prefix in addresses if name == bucket)
        return plan_one(run, Setting(bucket, circle, role, not args.no_services,
                                     tuple(run.exempted), pipeline,
                                     (patterns or {}).get(bucket) or ("*",), listed or ("",)))
    with run.shelf.held():
        return run.each(buckets, one)


def plan_one(run, setting):
    """Plan for one bucket; return the status. Raises Fault."""
    args, bucket, shelf = run.args, setting.bucket, run.shelf
    make_way(shelf, bucket, args.overwrite)
    base = cleaned(run.live.get(bucket))
    document = document_of(args, setting, base)
    circle, old = setting.circle, readable(base)
    exempt = [arn for arn in circle.exempt if arn != circle.caller.root]
    shelf.save(bucket, pretty(document), {"base": base, "exempt": exempt, "key": circle.key,
                                          "template": args.template})
    lines = review.differences(old, document)
    run.say(f"{bucket}: '{shelf.place(bucket)}' "
            + ("changes nothing" if not lines else "planned: " + review.told(old, document)))
    if args.verbose:
        run.print(lines, sys.stderr)
    advise(run, bucket, document, circle)
    run.tell({"bucket": bucket, "state": "planned", "path": shelf.place(bucket), "changes": lines})
    return DONE


def make_way(shelf, bucket, overwrite):
    """Remove an older plan of a bucket: `apply` would put it if this one is refused. What somebody
    has edited stays. Raises Fault where it may not be overwritten either.
    """
    try:
        is_edited = shelf.is_edited(bucket)
    except Fault:
        if not overwrite:
            raise
        return
    if not is_edited:
        shelf.discard(bucket)
    elif not overwrite:
        raise Fault(
            f"'{shelf.place(bucket)}' was edited since it was planned (--overwrite writes a new "
            "one)")


def document_of(args, setting, base):
    """Return the document that a bucket with the live policy `base` (text or None) shall have.

    Raises Fault where there is none that may be put.
    """
    old = readable(base)
    if base and not old:
        raise Fault("the live policy cannot be read (backup keeps it; apply --overwrite would "
                    "replace it by one of your own)")
    statements = statements_of(args.template, setting) if args.template else []
    document = merged(old, statements, args.without, args.overwrite)
    if document is None:
        raise Fault("without these statements nothing is left; delete the policy with rollback, or "
                    "by hand")
    checked(document)
    check_size(document)
    refuse(faults_of(document, setting.bucket, setting.circle))
    return document


def commands_in(pipeline):
    """Return the commands of ours in a pipeline as somebody types it. Raises Usage."""
    found = dict.fromkeys(re.findall(r"\bs3-[a-z]+", pipeline))
    unknown = [name for name in found if name not in NEEDS]
    if unknown or not found:
        why = (f"{unknown[0]} needs nothing that is known" if unknown
               else "there is no command in it")
        raise Usage(f"--pipeline '{pipeline}': {why}")
    return tuple(found)
