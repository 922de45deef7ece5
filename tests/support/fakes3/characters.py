"""Servers that are not Amazon's: what each does otherwise, and where that is said.

A character sees each request before it is carried out, and each answer before it leaves. It changes
what such a server is known to do otherwise, and nothing else.
"""

import re
from urllib.parse import unquote_plus

from fakes3 import policies
from fakes3.errors import S3Error
from fakes3.formats import text
from fakes3.operations import WRITES, step_of

CHARACTERS = {}


def character(name):
    """Enter a class among the characters, by the name that FakeS3 takes."""
    def enter(kind):
        assert kind.differs, f"{name} does not say in what it differs"
        CHARACTERS[name] = kind
        kind.name = name
        return kind
    return enter


def is_bulk_delete(request):
    """Return whether a request is DeleteObjects."""
    return request.method == "POST" and "delete" in request.query


class Character:
    """Amazon's own: nothing differs. Also what the others have in common.

    `name`: that by which FakeS3 knows it.
    `differs`: in what: listings, objects, deletions, policies, uploads.
    `versions`: whether buckets can have versions there. `access_key`: what keys look like there.
    `server`: its name in answers. `slash`: what stands for `/` in the order of keys.
    `region`: the only one, if there is one. `verifiable`: whether what it says of objects tells
    right bytes from wrong ones. `sums_all`: whether it has a checksum of whatever it has.
    `heeds_conditions`: whether something without versions can be deleted by its ETag.
    """

    name = None
    differs = ()
    versions = verifiable = heeds_conditions = True
    sums_all = False
    region = None
    access_key = "AKIAFAKES3EXAMPLE"
    server = "AmazonS3"
    slash = "/"

    def etag(self, etag):
        """Return the ETag that an object has here which has `etag` at Amazon's."""
        return etag

    def part_etag(self, etag):
        """Return the ETag, hexadecimal, that a part of an upload has here."""
        return etag

    def asked(self, s3, request):
        """Change a request, or raise the S3Error that refuses it."""

    def instead(self, s3, request):
        """Return the answer to a request that is not carried out, or None."""

    def answered(self, s3, request, response):
        """Return the answer as this server gives it."""
        return response

    @staticmethod
    def sums_of(request):
        """Return the names of the headers of a write that are about checksums of its body."""
        return [name for name in request.headers if step_of(request) in WRITES and
                name.startswith(("x-amz-checksum-", "x-amz-sdk-checksum"))]

    def ignore_sums(self, request):
        """Leave out what a write says of checksums: neither held against the body nor kept."""
        for name in self.sums_of(request):
            del request.headers[name]
        if step_of(request) == "CompleteMultipartUpload":
            request.body = re.sub(rb"<(Checksum\w+)>[^<]*</\1>", b"", bytes(request.body))

    def forget_sums(self, request, response):
        """Return an answer without checksums; of documents that of a completion alone has them."""
        self.without_checksums(response)
        if step_of(request) == "CompleteMultipartUpload":
            self.change(response, rb"<(Checksum\w+)>[^<]*</\1>", b"")
        return response

    def context(self, user):
        """Return the condition keys that it knows of a request: {key: value}."""
        return policies.context_of(user)

    def holds(self, operator, key, wanted, context):
        """Return whether one key of a policy's Condition holds."""
        return policies.holds(operator, key, wanted, context)

    def without_checksums(self, response):
        """Return an answer of a server that knows nothing of checksums, nor of encryption."""
        for name in list(response.headers):
            if name.lower().startswith(("x-amz-checksum-", "x-amz-server-side-encryption")):
                del response.headers[name]
        return self.change(response, rb"<Checksum(Algorithm|Type)>[^<]*</Checksum(Algorithm|Type)>",
                           b"")

    @staticmethod
    def change(response, pattern, replacement):
        """Change what matches in a body; return the response."""
        response.body = re.sub(pattern, replacement, bytes(response.body), flags=re.S)
        return response

    def raw_marker(self, response):
        """Decode the NextKeyMarker that the fake has encoded."""
        return self.change(response, rb"(?<=<NextKeyMarker>)[^<]*",
                           lambda found: text(unquote_plus(found[0].decode())).encode())


@character("no-bulk-delete")
class NoBulkDelete(Character):
    """A store without DeleteObjects, as Google's was until 2024.

    https://docs.cloud.google.com/storage/docs/migrating
    """

    differs = ("deletions",)

    def asked(self, s3, request):
        """Refuse POST ?delete."""
        if is_bulk_delete(request):
            raise S3Error("NotImplemented", "A header or query you provided requested a function "
                                            "that is not implemented.")


