"""What servers answer to ListMultipartUploads and ListParts."""

import pytest

from s3kit.errors import Fault
from s3kit.s3.unfinished import (
    Parts,
    Upload,
    parts_in,
    parts_query,
    read,
    uploads_in,
    uploads_query,
)

NAMESPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
ONE = ("<Upload><Key>{}</Key><UploadId>{}</UploadId><Initiator><ID>i</ID></Initiator>"
       "<StorageClass>STANDARD</StorageClass><Initiated>2026-11-20T10:00:00.000Z</Initiated>"
       "</Upload>")
BEGAN = 1795168800 * 10**9


def uploads(*rows, top="", namespace="", url=True):
    """Return what is read of an answer with these elements."""
    coding = "<EncodingType>url</EncodingType>" if url else ""
    xml = (f"<ListMultipartUploadsResult{namespace}><Bucket>b</Bucket>{coding}{top}"
           f"{''.join(rows)}</ListMultipartUploadsResult>")
    return uploads_in(read(xml.encode()))


@pytest.mark.parametrize("namespace", ["", NAMESPACE])
def test_an_upload(namespace):
    """Key, id, class, and when it began."""
    found, following = uploads(ONE.format("a%2Fb+c", "id/+="), namespace=namespace,
                               top="<IsTruncated>false</IsTruncated><KeyMarker/>")
    assert found == [Upload("a/b c", "id/+=", "STANDARD", BEGAN, "a%2Fb+c")] and following == ""


def test_keys_as_they_are():
    """A server that does not encode says so by leaving EncodingType out."""
    assert uploads(ONE.format("a%2Fb+c", "i"), url=False)[0][0].key == "a%2Fb+c"


def test_keys_that_may_be_encoded():
    """Ceph encodes them, and does not say so: both are kept, unless one of a page cannot be."""
    found, _ = uploads(ONE.format("a%2Fb+c", "i"), url=False)
    assert (found[0].key, found[0].other) == ("a%2Fb+c", "a/b c")
    found, _ = uploads(ONE.format("a%2Fb+c", "i"), ONE.format("a b", "j"), url=False)
    assert found[0].other == "a%2Fb+c"


@pytest.mark.parametrize("key", ["a b", "\u00fc", "a%FF"])
def test_keys_that_are_not_encoded_though_it_is_said(key):
    """SeaweedFS 4: one that cannot be an encoded one shows it of all, or of itself."""
    found, _ = uploads(ONE.format("x+y%41", "i"), ONE.format(key, "j"))
    assert found[1].key == found[1].other == key and found[0].other == "x+y%41"
    assert found[0].key == ("x yA" if key == "a%FF" else "x+y%41")


@pytest.mark.parametrize("text", ["", "0001-01-01T00:00:00Z", "yesterday"])
def test_a_time_that_nobody_knows(text):
    """Is none: not the beginning of time, before which everything is old."""
    row = ONE.replace("2026-11-20T10:00:00.000Z", text).format("k", "i")
    assert uploads(row)[0][0].began is None


@pytest.mark.parametrize("key, upload_id, what", [("", "i", "its key"), ("k", "", "its id")])
def test_an_upload_without_a_name(key, upload_id, what):
    """A request about it would delete an object, or a bucket."""
    with pytest.raises(Fault, match=f"one without {what}$"):
        uploads(ONE.format(key, upload_id))


@pytest.mark.parametrize("marker, following", [
    # as S3 has it; not encoded, as Ceph has it; none at all
    ("<NextKeyMarker>x%2B+y</NextKeyMarker><NextUploadIdMarker>i</NextUploadIdMarker>",
     "key-marker=x%2B%20y&upload-id-marker=i"),
    ("<NextKeyMarker>x+ y</NextKeyMarker><NextUploadIdMarker>i</NextUploadIdMarker>",
     "key-marker=x%2B%20y&upload-id-marker=i"),
    ("", "key-marker=x%2B%20y&upload-id-marker=i%2F"),
    # not XML
    ("<NextKeyMarker>&#x1;</NextKeyMarker>", "key-marker=x%2B%20y&upload-id-marker=i%2F"),
    # a directory bucket's, and another id than the last one's
    ("<NextKeyMarker>AAAB%3D</NextKeyMarker>", "key-marker=AAAB%3D"),
    ("<NextKeyMarker>x%2B+y</NextKeyMarker><NextUploadIdMarker>other</NextUploadIdMarker>",
     "key-marker=x%2B%20y&upload-id-marker=other")])
