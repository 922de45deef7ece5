"""DeleteObject and DeleteObjects."""

from fakes3.answers import Response, document
from fakes3.checksums import check_content, etag_in, given_checksum
from fakes3.errors import S3Error
from fakes3.formats import text
from fakes3.locks import is_locked
from fakes3.operations import operation
from fakes3.parameters import check_version_id, parse_xml
from fakes3.store import PAGE, Version


def remove(s3, bucket, key, version_id=None, etag=None):
    """Delete as S3 does; return (version id, is a marker): what was removed, or the marker that was
    made.

    The condition is held against the current version, whatever version is named; with nothing there
    it is a 404 [UG conditional-deletes], with a delete marker there a 412 [seen: rustfs discussion
    2602].
    """
    current = bucket.current(key)
    if etag is not None:
        if current is None:
            raise S3Error("NoSuchKey", Key=key)
        if current.marker or not etag_in(current.etag, etag):
            raise S3Error("PreconditionFailed", Condition="If-Match")
    if version_id is not None:
        check_version_id(version_id)
        version = bucket.find(key, version_id)
        if version is None:
            return version_id, False            # deleting twice is right [API DeleteObject]
        if is_locked(s3, version):
            raise S3Error("AccessDenied", "Access Denied because object protected by object lock.")
        bucket.remove(version)
        return version_id, version.marker
    if not bucket.versioning:
        if current is not None:
            bucket.remove(current)
        return None, False
    # Suspended: the null version goes, a null marker comes [UG
    # DeletingObjectsfromVersioningSuspendedBuckets]. Enabled: a marker comes, even of a key that
    # has no object [UG DeleteMarker].
    marker = Version(key, s3.new_version_id(bucket), s3.next_seq(), s3.clock.now(), marker=True)
    bucket.add(marker)
    return marker.id, True


@operation("DELETE", "object")
def delete_object(s3, request):
    """DeleteObject."""
    bucket = s3.need_bucket(request)
    version_id, marker = remove(s3, bucket, request.key, request.query.get("versionId"),
                                request.headers.get("if-match"))
    headers = {"x-amz-version-id": version_id} if version_id and bucket.versioning else {}
    if marker:
        headers["x-amz-delete-marker"] = "true"
    return Response(204, headers, length=None)


@operation("POST", "bucket", "delete")
def delete_objects(s3, request):
    """DeleteObjects: each key on its own, with its own ETag condition."""
    bucket = s3.need_bucket(request)
    if "content-md5" not in request.headers and not given_checksum(request)[0]:
        raise S3Error("InvalidRequest", "Missing required header for this request: Content-MD5 OR "
                      "x-amz-checksum-*")
    check_content(request)
    tree = parse_xml(request.body, "Delete")
    objects = tree.findall("Object")
    if not 1 <= len(objects) <= PAGE or not all(item.findtext("Key") for item in objects):
        raise S3Error("MalformedXML")
    quiet = tree.findtext("Quiet") == "true"
    rows = []
    for item in objects:
        key, version_id = item.findtext("Key"), item.findtext("VersionId") or None
        named = f"<Key>{text(key)}</Key>"
        if version_id:
            named += f"<VersionId>{text(version_id)}</VersionId>"
        try:
            found, marker = remove(s3, bucket, key, version_id, item.findtext("ETag"))
        except S3Error as error:
            code = "NoSuchVersion" if error.code == "InvalidArgument" else error.code       # [LS]
            rows.append(
                f"<Error>{named}<Code>{code}</Code><Message>{text(error.message)}</Message>"
                "</Error>")
            continue
        if marker:
            named += ("<DeleteMarker>true</DeleteMarker>"
                      f"<DeleteMarkerVersionId>{found}</DeleteMarkerVersionId>")
        if not quiet:
            rows.append(f"<Deleted>{named}</Deleted>")
    return document("DeleteResult", "".join(rows))
