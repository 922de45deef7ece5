"""Which failures pass, and how long to wait: decided here, for every request of the data plane."""

import random
import time

SLOW_MINUTES = 15           # S3 may slow one request down for so long before that counts as a failure

OK, AGAIN, SLOW, EXPIRED, REGION, ARCHIVED, VANISHED, CHANGED, DENIED, REFUSED, SKEWED, WRONG, UNTRUSTED = (
    "ok", "again", "slow", "expired", "region", "archived", "vanished", "changed", "denied", "refused",
    "skewed", "wrong", "untrusted")

SLOW_CODES = {"SlowDown", "RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequests",
              "RequestThrottled", "BandwidthLimitExceeded", "ServiceUnavailable"}
EXPIRED_CODES = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
AGAIN_CODES = {"InternalError", "RequestTimeout", "OperationAborted", "BadDigest", "RequestTimeoutException"}
REGION_CODES = {"PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed",
                "IllegalLocationConstraintException"}
REFUSED_CODES = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "AuthFailure"}
GONE_CODES = {"NoSuchKey", "NoSuchVersion"}
BY_STATUS = {404: VANISHED, 405: VANISHED, 412: CHANGED, 429: SLOW, 503: SLOW, 408: AGAIN, 500: AGAIN,
             502: AGAIN, 504: AGAIN, 409: AGAIN, 301: REGION, 307: REGION, 401: DENIED, 403: DENIED}


# libcurl's errors that a second try meets again: CURLE_SSL_CERTPROBLEM, _PEER_FAILED_VERIFICATION, _SSL_CACERT_BADFILE,
# _SSL_ISSUER_ERROR, _SSL_PINNEDPUBKEYNOTMATCH, _SSL_INVALIDCERTSTATUS.
CERTIFICATE_ERRORS = {58, 60, 77, 83, 90, 91}


def verdict(status, code, errno=0):
    """Return what an HTTP status, S3's error code and libcurl's mean for us; status 0 is a broken connection."""
    if errno in CERTIFICATE_ERRORS:
        return UNTRUSTED
    if 200 <= status < 300 and not code:
        return OK
    if status == 0 or code in AGAIN_CODES:
        return AGAIN
    if code in SLOW_CODES:
        return SLOW
    if code in EXPIRED_CODES:
        return EXPIRED
    if code in REGION_CODES:
        return REGION
    if code == "InvalidObjectState":
        return ARCHIVED
    if code == "RequestTimeTooSkewed":
        return SKEWED
    if code in REFUSED_CODES:
        return REFUSED
    if code == "NoSuchBucket":
        return WRONG
    if code in GONE_CODES:
        return VANISHED
    return BY_STATUS.get(status, WRONG)


def verdict_of(transfer):
    """Return what the answer to a Transfer means for us."""
    return verdict(transfer.status, transfer.code, transfer.errno)


def delay(tries, base=0.2, most=20.0):
    """Return seconds to wait before try number `tries` + 1: exponential, capped, full jitter."""
    return random.uniform(0, min(most, base * 2 ** tries))


class Patience:
    """Whether one thing is to be tried again: so many times, but while S3 only slows us down, by the clock."""

    __slots__ = ("tries", "since")

    def __init__(self):
        self.tries, self.since = 0, None

    def wait(self, most, is_slow, base=0.2):
        """Count a try that failed; return the seconds to wait before the next one, None after `most` of them."""
        if is_slow:
            now = time.monotonic()
            self.since = self.since or now
            is_over = now - self.since > SLOW_MINUTES * 60
        else:
            self.tries += 1
            is_over = self.tries > most
        return None if is_over else delay(self.tries + is_slow, base)


class Throttle:
    """How many requests may be in flight: halved at once on SlowDown, grown back one by one.

    One of these sits in every worker, and the parent passes each SlowDown on to all of them.
    """

    def __init__(self, most):
        self.most = most
        self.allowed = float(most)
        self.quiet_until = 0.0

    def shrink(self, now):
        """Halve, and pause; at most once in a quarter of a second, however many answers say it."""
        if now >= self.quiet_until:
            self.allowed = max(1.0, self.allowed / 2)
            self.quiet_until = now + 0.25 + delay(1)

    def grow(self):
        """Let a request's worth more through for every `allowed` requests that went well."""
        self.allowed = min(self.most, self.allowed + 1 / max(self.allowed, 1))

    def room(self, active, now):
        """Return how many more requests may start now."""
        return 0 if now < self.quiet_until else int(self.allowed) - active
