"""The guard against locking everybody out: what no document may do that is put.

Only a Deny keeps anybody out, and every document, planned or edited by hand, passes `faults_of`
before it may be put.
"""

from s3kit.errors import Fault
from s3kit.policy.evaluator import answer
from s3kit.policy.template import RECOVERY, arn_of


def faults_of(document, bucket, circle, but_self=False):
    """Return why a document may not be put on a bucket, as lines; none if the exempt keep a way
    back.

    `but_self`: the caller wants to lose his own. Whoever shuts others out needs one more besides
    himself and the root.
    """
    if document is None:
        return []
    resource, found = arn_of(bucket, circle), []
    for arn in circle.exempt:
        if not (but_self and arn == circle.caller.arn):
            found += barred(document, circle.name_of(arn), circle.asker(arn), resource)
    _, stranger = circle.strangers()[0]
    if not circle.rescuers and any(answer(document, stranger, action, resource).is_barred
                                   for action in RECOVERY):
        found.append(
            "it shuts out others of the account: that wants one more principal of the account who "
            "keeps access (--exempt ARN)")
    return found


def barred(document, name, asker, resource):
    """Return a line for each statement that keeps, or may keep, somebody from recovery."""
    by_sid = {}
    for action in RECOVERY:
        said = answer(document, asker, action, resource)
        for sid in said.sids if said.is_barred else ():
            by_sid.setdefault((said.verdict, sid), []).append(action.removeprefix("s3:"))
    return [f"'{sid}' {'denies' if verdict == 'deny' else 'may deny'} {name} "
            + ("every way back" if len(actions) == len(RECOVERY) else ", ".join(actions))
            for (verdict, sid), actions in by_sid.items()]


def refuse(faults):
    """Raise Fault if there are any faults."""
    if faults:
        raise Fault("refused: " + "; ".join(faults))
