"""The templates of s3-policy: what to add to a bucket's policy.

An Allow keeps nobody out: whoever has rights of their own in the account keeps them. Only a Deny
does (see guard).
"""

from typing import NamedTuple

from s3kit.errors import Fault, Usage
from s3kit.policy.documents import OURS, checked, loaded
from s3kit.policy.identity import ARN_KEY, NAME_KEY
from s3kit.policy.keys import escape
from s3kit.text import read_text

# Without these nobody can find out what a policy says, or take it back.
RECOVERY = ("s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy",
            "s3:GetBucketPolicyStatus", "s3:GetBucketLocation", "s3:ListBucket")
WRITES = ("s3:PutObject*", "s3:DeleteObject*", "s3:ReplicateObject", "s3:ReplicateDelete",
          "s3:ReplicateTags", "s3:AbortMultipartUpload", "s3:BypassGovernanceRetention",
          "s3:ObjectOwnerOverrideToBucketOwner")
SETTINGS = ("s3:DeleteBucket", "s3:PutBucketVersioning", "s3:PutLifecycleConfiguration",
            "s3:PutReplicationConfiguration", "s3:PutBucketObjectLockConfiguration",
            "s3:PutIntelligentTieringConfiguration")
LOOK = ("s3:GetBucketLocation", "s3:GetBucketVersioning")
LISTING = ("s3:ListBucket", "s3:ListBucketVersions")
READ = ("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectAttributes",
        "s3:GetObjectVersionAttributes")
# What each command of a pipeline asks of S3: (of the bucket, of the listing, of objects).
NEEDS = {"s3-list": (LOOK, LISTING, ()), "s3-manifest": (LOOK, LISTING, ()),
         "s3-fetch": (LOOK, LISTING, READ[:2]), "s3-verify": (LOOK, (), READ[:2]),
         "s3-restore": (LOOK, LISTING, (*READ[:2], "s3:RestoreObject")),
         "s3-prune": (LOOK, LISTING, (*READ[:2], "s3:DeleteObject", "s3:DeleteObjectVersion"))}
NEEDS["s3-migrate"] = tuple(tuple(dict.fromkeys(sum((needs[at] for needs in NEEDS.values()), ())))
                            for at in range(3))
LISTERS = {"s3-list", "s3-manifest", "s3-migrate"}
TRIED_DELETE = "s3kit-no-such-key-*"        # what s3-prune tries conditions of a DELETE with


class Setting(NamedTuple):
    """What a template is filled in with; `allowed` are the patterns of the keys that a pipeline
    works on, `prefixes` what it lists.
    """

    bucket: str
    circle: object
    role: str
    services: bool = True
    writers: tuple = ()         # who may write although the bucket is frozen
    pipeline: tuple = ("s3-manifest", "s3-fetch", "s3-verify")
    allowed: tuple = ("*",)
    prefixes: tuple = ("",)

    @property
    def arn(self):
        """The bucket's ARN."""
        return arn_of(self.bucket, self.circle)

    @property
    def both(self):
        """The bucket and its objects: a Deny on one alone leaves the other open."""
        return [self.arn, f"{self.arn}/*"]


def arn_of(bucket, circle):
    """Return the ARN of a bucket in the caller's partition."""
    return f"arn:{circle.caller.partition}:s3:::{bucket}"


def sparing(setting, arns):
    """Return the Condition that a Deny spares these principals by, and services, who have none.
    Raises Fault.

    Not `Bool`: requests without a signature have no aws:PrincipalIsAWSService, and the Deny would
    let them pass.
    """
    circle, condition = setting.circle, {}
    if arns and circle.key == NAME_KEY:
        unnamed = [arn for arn in arns if ":user/" not in arn]
        if unnamed:
            raise Fault(
                f"'{unnamed[0]}' is not a user, and this server tells principals by {NAME_KEY} "
                "only")
        condition |= other_than([arn.rpartition("/")[2] for arn in arns])
    elif arns:
        condition["StringNotEquals"] = {ARN_KEY: list(arns)}
    if setting.services and circle.key == ARN_KEY:
        condition["BoolIfExists"] = {"aws:PrincipalIsAWSService": "false"}
    return {"Condition": condition} if condition else {}


def other_than(names):
    """Return the Condition that a request's user is none of these.

    Ceph's StringNotEquals of several values holds where any of them differs
    (https://github.com/ceph/ceph/blob/v16.2.15/src/rgw/rgw_iam_policy.cc); two operators must both
    hold everywhere.
    """
    if len(names) == 2 and not set("*?$") & set(names[1]):
        return {"StringNotEquals": {NAME_KEY: names[0]}, "StringNotLike": {NAME_KEY: names[1]}}
    return {"StringNotEquals": {NAME_KEY: names}}


