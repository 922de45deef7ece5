"""s3-relay: move a bucket through local volumes to another bucket, for as long as it takes."""

import os
import sys

from s3kit.cli import frame, options
from s3kit.cli.messages import say
from s3kit.cli.signals import Signals
from s3kit.cores import usable_cores
from s3kit.errors import DONE, SOME_FAILED, Usage

NAME = "s3-relay"
VERBS = ("run", "import", "status", "reset")


def build_parser():
    """Declare the options of s3-relay."""
    p = options.parser(NAME, "Move a bucket through local volumes to another bucket, for as long "
                             "as it takes.",
                       usage="s3-relay SOURCE TARGET --volume DIR [options]\n"
                             "       s3-relay import LEDGER SOURCE TARGET --volume DIR [options]\n"
                             "       s3-relay status|reset --work DIR",
                       example="s3-relay -w /var/lib/relay --volume /vol/1 --every 5m s3://a/ "
                               "s3://b/")
    p.parse_args = p.parse_intermixed_args      # addresses may follow options
    p.add_argument("words", metavar="S3", nargs="*", help="from where and to where: s3://b/prefix")
    volume_options(p)
    pace_options(p)
    p.add_argument("--audit", action="store_true",
                   help="move nothing, but list both sides and say what the ledger cannot explain")
    p.add_argument("--accept-proof", metavar="PROOF", choices=("size",),
                   help="import: believe also what has no more than the same size at the target")
    p.add_argument("--config", metavar="FILE", help="what is not said here is in a YAML file")
    p.add_argument("--lost", metavar="DIR",
                   help="reset: forget only what is on this volume, and fetch it again")
    p.add_argument("--yes", action="store_true", help="reset: do not ask")
    p.add_argument("--json", action="store_true", help="status: one JSON object")
    p.add_argument("-j", "--jobs", metavar="N", type=options.positive,
                   help="worker processes of each command (cores by volumes)")
    options.connections_option(p, requests=False)
    p.add_argument("--retries", metavar="N", type=options.whole, default=5,
                   help="more tries for what fails in passing (5)")
    for side in ("source", "target"):
        options.s3_options(p, side)
    options.progress_options(p)
    return p


def volume_options(p):
    """Declare where files are on their way."""
    p.add_argument("--volume", metavar="DIR", action="append", default=[],
                   help="a directory for what is on its way; may be repeated")
    p.add_argument("--budget", metavar="SIZE", type=options.size,
                   help="at most so many bytes on each volume")
    p.add_argument("--min-free", metavar="SIZE", type=options.size,
                   help="so many bytes of each volume stay free (a twentieth, at most 10G)")
    p.add_argument("-w", "--work", metavar="DIR",
                   help="keep the ledger in DIR (.s3kit/relay in the first volume)")


def pace_options(p):
    """Declare how it goes on."""
    p.add_argument("--once", action="store_true", help="end when all is delivered")
    p.add_argument("--every", metavar="TIME", type=options.span,
                   help="list the source again every TIME (60s)")
    p.add_argument("--round-size", metavar="SIZE", type=options.size,
                   help="list again after so many bytes")
    p.add_argument("--order", choices=("large", "listed"),
                   help="the largest first, or as they are listed (large)")


def relay(args):
    """Do what the verb says; return the status."""
    verb, words = ((args.words[0], args.words[1:]) if args.words and args.words[0] in VERBS
                   else ("run", args.words))
    if args.lost is not None and verb != "reset":
        raise Usage("--lost belongs to 'reset'")
    if verb in ("run", "import"):
        return run(args, words, verb)
    if words:
        raise Usage(f"'{verb}' takes no addresses: --work DIR, or --volume DIR, says which relay")
    return (status if verb == "status" else reset)(args)


