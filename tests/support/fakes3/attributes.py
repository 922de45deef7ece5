"""GetObjectAttributes, and the pages of parts."""

from fakes3.answers import document
from fakes3.errors import S3Error
from fakes3.formats import http_date, iso
from fakes3.operations import operation
from fakes3.parameters import number
from fakes3.reads import find_version
from fakes3.store import PAGE


@operation("GET", "object", "attributes")
def get_attributes(s3, request):
    """GetObjectAttributes: ETag without quotes, composite without -N, Part only of COMPOSITE [F
    3.2].
    """
    bucket, version = find_version(s3, request)
    wanted = [name.strip()
              for name in request.headers.get("x-amz-object-attributes", "").split(",")]
    known = {"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"}
    if not wanted[0] or set(wanted) - known:
        raise S3Error("InvalidArgument", "Invalid attribute name specified.")
    found = {"ETag": version.etag, "StorageClass": version.storage_class,
             "ObjectSize": version.size}
    if version.algorithm:
        name, value = f"Checksum{version.algorithm}", version.checksum.partition("-")[0]
        found["Checksum"] = (
            f"<{name}>{value}</{name}><ChecksumType>{version.checksum_type}</ChecksumType>")
    if version.parts:
        after = number(request.headers.get("x-amz-part-number-marker", "0"), "part-number-marker")
        most = min(number(request.headers.get("x-amz-max-parts", "1000"), "max-parts"), PAGE)
        found["ObjectParts"] = parts_page(version.parts, after, most, version.algorithm,
                                          "PartsCount", shown=version.checksum_type == "COMPOSITE")
    content = "".join(f"<{name}>{found[name]}</{name}>" for name in wanted if name in found)
    answer = document("GetObjectAttributesResponse", content)
    answer.headers["Last-Modified"] = http_date(int(version.modified))
    if bucket.versioning:
        answer.headers["x-amz-version-id"] = version.id
    return answer


def parts_page(parts, after, most, algorithm, count, shown=True, uploading=False):
    """Return one page of parts, for GetObjectAttributes and ListParts."""
    rest = [p for p in parts if p.number > after]
    page = rest[:most]
    rows = []
    for part in page if shown else ():
        row = f"<PartNumber>{part.number}</PartNumber><Size>{part.size}</Size>"
        if uploading:
            row += (f"<ETag>&quot;{part.etag}&quot;</ETag>"
                    f"<LastModified>{iso(part.modified)}</LastModified>")
        if part.checksum:
            name = f"Checksum{part.algorithm or algorithm}"
            row += f"<{name}>{part.checksum}</{name}>"
        rows.append(f"<Part>{row}</Part>")
    if not shown:
        return f"<{count}>{len(parts)}</{count}>"
    total = f"<{count}>{len(parts)}</{count}>" if count else ""
    return (f"{total}<PartNumberMarker>{after}</PartNumberMarker><NextPartNumberMarker>"
            f"{page[-1].number if page else 0}</NextPartNumberMarker><MaxParts>{most}</MaxParts>"
            f"<IsTruncated>{str(len(rest) > len(page)).lower()}</IsTruncated>{''.join(rows)}")
