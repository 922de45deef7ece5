"""Which failures pass, how long to wait, and how fast to go."""

from types import SimpleNamespace

import pytest

from s3kit.s3.patience import delay
from s3kit.s3.verdicts import (
    AGAIN,
    ARCHIVED,
    CHANGED,
    DENIED,
    EXPIRED,
    OK,
    REFUSED,
    REGION,
    SKEWED,
    SLOW,
    UNTRUSTED,
    VANISHED,
    WRONG,
    is_wordless,
    verdict,
    verdict_of,
)


@pytest.mark.parametrize("status, code, meaning", [
    (200, "", OK), (206, "", OK), (204, "", OK),
    (0, "", AGAIN), (500, "", AGAIN), (500, "InternalError", AGAIN), (502, "", AGAIN),
    (504, "", AGAIN),
    (408, "", AGAIN), (400, "RequestTimeout", AGAIN), (409, "OperationAborted", AGAIN),
    (400, "BadDigest", AGAIN),
    (400, "XAmzContentSHA256Mismatch", AGAIN),
    (400, "XAmzContentChecksumMismatch", AGAIN),
    (400, "IncompleteBody", AGAIN),
    (503, "", SLOW), (503, "SlowDown", SLOW), (429, "", SLOW), (400, "RequestLimitExceeded", SLOW),
    (400, "ExpiredToken", EXPIRED), (403, "RequestExpired", EXPIRED),
    (301, "PermanentRedirect", REGION), (307, "", REGION),
    (400, "AuthorizationHeaderMalformed", REGION),
    (403, "InvalidObjectState", ARCHIVED),
    (404, "NoSuchKey", VANISHED), (404, "NoSuchVersion", VANISHED), (404, "", WRONG),
    (405, "", WRONG), (404, "HTTP404", WRONG),
    (405, "MethodNotAllowed", WRONG), (501, "NotImplemented", WRONG),
    (412, "PreconditionFailed", CHANGED),
    (403, "AccessDenied", DENIED), (403, "", DENIED), (401, "", DENIED),
    (403, "InvalidAccessKeyId", REFUSED), (403, "SignatureDoesNotMatch", REFUSED),
    (403, "RequestTimeTooSkewed", SKEWED),
    (404, "NoSuchBucket", WRONG), (400, "InvalidArgument", WRONG), (416, "InvalidRange", WRONG),
    (418, "", WRONG)])
def test_what_an_answer_means(status, code, meaning):
    """The code of S3 says more than the status, where there is one."""
    assert verdict(status, code) == meaning


@pytest.mark.parametrize("code, meaning",
                         [("InternalError", AGAIN), ("SlowDown", SLOW), ("Surprise", WRONG)])
def test_an_error_in_a_200_is_an_error(code, meaning):
    """S3 may answer 200 and then say in the body that it failed; five tools took that for the
    object.
    """
    assert verdict(200, code) == meaning


@pytest.mark.parametrize("errno, meaning", [(7, AGAIN), (18, AGAIN), (28, AGAIN), (35, AGAIN),
                                            (56, AGAIN), (60, UNTRUSTED), (77, UNTRUSTED)])
def test_a_broken_connection_may_pass_a_wrong_certificate_does_not(errno, meaning):
    """The numbers are libcurl's."""
    assert verdict(0, "", errno) == meaning


@pytest.mark.parametrize("status, code, headers, meaning", [(404, "HTTP404", {}, WRONG),
                                                            (405, "HTTP405", {}, WRONG),
                                                            (405, "MethodNotAllowed", {}, WRONG), (
                                                                404, "HTTP404",
                                                                {"x-amz-delete-marker": "true"},
                                                                VANISHED), (
                                                                    405, "MethodNotAllowed",
                                                                    {"x-amz-delete-marker": "true"},
                                                                    VANISHED),
                                                            (404, "NoSuchBucket", {}, WRONG),
                                                            (404, "NoSuchKey", {}, VANISHED), (
                                                                403, "HTTP403",
                                                                {"x-amz-delete-marker": "true"},
                                                                DENIED)])
def test_only_s3_s_own_word_means_gone(status, code, headers, meaning):
    """A bare 404 may be a proxy's; a delete marker is told by a header, to HEAD as well."""
    answer = SimpleNamespace(status=status, code=code, errno=0, headers=headers)
    assert verdict_of(answer) == meaning and is_wordless(answer) == code.startswith("HTTP")


def test_waiting_grows_to_a_limit():
    """Full jitter below an exponential, capped; never negative, never always the same."""
    for tries in range(40):
        waits = [delay(tries) for _ in range(50)]
        assert 0 <= min(waits) and max(waits) <= min(20, 0.2 * 2 ** tries)
    assert len(set(waits)) > 1
    assert max(delay(30) for _ in range(200)) > 10


def test_a_want_of_capacity_is_no_wish_for_fewer_requests():
    assert verdict(503, "GlacierExpeditedRetrievalNotAvailable") == AGAIN
    assert verdict(503, "") == verdict(503, "Unknown") == SLOW
