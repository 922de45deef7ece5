"""Multipart uploads that are under way: they are found, and listed."""

from fakes3.answers import document
from fakes3.attributes import parts_page
from fakes3.errors import S3Error
from fakes3.formats import iso, text
from fakes3.lifecycles import abort_headers, expire_uploads
from fakes3.listings import OWNER, Listing
from fakes3.operations import operation
from fakes3.parameters import number
from fakes3.store import PAGE

INITIATOR = OWNER.replace("Owner>", "Initiator>")


def find_upload(s3, request):
    """Return (bucket, upload)."""
    bucket = s3.need_bucket(request)
    expire_uploads(s3, bucket)
    upload = bucket.uploads.get(request.query["uploadId"])
    if upload is None or upload.key != request.key:
        raise S3Error("NoSuchUpload", UploadId=request.query["uploadId"])
    return bucket, upload


def declared(upload):
    """Return the elements that say which checksums an upload has."""
    return (f"<ChecksumAlgorithm>{upload.algorithm}</ChecksumAlgorithm>"
            f"<ChecksumType>{upload.checksum_type}</ChecksumType>") if upload.algorithm else ""


@operation("GET", "object", "uploadId")
def list_parts(s3, request):
    """ListParts: checksums only of an upload that was created with an algorithm [LS]."""
    bucket, upload = find_upload(s3, request)
    after = number(request.query.get("part-number-marker", "0"), "part-number-marker")
    most = min(number(request.query.get("max-parts", "1000"), "max-parts"), PAGE)
    parts = sorted(upload.parts.values(), key=lambda part: part.number)
    answer = document("ListPartsResult",
                      f"<Bucket>{bucket.name}</Bucket><Key>{text(upload.key)}</Key>"
                      f"<UploadId>{upload.id}</UploadId>{INITIATOR}{OWNER}{declared(upload)}"
                      f"<StorageClass>{upload.terms['storage_class']}</StorageClass>"
                      + parts_page(parts, after, most, upload.algorithm, count=None,
                                   uploading=True))
    answer.headers.update(abort_headers(bucket, upload))
    return answer


@operation("GET", "bucket", "uploads")
def list_uploads(s3, request):
    """ListMultipartUploads, in the order of keys, and of one key's in that of their beginning [API
    ListMultipartUploads]. The upload that a page ended with may be gone: its place is not [?].
    """
    bucket, listing, query = s3.need_bucket(request), Listing(s3, request), request.query
    expire_uploads(s3, bucket)
    most = min(number(query.get("max-uploads") or "1000", "max-uploads", 1), PAGE)
    after = query.get("key-marker", "")
    # Without a key the marker of the upload is ignored.
    last = query.get("upload-id-marker", "") if after else ""
    start = after, find_marker(bucket, after, last) if last else float("inf")
    entries = list(entries_after(bucket, listing, start))
    page, rest = entries[:most], entries[most:]
    following = page[-1] if page else None
    upload_row = "".join(row(listing, item) for item in page)
    return document("ListMultipartUploadsResult", head(bucket, listing, query, most, bool(rest))
                    + next_markers(listing, following) + upload_row)


def find_marker(bucket, key, upload_id):
    """Return the place among the uploads of a key of the one that a page ended with."""
    upload = bucket.uploads.get(upload_id) or bucket.ended.get(upload_id)
    if upload is None or upload.key != key:
        raise S3Error("InvalidArgument", "Invalid uploadId marker",
                      ArgumentName="upload-id-marker", ArgumentValue=upload_id)     # [LS]
    return upload.seq


def entries_after(bucket, listing, start):
    """Yield what a listing shows after `start`, (key, place among its uploads): an Upload, or a
    common prefix, once.
    """
    prefix, delimiter, shown = listing.prefix, listing.delimiter, ""
    for upload in bucket.under_way():
        if not upload.key.startswith(prefix) or (
                upload.key.encode(), upload.seq) <= (start[0].encode(), start[1]):
            continue
        cut = upload.key.find(delimiter, len(prefix)) if delimiter else -1
        if cut < 0:
            yield upload
            continue
        group = upload.key[:cut + len(delimiter)]
        if group != shown and not start[0].startswith(group):
            yield group
        shown = group


def head(bucket, listing, query, most, truncated):
    """Return the elements of a listing before its rows, but for the markers of the next page."""
    pairs = [("Bucket", bucket.name), ("KeyMarker", listing.encode(query.get("key-marker", ""))),
             ("UploadIdMarker", text(query.get("upload-id-marker", ""))),
             ("Prefix", listing.encode(listing.prefix)),
             ("Delimiter", listing.encode(listing.delimiter) or None),
             ("EncodingType", "url" if "encoding-type" in query else None),
             ("MaxUploads", most), ("IsTruncated", str(truncated).lower())]
    return "".join(f"<{name}>{value}</{name}>" for name, value in pairs if value is not None)


def next_markers(listing, item):
    """Return where the next page begins: S3 says it of the last page, too [LS]."""
    if item is None:
        return "<NextKeyMarker/><NextUploadIdMarker/>"
    if isinstance(item, str):
        return f"<NextKeyMarker>{listing.encode(item)}</NextKeyMarker><NextUploadIdMarker/>"
    return (f"<NextKeyMarker>{listing.encode(item.key)}</NextKeyMarker>"
            f"<NextUploadIdMarker>{item.id}</NextUploadIdMarker>")


def row(listing, item):
    """Return the row of an upload, or of a common prefix."""
    if isinstance(item, str):
        return f"<CommonPrefixes><Prefix>{listing.encode(item)}</Prefix></CommonPrefixes>"
    return (f"<Upload><Key>{listing.encode(item.key)}</Key><UploadId>{item.id}</UploadId>"
            f"{INITIATOR}{OWNER}<StorageClass>{item.terms['storage_class']}</StorageClass>"
            f"{declared(item)}<Initiated>{iso(item.initiated)}</Initiated></Upload>")
