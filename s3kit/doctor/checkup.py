"""Who we are, how S3 is reached, and what its buckets are set to: looked at side by side, never for
long.

A machine that needs a doctor has services that do not answer. So each is asked in a thread of its
own, which is left behind when its time is over, and what hangs on an answer is not asked without
it.
"""

import os
import threading
import time
from collections import deque
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from datetime import datetime, timezone
from urllib.parse import quote, urlsplit

from s3kit.doctor.finding import FAULT, NOTE, OK, UNKNOWN, WARNING, Finding
from s3kit.doctor.properties import ASKS, Bucket, elements, texts
from s3kit.doctor.route import TIMED_OUT, Route, is_loopback, proxy_finding
from s3kit.errors import DONE, SOME_FAILED, UNFINISHED, Fault
from s3kit.s3 import verdicts
from s3kit.s3.headers import said
from s3kit.s3.session import Session
from s3kit.s3.translation import translated
from s3kit.s3.wire import Wire
from s3kit.s3.xml import local, parse
from s3kit.text import count
from s3kit.units import show_span, show_time

SECONDS = 3.5               # in all, for what a sick machine is asked
LEAST = 2.0                 # but so long, however slowly we started
ONE = 2.5                   # seconds of one question
SECONDS_OF_BUCKET = 10.0    # of one of its questions: S3 has answered by then, and is only slow
SECONDS_TO_LIST = 30.0      # all buckets, 1,000 a page
TOGETHER, TRIES = 64, 3
# seconds: S3 refuses requests that are off by more than 15 minutes
SKEW_NOTED, SKEW_REFUSED = 60, 900
SOON = 900                  # seconds: credentials that end earlier end within the work
NAMED = 5                   # buckets, in a line about many
SOURCES = {"env": "the environment", "shared-credentials-file": "the credentials file",
           "config-file": "the configuration file", "sso": "single sign-on", "login": "aws login",
           "assume-role": "an assumed role", "iam-role": "this machine's role",
           "assume-role-with-web-identity": "a role by web identity",
           "container-role": "this container's role", "custom-process": "credential_process",
           "boto-config": "boto's old configuration file"}
RENEWING = {"sso", "login", "assume-role", "assume-role-with-web-identity", "container-role",
            "iam-role", "custom-process"}
RENEW = {"sso": "aws sso login", "login": "aws login",
         "env": "set new AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
         "iam-role": "look at this machine's role",
         "container-role": "look at this container's role"}
NONE_FOUND = (
    "set AWS_PROFILE or --profile, run 'aws sso login' or 'aws configure', or give "
    "--no-sign-request for public buckets")


def aside(call, *values):
    """Have `call(*values)` done in a thread that nobody must wait for; return its Future."""
    future = Future()

    def run():
        try:
            future.set_result(call(*values))
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


