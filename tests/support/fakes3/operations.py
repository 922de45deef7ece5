"""The table of operations, and the way to one of them."""

from fakes3.errors import S3Error

# Subresources of the real S3 that this one does not have: 501, never mistaken for a plain GET or
# PUT.
FOREIGN = {"accelerate", "acl", "analytics", "cors", "intelligent-tiering", "inventory",
           "legal-hold", "logging", "metrics", "notification", "ownershipControls", "policyStatus",
           "replication", "requestPayment", "retention", "select", "session", "torrent", "website"}

OPERATIONS = {}
SUBRESOURCES = ("uploads", "uploadId", "attributes", "restore", "versioning", "versions",
                "location", "delete", "policy", "encryption", "lifecycle", "object-lock",
                "publicAccessBlock", "tagging")


# What uploads consist of, by (method, subresource).
STEPS = {("PUT", ""): "PutObject", ("HEAD", ""): "HeadObject", ("GET", ""): "GetObject",
         ("POST", "uploads"): "CreateMultipartUpload", ("PUT", "uploadId"): "UploadPart",
         ("POST", "uploadId"): "CompleteMultipartUpload", ("GET", "uploadId"): "ListParts",
         ("DELETE", "uploadId"): "AbortMultipartUpload", ("DELETE", ""): "DeleteObject"}
# Those that bring what is to be stored.
WRITES = ("PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")


def subresource(request):
    """Return the name of the subresource that a request is about, or an empty text."""
    return next((name for name in SUBRESOURCES if name in request.query), "")


def step_of(request):
    """Return the name of the operation on an object that a request is, as far as STEPS has it."""
    return STEPS.get((request.method, subresource(request))) if request.key else None


def operation(method, level, name=""):
    """Enter a function among the operations; `name` is that of a subresource."""
    def enter(function):
        OPERATIONS[method, level, name] = function
        return function
    return enter


def route(s3, request):
    """Return the answer to a request that is who it says it is."""
    level = "object" if request.key else "bucket" if request.bucket else "service"
    foreign = FOREIGN & request.query.keys()
    sub = subresource(request)
    found = OPERATIONS.get((request.method, level, sub))
    if foreign or not found or "x-amz-copy-source" in request.headers:
        raise S3Error("NotImplemented",
                      Header=", ".join(foreign) or f"{request.method} {level} {sub}")
    return found(s3, request)
