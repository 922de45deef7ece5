"""s3-policy's verbs in this process: every way in which putting a policy can go wrong, and what is
live then.
"""

import json
import os
import stat
import sys
from functools import cache
from pathlib import Path

import botocore.session
import pytest
from aws import DOCUMENT, Services
from conftest import env_of
from fakes3 import FakeS3

from s3kit.commands import policy
from s3kit.errors import Fault
from s3kit.policy.directory import Shelf
from s3kit.s3.session import Session

ME, GLASS = "arn:aws:iam::111111111111:user/me", "arn:aws:iam::111111111111:user/glass"
OLD = {"Version": "2012-10-17", "Statement": [{"Sid": "Logs", "Effect": "Allow",
                                               "Principal": {"Service": "logging.s3.amazonaws.com"},
                                               "Action": "s3:PutObject",
                                               "Resource": "arn:aws:s3:::b/logs/*"}]}
ONLY_ME = ("-t", "only-me", "--exempt", GLASS)


create_loader = cache(botocore.session.create_loader)  # service models are read once for all tests


@pytest.fixture
def place(monkeypatch, tmp_path):
    """A fake S3 with a bucket `b` that has a policy, and one `c` that has none; services; a
    directory to work in.
    """
    with FakeS3() as fake, Services(ME) as services:
        monkeypatch.setattr(botocore.session, "create_loader", create_loader)
        for name in list(os.environ):
            if name.startswith("AWS_"):
                monkeypatch.delenv(name)
        for name, value in (env_of(fake) | services.env | {"AWS_CONFIG_FILE": "/nonexistent",
                                                           "AWS_SHARED_CREDENTIALS_FILE":
                                                           "/nonexistent"}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        fake.bucket("b").policy = json.dumps(OLD)
        fake.put("b", "k", b"bytes")
        fake.bucket("c")
        fake.services = services
        services.users["glass"] = GLASS
        yield fake


@pytest.fixture
def run(place, capsys):
    """Return run(words...) -> (status, stdout, stderr)."""
    def run(*words):
        args = policy.build_parser().parse_args(words)
        try:
            args.settle = 0 if words[0] in policy.CHANGING else None
            status = policy.policy(args)
        except Fault as fault:
            status = fault.status
            print(fault, file=sys.stderr)
        said = capsys.readouterr()
        return status, said.out, said.err
    return run


def live(fake, bucket="b"):
    """Return the live policy as a document, or None."""
    text = fake.bucket(bucket).policy
    return text and json.loads(text)


def edit(path, **changes):
    """Change the first statement of a planned document, as an editor would."""
    path = Path(path)
    found = json.loads(path.read_text())
    found["Statement"][0] |= changes
    path.write_text(json.dumps(found))


def backups(bucket="b"):
    """Return the backups of a bucket, the newest first."""
    return Shelf("policies").backups(bucket)


# --- plan


def test_plan_puts_nothing_and_keeps_what_is_there(place, run):
    """The live statement stays in the document; only GETs went out; files are for us alone."""
    status, out, err = run("plan", "b", "c", *ONLY_ME)
    assert (status, out) == (0, "") and "b: 'policies/b.json' planned: 2 statements added" in err
    assert ([each["Sid"] for each in json.loads(Path("policies/b.json").read_text())["Statement"]]
            == ["Logs", "S3KitOnlyMe", "S3KitRecovery"])
    assert ({request.method for request in place.log} == {"GET"} and live(place) == OLD
            and live(place, "c") is None)
    for folder, _, files in os.walk("policies"):
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        assert all(stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) == 0o600
                   for name in files)