@character("swift")
class Swift(Character):
    """OpenStack Swift with s3api: an access key is `account:user`.

    https://docs.openstack.org/swift/latest/middleware.html#module-swift.common.middleware.s3api.s3api
    """

    differs = ("listings",)
    access_key = "test:tester"

    def asked(self, s3, request):
        """Find nothing after a version `null` that is not there."""
        query = request.query
        if query.get("version-id-marker") == "null" and not s3.buckets[request.bucket].find(
                query.get("key-marker", ""), "null"):
            del query["version-id-marker"]
            query["key-marker"] = "\U0010ffff"

    def answered(self, s3, request, response):
        """Write markers as they are, and the version `null` always.

        BucketController in swift/common/middleware/s3api/controllers/bucket.py.
        """
        if "versions" in request.query:
            self.change(response, rb"(?<=<NextVersionIdMarker>)[^<]*", b"null")
            return self.raw_marker(response)
        return response


@character("ceph")
class Ceph(Character):
    """Ceph RGW encodes keys, but not NextKeyMarker, and knows no checksum of the newer kinds, nor
    partNumber in reads.

    RGWListBucket_ObjStore_S3::send_versioned_response in
    https://github.com/ceph/ceph/blob/v16.2.15/src/rgw/rgw_rest_s3.cc writes next_marker as it is.
    """

    differs = ("listings", "objects", "uploads")

    def asked(self, s3, request):
        """Take no notice of partNumber, nor of checksums."""
        self.ignore_sums(request)
        if request.method in ("GET", "HEAD"):
            request.query.pop("partNumber", None)

    def answered(self, s3, request, response):
        """Leave out checksums, and write markers as they are."""
        for name in [name for name in response.headers if name.startswith("x-amz-checksum")]:
            del response.headers[name]
        if request.method == "POST":
            self.forget_sums(request, response)
        return self.raw_marker(response) if "versions" in request.query else response


@character("swift-deletes")
class SwiftDeletes(Character):
    """OpenStack Swift: what DeleteObjects answers has keys, and no version ids.

    https://opendev.org/openstack/swift/src/branch/master/swift/common/middleware/s3api/controllers
    /multi_delete.py
    """

    differs = ("deletions",)

    def answered(self, s3, request, response):
        """Leave out the version ids."""
        if is_bulk_delete(request):
            return self.change(response, rb"<(VersionId|DeleteMarker\w*)>[^<]*</\1>", b"")
        return response


@character("gcs-deletes")
class GcsDeletes(Character):
    """Google's: a DELETE of what is not there is a 404, and its condition is of generations, not of
    ETags.

    https://docs.cloud.google.com/storage/docs/xml-api/delete-object
    """

    differs = ("deletions",)

    def asked(self, s3, request):
        """Take no notice of a condition, and find nothing."""
        if request.method == "DELETE" and request.key:
            request.headers.pop("if-match", None)
            bucket = s3.buckets[request.bucket]
            if not bucket.find(request.key, request.query.get("versionId") or "null"):
                raise S3Error("NoSuchKey")


@character("ceph-deletes")
class CephDeletes(Character):
    """Ceph's gateway: DeleteObjects refuses without a reason, and DELETE does not heed If-Match.

    https://docs.ceph.com/en/latest/radosgw/s3/objectops/ (no conditions of DELETE are named there)
    """

    differs = ("deletions",)

    # unversioned objects cannot be deleted there by their ETags
    def asked(self, s3, request):
        """Take no notice of a condition."""
        if request.method == "DELETE":
            request.headers.pop("if-match", None)

    def answered(self, s3, request, response):
        """Give no reasons."""
        if is_bulk_delete(request):
            return self.change(response, b"<Message>[^<]*</Message>", b"")
        return response


@character("ceph-policies")
class CephPolicies(Character):
    """Ceph's gateway until 17: of principals it knows aws:username, what asks for another key never
    holds, and StringNotEquals of several values holds where any of them differs. A policy with an
    action that it does not know is refused.

    https://docs.ceph.com/en/quincy/radosgw/bucketpolicy/ (the keys and actions that are known), and
    https://github.com/ceph/ceph/blob/v16.2.15/src/rgw/rgw_iam_policy.cc (Condition::eval, orrible)
    """

    differs = ("policies",)

    unknown = re.compile(b'"s3:(Replicate|GetObject(Version)?Attributes|ObjectOwner'
                         b'|PutIntelligentTiering)')

    def asked(self, s3, request):
        """Refuse unknown actions, and do not say which they are."""
        if request.method == "PUT" and "policy" in request.query and self.unknown.search(
                bytes(request.body)):
            raise S3Error("InvalidArgument", "")

    def context(self, user):
        """Know a user's name."""
        return {"aws:username": user.rpartition("/")[2]}

    def holds(self, operator, key, wanted, context):
        """Compare as RGW does."""
        if key not in context:
            return operator.endswith("IfExists")
        return any(super(CephPolicies, self).holds(operator, key, [value], context)
                   for value in wanted)
