"""What an answer of S3's means for what was asked: decided here, for every request of the data
plane.
"""

OK, AGAIN, SLOW, EXPIRED, REGION, ARCHIVED = "ok", "again", "slow", "expired", "region", "archived"
VANISHED, CHANGED, DENIED, REFUSED = "vanished", "changed", "denied", "refused"
SKEWED, WRONG, UNTRUSTED = "skewed", "wrong", "untrusted"
FATAL = "fatal"         # of a job's answer: no other job would fare better

SLOW_CODES = {"SlowDown", "RequestLimitExceeded", "Throttling", "ThrottlingException",
              "TooManyRequests", "RequestThrottled", "BandwidthLimitExceeded", "ServiceUnavailable"}
EXPIRED_CODES = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
# Bodies that were spoilt on their way are refused by one of four, all 400. The last is a 503, but
# for want of capacity, not for too many requests.
AGAIN_CODES = {"InternalError", "RequestTimeout", "OperationAborted", "BadDigest",
               "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "IncompleteBody",
               "RequestTimeoutException", "GlacierExpeditedRetrievalNotAvailable"}
REGION_CODES = {"PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed",
                "IllegalLocationConstraintException"}
REFUSED_CODES = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "AuthFailure"}
# Only these say that a version is gone. A bare 404 or 405 is the page of a proxy or of a server
# that does not know the request as well; NoSuchBucket may be a mistyped endpoint's.
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
GONE_CODES = {"NoSuchKey", "NoSuchVersion"}
BY_STATUS = {412: CHANGED, 429: SLOW, 503: SLOW, 408: AGAIN, 500: AGAIN,
             502: AGAIN, 504: AGAIN, 409: AGAIN, 301: REGION, 307: REGION, 401: DENIED, 403: DENIED}


# libcurl's errors that a second try meets again: CURLE_SSL_CERTPROBLEM, _PEER_FAILED_VERIFICATION,
# _SSL_CACERT_BADFILE, _SSL_ISSUER_ERROR, _SSL_PINNEDPUBKEYNOTMATCH, _SSL_INVALIDCERTSTATUS.
CERTIFICATE_ERRORS = {58, 60, 77, 83, 90, 91}


def verdict(status, code, errno=0):
    """Return what an HTTP status, S3's error code and libcurl's mean for us; status 0 is a broken
    connection.
    """
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
    """Return what the answer to a Transfer means for us.

    A 404 or 405 to a GET or HEAD that has `x-amz-delete-marker: true` is S3's own word for a delete
    marker: no bytes.
    """
    found = verdict(transfer.status, transfer.code, transfer.errno)
    if found == WRONG and transfer.status in (404, 405) and is_of_marker(transfer):
        return VANISHED
    return found


def is_of_marker(transfer):
    """Return whether the answer to a Transfer says that it is of a delete marker."""
    return (transfer.headers or {}).get("x-amz-delete-marker") == "true"


def passing(verdict):
    """Return AGAIN, EXPIRED or FATAL of a verdict on an answer that was not good, or '' where it is
    about one job alone.
    """
    if verdict in (AGAIN, SLOW, OK):
        return AGAIN            # OK: it began well, and was cut
    if verdict == EXPIRED:
        return EXPIRED
    return FATAL if verdict in (SKEWED, REFUSED, UNTRUSTED) else ""


def is_wordless(transfer):
    """Return whether an answer is an error without a code of S3's: to a HEAD, or a page of somebody
    else's.
    """
    return transfer.code.startswith("HTTP") or transfer.code == "ErrorDocument"
