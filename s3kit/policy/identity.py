"""Who asks: the caller and those who shall be spared, as the principals that a bucket policy knows
them by.

A policy sees a role, never the session that somebody has of it: `aws:PrincipalArn` is the role's
ARN with its path, which an assumed-role ARN does not tell (IAM User Guide,
reference_policies_condition-keys). IAM knows it; where it may not be asked, the user has to say it.
"""

import re
from typing import NamedTuple

from s3kit.errors import Fault, NoAccess, NoCredentials, Usage
from s3kit.policy.evaluator import Asker

ARN = re.compile(
    r"arn:(aws[a-z-]*):(iam|sts)::(\d{12}|(?!\d+:)[\w.-]*):"
    r"(root|user/[\w+=,.@/-]+|role/[\w+=,.@/-]+|assumed-role/[\w+=,.@-]+/[\w+=,.@-]+)", re.ASCII)
ACCOUNT = re.compile(r"\d{12}", re.ASCII)
WANTED = "arn:aws:iam::ACCOUNT:user/NAME or arn:aws:iam::ACCOUNT:role/PATH/NAME"
ARN_KEY, NAME_KEY = "aws:PrincipalArn", "aws:username"
STRANGER = "s3kit-stranger-to-every-policy"
NOBODY = Asker("", "nobody", "", {"aws:principalarn": (), "aws:principalaccount": (),
                                  "aws:principalorgid": (), "aws:username": (),
                                  "aws:userid": ("anonymous",), "aws:principaltype": ("Anonymous",),
                                  "aws:principalisawsservice": (), "aws:principalservicename": ()})


class Caller(NamedTuple):
    """Who we are: the principal's ARN, and what belongs to us alone."""

    arn: str
    session: str = ""           # the ARN of our session of a role
    user_id: str = ""

    @property
    def partition(self):
        """`aws`, `aws-cn`, `aws-us-gov`."""
        return ARN.fullmatch(self.arn)[1]

    @property
    def account(self):
        """The account's number; on Ceph a tenant, '' where there are none
        (https://docs.ceph.com/en/latest/radosgw/bucketpolicy/).
        """
        return ARN.fullmatch(self.arn)[3]

    @property
    def root(self):
        """The ARN of the account's root."""
        return f"arn:{self.partition}:iam::{self.account}:root"


def caller(session, said=None):
    """Return the Caller: by STS, or as somebody has `said`. Raises NoAccess or Fault."""
    if said:
        return Caller(principal(said, session))
    try:
        facts = ask(lambda: session.service("sts").get_caller_identity())
    except NoCredentials:
        raise
    except Fault as fault:
        raise NoAccess(f"cannot find out who we are: {fault} (--caller {WANTED} says it)") from None
    arn = facts.get("Arn", "")
    found = ARN.fullmatch(arn)
    if not found or found[2] == "sts" and not found[4].startswith("assumed-role/"):
        raise NoAccess(
            f"we are '{arn}', which no policy can name as one of an account's own (--caller "
            f"{WANTED} says who we are)")
    return Caller(principal(arn, session), arn if found[2] == "sts" else "",
                  facts.get("UserId", ""))


def principal(arn, session):
    """Return the ARN by which a policy knows a user, a role, a root, or a role by one of its
    sessions. Raises Usage or Fault.
    """
    found = ARN.fullmatch(arn)
    if not found or (found[2] == "sts") != found[4].startswith("assumed-role/") or not (
            ACCOUNT.fullmatch(found[3]) or session.is_custom()):
        raise Usage(f"'{arn}' is not a principal: {WANTED}")
    if found[2] == "iam":
        return arn
    name = found[4].split("/")[1]
    try:
        role = arn_in(ask(lambda: session.service("iam").get_role(RoleName=name)), "Role")
    except Fault as fault:
        raise Fault(
            f"cannot find the path of the role of '{arn}': {fault} (give its ARN: "
            f"arn:{found[1]}:iam::{found[3]}:role/PATH/{name})") from None
    if not role.startswith(f"arn:{found[1]}:iam::{found[3]}:role/") or role.rpartition(
            "/")[2] != name:
        raise Fault(
            f"'{arn}' is of another account than ours: give the role's own ARN, "
            f"arn:{found[1]}:iam::{found[3]}:role/PATH/{name}")
    return role


