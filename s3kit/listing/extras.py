"""What listings are asked for beside their rows, as long as the server does not refuse it."""

from s3kit.s3 import verdicts
from s3kit.s3.capabilities import KNOWN, RESTORE_STATUS
from s3kit.s3.headers import said

WANTS_RESTORE = "x-amz-optional-object-attributes: RestoreStatus"
REFUSING = (400, 405, 501)      # statuses of servers that do not know a header


def headers(endpoint, refusal=""):
    """Return the headers of a request for a page; `refusal` says why it is asked without extras."""
    return [] if refusal or KNOWN.lacks(endpoint, RESTORE_STATUS) else [WANTS_RESTORE]


def refusal_in(transfer, sent):
    """Return the words of an answer that may refuse the extras that were `sent`, else ''.

    Servers name the header, or not: whether it was that shows where the same is asked without it.
    """
    may_be = (sent and transfer.status in REFUSING and not transfer.errno
              and verdicts.verdict_of(transfer) == verdicts.WRONG
              and transfer.code != "NoSuchBucket")
    return said(transfer) if may_be else ""


def learn(endpoint, refusal):
    """Note that a server has answered what it refused with extras; nothing where it did not."""
    if refusal:
        KNOWN.learn(endpoint, RESTORE_STATUS, refusal)
