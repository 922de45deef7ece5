"""botocore's exceptions become one line each; what is not botocore's shows its trace."""

import pytest
from botocore import exceptions as known
from botocore.parsers import ResponseParserError, create_parser
from botocore.session import get_session

from s3kit.errors import Fault, NoAccess, NoCredentials, NoSuchBucket, Usage
from s3kit.s3.translation import translated


def client_error(code):
    """Return what boto3 raises for an error of S3's."""
    return known.ClientError({"Error": {"Code": code, "Message": "two\nlines"}}, "GetObject")


@pytest.mark.parametrize("error, kind, code", [
    (client_error("NoSuchBucket"), NoSuchBucket, "NoSuchBucket"),
    (client_error("AccessDenied"), NoAccess, "AccessDenied"),
    (client_error("ExpiredToken"), NoAccess, "ExpiredToken"),
    (client_error("MalformedPolicy"), Fault, "MalformedPolicy"),
    (known.NoCredentialsError(), NoCredentials, ""),
    (known.ProfileNotFound(profile="p"), NoCredentials, ""),
    (known.CredentialRetrievalError(provider="p", error_msg="two\nlines"), NoCredentials, ""),
    (known.EndpointConnectionError(endpoint_url="http://h"), Fault, "EndpointConnectionError"),
    (ResponseParserError("not XML"), Fault, "ResponseParserError"),
    (ValueError("invalid literal for int()"), Fault, ""),
    (PermissionError(13, "Permission denied", "/home/x/.aws/config"), Fault, ""),
])
def test_known_exceptions(error, kind, code):
    """The type says what may be done about it, the code is S3's or botocore's own."""
    with pytest.raises(Fault) as caught, translated():
        raise error
    assert type(caught.value) is kind and caught.value.code == code
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("error", [KeyError("Credentials"), AttributeError("x"), TypeError("x"),
                                   RuntimeError("x"), KeyboardInterrupt(), Usage("ours")])
def test_others_pass(error):
    """A fault of ours keeps its trace, and a fault that is one already its type."""
    with pytest.raises(type(error)) as caught, translated():
        raise error
    assert caught.value is error


def test_what_botocore_stumbles_over_is_not_a_fault_of_ours():
    """As over an answer to STS that a portal gave: a page in place of XML."""
    shape = get_session().get_service_model("sts").operation_model("GetCallerIdentity").output_shape
    answer = {"body": b"<html/>", "headers": {}, "status_code": 200}
    with pytest.raises(Fault, match="makes no sense"), translated():
        create_parser("query").parse(answer, shape)


@pytest.mark.parametrize("status, word, headers, code, says", (
    (404, "404", {}, "HTTP404", "is not S3's"), (403, "403", {}, "403", "S3 says 403"),
    (404, "404", {"x-amz-request-id": "1"}, "404", "S3 says 404"),
    (404, "", {"x-amz-request-id": "1"}, "HTTP404", "has status 404, and is not S3's"),
    (502, "", {}, "HTTP502", "has status 502, and is not S3's")))
def test_an_answer_without_a_word_of_s3s(status, word, headers, code, says):
    """A HEAD has no document: its 404 is S3's own if it has S3's headers. A page has no code."""
    answer = {"Error": {"Code": word, "Message": "no"},
              "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers}}
    with pytest.raises(Fault, match=says) as caught, translated():
        raise known.ClientError(answer, "HeadObject")
    assert caught.value.code == code
