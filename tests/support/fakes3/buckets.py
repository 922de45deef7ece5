"""Buckets are made, found, and removed."""

import re
from bisect import bisect_right

from fakes3.answers import Response, document
from fakes3.errors import S3Error
from fakes3.formats import iso
from fakes3.listings import OWNER, make_token, untoken
from fakes3.operations import operation
from fakes3.parameters import number


@operation("GET", "service")
def list_buckets(s3, request):
    """ListBuckets, in name order; paged only when max-buckets asks for it."""
    query = request.query
    names = sorted(name for name in s3.buckets if name.startswith(query.get("prefix", "")))
    if "continuation-token" in query:
        names = names[bisect_right(names, untoken(query["continuation-token"])):]
    limit = number(query["max-buckets"], "max-buckets", 1) if "max-buckets" in query else len(names)
    rest, names = names[limit:], names[:limit]
    rows = "".join(
        f"<Bucket><Name>{name}</Name><CreationDate>{iso(s3.buckets[name].created)}</CreationDate>"
        f"<BucketRegion>{s3.region_of(name)}</BucketRegion></Bucket>" for name in names)
    token = f"<ContinuationToken>{make_token(names[-1])}</ContinuationToken>" if rest else ""
    return document("ListAllMyBucketsResult", f"{OWNER}<Buckets>{rows}</Buckets>{token}")


@operation("PUT", "bucket")
def create_bucket(s3, request):
    """CreateBucket; again in us-east-1 it is a 200, elsewhere a 409."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]", request.bucket):
        raise S3Error("InvalidBucketName", BucketName=request.bucket)
    if request.bucket in s3.buckets and s3.home != "us-east-1":
        raise S3Error("BucketAlreadyOwnedByYou", BucketName=request.bucket)
    s3.bucket(request.bucket)
    return Response(200, {"Location": f"/{request.bucket}"})


@operation("HEAD", "bucket")
def head_bucket(s3, request):
    """HeadBucket: where it is."""
    region = s3.region_of(s3.need_bucket(request).name)
    return Response(200, {"x-amz-bucket-region": region, "Content-Type": "application/xml"})


@operation("DELETE", "bucket")
def delete_bucket(s3, request):
    """DeleteBucket: only an empty one; versions and markers count."""
    if s3.need_bucket(request).keys:
        raise S3Error("BucketNotEmpty", BucketName=request.bucket)
    del s3.buckets[request.bucket]
    return Response(204, length=None)


@operation("GET", "bucket", "location")
def get_location(s3, request):
    """GetBucketLocation: us-east-1 is an empty element."""
    region = s3.region_of(s3.need_bucket(request).name)
    return document("LocationConstraint", "" if region == "us-east-1" else region)
