"""Where a bucket is: asked of S3 itself, or of botocore, and which request botocore would send
there.

HEAD of a bucket tells the region to anyone, in x-amz-bucket-region, whatever its status
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html). Its 404 has no document, so
an answer counts as S3's own if it has S3's request id.
"""

import re
import time
from io import BytesIO

from s3kit.errors import Fault, NoSuchBucket
from s3kit.s3 import verdicts
from s3kit.s3.address import S3
from s3kit.s3.headers import is_of_s3
from s3kit.s3.patience import delay
from s3kit.s3.translation import coded, translated

SCOPE = re.compile(r"Credential=[^,]*/\d{8}/([^/]+)/([^/]+)/aws4_request")
TRIES = 3
# the answers that have the header, where it is Amazon's S3
TELLS_REGION = (200, 301, 307, 400, 403)
HEADER = "x-amz-bucket-region"


def no_bucket(bucket):
    """Return the fault of a bucket that S3 says does not exist."""
    return coded(NoSuchBucket(f"bucket '{bucket}' does not exist"), "NoSuchBucket")


def no_name(bucket):
    """Return the fault of a name that no bucket can have."""
    return coded(NoSuchBucket(f"'{bucket}' cannot be the name of a bucket"), "InvalidBucketName")


def ask_region(endpoint):
    """Return the region of the bucket of an Endpoint of Amazon's. Raises NoSuchBucket or Fault.

    Asked without keys, as anyone may; the Endpoint's own region where the answer does not say.
    """
    from s3kit.s3.wire import Wire
    endpoint = endpoint._replace(access_key="", token="")
    for tries in range(TRIES):
        if tries:
            time.sleep(delay(tries))
        transfer = Wire.once(endpoint, method="HEAD")
        if transfer.status == 404 and is_of_s3(transfer.headers):
            raise no_bucket(endpoint.bucket)
        if transfer.status in TELLS_REGION:
            return transfer.headers.get(HEADER, endpoint.region)
        if verdicts.verdict_of(transfer) not in (verdicts.AGAIN, verdicts.SLOW):
            break
    raise Fault(f"cannot reach bucket '{endpoint.bucket}': "
                f"{transfer.failure or f'the answer has status {transfer.status}'}")


def find_region(client, bucket):
    """Return a bucket's region, asked by a boto3 client; '' where the answer does not say.

    Raises NoSuchBucket or Fault. An answer that refuses us tells the region, too.
    """
    from botocore.exceptions import ClientError
    with translated():
        try:
            answer = client.head_bucket(Bucket=bucket)
        except ClientError as error:
            answer = error.response
    told = answer.get("ResponseMetadata", {})
    headers = told.get("HTTPHeaders", {})
    if told.get("HTTPStatusCode") == 404 and is_of_s3(headers):
        raise no_bucket(bucket)
    return headers.get(HEADER, "")


def reach_of(client, bucket):
    """Return (URL, region and service to sign for) of a bucket, as a boto3 client would have them:
    access points on Outposts are those of another service than `s3`. Raises Fault.

    botocore is let to make a request for the key `k`, which is answered before it is sent.
    """
    from botocore.awsrequest import AWSResponse
    seen = []

    def look(request, **_):
        seen.append(request)
        return AWSResponse(request.url, 200, {}, BytesIO())

    events = client.meta.events
    events.register_first("before-send.s3.GetObject", look)
    try:
        with translated():
            client.get_object(Bucket=bucket, Key="k")
    finally:
        events.unregister("before-send.s3.GetObject", look)
    authorization = seen[0].headers.get("Authorization", "")
    if isinstance(authorization, bytes):
        authorization = authorization.decode()
    scope = SCOPE.search(authorization)
    url = seen[0].url.partition("?")[0].removesuffix("/k")
    return url, *(scope.groups() if scope else (client.meta.region_name, S3))