def only_me(setting):
    """Nobody but the exempt, and services, may do anything; the exempt may always take it back."""
    circle = setting.circle
    if not circle.rescuers:
        raise Usage(
            "only-me wants one more principal of the account who keeps access, for the day when "
            "you lose yours: --exempt ARN")
    named = [arn for arn in circle.exempt if not arn.endswith(":root")]
    return [{"Sid": f"{OURS}OnlyMe", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
             "Resource": setting.both, **sparing(setting, circle.exempt)}, {
                 "Sid": f"{OURS}Recovery", "Effect": "Allow", "Principal": {"AWS": named},
                 "Action": list(RECOVERY), "Resource": setting.arn}]


def read_only(setting):
    """Nobody writes, deletes, or changes what would delete; the migrating role reads."""
    spared = sparing(setting, setting.writers)
    return [{"Sid": f"{OURS}Freeze", "Effect": "Deny", "Principal": "*", "Action": list(WRITES),
             "Resource": f"{setting.arn}/*", **spared}, {"Sid": f"{OURS}FreezeSettings",
                                                         "Effect": "Deny", "Principal": "*",
                                                         "Action": list(SETTINGS),
                                                         "Resource": setting.arn, **spared},
            allow(setting, "ReadBucket", (*LOOK, *LISTING), setting.arn),
            allow(setting, "Read", (*READ, "s3:RestoreObject"), f"{setting.arn}/*")]


def migrate(setting):
    """The role may do what this pipeline does, on the keys that this manifest names; nobody loses
    anything.
    """
    of_bucket, listing, objects = (tuple(dict.fromkeys(sum((NEEDS[name][at]
                                                            for name in setting.pipeline), ())))
                                   for at in range(3))
    found = [allow(setting, "MigrateBucket", of_bucket, setting.arn)]
    if listing:
        statement = allow(setting, "MigrateList", listing, setting.arn)
        # Without a listing of its own a pipeline only wants to know whether a key is there.
        prefixes = ([escape(prefix) + "*" for prefix in setting.prefixes]
                    if LISTERS & set(setting.pipeline) else setting.allowed)
        if "*" not in prefixes:
            statement["Condition"] = {"StringLike": {"s3:prefix": list(prefixes)}}
        found.append(statement)
    if objects:
        found.append(allow(setting, "MigrateObjects", objects,
                           [f"{setting.arn}/{pattern}" for pattern in setting.allowed]))
    if "s3:DeleteObject" in objects and "*" not in setting.allowed:
        found.append(allow(setting, "MigrateTry", ("s3:DeleteObject", "s3:DeleteObjectVersion"),
                           f"{setting.arn}/{TRIED_DELETE}"))
    return found


def allow(setting, name, actions, resource):
    """Return a statement that allows the role something."""
    return {"Sid": OURS + name, "Effect": "Allow", "Principal": {"AWS": setting.role},
            "Action": list(actions), "Resource": resource}


def tls_only(setting):
    """Nobody gets anything over a connection that is not encrypted."""
    return [{"Sid": f"{OURS}TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
             "Resource": setting.both, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]


TEMPLATES = {"only-me": only_me, "read-only": read_only, "migrate": migrate, "tls-only": tls_only}


def statements_of(template, setting):
    """Return the statements of a template by name, or of one in a file. Raises Fault."""
    if template in TEMPLATES:
        return TEMPLATES[template](setting)
    text = read_text(template)
    caller = setting.circle.caller
    words = {"{bucket}": setting.bucket, "{account}": caller.account,
             "{partition}": caller.partition, "{caller}": caller.arn, "{role}": setting.role}
    try:
        return checked(fill(loaded(text), words, setting.circle.exempt))["Statement"]
    except Fault as fault:
        raise Fault(f"'{template}': {fault}") from None


def fill(value, words, exempt):
    """Return a template's value with its words filled in; `{exempt}` is all of them, in a list."""
    if isinstance(value, dict):     # a name is one text: there {exempt} means nothing
        return {name if name == "{exempt}" else fill(name, words, exempt):
                fill(each, words, exempt) for name, each in value.items()}
    if isinstance(value, list):
        return [each for one in value
                for each in (exempt if one == "{exempt}" else [fill(one, words, exempt)])]
    if value == "{exempt}":
        return list(exempt)
    for word, meaning in words.items() if isinstance(value, str) else ():
        value = value.replace(word, meaning)
    return value