@pytest.mark.parametrize("words, said", [
    (("plan", "b"), "--template only-me"), (("plan", "b", "-t", "only-me"), "one more principal"),
    (("plan", "-t", "tls-only"), "no bucket"),
    (("plan", "b", *ONLY_ME[:2], "--exempt", ME), "one more principal"),
    (("plan", "b", *ONLY_ME[:2], "--exempt", "glass"), "is not a principal"),
    (("plan", "b", *ONLY_ME[:2], "--exempt", "arn:aws:iam::111111111111:user/*"),
     "is not a principal"),
    (("plan", "b", *ONLY_ME[:2], "--exempt", "arn:aws:iam::111111111111:group/g"),
     "is not a principal"),
    (("plan", "s3://b/x", *ONLY_ME), "policies are of whole buckets"),
    (("plan", "b", *ONLY_ME, "--yes"), "--yes means nothing to 'plan'"),
    (("paln", "b"), "none of plan"), ((("apply"), "b", "-n", "--yes"), "contradict"),
    (("apply", "b", "--yes", "--canary", "z"), "'z' is none of"),
    (("apply", "b", "--yes", "--remove-self", "c"), "'c' is none of"),
    (("plan", "b", "-t", "migrate", "--pipeline", "cat"), "no command in it"),
    (("plan", "b", "-t", "migrate", "--pipeline", "s3-policy"), "s3-policy needs nothing"),
    (("check", "b", "--assume", "vpce"), "KEY=VALUE"),
    (("check", "b", "--principal", "me"), "'me' is not a principal"),
    (("check", "b", "--action", "GetObject"), "are like s3:GetObject"),
    (("rollback", "b", "c", "--yes", "--to", "x"), "of one bucket")])
def test_asked_wrongly(place, run, words, said):
    """Status 2 (1 for what is wrong with one bucket only), one line, nothing written."""
    status, out, err = run(*words)
    assert status in (1, 2) and said in err and out == "" and err.count("\n") == 1
    assert not Path("policies/b.json").exists() and not place.requests(method="PUT")


def test_plan_says_no_to_what_would_lock_out(place, run):
    """Also where the live policy does, in a statement that is not ours."""
    place.bucket("b").policy = json.dumps({"Statement": [{"Sid": "Vpc", "Effect": "Deny",
                                                          "Principal": "*", "Action": "s3:*",
                                                          "Resource": "*", "Condition": {
                                                              "StringNotEquals":
                                                              {"aws:SourceVpce": "vpce-1"}}}]})
    status, _, err = run("plan", "b", *ONLY_ME)
    assert (status == 1 and "'Vpc' may deny the caller every way back" in err
            and not Path("policies/b.json").exists())
    assert run("plan", "b", *ONLY_ME, "--assume", "aws:SourceVpce=vpce-1")[0] == 0


def test_plan_does_not_overwrite_silently(place, run):
    """Neither a document that somebody edited nor a statement of the same Sid."""
    assert run("plan", "b", *ONLY_ME)[0] == 0 and run("plan", "b", *ONLY_ME)[0] == 0
    edit("policies/b.json", Action="s3:Get*")
    status, _, err = run("plan", "b", "-t", "migrate")
    assert status == 1 and "was edited since it was planned" in err
    assert json.loads(Path("policies/b.json").read_text())["Statement"][0]["Action"] == "s3:Get*"
    assert run("plan", "b", "-t", "migrate", "--overwrite")[0] == 0
    Path("mine.json").write_text(json.dumps(OLD | {"Statement":
                                                   [OLD["Statement"][0] | {"Effect": "Deny"}]}))
    status, _, err = run("plan", "b", "-t", "mine.json")
    assert status == 1 and "another statement with the Sid 'Logs'" in err
    assert run("plan", "b", "-t", "mine.json", "--overwrite")[0] == 0


def test_plan_without_a_statement(place, run):
    """What shall go is named; the last one cannot go like that."""
    place.bucket("b").policy = json.dumps(OLD | {"Statement": [
        *OLD["Statement"], OLD["Statement"][0] | {"Sid": "More"}]})
    assert run("plan", "b", "--without", "Logs")[0] == 0
    assert ("1 statement removed" in run("apply", "b", "--yes")[2]
            and live(place)["Statement"][0]["Sid"] == "More")
    assert "nothing is left" in run("plan", "b", "--without", "More")[2]


