"""Tags of objects."""

from urllib.parse import parse_qsl

from fakes3.answers import Response, document
from fakes3.checksums import check_content
from fakes3.errors import S3Error
from fakes3.formats import text
from fakes3.operations import operation
from fakes3.parameters import parse_xml
from fakes3.reads import find_version

WRONG = ("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query "
         "parameters without tag name duplicates.")
MANY = 10                           # tags of one object [UG object-tagging]


def tags_of(request):
    """Return {key: value} of the tags that a write gives to its object [LS]."""
    header = request.headers.get("x-amz-tagging", "")
    pairs = parse_qsl(header, keep_blank_values=True)
    tags = dict(pairs)
    if len(tags) != len(pairs) or len(pairs) != len([p for p in header.split("&") if p]) or any(
            "," in value for value in tags.values()):
        raise S3Error("InvalidArgument", WRONG, ArgumentName="x-amz-tagging", ArgumentValue=header)
    return check_tags(tags)


def check_tags(tags):
    """Return tags that are no more and no longer than S3 takes [UG object-tagging]."""
    if len(tags) > MANY:
        raise S3Error("BadRequest", "Object tags cannot be greater than 10", 400)
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or len(value) > 256 or key.startswith("aws:"):
            raise S3Error("InvalidTag", "The TagKey you have provided is invalid", 400)
    return tags


@operation("GET", "object", "tagging")
def get_tags(s3, request):
    """GetObjectTagging."""
    bucket, version = find_version(s3, request)
    answer = document("Tagging", "<TagSet>" + "".join(
        f"<Tag><Key>{text(key)}</Key><Value>{text(value)}</Value></Tag>"
        for key, value in version.tags.items()) + "</TagSet>")
    return told(bucket, version, answer)


@operation("PUT", "object", "tagging")
def put_tags(s3, request):
    """PutObjectTagging: in place of those that were there."""
    bucket, version = find_version(s3, request)
    check_content(request)
    tags = parse_xml(request.body, "Tagging").findall("TagSet/Tag")
    version.tags = check_tags({tag.findtext("Key") or "": tag.findtext("Value") or ""
                               for tag in tags})
    return told(bucket, version, Response(200))


@operation("DELETE", "object", "tagging")
def delete_tags(s3, request):
    """DeleteObjectTagging."""
    bucket, version = find_version(s3, request)
    version.tags = {}
    return told(bucket, version, Response(204, length=None))


def told(bucket, version, answer):
    """Return an answer with the version that it is about."""
    if bucket.versioning:
        answer.headers["x-amz-version-id"] = version.id
    return answer
