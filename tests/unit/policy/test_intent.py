"""What may be put is judged, and compared with what is live, when it is put."""

import json
import os
from pathlib import Path

import pytest
from policyruns import OLD, ONLY_ME, backups, edit, live


@pytest.mark.system("minutes")
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


def test_the_live_policy_changed_since_the_plan(place, run):
    """Refused, unless told; the backup is of what was there."""
    run("plan", "b", *ONLY_ME)
    other = OLD | {"Id": "somebody else's"}
    place.bucket("b").policy = json.dumps(other)
    status, _, err = run("apply", "b", "--yes")
    assert status == 1 and "has changed since the plan" in err and live(place) == other
    assert run("apply", "b", "--yes", "--overwrite")[0] == 0
    assert json.loads(backups()[0].text) == other and len(live(place)["Statement"]) == 3


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