def test_buckets_of_a_manifest_and_a_file(place, run):
    """Each bucket once; a migration may read the keys that are named, of the bucket that they are
    in.
    """
    Path("m.csv").write_text("bucket,key\nb,2024/a\nc,x\nb,2024/b\n")
    Path("names").write_text("c # and nothing else\ns3://b\n")
    assert (run("plan", "--manifest", "m.csv", "-t", "migrate", "--pipeline",
                "s3-fetch | s3-prune")[0] == 0)
    found = {each["Sid"]: each
             for each in json.loads(Path("policies/b.json").read_text())["Statement"]}
    assert found["S3KitMigrateObjects"]["Resource"] == ["arn:aws:s3:::b/2024/a",
                                                        "arn:aws:s3:::b/2024/b"]
    assert ("s3:DeleteObject" in found["S3KitMigrateObjects"]["Action"]
            and found["S3KitMigrateObjects"]["Principal"] == {"AWS": ME})
    assert (json.loads(Path("policies/c.json").read_text())["Statement"][1]["Condition"]
            == {"StringLike": {"s3:prefix": ["x"]}})
    status, _, err = run("plan", "--buckets-file", "names", "-t", "migrate", "--exclude-bucket",
                         "b")
    assert status == 0 and "c:" in err and "b:" not in err
    assert (run("plan", "--all", "-t", "read-only")[0] == 0
            and Shelf("policies").buckets() == ["b", "c"])
    place.bucket("unplanned")
    assert ("unplanned" in run("check", "--all", "--live")[1]
            and "unplanned" not in run("check", "--all")[1])


# --- looking


def test_show_diff_and_check(place, run):
    """The document itself; how it differs, with status 1; who may do what, before and after."""
    assert run("show", "b")[0] == 1 and "nothing is planned" in run("diff", "b")[2]
    assert (json.loads(run("show", "b", "--live")[1]) == OLD
            and run("show", "c", "--live")[1] == "null\n")
    assert run("plan", "b", *ONLY_ME)[0] == 0
    assert json.loads(run("show", "b")[1]) == json.loads(Path("policies/b.json").read_text())
    status, out, _ = run("diff", "b")
    assert (status == 1 and "+ S3KitOnlyMe" in out and "+   deny everybody" in out
            and "Logs" not in out)
    status, out, _ = run("diff", "b", "--json")
    assert status == 1 and json.loads(out)["differs"] is True
    status, out, err = run("check", "b", "--principal", "arn:aws:iam::111111111111:role/Other",
                           "--action", "s3:GetObject", "--action", "s3:PutBucketPolicy")
    rows = {line[:20].strip(): line[20:].split("  ") for line in out.splitlines()}
    assert status == 0 and "the caller is arn:aws:iam::111111111111:user/me" in out
    assert [cell for cell in rows["others of the accoun"] if "deny" in cell] and "role/Other" in out
    table = json.loads(run("check", "b", "--json")[1])["table"]
    assert (table["others of the account"]["s3:PutBucketPolicy"] == ["-", "deny"]
            and table["the caller"]["s3:PutBucketPolicy"] == ["-", "allow"])
    assert table["without signature"]["s3:GetObject"] == ["no", "deny"]
    assert (run("apply", "b", "--yes")[0] == 0 and run("diff", "b")[:2] == (0, "")
            and run("check", "b", "--live")[0] == 0)
    assert json.loads(run("show", "b", "--backup")[1]) == OLD


def test_what_lets_everybody_in_is_said(place, run):
    """A policy that allows a stranger is worth a line."""
    Path("open.json").write_text(json.dumps({"Statement": [{"Sid": "Open", "Effect": "Allow",
                                                            "Principal": "*",
                                                            "Action": "s3:GetObject", "Resource":
                                                            "arn:aws:s3:::{bucket}/*"}]}))
    _, _, err = run("plan", "c", "-t", "open.json")
    assert ("lets in requests of other accounts" in err
            and "lets in requests without signature" in err and "this denies nothing" in err)


# --- apply


def test_apply(place, run):
    """The old policy is on the disk before the new one is put; one PUT; the second time there is
    nothing to do.
    """
    run("plan", "b", "c", *ONLY_ME)
    seen = []
    place.hook = (lambda request: request.method == "PUT" and "Rehearsal" not in str(request.body)
                  and seen.append(len(backups(request.bucket))))
    status, out, err = run("apply", "b", "c", "--yes")
    assert status == 0 and seen == [1, 1] and err.count("applied") == 2
    assert json.loads(backups()[0].text) == OLD and backups("c")[0].text is None
    assert ([each["Sid"] for each in live(place)["Statement"]]
            == ["Logs", "S3KitOnlyMe", "S3KitRecovery"])
    assert not place.requests(method="DELETE")
    before = len(place.requests(method="PUT"))
    status, out, err = run("apply", "--all", "--yes")
    assert (status == 0 and err.count("has this policy already") == 2
            and len(place.requests(method="PUT")) == before)


