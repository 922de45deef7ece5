"""Random bucket policies and principals, and a second evaluator to hold ours against.

The second one knows every key of a request and answers yes or no. It is written from the IAM User
Guide, in another way than s3kit/evaluator.py: regular expressions, sets, no third answer.
"""

import re

from hypothesis import strategies as st

ACCOUNT, OTHER = "111111111111", "222222222222"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
USERS = [f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ("alice", "ops/bob", "carol")]
ROLES = [f"arn:aws:iam::{ACCOUNT}:role/{name}" for name
         in ("Mover", "aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0a1b")]
AWAY = [f"arn:aws:iam::{OTHER}:user/dave", f"arn:aws:iam::{OTHER}:role/Eve"]
EVERYBODY = [*USERS, *ROLES, ROOT, *AWAY]
ACTIONS = ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy",
           "s3:GetBucketPolicyStatus", "s3:GetBucketLocation", "s3:ListBucket", "s3:GetObject",
           "s3:PutObject", "s3:DeleteObject"]
BUCKET = "b"
BUCKET_ARN = f"arn:aws:s3:::{BUCKET}"


def resource_of(action):
    """Return the resource that an action is asked of."""
    return f"{BUCKET_ARN}/a/key" if action.endswith("Object") else BUCKET_ARN


# --- random documents

patterns = st.sampled_from([*ACTIONS, "s3:*", "*", "s3:Get*", "s3:*Policy", "S3:putbucketpolicy",
                            "s3:?utObject", "s3:*Bucket*", "s3:List*"])
resources = st.sampled_from(["*", BUCKET_ARN, f"{BUCKET_ARN}/*", "arn:aws:s3:::*",
                             f"{BUCKET_ARN}/a/*", "arn:aws:s3:::other", "arn:aws:s3:::?",
                             "arn:aws:s3:::${aws:username}", f"{BUCKET_ARN}*"])


def some_of(values, most=3):
    """Return one value, or a list of a few."""
    return values | st.lists(values, min_size=1, max_size=most, unique=True)


aws = st.sampled_from(["*", *EVERYBODY, ACCOUNT, OTHER,
                       f"arn:aws:sts::{ACCOUNT}:assumed-role/Mover/me", "AIDAIOSFODNN7EXAMPLE"])
principals = (st.just("*") | st.fixed_dictionaries({"AWS": some_of(aws)})
              | st.fixed_dictionaries({"Service": st.just("logging.s3.amazonaws.com")}))
arns = st.sampled_from([*EVERYBODY, f"arn:aws:iam::{ACCOUNT}:user/*",
                        f"arn:aws:iam::{ACCOUNT}:role/*", "*", "arn:aws:iam::*:user/alice",
                        "${aws:username}"])
names = st.sampled_from(["alice", "bob", "carol", "a*", "ALICE", "?ob", "${aws:username}", "$",
                         "*"])
conditions = st.one_of(
    st.tuples(st.sampled_from(["StringEquals", "StringNotEquals", "StringLike", "StringNotLike",
                               "ArnLike", "ArnNotLike", "ArnEquals",
                               "ArnNotEquals", "StringEqualsIgnoreCase", "ForAnyValue:StringLike",
                               "ForAllValues:StringNotEquals"]),
              st.just("aws:PrincipalArn"), some_of(arns)),
    st.tuples(st.sampled_from(["StringEquals", "StringNotEquals", "StringLike", "StringNotLike",
                               "StringNotEqualsIgnoreCase",
                               "ForAnyValue:StringNotEquals"]), st.just("aws:username"),
              some_of(names)),
    st.tuples(st.sampled_from(["StringEquals", "StringNotEquals"]), st.just("aws:PrincipalAccount"),
              some_of(st.sampled_from([ACCOUNT, OTHER]))),
    st.tuples(st.just("Bool"), st.sampled_from(["aws:SecureTransport", "AWS:PrincipalIsAWSService",
                                                "aws:MultiFactorAuthPresent"]),
              st.sampled_from(["true", "false", True])),
    st.tuples(st.just("Null"),
              st.sampled_from(["aws:username", "aws:PrincipalArn", "aws:SourceVpce", "aws:userid"]),
              st.sampled_from(["true", "false"])),
    st.tuples(st.sampled_from(["IpAddress", "NotIpAddress"]), st.just("aws:SourceIp"),
              some_of(st.sampled_from(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]))),
    st.tuples(st.sampled_from(["StringEquals", "StringNotEquals"]), st.just("aws:SourceVpce"),
              some_of(st.sampled_from(["vpce-1", "vpce-2"]))),
    st.tuples(st.sampled_from(["NumericLessThan", "NumericGreaterThanEquals", "NumericNotEquals"]),
              st.just("s3:TlsVersion"), st.sampled_from(["1.2", "1.3", 1.1])),
    st.tuples(st.sampled_from(["DateGreaterThan", "DateLessThanEquals"]),
              st.just("aws:CurrentTime"),
              st.sampled_from(["2026-01-31T00:00:00Z", "2030-01-01T00:00:00Z"])),
    st.tuples(st.just("StringLike"), st.just("s3:prefix"), st.sampled_from(["", "a/*"])))


