"""Who we are: where the credentials are from, whether S3 takes them, and what buckets they show."""

from datetime import datetime, timezone

from s3kit.doctor.aside import Late, aside
from s3kit.doctor.bucket_list import ONE, list_buckets, verdict_of
from s3kit.doctor.finding import FAULT, NOTE, OK, UNKNOWN, WARNING, Finding
from s3kit.errors import Fault
from s3kit.s3 import verdicts
from s3kit.s3.address import is_amazon_s3
from s3kit.s3.headers import said
from s3kit.s3.settings import profile_of
from s3kit.s3.translation import translated
from s3kit.text import count
from s3kit.units import show_span, show_time

SECONDS_TO_LIST = 30.0      # all buckets, 1,000 a page
SOON = 900                  # seconds: credentials that end earlier end within the work
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


class Account:
    """Those whom we are for S3 at `home`; `cut` is whether it could not be asked as them.

    `limit` is how long answers are waited for. Once looked at: `listed` is the Future of
    list_buckets, `found` the buckets: [(name, region or '')].
    """

    def __init__(self, args, session, home, limit):
        self.args, self.session, self.home, self.limit = args, session, home, limit
        self.is_custom = not is_amazon_s3(home.url)
        self.profile = profile_of(args)
        self.cut = False
        self.keys = self.listed = None
        self.method = ""
        self.found = []

    def findings(self, way, route):
        """Yield how the credentials were found, and whose they are; `way` is the Future of a Route.
        """
        if self.args.no_sign_request:
            yield Finding("credentials", NOTE, "none are used (--no-sign-request)")
            return
        try:
            self.keys, self.method, expiry, sts = self.limit.wait(aside(self.identify))
        except Late:
            self.cut = True
            yield Finding("credentials", FAULT,
                          f"they were not found within {self.limit.seconds:g} s",
                          "the place they come from (instance metadata, SSO, a process) does not "
                          "answer; " + NONE_FOUND)
        except Fault as fault:
            self.cut = True
            yield self.no_credentials(str(fault).removeprefix("cannot find out who we are: "))
        else:
            yield from self.shown(expiry, sts, way, route)

    def shown(self, expiry, sts, way, route):
        """Yield what STS and S3 say when the credentials are shown to them."""
        caller, self.listed = aside(self.caller, sts), aside(self.list_buckets, way, route)
        try:
            account = self.limit.wait(caller)
        except (Fault, Late) as error:
            account = error
        try:
            # Where S3 answers it may take its time: each of its pages is limited, too.
            answer, self.found, owner = (self.listed.result(SECONDS_TO_LIST) if route.is_good
                                         else self.limit.wait(self.listed))
        except Late:
            answer, owner = None, ""
        except Fault as fault:
            self.cut = True
            yield Finding("buckets", FAULT, str(fault),
                          "is this endpoint S3's? or log in to this network")
            return
        yield self.credentials(expiry, answer)
        yield self.identity(account, owner)
        yield from self.list_of_buckets(answer)

    def answer(self):
        """Return the Transfer that ListBuckets was answered with, or None."""
        if self.listed and self.listed.done() and not self.listed.exception():
            return self.listed.result()[0]
        return None

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
