"""Every way in which putting a policy can go wrong, and what is live then."""

import json

import pytest
from policyruns import ALICE, BOB, OLD, ONLY_ME, backups, circle, live, new_one

from s3kit.errors import Fault
from s3kit.policy import applying
from s3kit.policy.applying import READS, Applying
from s3kit.policy.directory import Backup
from s3kit.policy.intent import Intent


def test_the_live_policy_changes_under_our_hands(place, run):
    """Between our look and our PUT: nothing is put."""
    run("plan", "b", *ONLY_ME)
    other = OLD | {"Id": "somebody else's"}
    gets = []

    def meanwhile(request):
        if request.method == "GET" and "policy" in request.query:
            gets.append(request)
            if len(gets) == 2:
                place.bucket("b").policy = json.dumps(other)
    place.hook = meanwhile
    status, _, err = run("apply", "b", "--yes")
    assert (status == 1 and "changed just now" in err and live(place) == other
            and not place.requests(method="PUT"))


@pytest.mark.system("minutes")
@pytest.mark.parametrize("method, sub, said", [("PUT", "policy", "AccessDenied"),
                                               ("GET", "policy", "AccessDenied"),
                                               ("GET", "versioning", "we may not")])
def test_missing_permission(place, run, method, sub, said):
    """What may not be read cannot be kept, what may not be put is not put: the old policy stays."""
    run("plan", "b", *ONLY_ME)
    place.fault("status", key="", method=method, times=None, status=403, code="AccessDenied",
                where=lambda request: sub in request.query)
    status, _, err = run("apply", "b", "--yes")
    assert status == 1 and said in err and live(place) == OLD and "rolled back" not in err


@pytest.mark.system("minutes")
@pytest.mark.parametrize("old", [True, False])
@pytest.mark.parametrize("what", ["list", "head", "head of an object", "other policy"])
def test_what_is_not_as_expected_is_rolled_back(place, run, what, old):
    """S3 refuses us what it should not, or has another policy than we put."""
    if not old:
        place.bucket("b").policy = None
    run("plan", "b", *ONLY_ME)
    put = []

    def is_spoilt(request):
        kind = (("head of an object" if request.key else "head") if request.method == "HEAD"
                else "list" if "list-type" in request.query else "")
        return bool(put) and kind == what

    place.fault("status", key=None, method=None, times=None, status=403, code="AccessDenied",
                where=is_spoilt)

    def hook(request):
        if (
                put and len(put) == 1 and what == "other policy" and request.method == "GET"
                and "policy" in request.query):
            place.bucket("b").policy = json.dumps(OLD | {"Id": "other"})
        put.extend([1] * (new_one(request) or request.method == "DELETE"))
    place.hook = hook
    status, _, err = run("apply", "b", "--yes")
    assert status == 1 and ("b: rolled back to the old policy" if old
                            else "b: rolled back to no policy") in err
    assert ("another one when it is read back" if what == "other policy"
            else f"S3 refuses us now ({what}: ") in err
    assert live(place) == (OLD if old else None)


@pytest.mark.system("minutes")
def test_what_s3_shows_may_be_late(place, run):
    """It still shows the old policy after it took the new one: the old one is put again, not taken
    for live.
    """
    run("plan", "b", *ONLY_ME)
    shown, put = json.dumps(OLD), []
    place.fault("other", key="", method="GET", times=None, body=shown.encode(),
                where=lambda request: "policy" in request.query and len(put) == 1)

    def hook(request):
        if request.method == "PUT" and (b"OnlyMe" in request.body or put):
            put.append(request)
    place.hook = hook
    status, _, err = run("apply", "b", "--yes")
    assert (status == 1 and "b: rolled back to the old policy" in err and len(put) == 2
            and live(place) == OLD)


def test_an_answer_that_is_lost(place, run):
    """S3 took the policy, but nobody heard it: that is found out, and the old one put back."""
    run("plan", "b", *ONLY_ME)
    place.fault("status", key="", method="PUT", times=1, status=400, code="InvalidRequest",
                done=True, where=new_one)
    status, _, err = run("apply", "b", "--yes")
    assert status == 1 and "b: rolled back" in err and live(place) == OLD


