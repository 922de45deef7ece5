"""botocore's exceptions become one line each; what is not botocore's shows its trace."""

import pytest
from botocore import exceptions as known
from botocore.parsers import ResponseParserError, create_parser
from botocore.session import get_session
from conftest import ROOT, env_of

from s3kit.errors import Fault, NoAccess, NoCredentials, NoSuchBucket, Usage
from s3kit.s3.translation import of_answer, translated


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
])
def test_known_exceptions(error, kind, code):
    """The type says what may be done about it, the code is S3's or botocore's own."""
    with pytest.raises(Fault) as caught, translated():
        raise error
    assert type(caught.value) is kind and caught.value.code == code
    assert caught.value.__suppress_context__


def within(module, call):
    """Return a function that calls `call`, and belongs to a module by its name."""
    names = {"__name__": module, "call": call}
    exec("def calls():\n    call()", names)
    return names["calls"]


def raising(error):
    """Return a function that raises."""
    def fail():
        raise error.with_traceback(None)
    return fail


@pytest.mark.parametrize("error, says", [
    (ValueError("invalid\nliteral"), "^cannot use these settings: invalid literal$"),
    (PermissionError(13, "Permission denied", "/home/x/.aws/config"),
     "^cannot read '/home/x/.aws/config': Permission denied$"),
    (OSError("no CA bundle"), "^cannot use these settings: no CA bundle$"),
    (KeyError("Credentials"), "^the answer makes no sense: KeyError: 'Credentials'$")])
def test_what_comes_out_of_botocore(error, says):
    """Of its own code, or of a library that it calls; from anywhere else it passes."""
    for call in (within("json.decoder", raising(error)), raising(error)):
        with pytest.raises(Fault, match=says) as caught, translated():
            within("botocore.config", call)()
        assert type(caught.value) is Fault and caught.value.__suppress_context__
        with pytest.raises(type(error)) as caught, translated():
            call()
        assert caught.value is error


@pytest.mark.parametrize("error", [KeyError("Credentials"), AttributeError("x"), TypeError("x"),
                                   RuntimeError("x"), KeyboardInterrupt(), Usage("ours"),
                                   ValueError("x"), OSError("x"), FileNotFoundError(2, "x", "y")])
def test_others_pass(error):
    """A fault of ours keeps its trace, and a fault that is one already its type; where botocore
    calls us back, too.
    """
    ours = {"__name__": "s3kit.s3.regions", "error": error}
    exec("def look():\n    raise error.with_traceback(None)", ours)
    for call in (raising(error), within("botocore.hooks", ours["look"])):
        with pytest.raises(type(error)) as caught, translated():
            call()
        assert caught.value is error


@pytest.mark.parametrize("error", [MemoryError(), ModuleNotFoundError("No module named 'awscrt'")])
def test_what_the_frame_says_better(error):
    """It passes wherever it comes from."""
    with pytest.raises(type(error)), translated():
        within("botocore.compat", raising(error))()


def test_a_fault_of_ours_ends_with_a_trace(run, tmp_path, fake):
    """And with status 3: it is not said in a line as if the server had made it."""
    (tmp_path / "sitecustomize.py").write_text(
        "import s3kit.s3.clients as clients\n"
        "def make(self, *values, **options):\n    return {}['ours']\n"
        "clients.Clients.make = make\n")
    env = env_of(fake) | {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    done = run("s3-list", env=env)
    assert done.status == 3 and "KeyError: 'ours'" in done.err
    assert "this is a fault of s3kit (KeyError)" in done.err and "Traceback" in done.err


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


@pytest.mark.parametrize("message, says", [("no", "S3 says InvalidArgument: no"),
                                           (None, "S3 says InvalidArgument"),
                                           ("", "S3 says InvalidArgument")])
def test_an_error_without_a_message(message, says):
    """As Ceph's gateway sends them: nothing stands in its place."""
    answer = {"Error": {"Code": "InvalidArgument", "Message": message}}
    with pytest.raises(Fault) as caught, translated():
        raise known.ClientError(answer, "PutBucketPolicy")
    assert str(caught.value) == says


@pytest.mark.parametrize("error, said", [
    ({"Code": "TemporaryRedirect", "Message": "m"}, "S3 says TemporaryRedirect: m"),
    ({}, "the answer has status 307, and is not S3's")])
@pytest.mark.parametrize("status, where, more", [
    (307, "http://o/b", " (it points to http://o/b: see --endpoint-url)"), (307, "", ""),
    (307, None, "")])
def test_where_a_redirect_points(error, said, status, where, more):
    """botocore does not follow it, nor say it."""
    headers = {} if where is None else {"location": where}
    fault = of_answer({"Error": error, "ResponseMetadata": {"HTTPStatusCode": status,
                                                            "HTTPHeaders": headers}}, "t")
    assert str(fault) == said + more
