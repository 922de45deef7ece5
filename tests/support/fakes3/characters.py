"""Servers that are not Amazon's: what each does otherwise, and where that is said.

A character sees each request before it is carried out, and each answer before it leaves. It changes
what such a server is known to do otherwise, and nothing else.
"""

import re

from fakes3.errors import S3Error

CHARACTERS = {}


def character(name):
    """Enter a class among the characters, by the name that FakeS3 takes."""
    def enter(kind):
        CHARACTERS[name] = kind
        return kind
    return enter


class Character:
    """Amazon's own: nothing differs. Also what the others have in common.

    `versions`: whether buckets can have versions there; `bulk_delete`: whether it knows
    DeleteObjects. `access_key`: what keys look like there.
    """

    versions = bulk_delete = True
    access_key = "AKIAFAKES3EXAMPLE"

    def asked(self, s3, request):
        """Change a request, or raise the S3Error that refuses it."""

    def answered(self, s3, request, response):
        """Return the answer as this server gives it."""
        return response

    @staticmethod
    def change(response, pattern, replacement):
        """Change what matches in a body; return the response."""
        response.body = re.sub(pattern, replacement, bytes(response.body), flags=re.S)
        return response


@character("no-bulk-delete")
class NoBulkDelete(Character):
    """A store without DeleteObjects, as Google's was until 2024.

    https://docs.cloud.google.com/storage/docs/migrating
    """

    bulk_delete = False

    def asked(self, s3, request):
        """Refuse POST ?delete."""
        if request.method == "POST" and "delete" in request.query:
            raise S3Error("NotImplemented", "A header or query you provided requested a function "
                                            "that is not implemented.")


@character("swift")
class Swift(Character):
    """OpenStack Swift with s3api: an access key is `account:user`.

    https://docs.openstack.org/swift/latest/middleware.html#module-swift.common.middleware.s3api.s3api
    """

    access_key = "test:tester"