def test_a_rollback_that_fails_is_loud(place, run):
    """Then only the root can help: where the old policy lies is said."""
    run("plan", "b", *ONLY_ME)
    put = []
    place.fault("status", key=None, method=None, times=None, status=403, code="AccessDenied",
                where=lambda request: bool(put))

    def hook(request):
        if put or (request.method == "GET" and "list-type" in request.query
                   and place.bucket("b").policy != json.dumps(OLD)
                   and "Rehearsal" not in place.bucket("b").policy):
            put.append(1)
    place.hook = hook
    status, _, err = run("apply", "b", "--yes")
    assert (status == 1 and "COULD NOT BE PUT BACK" in err and backups()[0].path in err
            and json.loads(backups()[0].text) == OLD)


class Place:
    """One bucket that takes policies as it is told: `late` reads still show the one before."""

    is_amazons = True

    def __init__(self, policy, late=0):
        self.policy, self.late, self.shown, self.puts = policy, late, policy, []

    def get(self, bucket):
        """Return what is shown."""
        if self.late:
            self.late -= 1
            return self.shown
        return self.policy

    def put(self, bucket, text, removes_self=False):
        """Take a policy."""
        self.puts.append(text)
        self.shown, self.policy = self.policy, text

    def tries(self, bucket):
        """Return that nothing is refused."""
        return {"list": ("s3:ListBucket", "", "")}


def applied(monkeypatch, bucket, text, late, **how):
    """Put a policy on a Place, reads of what is put being late; return what was kept."""
    monkeypatch.setattr(applying, "PAUSE", 0.001)
    kept = []

    class Kept:
        """In the directory's place."""

        def keep(self, *backup):
            """Remember."""
            assert not bucket.puts, "kept before anything is put"
            kept.append(backup)
            bucket.late = 0
            return Backup("b", "", "", "", "", "PATH")

    put = bucket.put

    def late_put(*given):
        put(*given)
        bucket.late = late if len(bucket.puts) == 1 else 0
    bucket.put = late_put
    Applying(bucket, Kept(), print, **how).run(Intent("b", circle(ALICE, BOB), OLD_TEXT, text))
    return kept


OLD_TEXT, NEW_TEXT = json.dumps(OLD), json.dumps(OLD | {"Id": "new"})


def test_it_is_read_until_it_is_there(monkeypatch):
    """S3 may show the old policy for a while."""
    bucket = Place(OLD_TEXT)
    assert applied(monkeypatch, bucket, NEW_TEXT, READS - 1) == [("b", OLD_TEXT, NEW_TEXT, "apply")]
    assert bucket.puts == [NEW_TEXT]


def test_it_is_taken_back_if_it_never_is(monkeypatch, capsys):
    """What is shown then is not believed: the old one is put again."""
    bucket = Place(OLD_TEXT)
    with pytest.raises(Fault, match="another one when it is read back"):
        applied(monkeypatch, bucket, NEW_TEXT, READS)
    assert bucket.puts == [NEW_TEXT, OLD_TEXT]
    assert capsys.readouterr().out == "b: rolled back to the old policy\n"


def test_a_signal_before_it_is_put(monkeypatch):
    """Then nothing is, and nothing has to be taken back."""
    bucket = Place(OLD_TEXT)
    with pytest.raises(Fault, match="stopped before it was put"):
        applied(monkeypatch, bucket, NEW_TEXT, 0, is_hurried=lambda: True)
    assert bucket.puts == []


def test_how_long_it_is_looked_at(monkeypatch):
    """As long as S3 has to settle, once at least; no longer than somebody has patience."""
    monkeypatch.setattr(applying, "PAUSE", 0.01)
    assert len(list(Applying(None, None, None).moments())) == 1
    assert 2 < len(list(Applying(None, None, None, 0.1).moments())) < 15
    assert len(list(Applying(None, None, None, 60, lambda: True).moments())) == 1