@st.composite
def conditionals(draw):
    """A Condition of up to two keys, some operators with IfExists."""
    found = {}
    for operator, key, values in draw(st.lists(conditions, max_size=2)):
        optional = "IfExists" if operator != "Null" and draw(st.integers(0, 4)) == 0 else ""
        found.setdefault(operator + optional, {})[key] = values
    return found


@st.composite
def statements(draw, effect=st.sampled_from(["Deny", "Deny", "Allow"]), refuses=("NotPrincipal",)):
    """A statement; `refuses` are elements it never has (what IAM makes of a Deny with NotPrincipal
    depends on sessions).
    """
    made = {"Effect": draw(effect)}
    for name, values in (("Principal", principals), ("Action", some_of(patterns)),
                         ("Resource", some_of(resources))):
        no = f"Not{name}" not in refuses and draw(st.integers(0, 4)) == 0
        made[f"Not{name}" if no else name] = draw(values)
    condition = draw(conditionals())
    return made | ({"Condition": condition} if condition else {})


@st.composite
def documents(draw, most=4, **how):
    """A document of a few statements, with Sids or without."""
    found = draw(st.lists(statements(**how), min_size=1, max_size=most))
    for at, statement in enumerate(found):
        if draw(st.booleans()):
            statement["Sid"] = f"s{at}"
    return {"Version": draw(st.sampled_from(["2012-10-17", "2012-10-17", "2008-10-17"])),
            "Statement": found}


@st.composite
def surroundings(draw):
    """The keys of a request that do not follow from who asks."""
    return {"aws:sourceip":
            (draw(st.sampled_from(["10.1.2.3", "192.0.2.7", "198.51.100.1", "2001:db8::1"])),),
            "aws:sourcevpce": draw(st.sampled_from([(), ("vpce-1",), ("vpce-2",), ("vpce-3",)])),
            "aws:multifactorauthpresent": draw(st.sampled_from([(), ("true",), ("false",)])),
            "aws:currenttime":
            (draw(st.sampled_from(["2026-11-21T12:00:00Z", "2031-01-01T00:00:00Z"])),),
            "s3:prefix": draw(st.sampled_from([(), ("",), ("a/b",)])),
            "aws:userid": ("AIDAEXAMPLE",)}


def context_of(arn, secure="true"):
    """Return what follows from who asks over TLS."""
    account, resource = arn.split(":")[4:6]
    kind = resource.partition("/")[0]
    return {"aws:principalarn": (arn,), "aws:principalaccount": (account,),
            "aws:securetransport": (secure,), "s3:tlsversion": ("1.2",),
            "aws:principalisawsservice": ("false",),
            "aws:username": (resource.rpartition("/")[2],) if kind == "user" else ()}


# --- the second evaluator


