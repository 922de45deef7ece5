"""The policies that are live, and what S3 says when we ask for them."""

import json

import pytest
from botocore.exceptions import ClientError
from policyruns import OLD, ONLY_ME, backups, live

from s3kit.errors import Fault
from s3kit.policy.live import Live, refusal


def test_a_broken_live_policy_is_kept_and_brought_back(place, run):
    """Letter by letter, although nobody can read it."""
    place.bucket("b").policy = "{ broken"
    assert "the live policy cannot be read" in run("plan", "b", *ONLY_ME)[2]
    place.bucket("b").policy = json.dumps(OLD)
    run("plan", "b", *ONLY_ME)
    place.bucket("b").policy = "{ broken"
    assert run("apply", "b", "--yes")[0] == 1
    assert run("apply", "b", "--yes", "--overwrite")[0] == 0 and backups()[0].text == "{ broken"


@pytest.mark.system("minutes")
@pytest.mark.parametrize("text, said", (("<ListBucketResult/>", "'<ListBucketResult/>'"),
                                        ("<html>" + "x" * 99, "'<html>" + "x" * 34 + "'"),
                                        ("Not found", "'Not found'"), ("[]", "'[]'"),
                                        (" ", "nothing"), ('{"message": "no"}',
                                                           '\'{"message": "no"}\'')))
def test_what_is_not_a_policy_is_not_kept(place, run, text, said):
    """A server that does not know policies answers with something else: that there is none is
    S3's own word, and nothing else is kept, compared or replaced.
    """
    for words in (("plan",), ("apply", "--yes"), ("backup",), ("diff",), ("show", "--live"),
                  ("check",), ("rollback", "--yes")):
        place.bucket("b").policy = None
        run("plan", "b", *ONLY_ME)          # a plan that is refused leaves no older one
        place.bucket("b").policy = text
        status, out, err = run(words[0], "b", *words[1:], *(ONLY_ME if words == ("plan",) else ()))
        assert status == 1 and out == "", (words, out, err)
        assert f"the server does not answer with a policy, but with {said}" in err
    assert not backups() and not place.requests(method="PUT")


def answering(status, code=None, is_of_s3=True, message="no"):
    """Return a call that is answered with an error, as boto3 has it."""
    def call(**_):
        raise ClientError({"Error": {"Code": code or str(status), "Message": message},
                           "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders":
                                                {"x-amz-request-id": "1"} if is_of_s3 else {}}},
                          "HeadObject")
    return call


@pytest.mark.parametrize("call, may_be_gone, said", (
    (lambda: None, False, ""), (answering(403), False, "403"),
    (answering(403, "AccessDenied"), True, "AccessDenied"), (answering(404), True, ""),
    (answering(404), False, None), (answering(404, is_of_s3=False), True, None),
    (answering(404, is_of_s3=False), False, None), (answering(404, "NoSuchBucket"), True, None),
    (answering(404, "NoSuchKey"), False, None), (answering(304), True, None),
    (answering(500, "InternalError"), True, None)))
def test_what_is_a_refusal(call, may_be_gone, said):
    """S3's own words only: the 404 of a proxy does not say that S3 lets us in."""
    if said is None:
        with pytest.raises(Fault):
            refusal(call, may_be_gone)
    else:
        assert refusal(call, may_be_gone) == said


def test_a_page_in_place_of_an_answer_is_not_a_permission(place, run):
    """What the rehearsal asks is answered with a proxy's 404, once the rehearsal is there: nobody
    knows whether this server would spare us, and the policy is not put.
    """
    run("plan", "b", *ONLY_ME)
    place.fault("page", key="", times=None,
                where=lambda request: "versioning" in request.query
                and "S3KitRehearsal" in (place.bucket("b").policy or ""))
    status, _, err = run("apply", "b", "--yes")
    assert status == 1 and "status 404, and is not S3's" in err and live(place) == OLD
    assert not [request for request in place.log
                if request.method == "PUT" and b"S3KitOnlyMe" in request.body]


def test_what_is_tried_as_the_caller():
    """A key that went since it was listed is not a refusal; a bucket that went is not a permission.
    """
    class Client:
        """Answers as it is told."""

        def list_objects_v2(self, **_):
            """Return one key."""
            return {"Contents": [{"Key": "k"}]}

        head_bucket, head_object = staticmethod(lambda **_: {}), staticmethod(answering(404))

    class Session:
        """Has the client."""

        client = Client()

    assert Live(Session).tries("b") == {"list": ("s3:ListBucket", "", ""),
                                        "head": ("s3:ListBucket", "", ""),
                                        "head of an object": ("s3:GetObject", "k", "")}
    Client.head_object = staticmethod(answering(403))
    assert Live(Session).tries("b")["head of an object"][2] == "403"
    Client.head_bucket = staticmethod(answering(404))
    with pytest.raises(Fault):
        Live(Session).tries("b")
