"""s3-policy plan: what is written, and what is refused."""

import json
import os
import stat
from pathlib import Path

import pytest
from policyruns import ME, OLD, ONLY_ME, edit, live

from s3kit.policy.directory import Shelf


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


@pytest.mark.system("minutes")
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


def test_what_lets_everybody_in_is_said(place, run):
    """A policy that allows a stranger is worth a line."""
    Path("open.json").write_text(json.dumps({"Statement": [{"Sid": "Open", "Effect": "Allow",
                                                            "Principal": "*",
                                                            "Action": "s3:GetObject", "Resource":
                                                            "arn:aws:s3:::{bucket}/*"}]}))
    _, _, err = run("plan", "c", "-t", "open.json")
    assert ("lets in requests of other accounts" in err
            and "lets in requests without signature" in err and "this denies nothing" in err)


def test_a_bucket_that_is_not_there(place, run):
    """Said by name; the others are planned."""
    status, _, err = run("plan", "none", "c", "-t", "migrate")
    assert status == 1 and "none: S3 says NoSuchBucket" in err and Path("policies/c.json").exists()


def test_a_plan_that_is_refused_leaves_none(place, run):
    """`apply` would put the older one, which nobody meant any more; what was edited stays."""
    shut = {"Statement": [{"Sid": "Out", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
                           "Resource": "*"}]}
    Path("shut.json").write_text(json.dumps(shut))
    for words in (("-t", "shut.json"), ("-t", "shut.json", "--overwrite"), ("-t", "none.json")):
        assert run("plan", "b", "-t", "migrate")[0] == 0
        assert run("plan", "b", *words)[0] == 1
        status, _, err = run("apply", "b", "--yes")
        assert status == 1 and live(place) == OLD and not Path("policies/b.json").exists(), err
    assert run("plan", "b", "-t", "migrate")[0] == 0
    place.fault("status", key="", times=None, status=403)
    assert run("plan", "b", "-t", "read-only")[0] == 1 and not Path("policies/b.json").exists()
    place.faults.clear()
    assert run("plan", "b", "-t", "migrate")[0] == 0
    edit("policies/b.json", Action="s3:Get*")
    assert run("plan", "b", "-t", "shut.json", "--overwrite")[0] == 1
    assert json.loads(Path("policies/b.json").read_text())["Statement"][0]["Action"] == "s3:Get*"