def judge(document, arn, context, action, resource, session=""):
    """Return "deny", "allow" or "-"."""
    effects = {statement["Effect"] for statement in document["Statement"] if speaks(
        statement, arn, context, action, resource, session,
        document.get("Version") == "2012-10-17")}
    return "deny" if "Deny" in effects else "allow" if "Allow" in effects else "-"


def aslist(value):
    """Return a value in a list."""
    return value if isinstance(value, list) else [value]


def regex(pattern, context, variables, wild=True, flags=0):
    """Return the expression of a pattern, None if a variable in it is absent."""
    out = ""
    for piece in re.split(r"(\$\{[^}]*\})" if variables else r"(?!x)x", pattern):
        if variables and piece.startswith("${"):
            key = piece[2:-1].lower()
            if not context.get(key):
                return None
            out += re.escape(context[key][0])
        else:
            out += "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) if wild
                           else re.escape(char) for char in piece)
    return re.compile(out + r"\Z", re.DOTALL | flags)


def fits(pattern, text, context, variables, wild=True, flags=0):
    """Return whether a text fits a pattern."""
    made = regex(pattern, context, variables, wild, flags)
    return bool(made and made.match(text))


def speaks(statement, arn, context, action, resource, session, variables):
    """Return whether a statement is about a request."""
    acts = any(fits(p, action, {}, False, flags=re.IGNORECASE)
               for p in aslist(statement.get("Action") or statement["NotAction"]))
    things = any(fits(p, resource, context, variables)
                 for p in aslist(statement.get("Resource") or statement["NotResource"]))
    return (acts == ("Action" in statement) and things == ("Resource" in statement)
            and is_meant(statement, arn, session) and all(condition(
                op, key.lower(),
                [str(v).lower() if v is True or v is False else str(v) for v in aslist(values)],
                context, variables) for op, keys in statement.get("Condition", {}).items() for key,
                                                          values in keys.items()))


def is_meant(statement, arn, session):
    """Return whether the Principal is who asks."""
    principal, account = statement["Principal"], arn.split(":")[4]
    names = ["*"] if principal == "*" else aslist(principal.get("AWS", []))
    wholly = {account, f"arn:aws:iam::{account}:root"} & set(names)
    return bool("*" in names or arn in names or (session and session in names)
                or wholly and (statement["Effect"] == "Deny" or arn.endswith(":root")))


def condition(operator, key, wanted, context, variables):
    """Return whether one key of a Condition holds."""
    given = context.get(key, ())
    if operator == "Null":
        return any(bool(given) == (value == "false") for value in wanted)
    quantifier, _, name = operator.rpartition(":")
    optional, name = name.endswith("IfExists"), name.replace("IfExists", "")
    negative = "Not" in name
    if not given:
        return optional or quantifier == "ForAllValues" or (negative
                                                            and quantifier != "ForAnyValue")
    hit = any(compare(name.replace("Not", ""), given[0], value, context, variables)
              for value in wanted)
    return hit != negative


def compare(name, given, wanted, context, variables):
    """Return whether a value is the wanted one."""
    import ipaddress
    from datetime import datetime
    if name == "Bool":
        return given == wanted
    if name == "IpAddress":
        return ipaddress.ip_address(given) in ipaddress.ip_network(wanted)
    if name.startswith("String"):
        return fits(wanted, given, context, variables, "Like" in name,
                    re.IGNORECASE if "IgnoreCase" in name else 0)
    if name.startswith("Arn"):
        theirs, ours = wanted.split(":", 5), given.split(":", 5)
        if len(theirs) < 6 or "${" in wanted:
            return fits(wanted, given, context, variables)
        return all(fits(t, o, context, variables) for t, o in zip(theirs, ours))
    a, b = ((float(given), float(wanted)) if name.startswith("Numeric") else (
        datetime.fromisoformat(given.replace("Z", "+00:00")),
        datetime.fromisoformat(wanted.replace("Z", "+00:00"))))
    return {"Equals": a == b, "LessThan": a < b, "LessThanEquals": a <= b, "GreaterThan": a > b,
            "GreaterThanEquals": a >= b}[name.replace("Numeric", "").replace("Date", "")]
