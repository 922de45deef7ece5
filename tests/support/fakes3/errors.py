"""The errors of S3: status, code, message, and the document that says them."""

from fakes3.answers import Response
from fakes3.formats import text

# Status, code and message [API ErrorResponses]; where S3 has several messages, the caller gives its
# own.
ERRORS = {code: (int(status), message) for status, code,
          message in (line.split(" ", 2) for line in """\
301 PermanentRedirect The bucket you are attempting to access must be addressed using the specified endpoint.
304 NotModified Not Modified
307 TemporaryRedirect Please re-send this request to the specified temporary endpoint.
400 AuthorizationHeaderMalformed The authorization header that you provided is not valid.
400 AuthorizationQueryParametersError The query parameters of the signature are incomplete or malformed.
400 BadDigest The Content-MD5 you specified did not match what we received.
400 EntityTooLarge Your proposed upload exceeds the maximum allowed size
400 EntityTooSmall Your proposed upload is smaller than the minimum allowed size
400 ExpiredToken The provided token has expired.
400 IllegalVersioningConfigurationException The Versioning element must be specified
400 IncompleteBody The request body terminated unexpectedly
400 InvalidArgument Invalid Argument
400 InvalidBucketName The specified bucket is not valid.
400 InvalidDigest The Content-MD5 you specified was invalid.
400 InvalidPart One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.
400 InvalidPartOrder The list of parts was not in ascending order. Parts must be ordered by part number.
400 InvalidRequest Invalid Request
400 InvalidStorageClass The storage class you specified is not valid
400 InvalidToken The provided token is malformed or otherwise invalid.
400 InvalidURI Couldn't parse the specified URI.
400 KeyTooLongError Your key is too long
400 MalformedPolicy Policies must be valid JSON and the first byte must be '{'
400 MalformedTrailerError The request contained trailing data that was not well-formed.
400 MalformedXML The XML you provided was not well-formed or did not validate against our published schema
400 MetadataTooLarge Your metadata headers exceed the maximum allowed metadata size
400 XAmzContentSHA256Mismatch The provided 'x-amz-content-sha256' header does not match what was computed.
403 AccessDenied Access Denied
403 InvalidAccessKeyId The AWS Access Key Id you provided does not exist in our records.
403 InvalidObjectState The operation is not valid for the object's storage class
403 RequestTimeTooSkewed The difference between the request time and the current time is too large.
403 SignatureDoesNotMatch The request signature we calculated does not match the signature you provided.
404 NoSuchLifecycleConfiguration The lifecycle configuration does not exist
404 NoSuchPublicAccessBlockConfiguration The public access block configuration was not found
404 ObjectLockConfigurationNotFoundError Object Lock configuration does not exist for this bucket
404 ServerSideEncryptionConfigurationNotFoundError The server side encryption configuration was not found
404 NoSuchBucket The specified bucket does not exist
404 NoSuchBucketPolicy The bucket policy does not exist
404 NoSuchKey The specified key does not exist.
404 NoSuchUpload The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.
404 NoSuchVersion The specified version does not exist.
405 MethodNotAllowed The specified method is not allowed against this resource.
408 RequestTimeout Your socket connection to the server was not read from or written to in time.
409 BucketAlreadyOwnedByYou Your previous request to create the named bucket succeeded.
409 BucketNotEmpty The bucket you tried to delete is not empty
409 ConditionalRequestConflict The conditional request cannot succeed due to a conflicting operation against this resource.
409 OperationAborted A conflicting conditional operation is currently in progress against this resource.
409 RestoreAlreadyInProgress Object restore is already in progress
411 MissingContentLength You must provide the Content-Length HTTP header.
412 PreconditionFailed At least one of the pre-conditions you specified did not hold
416 InvalidPartNumber The requested partnumber is not satisfiable
416 InvalidRange The requested range is not satisfiable
429 TooManyRequests Too Many Requests
500 InternalError We encountered an internal error. Please try again.
501 NotImplemented A header you provided implies functionality that is not implemented
502 BadGateway Bad Gateway
503 GlacierExpeditedRetrievalNotAvailable Glacier expedited retrievals are currently not available.
503 SlowDown Please reduce your request rate.
504 GatewayTimeout Gateway Timeout""".splitlines())}  # noqa: E501


class S3Error(Exception):
    """An <Error> answer; `elements` are the ones beside Code, Message and the ids."""

    def __init__(self, code, message=None, status=None, headers=None, **elements):
        super().__init__(code)
        usual, words = ERRORS.get(code, (500, code))
        self.code, self.status, self.message = code, status or usual, message or words
        self.headers, self.elements = headers or {}, elements

    def response(self, request):
        """Return the Response that says this error. 304 has no body [RFC 9110]."""
        if self.status == 304:
            return Response(304, self.headers, b"", length=None)
        extra = "".join(f"<{name}>{text(value)}</{name}>" for name, value in self.elements.items())
        body = (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{self.code}</Code>'
                f"<Message>{text(self.message)}</Message>{extra}<RequestId>{request.n:016X}</"
                f"RequestId><HostId>fakes3</HostId></Error>")
        return Response(self.status, {"Content-Type": "application/xml", **self.headers},
                        body.encode())


def elsewhere(request, region, code="PermanentRedirect", location=None):
    """Return the redirect to the region where a bucket is [API ErrorResponses]."""
    headers = {"x-amz-bucket-region": region, **({"Location": location} if location else {})}
    return S3Error(code, None, None, headers, Endpoint=f"s3.{region}.amazonaws.com",
                   Bucket=request.bucket)