class Checkup:
    """Looks at everything; `findings` yields as it sees, then `buckets`; `status` says how it went.

    `args` has the options of s3-doctor; `check()` is called often and may raise; `trace(text)`
    hears each request. `progress` may be set, to hear of the answers about buckets (see
    command.Progress).
    """

    def __init__(self, args, check=lambda: None, trace=lambda text: None):
        self.args, self.check, self.trace, self.progress = args, check, trace, None
        self.session = Session(args)
        self.profile = (args.profile or os.environ.get("AWS_PROFILE")
                        or os.environ.get("AWS_DEFAULT_PROFILE") or "")
        self.until = time.monotonic() + SECONDS
        self.cut = False            # S3 could not be asked as who we should be
        self.home = self.keys = self.listed = None
        self.is_custom = False
        self.method = ""
        self.found = []

    def status(self, findings):
        """Return the exit status that follows from all Findings."""
        if self.cut:
            return UNFINISHED
        return SOME_FAILED if any(finding.state == FAULT for finding in findings) else DONE

    def wait(self, future):
        """Return what a Future brings before our time is over. Raises Late, or what it raises."""
        return future.result(max(0.0, self.until - time.monotonic()))

    def findings(self):
        """Yield the Findings of account and network."""
        try:
            self.home = self.session.home()
        except Fault as fault:
            self.cut = True
            yield Finding("settings", FAULT, str(fault),
                          "look at ~/.aws/config, AWS_PROFILE and --profile")
            return
        self.is_custom = ".amazonaws.com" not in self.home.url
        # boto3 took its time to load.
        self.until = max(self.until, time.monotonic() + LEAST)
        route = Route(self.home.url)
        way = aside(route.go, self.home, ONE)
        yield from self.who(way, route)
        try:
            self.wait(way)
        except Late:
            pass            # how far it came is in the Route
        yield from self.network(route)

    # --- who we are

    def who(self, way, route):
        """Yield how the credentials were found, and whose they are."""
        if self.args.no_sign_request:
            yield Finding("credentials", NOTE, "none are used (--no-sign-request)")
            return
        asked = aside(self.identify)
        try:
            self.keys, self.method, expiry, sts = self.wait(asked)
        except Late:
            self.cut = True
            yield Finding("credentials", FAULT, f"they were not found within {SECONDS:g} s",
                          "the place they come from (instance metadata, SSO, a process) does not "
                          "answer; " + NONE_FOUND)
            return
        except Fault as fault:
            self.cut = True
            yield self.no_credentials(str(fault).removeprefix("cannot find out who we are: "))
            return
        caller, self.listed = aside(self.caller, sts), aside(self.list_buckets, way, route)
        try:
            account = self.wait(caller)
        except (Fault, Late) as error:
            account = error
        try:
            # Where S3 answers it may take its time: each of its pages is limited, too.
            answer, buckets, owner = (self.listed.result(SECONDS_TO_LIST) if route.is_good
                                      else self.wait(self.listed))
        except Late:
            answer, buckets, owner = None, [], ""
        except Fault as fault:
            self.cut = True
            yield Finding("buckets", FAULT, str(fault),
                          "is this endpoint S3's? or log in to this network")
            return
        self.found = buckets
        yield self.credentials(expiry, answer)
        yield self.identity(account, owner)
        yield from self.list_of_buckets(answer)

    def no_credentials(self, text):
        """Return what is wrong where there are no credentials, by boto3's words."""
        if text.startswith("no credentials found"):
            return Finding("credentials", FAULT, "none were found", NONE_FOUND)
        is_sso = "SSO" in text
        return Finding("credentials", FAULT, text,
                       f"aws sso login{self.with_profile()}" if is_sso else "look at ~/.aws/config")

    def with_profile(self):
        """Return the option that names the profile in use, or ''."""
        return f" --profile {self.profile}" if self.profile else ""

    def identify(self):
        """Return (keys, how they were found, when they expire, a client of STS). Raises Fault."""
        keys = self.session.credentials()
        return (keys, *self.session.origin(), self.session.service("sts", ONE))

    def caller(self, sts):
        """Return what STS says of us. Raises Fault."""
        with translated():
            return sts.get_caller_identity()

    def list_buckets(self, way, route):
        """Return what list_buckets does, if S3 is there: libcurl would wait for a name server
        however long it hangs.
        """
        way.result()
        return (list_buckets(self.home, self.keys, self.args.buckets) if route.is_good
                else (None, [], ""))

    def credentials(self, expiry, answer):
        """Return where the credentials come from, how long they are good, and whether S3 takes
        them.
        """
        key, _, token = self.keys
        expiry = expiry and expiry.replace(microsecond=0)
        source = SOURCES.get(self.method, self.method or "unknown")
        text = f"from {source}, key ...{key[-4:]}"
        facts = {"method": self.method, "expires": show_time(expiry) if expiry else None,
                 "temporary": bool(token)}
        if self.profile:
            text += f", profile {self.profile}"
        verdict = verdict_of(answer)
        if verdict in (verdicts.EXPIRED, verdicts.REFUSED) or (
                answer and answer.code == "InvalidClientTokenId"):
            self.cut = True
            return Finding("credentials", FAULT, f"{text}: {said(answer)}", self.renewal(), facts)
        if not answer or not answer.status:
            return Finding("credentials", UNKNOWN,
                           f"{text}; not shown to S3, which does not answer", "", facts)
        left = (expiry - datetime.now(timezone.utc)).total_seconds() if expiry else None
        if left is None:
            text += ", temporary: nothing says until when" if token else ", not temporary"
            return Finding("credentials", OK, text, "", facts)
        text += f", until {show_time(expiry)} ({show_span(max(0, left))} from now)"
        if self.method in RENEWING:
            return Finding("credentials", OK, text + ", then renewed", "", facts)
        return Finding("credentials", WARNING if left < SOON else OK, text,
                       self.renewal() if left < SOON else "", facts)

    def renewal(self):
        """Return what to do about credentials that S3 does not take."""
        advice = RENEW.get(self.method,
                           "put new keys where these were found, or choose others with --profile")
        return advice + (self.with_profile() if self.method in ("sso", "login") else "")

    def identity(self, account, owner):
        """Return who STS says we are; a server of one's own need not have it."""
        if isinstance(account, dict):
            arn = account.get("Arn", "")
            facts = {"account": account.get("Account"), "arn": arn,
                     "user_id": account.get("UserId")}
            is_root = arn.endswith(":root")
            return Finding("identity", WARNING if is_root else OK,
                           f"{arn}, account {account.get('Account')}",
                           "the account's root may do everything: use a role or a user" if is_root
                           else "", facts)
        why = ("STS did not answer" if isinstance(account, Late)
               else str(account).replace("S3 says", "STS says", 1))
        if self.is_custom:
            return Finding("identity", NOTE,
                           "this server does not "
                           f"say{f'; its buckets are of {owner}' if owner else ''}", "",
                           {"owner": owner})
        return Finding("identity", UNKNOWN, why,
                       "" if self.cut else "is sts.amazonaws.com reached from here?",
                       {"owner": owner})

    def list_of_buckets(self, answer):
        """Yield whether we may see which buckets there are."""
        if verdict_of(answer) == verdicts.OK and not answer.errno:
            more = " and more" if b"<ContinuationToken>" in answer.body else ""
            yield Finding("buckets", OK, f"{count(len(self.found), 'bucket')}{more} to be seen", "",
                          {"buckets": len(self.found)})
        elif verdict_of(answer) == verdicts.DENIED:
            yield Finding("buckets", UNKNOWN, f"not allowed to list them ({answer.code})", ""
                          if self.args.bucket
                          else "name them: s3-doctor BUCKET ..., or ask for s3:ListAllMyBuckets")
        elif answer is None or answer.errno or not answer.status:
            self.cut = True         # said by what is said of the network
        elif verdict_of(answer) not in (verdicts.EXPIRED, verdicts.REFUSED, verdicts.SKEWED):
            self.cut = self.cut or not self.args.bucket
            yield Finding("buckets", NOTE if self.args.bucket else FAULT, said(answer),
                          "is this endpoint S3's?")

    # --- how S3 is reached

    def network(self, route):
        """Yield what lies between us and S3."""
        home = self.home
        parts = urlsplit(home.url)
        yield Finding("endpoint", OK, f"{home.url}, region {home.region}"
                      + (", not Amazon's" if self.is_custom else ""), "",
                      {"url": home.url, "region": home.region})
        yield proxy_finding(home.url, route.proxy)
        yield from route.names()
        if parts.scheme == "https" or not is_loopback(parts.hostname):
            yield from route.trust(parts.scheme, home.verify)
        yield route.reached()
        self.cut = self.cut or not route.is_good
        yield from self.clock(route)

    def clock(self, route):
        """Yield how this machine's clock and the server's differ."""
        listed = (self.listed.result()[0]
                  if self.listed and self.listed.done() and not self.listed.exception() else None)
        is_refused = verdict_of(listed) == verdicts.SKEWED
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
        is_open = [bucket.name for bucket in seen if bucket.is_open]
        if is_open:         # on one line: where it is so it is so of most
            names = ", ".join(is_open[:NAMED]) + (f" and {len(is_open) - NAMED:,} more"
                                                  if len(is_open) > NAMED else "")
            yield Finding("public", NOTE, f"access is not blocked by {names}",
                          "if they are not meant to be public: aws s3api put-public-access-block",
                          {"buckets": is_open})