def test_dry_run(place, run):
    """Everything is shown, nothing is put or kept."""
    run("plan", "b", *ONLY_ME)
    status, out, err = run("apply", "b", "-n")
    assert (status == 0 and "- > deny" in out and "+ S3KitOnlyMe" in out
            and "would be applied" in err)
    assert live(place) == OLD and not backups() and not place.requests(method="PUT")


@pytest.mark.parametrize("text, said", [("{", "this is not JSON"), ("", "this is not JSON"),
                                        ("[]", "JSON object"),
                                        ('{"Statement": []}', "has statements"),
                                        ('{"Statement": [{"Effect": "Deny"}]}', "statement 1"),
                                        ("\xff", "this is not JSON")])
def test_a_broken_document_is_never_put(place, run, text, said):
    """Whatever an editor left there."""
    run("plan", "b", *ONLY_ME)
    Path("policies/b.json").write_text(text)
    for verb in (("apply", "--yes"), ("diff",), ("check",)):
        status, _, err = run(verb[0], "b", *verb[1:])
        assert status == 1 and said in err
    assert live(place) == OLD and not place.requests(method="PUT")


@pytest.mark.parametrize("condition, said", [({}, "'Logs' denies the caller"), (
    {"StringNotEquals": {"aws:username": ["me"]}}, "'Logs' denies user/glass"), (
        {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}, "'Logs' may deny the caller")])
def test_apply_judges_what_it_puts(place, run, condition, said):
    """Not what was planned: an edit that locks out, or may, is refused."""
    run("plan", "b", *ONLY_ME)
    edit("policies/b.json", Effect="Deny", Principal="*", Action="s3:*",
         Resource=["arn:aws:s3:::b", "arn:aws:s3:::b/*"], Condition=condition)
    status, _, err = run("apply", "b", "--yes")
    assert (status == 1 and "refused: " in err and said in err and live(place) == OLD
            and not place.requests(method="PUT"))


def test_a_document_that_is_too_large(place, run):
    """20 KB, said before S3 does."""
    run("plan", "b", *ONLY_ME)
    edit("policies/b.json", Resource=[f"arn:aws:s3:::b/{number:0>100}" for number in range(200)])
    status, _, err = run("apply", "b", "--yes")
    assert status == 1 and "more than the 20,480" in err and live(place) == OLD


def test_the_live_policy_changed_since_the_plan(place, run):
    """Refused, unless told; the backup is of what was there."""
    run("plan", "b", *ONLY_ME)
    other = OLD | {"Id": "somebody else's"}
    place.bucket("b").policy = json.dumps(other)
    status, _, err = run("apply", "b", "--yes")
    assert status == 1 and "has changed since the plan" in err and live(place) == other
    assert run("apply", "b", "--yes", "--overwrite")[0] == 0
    assert json.loads(backups()[0].text) == other and len(live(place)["Statement"]) == 3


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


def test_a_document_without_a_plan(place, run):
    """Written by hand: the live policy would be lost, so it has to be said; where there is none it
    may be put.
    """
    os.mkdir("policies")
    for bucket in "bc":
        Path(f"policies/{bucket}.json").write_text(json.dumps(OLD | {"Id": "by hand"}))
    status, _, err = run("apply", "b", "--yes")
    assert status == 1 and "does not know of" in err and live(place) == OLD
    assert run("apply", "c", "--yes")[0] == 0 and run("apply", "b", "--yes", "--overwrite")[0] == 0


@pytest.mark.parametrize("text", ["", "{", "[]", "{}",
                                  '{"text": 1, "base": null, "key": "", "exempt": []}', "[" * 9999,
                                  '{"text": "", "base": null, "key": "", "exempt": [1]}',
                                  '{"text": "", "base": null, "key": "", "exempt": "me"}',
                                  '{"text": "", "base": null, "key": "", "exempt": ["x"]}'])