def confirm(arn, session, account):
    """Ask IAM whether there is such a user or role in our account; return why that is not known, or
    ''.

    Raises Fault if there is none, or if it has another ARN: nobody is spared by a name that is
    written wrongly, and S3 does not look at those in conditions.
    """
    _, _, theirs, resource = ARN.fullmatch(arn).groups()
    kind, _, path = resource.partition("/")
    if kind == "root" or theirs != account:
        return ""
    name = path.rpartition("/")[2]
    try:
        iam = session.service("iam")
        found = (arn_in(ask(lambda: iam.get_user(UserName=name)), "User") if kind == "user"
                 else arn_in(ask(lambda: iam.get_role(RoleName=name)), "Role"))
    except Fault as fault:
        if fault.code == "NoSuchEntity":
            raise Fault(f"there is no {kind} '{arn}', IAM says") from None
        return fault.code or "no answer"
    if found != arn:
        raise Fault(f"there is no {kind} '{arn}', IAM says, but '{found}'")
    return ""


def ask(call):
    """Return the answer of another service of Amazon's. Raises Fault."""
    from s3kit.s3.translation import translated
    with translated():
        return call()


def arn_in(answer, what):
    """Return the ARN of the User or Role in an answer of IAM's. Raises Fault if it has none."""
    arn = answer.get(what, {}).get("Arn")
    if not arn:
        raise Fault("IAM's answer has no ARN")
    return arn


class Circle:
    """Those whom policies are judged by, and what is known of their requests.

    `key` is what the server tells principals by: `aws:PrincipalArn`, or `aws:username` where it
    knows nothing else. `assumed` are condition keys (in small letters) of which the user has said
    what they are.
    """

    def __init__(self, caller, exempt, key=ARN_KEY, is_secure=True, assumed=None):
        self.caller, self.key = caller, key
        self.others = [arn for arn in dict.fromkeys(exempt) if arn not in (caller.arn, caller.root)]
        self.known = {"aws:securetransport": ("true" if is_secure else "false",),
                      "s3:tlsversion": ("1.2",) if is_secure else (),
                      "aws:principalisawsservice": ("false",), "aws:principalservicename": (),
                      "aws:viaawsservice": ("false",)}
        self.assumed = assumed or {}

    @property
    def exempt(self):
        """The ARNs of all who are spared: the caller, the others, the account's root where there is
        one.
        """
        roots = [self.caller.root] if self.key == ARN_KEY else []
        return list(dict.fromkeys([self.caller.arn, *self.others, *roots]))

    @property
    def rescuers(self):
        """The others who could take a policy back: S3 lets nobody of another account change one
        (API Reference, PutBucketPolicy).
        """
        return [arn for arn in self.others if ARN.fullmatch(arn)[3] == self.caller.account]

    def asker(self, arn):
        """Return the Asker that an ARN stands for."""
        _, _, account, resource = ARN.fullmatch(arn).groups()
        kind, _, path = resource.partition("/")
        is_caller = arn == self.caller.arn
        context = (self.known | {"aws:principalarn": (arn,), "aws:principalaccount": (account,),
                                 "aws:principaltype": ({"user": "User", "role": "AssumedRole",
                                                        "root": "Account"}[kind],), "aws:username":
                                 (path.rpartition("/")[2],) if kind == "user" else ()})
        if is_caller and self.caller.user_id:
            context["aws:userid"] = (self.caller.user_id,)
        if self.key != ARN_KEY:
            # Such servers know some of these and not others: nothing may rest on them.
            for name in ("aws:principalarn", "aws:principalaccount", "aws:principaltype",
                         "aws:principalisawsservice"):
                del context[name]
        return Asker(arn, kind, account, context | self.assumed,
                     self.caller.session if is_caller else "")

    def strangers(self):
        """Return [(what they are called, Asker)] of those whom nobody named."""
        ours = self.asker(f"arn:{self.caller.partition}:iam::{self.caller.account}:user/{STRANGER}")
        away = "999999999999" if self.caller.account != "999999999999" else "999999999998"
        theirs = self.asker(f"arn:{self.caller.partition}:iam::{away}:user/{STRANGER}")
        service = Asker("logging.s3.amazonaws.com", "service", "",
                        {"aws:principalisawsservice": ("true",), "aws:securetransport": ("true",)})
        return [("others of the account", ours), ("other accounts", theirs), (
            "without signature", NOBODY._replace(context=NOBODY.context | {
                "aws:securetransport": self.known["aws:securetransport"]})),
                *([("AWS services", service)] if self.key == ARN_KEY else [])]

    def name_of(self, arn):
        """Return what an exempt principal is called in a table."""
        return ("the caller" if arn == self.caller.arn else "the root" if arn == self.caller.root
                else arn.split(":", 5)[5])
