"""Which failures pass, and how long to wait: decided here, for every request of the data plane."""


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