def test_what_is_known_of_a_plan_was_spoilt(place, run, text):
    """Nothing is put by it; it can be planned again."""
    run("plan", "b", *ONLY_ME)
    Path("policies/.s3kit/plans/b.json").write_text(text)
    status, _, err = run("apply", "b", "--yes")
    assert (status == 1 and ("plan again" in err or "is not a principal" in err)
            and live(place) == OLD)
    assert run("plan", "b", *ONLY_ME, "--overwrite")[0] == 0 and run("apply", "b", "--yes")[0] == 0


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


def test_a_bucket_that_is_not_there(place, run):
    """Said by name; the others are planned."""
    status, _, err = run("plan", "none", "c", "-t", "migrate")
    assert status == 1 and "none: S3 says NoSuchBucket" in err and Path("policies/c.json").exists()


def new_one(request):
    """Return whether a request puts the planned policy."""
    return (request.method == "PUT" and "policy" in request.query
            and b"Rehearsal" not in request.body)


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


def test_a_server_that_does_not_spare_us(place, run):
    """It is tried with a harmless action first; the policy itself is never put."""
    run("plan", "b", *ONLY_ME, "--by", "arn")
    place.fault("status", key="", times=None, status=403, code="AccessDenied",
                where=lambda request: "versioning" in request.query
                and "S3KitRehearsal" in (place.bucket("b").policy or ""))
    status, _, err = run("apply", "b", "--yes")
    assert status == 1 and "does not spare us by aws:PrincipalArn" in err and live(place) == OLD
    assert not [request
                for request in place.log if new_one(request) and b"S3KitOnlyMe" in request.body]


def test_the_canary_comes_first(place, run):
    """If it fails the others are not tried; without it they would have been."""
    run("plan", "b", "c", *ONLY_ME)
    fault = place.fault("status", key="", method="PUT", bucket="c", times=None, status=403,
                        code="AccessDenied")
    status, out, err = run("apply", "--all", "--yes", "--canary", "c", "--json")
    assert status == 1 and "1 other bucket not tried: 'c' came first" in err and live(place) == OLD
    assert [json.loads(line)["state"] for line in out.splitlines()] == ["failed", "not tried"]
    place.faults.remove(fault)
    assert run("apply", "--all", "--yes", "--canary", "c")[0] == 0
    assert [request.bucket
            for request in place.log if new_one(request) and request.status < 300] == ["c", "b"]


def test_half_of_all_fails(place, run):
    """Each bucket has its own end, the status is 1, and none is half done."""
    for name in ("d", "e"):
        place.bucket(name)
    run("plan", "b", "c", "d", "e", *ONLY_ME)
    place.fault("status", key="", method="PUT", bucket="c", times=None, status=403,
                code="AccessDenied")
    Path("policies/d.json").write_text("{")
    status, out, _ = run("apply", "--all", "--yes", "--json")
    assert status == 1
    assert ({each["bucket"]: each["state"] for each in map(json.loads, out.splitlines())}
            == {"b": "applied", "c": "failed", "d": "failed", "e": "applied"})
    assert (len(live(place)["Statement"]) == 3 and live(place, "c") is None
            and live(place, "d") is None and len(live(place, "e")["Statement"]) == 2)


def test_removing_oneself(place, run):
    """Only with the bucket's name, and only then S3 is told to let it happen."""
    run("plan", "b", *ONLY_ME)
    edit("policies/b.json", Effect="Deny", Principal={"AWS": ME}, Action="s3:*",
         Resource="arn:aws:s3:::b")
    assert run("apply", "b", "--yes")[0] == 1
    assert run("apply", "b", "--yes", "--remove-self", "b")[0] == 0
    assert [request.headers.get("x-amz-confirm-remove-self-bucket-access")
            for request in place.requests(method="PUT")] == ["true"]
    run("plan", "c", *ONLY_ME)
    run("apply", "c", "--yes")
    assert not [request for request in place.requests(bucket="c")
                if "x-amz-confirm-remove-self-bucket-access" in request.headers]


def test_s3_cannot_be_reached(place, run, monkeypatch):
    """Status 3, at the first bucket: it is no fault of theirs."""
    run("plan", "b", "c", *ONLY_ME)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    status, _, err = run("backup", "b", "c")
    assert status == 3 and err.count("Could not connect") == 1


