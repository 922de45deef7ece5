"""What buckets are asked, and what is asked again."""

from types import SimpleNamespace

import pytest

from s3kit.doctor.properties import ASKS, Bucket
from s3kit.doctor.questions import Questions
from s3kit.s3.address import Endpoint


class Wire:
    """Answers each request as `answer(url, tries)` says."""

    def __init__(self, answer):
        self.answer, self.asked, self.waiting = answer, [], []

    @property
    def active(self):
        """How many are under way."""
        return len(self.waiting)

    def start(self, owner, endpoint, url, method="GET"):
        """Ask."""
        self.asked.append((method, url))
        self.waiting.append((owner, url))

    def turn(self, seconds):
        """Return one answer."""
        owner, url = self.waiting.pop()
        told = {"status": 200, "code": "", "errno": 0, "body": b"", "headers": {}, "failure": "",
                "message": ""}
        return [SimpleNamespace(owner=owner, **told | self.answer(url, owner[5]))]


def asked(answer, is_custom=False, together=4, **told):
    """Return (the Bucket, what was asked) after all questions."""
    home = Endpoint(url="https://s3.test", region="us-east-1", bucket="")
    session = SimpleNamespace(located=lambda regions: {
        name: home._replace(url=f"https://{name}.{region}.test")
        for name, region in regions.items()})
    checkup = SimpleNamespace(session=session, home=home, check=lambda: None,
                              trace=lambda text: None, progress=None,
                              account=SimpleNamespace(is_custom=is_custom),
                              args=SimpleNamespace(together=together))
    bucket = Bucket("b", is_named=True)
    bucket.told |= told
    questions = Questions(checkup, [bucket])
    questions.wire = Wire(answer)
    questions.run()
    return bucket, questions.wire.asked


LISTING = b"<ListBucketResult><Contents><Key>a b</Key></Contents></ListBucketResult>"


def test_where_a_bucket_is_comes_first():
    """A HEAD tells it to anyone; then all is asked there, and the first key is read."""
    def answer(url, tries):
        return ({"headers": {"x-amz-bucket-region": "eu-west-1"}, "status": 403, "code": "HTTP403"}
                if url == "https://s3.test/b" else {"body": LISTING} if "list-type" in url else {})

    bucket, found = asked(answer)
    assert found[0] == ("HEAD", "https://s3.test/b") and bucket.told["region"] == "eu-west-1"
    assert len(found) == 1 + len(set(ASKS) - {"region"}) + 1
    assert all(url.startswith("https://b.eu-west-1.test") for _, url in found[1:])
    assert [url for method, url in found if method == "HEAD"][1].endswith("a%20b")
    assert not [url for _, url in asked(lambda *_: {}, region="eu-west-1")[1] if "s3.test/b" in url]


def test_a_server_of_ones_own_is_asked_by_location():
    """It may not tell in a header."""
    _, found = asked(lambda *_: {}, is_custom=True)
    assert len(found) == len(ASKS) and any("location" in url for _, url in found)


def test_a_bucket_that_is_missing_is_asked_nothing_more():
    """Its HEAD said so."""
    bucket, found = asked(lambda *_: {"status": 404, "code": "HTTP404",
                                      "headers": {"x-amz-request-id": "1"}})
    assert bucket.is_missing and len(found) == 1


@pytest.mark.parametrize("trouble, times", (
    ({"status": 503, "code": "SlowDown"}, 3), ({"status": 500, "code": "InternalError"}, 3),
    ({"status": 200, "errno": 18, "failure": "cut"}, 3), ({"status": 0, "errno": 28}, 1),
    ({"status": 0, "errno": 60}, 1), ({"status": 403, "code": "AccessDenied"}, 1)))
def test_what_only_passes_is_asked_again(trouble, times):
    """Three times in all; not what took its whole time, nor what stays as it is."""
    _, found = asked(lambda url, tries: trouble if "versioning" in url else {}, region="r")
    assert sum("versioning" in url for _, url in found) == times
    _, found = asked(lambda url, tries: trouble if "versioning" in url and tries < 2 else {},
                     region="r")
    assert sum("versioning" in url for _, url in found) == min(times, 2)
