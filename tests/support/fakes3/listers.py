"""Characters of servers whose listings differ from Amazon's, and where that is said."""

import re

from fakes3.characters import Character, character
from fakes3.errors import S3Error


def is_listing(request):
    """Return whether a request is one for a page of a listing."""
    return request.method == "GET" and request.bucket and not request.key and (
        "max-keys" in request.query or "list-type" in request.query)


@character("old-list-1")
class OldList(Character):
    """A store that knows the first version of the listing alone, and no versions: what it does not
    know it passes over, so it lists where it is asked for versioning.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
    """

    differs = ("listings",)
    versions = False

    def asked(self, s3, request):
        """Pass over what came later."""
        for name in ("list-type", "start-after", "versions", "versioning") * (not request.key):
            request.query.pop(name, None)


@character("minio")
class Minio(Character):
    """MinIO adds words of its own to markers.

    https://github.com/larrabee/s3sync/issues/91
    """

    differs = ("listings",)

    def answered(self, s3, request, response):
        """Name a cache in NextMarker and NextKeyMarker."""
        return self.change(response, rb"<Next(?:Key)?Marker>[^<]+",
                           rb"\g<0>%5Bminio_cache%3Av2%2Creturn%3A%5D") if is_listing(
            request) else response


@character("full-pages")
class FullPages(Character):
    """Versity's gateway says of every full page that the listing goes on.

    https://github.com/versity/versitygw/issues/770
    """

    differs = ("listings",)

    def asked(self, s3, request):
        """Find nothing where the listing is over."""
        if request.query.get("continuation-token") == "over":
            request.query["continuation-token"] = "MfSPv78="        # after the greatest key

    def answered(self, s3, request, response):
        """Say that a full page goes on."""
        entries = response.body.count(b"<Key>") if is_listing(request) else 0
        if entries == int(request.query.get("max-keys", "1000")):
            token = b"" if "versions" in request.query else (
                b"<NextContinuationToken>over</NextContinuationToken>")
            self.change(response, b"<IsTruncated>false<", token + b"<IsTruncated>true<")
        return response


@character("loud")
class Loud(Character):
    """A store that writes `True`, blanks and a byte order mark where XML or S3 have none.

    Python's str(True) is the usual reason; the .NET XmlWriter writes the mark
    (https://learn.microsoft.com/dotnet/api/system.text.encoding.utf8).
    """

    differs = ("listings",)

    def answered(self, s3, request, response):
        """Write so."""
        if is_listing(request):
            self.change(response, b"<IsTruncated>true<", b"<IsTruncated> True\n<")
            response.body = b"\xef\xbb\xbf\r\n " + bytes(response.body)
        return response


@character("no-attributes")
class NoAttributes(Character):
    """A store that refuses headers that it does not know.

    https://developers.cloudflare.com/r2/api/s3/api/ has a list of those that are refused.
    """

    differs = ("listings",)

    def asked(self, s3, request):
        """Refuse the header for the state of restores."""
        if "x-amz-optional-object-attributes" in request.headers:
            raise S3Error("InvalidArgument", "Unsupported header")


@character("no-token")
class NoToken(Character):
    """A store that says that a listing goes on, and not where.

    https://github.com/findify/s3mock/issues/144
    """

    differs = ("listings",)

    def answered(self, s3, request, response):
        """Leave out what names the next page."""
        return self.change(response, rb"<Next\w+>[^<]*</Next\w+>", b"") if is_listing(
            request) else response


@character("directory-order")
class DirectoryOrder(Character):
    """A hierarchical namespace: `a/b` comes before `a.b` and `a-b`, in listings and for markers.

    https://github.com/juicedata/juicefs/issues/7489
    """

    differs = ("listings",)
    slash = "\x02"              # before all other characters of keys


@character("seaweedfs")
class Seaweed(Character):
    """SeaweedFS collects a page of versions in the order of its directories, and sorts it then.

    listObjectVersions in
    https://github.com/seaweedfs/seaweedfs/blob/master/weed/s3api/s3api_object_versioning.go
    """

    differs = ("listings",)
    server = "SeaweedFS 8000GB 4.48"

    def answered(self, s3, request, response):
        """Leave out what comes before a directory as a key, and after it there: `a-b` beside `a/`.
        """
        body = bytes(response.body)
        if "versions" not in request.query or b"<IsTruncated>true<" not in body:
            return response
        tops = {key.partition(b"/")[0] for key in re.findall(rb"<Key>([^<]*/[^<]*)</Key>", body)}

        def left(found):
            """Return an entry, or nothing."""
            key = found[1]
            is_lost = b"/" not in key and any(key[:len(top)] == top and key[len(top):] < b"/"
                                              for top in tops)
            return b"" if is_lost else found[0]

        return self.change(response, rb"<Version><Key>([^<]*)</Key>.*?</Version>", left)
