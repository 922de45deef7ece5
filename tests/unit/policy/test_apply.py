"""s3-policy apply: what is put, in which order, and what is not."""

import json
from pathlib import Path

import pytest
from policyruns import GLASS, ME, OLD, ONLY_ME, backups, edit, live, new_one

from s3kit.s3.session import Session


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


def test_a_document_that_is_too_large(place, run):
    """20 KB, said before S3 does."""
    run("plan", "b", *ONLY_ME)
    edit("policies/b.json", Resource=[f"arn:aws:s3:::b/{number:0>100}" for number in range(200)])
    status, _, err = run("apply", "b", "--yes")
    assert status == 1 and "more than the 20,480" in err and live(place) == OLD


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


@pytest.mark.system("minutes")
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