def test_on_amazon_s_own(place, run, monkeypatch):
    """Principals are told by ARN, with the root and services spared; no rehearsal; what cannot be
    seen is said.
    """
    monkeypatch.setattr(Session, "is_custom", lambda session: False)
    assert "--by username is for servers" in run("plan", "b", *ONLY_ME, "--by", "username")[2]
    status, _, err = run("plan", "b", *ONLY_ME)
    assert status == 0 and "control policies may bind even the root" in err
    deny = json.loads(Path("policies/b.json").read_text())["Statement"][1]
    assert deny["Condition"] == {"StringNotEquals": {"aws:PrincipalArn":
                                                     [ME, GLASS, "arn:aws:iam::111111111111:root"]},
                                 "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}
    assert "AWS services" in run("check", "b")[1]
    assert (run("apply", "b", "--yes")[0] == 0
            and [new_one(request) for request in place.requests(method="PUT")] == [True])
    assert run("rollback", "b", "--yes")[0] == 0 and live(place) == OLD


# --- rollback and backup


def test_rollback(place, run):
    """Step by step to what was live before; to no policy where there was none; then there is
    nothing to do.
    """
    run("plan", "b", "c", "-t", "migrate")
    run("apply", "--all", "--yes")
    first = live(place)
    run("plan", "b", "-t", "read-only")
    run("apply", "b", "--yes")
    assert live(place) != first
    assert run("rollback", "b", "-n")[0] == 0 and live(place) != first
    assert run("rollback", "b", "--yes")[0] == 0 and live(place) == first
    assert run("rollback", "b", "--yes")[0] == 0 and live(place) == OLD
    status, _, err = run("rollback", "b", "--yes")
    assert status == 0 and "nothing to roll back" in err and live(place) == OLD
    assert ("rolled back to no policy" in run("rollback", "c", "--yes")[2]
            and live(place, "c") is None)
    assert len(place.requests(method="DELETE")) == 1


def test_rollback_of_what_changed(place, run):
    """A policy that apply did not put is not thrown away unless told; it is kept."""
    assert "has kept no backup" in run("rollback", "b", "--yes")[2]
    run("plan", "b", *ONLY_ME)
    run("apply", "b", "--yes")
    other = OLD | {"Id": "other"}
    place.bucket("b").policy = json.dumps(other)
    status, _, err = run("rollback", "b", "--yes")
    assert status == 1 and "is not the one that apply put" in err and live(place) == other
    assert run("rollback", "b", "--yes", "--overwrite")[0] == 0 and live(place) == OLD
    assert json.loads(backups()[0].text) == other


def test_rollback_to_a_backup(place, run):
    """Any that was kept, of this bucket; not if it would lock us out."""
    path = run("backup", "b")[1].strip()
    none = run("backup", "c", "--json")[1]
    run("plan", "b", *ONLY_ME)
    run("apply", "b", "--yes")
    run("plan", "b", "-t", "read-only")
    run("apply", "b", "--yes")
    assert "a backup of the bucket 'c'" in run("rollback", "b", "--yes", "--to",
                                               json.loads(none)["path"])[2]
    assert run("rollback", "b", "--yes", "--to", path)[0] == 0 and live(place) == OLD
    for text, said in (("{}", "is not a backup"), ("[]", "is not a backup"),
                       ("{", "is not a backup")):
        Path("bad").write_text(text)
        assert said in run("rollback", "b", "--yes", "--to", "bad")[2]
    assert "cannot open 'none'" in run("rollback", "b", "--yes", "--to", "none")[2]
    locking = Shelf("policies").keep("b", json.dumps({"Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}]})).path
    assert ("would lock us out" in run("rollback", "b", "--yes", "--to", locking)[2]
            and live(place) == OLD)


def test_a_broken_live_policy_is_kept_and_brought_back(place, run):
    """Letter by letter, although nobody can read it."""
    place.bucket("b").policy = "{ broken"
    assert "the live policy cannot be read" in run("plan", "b", *ONLY_ME)[2]
    place.bucket("b").policy = json.dumps(OLD)
    run("plan", "b", *ONLY_ME)
    place.bucket("b").policy = "{ broken"
    assert run("apply", "b", "--yes")[0] == 1
    assert run("apply", "b", "--yes", "--overwrite")[0] == 0 and backups()[0].text == "{ broken"


@pytest.mark.parametrize("text, said", (("<ListBucketResult/>", "'<ListBucketResult/>'"),
                                        ("<html>" + "x" * 99, "'<html>" + "x" * 34 + "'"),
                                        ("Not found", "'Not found'"), ("[]", "'[]'"),
                                        (" ", "nothing")))
def test_what_is_not_a_policy_is_not_kept(place, run, text, said):
    """A server that does not know policies answers with something else: that there is none is
    S3's own word, and nothing else is kept, compared or replaced.
    """
    run("plan", "b", *ONLY_ME)
    place.bucket("b").policy = text
    for words in (("plan",), ("apply", "--yes"), ("backup",), ("diff",), ("show", "--live"),
                  ("check",), ("rollback", "--yes")):
        status, out, err = run(words[0], "b", *words[1:], *(ONLY_ME if words == ("plan",) else ()))
        assert status == 1 and out == "", (words, out, err)
        assert f"the server does not answer with a policy, but with {said}" in err
    assert not backups() and not place.requests(method="PUT")


# --- who we are, and what Amazon thinks


def test_a_role_s_path_comes_from_iam(place, run):
    """A session of SSO is the role with its path; where IAM does not say it the user must."""
    services, role = (place.services,
                      "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/"
                      "AWSReservedSSO_A_1")
    services.arn = "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_A_1/me@here"
    status, _, err = run("plan", "b", *ONLY_ME, "--by", "arn")
    assert status == 3 and "cannot find the path of the role" in err
    services.roles["AWSReservedSSO_A_1"] = role
    assert run("plan", "b", *ONLY_ME, "--by", "arn")[0] == 0
    assert json.loads(Path("policies/b.json").read_text())["Statement"][
        1]["Condition"]["StringNotEquals"]["aws:PrincipalArn"] == [
            role, GLASS, "arn:aws:iam::111111111111:root"]
    services.refuses.add("GetRole")
    assert run("plan", "b", *ONLY_ME, "--by", "arn")[0] == 3
    assert run("plan", "b", *ONLY_ME, "--by", "arn", "--caller", role)[0] == 0


def test_an_exempt_that_is_not_there(place, run):
    """A name that is written wrongly, or a role without its path, spares nobody; S3 would not
    notice. Also when it is applied.
    """
    services = place.services
    status, _, err = run("plan", "b", "-t", "only-me", "--exempt", GLASS + "s")
    assert (status == 3
            and "there is no user 'arn:aws:iam::111111111111:user/glasss', IAM says" in err)
    services.roles["Admin"] = "arn:aws:iam::111111111111:role/aws-reserved/Admin"
    status, _, err = run("plan", "b", "-t", "only-me", "--by", "arn", "--exempt",
                         "arn:aws:iam::111111111111:role/Admin")
    assert (status == 3 and "but 'arn:aws:iam::111111111111:role/aws-reserved/Admin'" in err
            and not Path("policies/b.json").exists())
    # nobody asks about him; he could not take it back
    away = ("--exempt", "arn:aws:iam::222222222222:user/away")
    assert (run("plan", "b", "-t", "only-me", *away)[0] == 1
            and run("plan", "b", "-t", "read-only", *away)[0] == 0)
    assert run("plan", "b", *ONLY_ME)[0] == 0
    del services.users["glass"]
    status, _, err = run("apply", "b", "--yes")
    assert status == 1 and "there is no user" in err and live(place) == OLD
    services.refuses |= {"GetUser"}
    status, _, err = run("apply", "b", "--yes")
    assert status == 0 and err.count("IAM could not be asked (AccessDenied)") == 1


@pytest.mark.parametrize("arn", ["arn:aws:sts::111111111111:federated-user/me",
                                 "arn:aws:sts::111111111111:user/moto", "nobody"])
def test_a_caller_that_no_policy_can_name(place, run, arn):
    """Status 3, with the way out."""
    place.services.arn = arn + ":::::" * (arn == "nobody")
    status, _, err = run("plan", "b", *ONLY_ME)
    assert status == 3 and "--caller" in err and not Path("policies/b.json").exists()


def test_sts_does_not_answer(place, run):
    """The same; read-only verbs of documents need nobody."""
    place.services.refuses.add("GetCallerIdentity")
    status, _, err = run("plan", "b", *ONLY_ME)
    assert status == 3 and "cannot find out who we are" in err
    assert run("plan", "b", *ONLY_ME, "--caller", ME)[0] == 0
    assert (run("apply", "b", "--yes")[0] == 3 and run("check", "b")[0] == 3
            and run("rollback", "b", "--yes")[0] == 3 and live(place) == OLD)
    assert run("show", "b")[0] == 0 and run("diff", "b")[0] == 1 and run("backup", "b")[0] == 0


def test_what_iam_s_simulation_denies_is_not_put(place, run):
    """It is asked about each user that is exempt, with the policy; whoever does not answer stops
    nothing.
    """
    services = place.services
    run("plan", "b", *ONLY_ME)
    services.denied.add((GLASS, "s3:PutBucketPolicy"))
    status, _, err = run("apply", "b", "--yes")
    assert (status == 1 and "IAM's simulation denies user/glass PutBucketPolicy" in err
            and live(place) == OLD)
    asked = [query for action, query in services.asked if action == "SimulatePrincipalPolicy"]
    assert ({query["PolicySourceArn"] for query in asked} == {ME, GLASS}
            and "S3KitOnlyMe" in asked[0]["ResourcePolicy"])
    assert run("check", "b")[0] == 1
    services.refuses |= {"SimulatePrincipalPolicy", "ValidatePolicy"}
    status, _, err = run("apply", "b", "--yes")
    assert status == 0 and err.count("could not be asked (AccessDenied") == 2


def test_what_access_analyzer_finds(place, run):
    """Errors stop it, suggestions are passed on."""
    run("plan", "b", *ONLY_ME)
    finding = {"findingType": "SUGGESTION", "findingDetails": "could be shorter", "issueCode": "X",
               "learnMoreLink": "y", "locations": []}
    place.services.findings = [finding]
    status, _, err = run("check", "b")
    assert status == 0 and "Access Analyzer: suggestion: could be shorter" in err
    place.services.findings = [finding
                               | {"findingType": "ERROR", "findingDetails": "no such action"}]
    status, _, err = run("apply", "b", "--yes")
    assert status == 1 and "refused: Access Analyzer: no such action" in err and live(place) == OLD


@pytest.mark.parametrize("arn", ("arn:aws:iam::111111111111:user/me",
                                 "arn:aws:sts::111111111111:assumed-role/A/me"))
def test_answers_of_services_without_what_they_should_have(place, run, monkeypatch, arn):
    """Each of the services answers with an empty document, one after the other: a line, not a
    trace, and nothing is put that was not judged by somebody.
    """
    services = place.services
    services.roles["A"] = "arn:aws:iam::111111111111:role/A"
    services.arn, whole = arn, services.answer
    assert run("plan", "b", *ONLY_ME, "--by", "arn")[0] == 0
    for action in ("GetCallerIdentity", "GetRole", "GetUser", "SimulatePrincipalPolicy",
                   "/policy/validation", "/policy/validation of something"):
        def answer(path, body):
            if action.partition(" ")[0] not in path + body:
                return whole(path, body)
            if action.startswith("/"):
                return (200, "application/json",
                        '{"findings": [{}]}' if action.endswith("something") else "{}")
            return 200, "text/xml", DOCUMENT.format(action, "")
        monkeypatch.setattr(services, "answer", answer)
        for words in (("plan", "c", *ONLY_ME, "--by", "arn"), ("check", "b"), ("apply", "b", "-n")):
            status, _, err = run(*words)
            assert status in (0, 3), (action, words, err)
            if action == "GetCallerIdentity":
                assert status == 3 and "which no policy can name" in err
            elif action == "GetRole" and ":sts:" in arn:
                assert status == 3 and "IAM's answer has no ARN" in err
            elif action == "SimulatePrincipalPolicy" and words[0] != "plan":
                assert "IAM's simulation could not be asked (it gave no result)" in err or (
                    ":sts:" in arn)
            elif action == "/policy/validation" and words[0] != "plan":
                assert "Access Analyzer could not be asked (it gave no findings)" in err