class Questions:
    """All that buckets are asked, many at once; the answers go to each Bucket."""

    def __init__(self, checkup, buckets):
        self.session, self.home, self.check, self.trace = (checkup.session, checkup.home,
                                                           checkup.check, checkup.trace)
        self.progress, self.custom = checkup.progress, checkup.is_custom
        self.buckets = buckets
        self.together = checkup.args.together
        self.wire = Wire(self.together, SECONDS_OF_BUCKET)
        self.queue = deque()        # (Bucket, ask, Endpoint, URL, method, tries)

    def run(self):
        """Ask where buckets are, then everything else."""
        unknown = [bucket
                   for bucket in self.buckets if not bucket.told.get("region") and not self.custom]
        for bucket in unknown:      # Amazon tells it to anyone, in a header
            self.queue.append((bucket, "head", self.home,
                               f"{self.home.url}/{quote(bucket.name, safe='')}", "HEAD", 1))
        self.turn()
        here = [bucket for bucket in self.buckets if not bucket.is_missing]
        endpoints = self.session.located({bucket.name: bucket.told.get("region") or self.home.region
                                          for bucket in here})
        for bucket in here:
            for ask, query in ASKS.items():
                if ask != "region" or (self.custom and not bucket.told.get("region")):
                    endpoint = endpoints[bucket.name]
                    self.queue.append((bucket, ask, endpoint, f"{endpoint.url}?{query}", "GET", 1))
        self.turn()

    def turn(self):
        """Send what waits, take what comes, until there is neither."""
        if self.progress:
            self.progress.expect(len(self.queue))
        while self.queue or self.wire.active:
            self.check()
            while self.queue and self.wire.active < self.together:
                question = self.queue.popleft()
                self.wire.start(question, question[2], question[3], method=question[4])
            for transfer in self.wire.turn(0.5):
                self.answered(transfer)

    def answered(self, transfer):
        """Take an answer; ask again for what was only slow; look whether the first key can be read.
        """
        bucket, ask, endpoint, url, method, tries = transfer.owner
        self.trace(
            f"{method} {url}: {transfer.status or transfer.failure} {transfer.code}".rstrip())
        verdict = verdict_of(transfer)
        # An errno beside a status is an answer that was cut, whatever it began with.
        is_passing = (verdict in (verdicts.SLOW, verdicts.AGAIN)
                      or (transfer.errno and verdict != verdicts.UNTRUSTED))
        if is_passing and tries < TRIES and transfer.errno not in TIMED_OUT:
            self.queue.append((bucket, ask, endpoint, url, method, tries + 1))
            return
        bucket.take(ask, transfer)
        if self.progress and ask != "read":
            self.progress.move(1)
        region = transfer.headers.get("x-amz-bucket-region", "")
        if region:
            bucket.told.setdefault("region", region)
        if ask == "list" and bucket.key:
            self.queue.append((bucket, "read", endpoint, endpoint.object_url(bucket.key), "HEAD",
                               1))