def test_where_a_page_goes_on(marker, following):
    """After its last upload, or where a marker of the server's own points."""
    rows = ONE.format("a", "h"), ONE.format("x%2B+y", "i/")
    assert uploads(*rows, top=f"<IsTruncated>true</IsTruncated>{marker}")[1] == following


def test_whether_a_page_goes_on():
    """Only `false`, or nothing at all, ends a list."""
    row, marker = ONE.format("k", "i"), "<NextKeyMarker>k</NextKeyMarker>"
    assert uploads(row)[1] == "" and uploads(row, top=marker)[1]
    assert uploads(row, top=f"<IsTruncated> False </IsTruncated>{marker}")[1] == ""
    with pytest.raises(Fault, match="IsTruncated is 'perhaps'"):
        uploads(row, top="<IsTruncated>perhaps</IsTruncated>")
    with pytest.raises(Fault, match="but not where"):
        uploads(top="<IsTruncated>true</IsTruncated>")


def test_what_is_no_list():
    """A server that does not know the question lists the bucket."""
    with pytest.raises(Fault, match="is none: <ListBucketResult>"):
        uploads_in(read(b"<ListBucketResult/>"))
    with pytest.raises(Fault, match="is none: <ListBucketResult>"):
        parts_in(b"<ListBucketResult/>")
    assert parts_in(b"<ListPartsResponse/>") == Parts(0, 0, 0, {})      # moto's


def test_what_a_part_is():
    """Its size, its ETag, and a checksum of whatever kind, if one is told."""
    part = ("<Part><PartNumber>{}</PartNumber><Size>5</Size><ETag>\"e{}\"</ETag>{}</Part>")
    xml = f"""<ListPartsResult{NAMESPACE}>{part.format(2, 2, "<ChecksumCRC32>AAA=</ChecksumCRC32>")}
              {part.format(3, 3, "")}</ListPartsResult>"""
    assert parts_in(xml.encode()).found == {2: (5, "e2", "AAA="), 3: (5, "e3", "")}


def test_queries():
    """In order of their names, as they are signed; nothing in a name acts on them."""
    assert uploads_query() == "encoding-type=url&uploads="
    assert (uploads_query("a/&b", "key-marker=k&upload-id-marker=i")
            == "encoding-type=url&key-marker=k&prefix=a%2F%26b&upload-id-marker=i&uploads=")
    assert parts_query("i&d/") == "uploadId=i%26d%2F"
    assert parts_query("i", 1000) == "part-number-marker=1000&uploadId=i"


PART = "<Part><PartNumber>{}</PartNumber><Size>{}</Size></Part>"


@pytest.mark.parametrize("key", ["k", "&#x1;k"])
def test_parts(key):
    """How many and how large; a key that XML cannot carry is not needed."""
    def page(top, *parts):
        rows = "".join(PART.format(*part) for part in parts)
        return parts_in(f"<ListPartsResult{NAMESPACE}><Key>{key}</Key>{top}{rows}"
                        "</ListPartsResult>".encode())

    assert page("<IsTruncated>false</IsTruncated><NextPartNumberMarker>7</NextPartNumberMarker>",
                (2, 5), (7, 9))[:3] == (2, 14, 0)
    assert page("<IsTruncated>true</IsTruncated>", (2, 5), (7, 9))[:3] == (2, 14, 7)
    assert page("") == Parts(0, 0, 0, {})
    with pytest.raises(Fault, match="but not where"):
        page("<IsTruncated>true</IsTruncated>")
    with pytest.raises(Fault, match="how large"):
        page("", (1, ""))
