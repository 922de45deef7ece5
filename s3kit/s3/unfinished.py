"""What ListMultipartUploads and ListParts answer: uploads that were never completed or aborted, and
their parts.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html, and
API_ListParts.html in the same place.
"""

import re
from typing import NamedTuple
from urllib.parse import quote

from s3kit.errors import Fault
from s3kit.etags import bare
from s3kit.s3.uploads import MEMBERS
from s3kit.s3.xml import local, parse_without, read_encoded
from s3kit.units import known_ns, number

# The root elements, and the one that moto 5 sends.
UPLOADS, PARTS = ("ListMultipartUploadsResult",), ("ListPartsResult", "ListPartsResponse")
# Not needed, and not encoded by all servers; ListParts has no way to ask for that at all.
MARKERS = re.compile(rb"<((?:Next)?(?:Key|UploadId)Marker|Prefix)>[^<]*</\1>")
KEY = re.compile(rb"<(Key)>[^<]*</\1>")
UNENCODED = re.compile("[^!-~]")        # what is in no encoded key
NO_UPLOAD = ("NoSuchUpload", "NoSuchKey")       # codes of an error; the latter of Ceph
TRUNCATED = {"true": True, "false": False}
QUERY = "encoding-type=url"


class Upload(NamedTuple):
    """An unfinished upload; `began` is when, in nanoseconds since 1970, None where nobody knows.

    `other` is what the key may be instead, or the same: SeaweedFS says that keys are encoded, and
    they are not, Ceph encodes them without a word.
    """

    key: str
    upload_id: str
    storage_class: str
    began: int
    other: str


class Parts(NamedTuple):
    """A page of an upload's parts: how many, their bytes, and the number after which the next page
    begins, 0 where none does. `found` is {number: (bytes, ETag, base64 checksum or '')}.
    """

    count: int
    bytes: int
    after: int
    found: dict


def uploads_query(prefix="", following=""):
    """Return the query for a page of the uploads below a prefix, the first one or the `following`.
    """
    words = [QUERY, "uploads=", *filter(None, following.split("&"))]
    if prefix:
        words.append(f"prefix={quote(prefix, safe='')}")
    return "&".join(sorted(words))


def parts_query(upload_id, after=0):
    """Return the query for a page of an upload's parts."""
    marker = [f"part-number-marker={after}"] if after else []
    return "&".join([*marker, upload_query(upload_id)])


def upload_query(upload_id):
    """Return the query that names an upload."""
    return f"uploadId={quote(upload_id, safe='')}"


def read(xml):
    """Return the root of an answer to ListMultipartUploads. Raises Fault."""
    return parse_without(xml, MARKERS)


def uploads_in(root):
    """Return ([Upload], the query of the following page or '') of an answer to
    ListMultipartUploads. Raises Fault where it is none, or does not say where it goes on.
    """
    need(root, UPLOADS, "the list of unfinished uploads")
    top, entries = texts(root), [texts(entry) for entry in elements(root, "Upload")]
    readers = [read_encoded, str] if top.get("EncodingType", "").strip() == "url" else [
        str, read_encoded]
    if any(UNENCODED.search(entry.get("Key", "")) for entry in entries):
        readers = [str, str]
    read_key, read_other = readers
    uploads = [upload_of(entry, read_key, read_other) for entry in entries]
    return uploads, following(uploads, top, read_key) if goes_on(top, "NextKeyMarker") else ""


def upload_of(told, read_key, read_other):
    """Return the Upload that an entry tells of.

    Raises Fault where a key or an id is missing: a request about that would be one about the
    object, or about the bucket.
    """
    written, upload_id = told.get("Key", ""), told.get("UploadId", "")
    key, other = meaning(written, read_key), meaning(written, read_other)
    if not key or not upload_id:
        raise Fault("the list of unfinished uploads names one without "
                    + ("its id" if key else "its key"))
    began = known_ns(told.get("Initiated", "").strip())
    # servers written in Go say the year 1 where they know no time
    return Upload(key, upload_id, told.get("StorageClass", "").strip(),
                  began if began and began > 0 else None, other)


def following(uploads, top, read_key):
    """Return the query for what follows a page.

    It goes on after the page's own last upload where the server's marker names its key, in whatever
    spelling. Directory buckets have a marker of their own, and no order.
    """
    told, last = top.get("NextKeyMarker", ""), uploads[-1] if uploads else None
    meant = meaning(told, read_key)
    is_last = last is not None and (not told or last.key in (meant, told))
    key = last.key if is_last else meant
    if not key:
        raise Fault("the list of unfinished uploads says that it goes on, but not where")
    upload_id = top.get("NextUploadIdMarker", "") or (last.upload_id if is_last else "")
    marker = f"key-marker={quote(key, safe='')}"
    return f"{marker}&upload-id-marker={quote(upload_id, safe='')}" if upload_id else marker


def meaning(written, read_key):
    """Return what a key that stands in an answer means."""
    try:
        return read_key(written)
    except Fault:           # an encoded key is UTF-8, so this one is not encoded
        return written


def parts_in(xml):
    """Return the Parts of an answer to ListParts. Raises Fault where it is none."""
    root = parse_without(xml, KEY)
    need(root, PARTS, "the list of an upload's parts")
    parts = [texts(entry) for entry in elements(root, "Part")]
    sizes = [number(part.get("Size", "").strip()) for part in parts]
    numbers = [number(part.get("PartNumber", "").strip()) or 0 for part in parts]
    if None in sizes:
        raise Fault("the list of an upload's parts does not say how large they are")
    is_last = not goes_on(texts(root))
    if not (is_last or any(numbers)):
        raise Fault("the list of an upload's parts says that it goes on, but not where")
    found = {place: (size, bare(part.get("ETag", "")), checksum_in(part))
             for place, size, part in zip(numbers, sizes, parts)}
    return Parts(len(parts), sum(sizes), 0 if is_last else max(numbers), found)


def checksum_in(part):
    """Return the checksum that an entry of a list of parts tells, in base64, or ''."""
    return next((part[name] for name in MEMBERS.values() if name in part), "")


def need(root, names, what):
    """Raise Fault where the root of an answer is none of those that it should have."""
    if local(root.tag) not in names:
        raise Fault(f"{what} is none: <{local(root.tag)}>")


def goes_on(top, marker=""):
    """Return whether a page says that another follows it; where it says neither, whether it has a
    `marker`. Raises Fault for what is no word of S3's.
    """
    said = top.get("IsTruncated", "").strip().lower()
    if said and said not in TRUNCATED:
        raise Fault(f"a list does not say whether it goes on: IsTruncated is '{said[:20]}'")
    return TRUNCATED[said] if said else bool(top.get(marker))


def texts(element):
    """Return {name: text} of an element's children."""
    return {local(child.tag): child.text or "" for child in element.iterchildren("*")}


def elements(root, name):
    """Return the children of this name."""
    return [child for child in root.iterchildren("*") if local(child.tag) == name]
