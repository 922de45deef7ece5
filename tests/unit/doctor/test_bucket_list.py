"""One page of ListBuckets."""

import pytest

from s3kit.doctor.bucket_list import list_buckets, read_page, verdict_of
from s3kit.errors import Fault
from s3kit.s3.address import Endpoint
from s3kit.s3.xml import parse

PAGE = (b'<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        b"<Owner><ID>id</ID>%s</Owner><Buckets>"
        b"<Bucket><Name>a</Name><BucketRegion>eu-west-1</BucketRegion></Bucket>"
        b"<Bucket><Name>b</Name></Bucket></Buckets>%s</ListAllMyBucketsResult>")


@pytest.mark.parametrize("name, owner", ((b"", "id"), (b"<DisplayName>me</DisplayName>", "me")))
@pytest.mark.parametrize("more, token", ((b"", ""),
                                         (b"<ContinuationToken>t</ContinuationToken>", "t")))
def test_a_page(name, owner, more, token):
    """Names and regions, whose they are, and whether there are more."""
    assert read_page(parse(PAGE % (name, more))) == ([("a", "eu-west-1"), ("b", "")], owner, token)


@pytest.mark.parametrize("text", (b"<ListBucketResult/>", b"<html/>",
                                  PAGE.replace(b"<Name>b</Name>", b"") % (b"", b""),
                                  PAGE.replace(b"<Name>b</Name>", b"<Name/>") % (b"", b"")))
def test_what_is_not_a_list(text):
    """Another document, or a bucket without a name."""
    with pytest.raises(Fault, match="what answers is not S3's list of buckets"):
        read_page(parse(text))


def test_pages_without_end(fake):
    """The same page again and again is a fault."""
    def begin_again(request):
        """Show the first page, whatever was asked for."""
        request.query = {"max-buckets": "1"}

    fake.bucket("aaa"), fake.bucket("bbb")
    fake.hook = begin_again
    with pytest.raises(Fault, match="goes in circles"):
        list_buckets(Endpoint("", fake.url), (fake.access_key, fake.secret_key, ""), 1000)


def test_no_answer_means_nothing():
    """Neither good nor bad."""
    assert verdict_of(None) == ""
