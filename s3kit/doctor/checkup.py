"""Who we are, how S3 is reached, and what its buckets are set to: looked at side by side, never for
long. What hangs on an answer is not asked without it.
"""

from urllib.parse import urlsplit

from s3kit.doctor import abilities
from s3kit.doctor.account import Account
from s3kit.doctor.aside import Late, Limit, aside
from s3kit.doctor.bucket_list import ONE, verdict_of
from s3kit.doctor.finding import FAULT, NOTE, OK, UNKNOWN, WARNING, Finding
from s3kit.doctor.properties import Bucket
from s3kit.doctor.questions import Questions
from s3kit.doctor.route import Route, is_loopback, proxy_finding
from s3kit.errors import DONE, SOME_FAILED, UNFINISHED, Fault
from s3kit.s3 import verdicts
from s3kit.s3.session import Session
from s3kit.units import show_span

TOGETHER = 64
# seconds: S3 refuses requests that are off by more than 15 minutes
SKEW_NOTED, SKEW_REFUSED = 60, 900
NAMED = 5                   # buckets, in a line about many


class Checkup:
    """Looks at everything; `findings` yields as it sees, then `buckets`; `status` says how it went.

    `args` has the options of s3-doctor; `check()` is called often and may raise; `trace(text)`
    hears each request. `progress` may be set, to hear of the answers about buckets (see
    cli.progress).
    """

    def __init__(self, args, check=lambda: None, trace=lambda text: None):
        self.args, self.check, self.trace, self.progress = args, check, trace, None
        self.session = Session(args)
        self.limit = Limit()
        self.cut = False            # S3 could not be asked as who we should be
        self.home = self.account = None

    @property
    def found(self):
        """The buckets that we may see: [(name, region or '')]."""
        return self.account.found if self.account else []

    def status(self, findings):
        """Return the exit status that follows from all Findings."""
        if self.cut:
            return UNFINISHED
        return SOME_FAILED if any(finding.state == FAULT for finding in findings) else DONE

    def findings(self):
        """Yield the Findings of account and network."""
        try:
            self.home = self.session.home()
        except Fault as fault:
            self.cut = True
            yield Finding("settings", FAULT, str(fault),
                          "look at ~/.aws/config, AWS_PROFILE and --profile")
            return
        self.account = Account(self.args, self.session, self.home, self.limit)
        self.limit.started()        # boto3 took its time to load
        route = Route(self.home.url)
        way = aside(route.go, self.home, ONE)
        yield from self.account.findings(way, route)
        self.cut = self.account.cut
        try:
            self.limit.wait(way)
        except Late:
            pass            # how far it came is in the Route
        yield from self.network(route)

    # --- how S3 is reached

    def network(self, route):
        """Yield what lies between us and S3."""
        home = self.home
        parts = urlsplit(home.url)
        yield Finding("endpoint", OK, f"{home.url}, region {home.region}"
                      + (", not Amazon's" if self.account.is_custom else ""), "",
                      {"url": home.url, "region": home.region})
        yield proxy_finding(route.proxy)
        yield from route.names()
        if parts.scheme == "https" or not is_loopback(parts.hostname):
            yield from route.trust(parts.scheme, home.verify)
        yield route.reached()
        self.cut = self.cut or not route.is_good
        yield from self.clock(route)

    def clock(self, route):
        """Yield how this machine's clock and the server's differ."""
        is_refused = verdict_of(self.account.answer()) == verdicts.SKEWED
        self.cut = self.cut or is_refused
        if route.ahead is None and not is_refused:
            if route.is_good:
                yield Finding("clock", UNKNOWN, "the server did not tell its time")
            return
        ahead = route.ahead or 0
        text = f"{show_span(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} the server's"
        facts = {"seconds_ahead": round(ahead)}
        if is_refused or abs(ahead) > SKEW_REFUSED:
            yield Finding("clock", FAULT, f"{text}; S3 refuses requests that are 15 minutes off",
                          "set it (timedatectl set-ntp true)", facts)
        elif abs(ahead) > SKEW_NOTED:
            yield Finding("clock", WARNING, text,
                          "set it (timedatectl set-ntp true) before it is 15 minutes", facts)
        else:
            yield Finding("clock", OK, "agrees with the server's", "", facts)

    # --- the server

    def abilities(self, seen):
        """Yield what the server can do, by the first of the buckets that it has, best with a key.
        """
        there = sorted((bucket for bucket in seen if "list" in bucket.told),
                       key=lambda bucket: not bucket.key)
        if there:
            name = there[0].name
            endpoint = self.session.located({name: self.home.region})[name]
            yield from abilities.findings(endpoint, there[0].key, self.check, self.trace)

    # --- the buckets

    def buckets(self):
        """Yield the Findings of the buckets that were named, or of those that we may see."""
        if self.cut:
            return
        regions = dict(self.found)
        named = list(dict.fromkeys(self.args.bucket))
        chosen = named or [name for name, _ in self.found[:self.args.buckets]]
        if len(self.found) > len(chosen) and not named:
            yield Finding("buckets", NOTE, f"looked into {len(chosen):,} of them",
                          "--buckets N looks into more")
        seen = [Bucket(name, regions.get(name) or "", bool(named)) for name in chosen]
        Questions(self, seen).run()
        for bucket in seen:
            yield from bucket.findings()
        if named and self.account.is_custom:
            yield from self.abilities(seen)
        yield from self.shared(seen)

    def shared(self, seen):
        """Yield what is so of most buckets where it is so of one, on a line for all of them."""
        is_open = [bucket.name for bucket in seen if bucket.is_open]
        if is_open:
            yield Finding("public", NOTE, f"access is not blocked by {few(is_open)}",
                          "if they are not meant to be public: aws s3api put-public-access-block",
                          {"buckets": is_open})
        keeping = [bucket.name for bucket in seen if bucket.keeps_parts]
        if keeping:
            yield Finding("uploads", WARNING, "no lifecycle rule for all keys removes what "
                          f"unfinished uploads leave in {few(keeping)}",
                          "add one with AbortIncompleteMultipartUpload (aws s3api "
                          "put-bucket-lifecycle-configuration)", {"buckets": keeping})


def few(names):
    """Return some names of buckets, and how many more there are."""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
