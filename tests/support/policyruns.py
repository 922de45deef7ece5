"""What tests of s3-policy share: names, documents, and what became of them."""

import json
from pathlib import Path

from policydocs import ACCOUNT, BUCKET, BUCKET_ARN, ROLES, USERS

from s3kit.errors import Fault
from s3kit.policy.directory import Shelf
from s3kit.policy.documents import checked
from s3kit.policy.guard import faults_of
from s3kit.policy.identity import Caller, Circle
from s3kit.policy.meaning import merged
from s3kit.policy.template import Setting, statements_of

ME, GLASS = "arn:aws:iam::111111111111:user/me", "arn:aws:iam::111111111111:user/glass"
OLD = {"Version": "2012-10-17", "Statement": [{"Sid": "Logs", "Effect": "Allow",
                                               "Principal": {"Service": "logging.s3.amazonaws.com"},
                                               "Action": "s3:PutObject",
                                               "Resource": "arn:aws:s3:::b/logs/*"}]}
ONLY_ME = ("-t", "only-me", "--exempt", GLASS)
ALICE, BOB, CAROL = USERS
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Mover/me"


def live(fake, bucket="b"):
    """Return the live policy as a document, or None."""
    text = fake.bucket(bucket).policy
    return text and json.loads(text)


def edit(path, **changes):
    """Change the first statement of a planned document, as an editor would."""
    path = Path(path)
    found = json.loads(path.read_text())
    found["Statement"][0] |= changes
    path.write_text(json.dumps(found))


def backups(bucket="b"):
    """Return the backups of a bucket, the newest first."""
    return Shelf("policies").backups(bucket)


def new_one(request):
    """Return whether a request puts the planned policy."""
    return (request.method == "PUT" and "policy" in request.query
            and b"Rehearsal" not in request.body)


def circle(caller=ALICE, *exempt, **how):
    """Return a Circle."""
    return Circle(Caller(caller, SESSION if caller == ROLES[0] else ""), exempt, **how)


def setting(spared, role=ALICE, **how):
    """Return a Setting."""
    return Setting(BUCKET, spared, role, **how)


def document(*found, version="2012-10-17"):
    """Return a document of statements."""
    return {"Version": version, "Statement": list(found)}


def planned(template, spared, base=None, **how):
    """Return what s3-policy would write, or None where it refuses."""
    try:
        made = checked(merged(base, statements_of(template, setting(spared, **how))))
        return made if not faults_of(made, BUCKET, spared) else None
    except Fault:
        return None


def deny(**more):
    """Return a Deny of everything."""
    return {"Sid": "D", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": [BUCKET_ARN, f"{BUCKET_ARN}/*"]} | more