def run(args, words, verb):
    """Relay, look (--audit) or take over; return the status."""
    from s3kit.cli.progress import Progress
    from s3kit.cli.tally import Tally
    from s3kit.relay.choices import Choices
    from s3kit.relay.config import SIDES
    from s3kit.relay.side import Side
    from s3kit.relay.work import check_mounted, held, opened
    ledger = words.pop(0) if verb == "import" and words else None
    if verb == "import" and not ledger:
        raise Usage("import which ledger (src_ledger.csv)?")
    choices, tally, progress = Choices(args, words, options.s3_options_of), Tally(args), Progress(
        args)
    for warning in choices.warnings:
        tally.say(f"warning: {warning}")
    check_mounted(choices.work, choices.volumes)
    with held(choices.work), opened(choices.work, choices.route, choices.addresses[0][0],
                                    choices.volumes) as deliveries:
        sides = [Side(*of, tally.say) for of in zip(SIDES, choices.addresses, choices.options,
                                                    choices.keys)]
        if ledger:
            made, status = take_over(args, ledger, sides, choices, deliveries)
        elif args.audit:
            made, status = audit(sides, deliveries)
        else:
            made, status = relayed(sides, choices, deliveries, progress)
        tally.summary(progress, made.summary())
        return status


def relayed(sides, choices, deliveries, progress):
    """Relay; return (what has the summary, the status)."""
    from s3kit.relay.relaying import Relay
    made = Relay(choices.plan(usable_cores()), sides, choices.volumes, deliveries,
                 (lambda text: say(NAME, text), Signals.check, progress))
    Signals.graceful = True
    made.run()
    return made, made.status()


def audit(sides, deliveries):
    """Say what the ledger cannot explain; return (what has the summary, the status)."""
    from s3kit.relay.audit import Audit
    from s3kit.text import visible
    made = Audit(deliveries, sides,
                 lambda name, why: sys.stdout.write(visible(f"{name}: {why}") + "\n"),
                 Signals.check)
    made.run()
    return made, SOME_FAILED if made.found else DONE


def take_over(args, ledger, sides, choices, deliveries):
    """Take over from transfer_v5; return (what has the summary, the status)."""
    from s3kit.relay.adoption import claims
    from s3kit.relay.takeover import Takeover
    found = claims(ledger, sides[0].prefix)
    made = Takeover(deliveries, sides, choices.volumes, args.accept_proof == "size", Signals.check)
    made.run(found)
    for warning in found.warnings:
        say(NAME, f"warning: {warning}")
    return made, DONE


def status(args):
    """Print how a relay stands; return 0."""
    from s3kit.relay.standing import facts_of, table
    from s3kit.relay.work import ledger_of, work_of
    from s3kit.text import visible
    facts = facts_of(ledger_of(work_of(args.work, args.volume)))
    if args.json:
        import json
        sys.stdout.write(f"{json.dumps(facts)}\n")
    else:
        sys.stdout.write("".join(f"{visible(line)}\n" for line in table(facts)))
    return DONE


def reset(args):
    """Forget what a relay knows, or what it has on a volume that is lost, if a person says yes;
    return 0.
    """
    from s3kit.cli.person import Person
    from s3kit.relay.standing import facts_of
    from s3kit.relay.work import forget, held, ledger_of, lose, work_of
    path = ledger_of(work_of(args.work, args.volume))
    with held(os.path.dirname(path)):
        there = {volume["path"]: volume["there"]["rows"] for volume in facts_of(path)["volumes"]}
        lost = args.lost and os.path.abspath(args.lost)
        if lost and lost not in there:
            raise Usage(f"'{lost}' is no volume of this relay, which has "
                        + ", ".join(f"'{volume}'" for volume in there))
        question = (f"Is '{lost}' lost for good? {there[lost]:,} files are fetched again." if lost
                    else f"Forget what was delivered? {sum(there.values()):,} files that have not "
                    "arrived stay on their volumes.")
        if not args.yes and not Person("--yes resets without asking")(question):
            raise Usage("nothing was reset")
        if lost:
            lose(path, lost)
        else:
            forget(path)
    return DONE


def main(argv=None):
    """Run s3-relay."""
    return frame.run(build_parser(), relay, argv)