def list_buckets(home, keys, most):
    """Return (the answered Transfer, [(bucket, region or '')], the owner's name) of ListBuckets, as
    many pages as are needed.

    Asked for pages, Amazon says where each bucket is; others do not mind being asked so.
    """
    access_key, secret_key, token = keys
    endpoint = home._replace(access_key=access_key, secret_key=secret_key, token=token)
    found, owner, query, tries = [], "", "", 1
    wire = Wire(1, ONE)
    while True:
        transfer = wire.start(None, endpoint, f"{endpoint.url}/?{query}max-buckets=1000")
        while wire.active:
            wire.turn(0.5)
        if verdict_of(transfer) in (verdicts.SLOW,
                                    verdicts.AGAIN) and not transfer.errno and tries < TRIES:
            tries += 1
            continue
        if verdict_of(transfer) != verdicts.OK or transfer.errno:
            return transfer, found, owner
        more, named, token = read_page(parse(transfer.body))
        found, owner = found + more, owner or named
        if not token or len(found) > most:
            return transfer, found, owner       # there may be more, which nobody wants to know of
        query = f"continuation-token={quote(token, safe='')}&"


def read_page(root):
    """Return ([(bucket, region or '')], the owner's name, the token of the next page or '') of one
    page of ListBuckets.

    Raises Fault for what is not one.
    """
    if local(root.tag) != "ListAllMyBucketsResult":
        raise Fault(f"what answers is not S3's list of buckets: <{local(root.tag)}>")
    found, owner, token = [], "", ""
    for name, child in elements(root):
        if name == "Buckets":
            found += [texts(bucket) for _, bucket in elements(child)]
        elif name == "Owner":
            told = texts(child)
            owner = told.get("DisplayName") or told.get("ID", "")
        elif name == "ContinuationToken":
            token = child.text or ""
    if not all(each.get("Name") for each in found):
        raise Fault("what answers is not S3's list of buckets: one has no name")
    return [(each["Name"], each.get("BucketRegion", "")) for each in found], owner, token


def verdict_of(transfer):
    """Return what an answer means, or '' where there is none."""
    return verdicts.verdict_of(transfer) if transfer else ""
