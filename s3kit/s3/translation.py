"""botocore's exceptions, said in one line.

Only botocore's own are translated, and what comes out of it beside them: of its configuration
parsers (ValueError for a value, OSError for a file), of answers that are not AWS's. What was raised
by our own code, or in it while botocore called it, is a fault of ours, and must show where it came
from.
"""

from s3kit.errors import Fault, NoAccess, NoCredentials, NoSuchBucket, of_file
from s3kit.s3.headers import is_of_s3

DENIED = ("AccessDenied", "403", "Forbidden", "AllAccessDisabled", "UnauthorizedAccess")
MISSING = ("NoSuchBucket", "InvalidBucketName")
OURS = (MemoryError, ImportError)       # what the frame of the commands says better

# botocore's names for a server that cannot be reached.
UNREACHED = ("EndpointConnectionError", "ConnectTimeoutError", "ConnectionClosedError",
             "ReadTimeoutError", "ProxyConnectionError", "HTTPClientError", "SSLError")


class translated:
    """A context in which botocore's exceptions become Faults."""

    def __enter__(self):
        """Nothing to do."""

    def __exit__(self, kind, error, trace):
        """Raise the Fault that says a known exception; let any other pass."""
        if error is None or isinstance(error, Fault) or not isinstance(error, Exception):
            return False
        fault = translate(error)
        if fault is None and is_botocores(trace) and not isinstance(error, OURS):
            fault = stumbled(error)
        if fault is None:
            return False
        raise fault from None


def is_botocores(trace):
    """Return whether an exception came out of botocore: of its own code, or of what it called that
    is not ours.
    """
    names = []
    while trace:
        names.append(trace.tb_frame.f_globals.get("__name__", "").partition(".")[0])
        trace = trace.tb_next
    return names[-1] != "s3kit" and not {"botocore", "boto3"}.isdisjoint(names)


def stumbled(error):
    """Return the Fault that says what botocore stumbled over: a setting, a file, an answer."""
    if isinstance(error, OSError) and error.filename:
        return of_file("read", error.filename, error)
    if isinstance(error, (ValueError, OSError)):
        return Fault(f"cannot use these settings: {' '.join(str(error).split())}")
    return Fault(f"the answer makes no sense: {type(error).__name__}: {error}")


def translate(error):
    """Return the Fault that says an exception of botocore in one line, None if it is not one."""
    from botocore import exceptions as known
    from botocore.parsers import ResponseParserError
    text = " ".join(str(error).split())
    if isinstance(error, (known.NoCredentialsError, known.PartialCredentialsError,
                          known.CredentialRetrievalError, known.ProfileNotFound,
                          known.TokenRetrievalError, known.SSOError)):
        return NoCredentials(f"cannot find out who we are: {text}")
    if isinstance(error, known.ClientError):
        return of_answer(error.response, text)
    # the latter: not S3's answer, as of a proxy
    if isinstance(error, (known.BotoCoreError, ResponseParserError)):
        return coded(Fault(text), type(error).__name__)
    return None


def of_answer(response, text):
    """Return the Fault of an error that was answered, by botocore's response: {Error: {Code,
    Message}, ResponseMetadata}.

    botocore names an answer without a document by its status, and a page not at all. S3 itself
    answers a HEAD without a document; a 404 of a proxy does not say that something is not there.
    """
    answer, told = response.get("Error", {}), response.get("ResponseMetadata", {})
    code = answer.get("Code", "")
    if not code or code == "404" and not is_of_s3(told.get("HTTPHeaders", {})):
        status = told.get("HTTPStatusCode", code)
        return coded(Fault(f"the answer has status {status}, and is not S3's{pointing(told)}"),
                     f"HTTP{status}")
    kind = Fault
    if code in DENIED or code.startswith(("InvalidAccessKey", "Signature", "Expired")):
        kind = NoAccess
    elif code in MISSING:
        kind = NoSuchBucket
    message = answer.get("Message", text)       # some servers send none
    return coded(kind(f"S3 says {code}" + (f": {message}" if message else "") + pointing(told)),
                 code)


def pointing(told):
    """Return where a redirect points, behind what else is said of it; botocore follows those alone
    that name another region.
    """
    where = told.get("HTTPHeaders", {}).get("location", "")
    is_redirect = 300 <= told.get("HTTPStatusCode", 0) < 400
    return f" (it points to {where}: see --endpoint-url)" if where and is_redirect else ""


def coded(fault, code):
    """Return the Fault with S3's or botocore's own name for it."""
    fault.code = code
    return fault
