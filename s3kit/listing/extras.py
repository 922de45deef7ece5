"""What listings are asked for beside their rows, as long as the server does not refuse it."""

from s3kit.s3.capabilities import KNOWN, RESTORE_STATUS, may_refuse
from s3kit.s3.headers import said

WANTS_RESTORE = "x-amz-optional-object-attributes: RestoreStatus"


def headers(endpoint, refusal=""):
    """Return the headers of a request for a page; `refusal` says why it is asked without extras."""
    return [] if refusal or KNOWN.lacks(endpoint, RESTORE_STATUS) else [WANTS_RESTORE]


def refusal_in(transfer, sent):
    """Return the words of an answer that may refuse the extras that were `sent`, else ''."""
    return said(transfer) if sent and may_refuse(transfer) else ""


def learn(endpoint, refusal):
    """Note that a server has answered what it refused with extras; nothing where it did not."""
    if refusal:
        KNOWN.learn(endpoint, RESTORE_STATUS, refusal)
