"""What a bucket is set to: versioning, policy, and what only tests set."""

import json

from fakes3.answers import Response, document
from fakes3.checksums import check_content
from fakes3.errors import S3Error
from fakes3.operations import operation
from fakes3.parameters import parse_xml

# What a bucket may be set to, by tests only: the document's root, and the code where it was never
# set [API ErrorResponses].
SETTINGS = {"encryption":
            ("ServerSideEncryptionConfiguration", "ServerSideEncryptionConfigurationNotFoundError"),
            "lifecycle": ("LifecycleConfiguration", "NoSuchLifecycleConfiguration"),
            "object-lock": ("ObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"),
            "publicAccessBlock":
            ("PublicAccessBlockConfiguration", "NoSuchPublicAccessBlockConfiguration")}


@operation("GET", "bucket", "versioning")
def get_versioning(s3, request):
    """GetBucketVersioning: no Status where it was never set."""
    status = s3.need_bucket(request).versioning
    return document("VersioningConfiguration", f"<Status>{status}</Status>" if status else "")


@operation("PUT", "bucket", "versioning")
def put_versioning(s3, request):
    """PutBucketVersioning."""
    bucket = s3.need_bucket(request)
    check_content(request)
    status = parse_xml(request.body, "VersioningConfiguration").findtext("Status")
    if status not in ("Enabled", "Suspended"):
        raise S3Error("IllegalVersioningConfigurationException")
    bucket.versioning = status
    return Response(200)


@operation("GET", "bucket", "policy")
def get_policy(s3, request):
    """GetBucketPolicy: the text as it was put."""
    policy = s3.need_bucket(request).policy
    if policy is None:
        raise S3Error("NoSuchBucketPolicy", BucketName=request.bucket)
    return Response(200, {"Content-Type": "application/json"}, policy.encode())


@operation("PUT", "bucket", "policy")
def put_policy(s3, request):
    """PutBucketPolicy: at once and whole; 20 KB at most [UG bucket-policies]."""
    bucket = s3.need_bucket(request)
    check_content(request)
    try:
        found = json.loads(request.body)
    except ValueError:
        raise S3Error("MalformedPolicy") from None
    if not isinstance(found, dict) or not found.get("Statement") or len(request.body) > 20 * 1024:
        raise S3Error("MalformedPolicy")
    bucket.policy = request.body.decode()
    return Response(204, length=None)


@operation("DELETE", "bucket", "policy")
def delete_policy(s3, request):
    """DeleteBucketPolicy: also where there is none."""
    s3.need_bucket(request).policy = None
    return Response(204, length=None)


@operation("GET", "bucket", "encryption")
@operation("GET", "bucket", "lifecycle")
@operation("GET", "bucket", "object-lock")
@operation("GET", "bucket", "publicAccessBlock")
def get_setting(s3, request):
    """GetBucketEncryption and its like: what a test has set."""
    name = next(name for name in SETTINGS if name in request.query)
    root, code = SETTINGS[name]
    content = s3.need_bucket(request).settings.get(name)
    if content is None:
        raise S3Error(code)
    return document(root, content)
