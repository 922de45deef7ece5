"""s3-policy diff: the status says whether anything differs."""

import json

from policyruns import OLD, ONLY_ME


def test_what_differs(place, run):
    """In words or as JSON, bucket by bucket; 1 if any differs, 0 and nothing if none does."""
    assert run("plan", "b", "c", *ONLY_ME)[0] == 0 and run("apply", "b", "--yes")[0] == 0
    status, out, err = run("diff", "b", "c")
    assert (status, err) == (1, "") and out.startswith("s3://c\n+ S3KitOnlyMe\n")
    told = [json.loads(line) for line in run("diff", "b", "c", "--json")[1].splitlines()]
    assert [(each["bucket"], each["differs"], bool(each["changes"])) for each in told] == [
        ("b", False, False), ("c", True, True)]
    assert run("diff", "b") == (0, "", "")


def test_a_live_policy_that_cannot_be_read(place, run):
    """It differs from everything."""
    run("plan", "b", *ONLY_ME)
    place.bucket("b").policy = json.dumps(OLD)[:-1]
    status, out, _ = run("diff", "b")
    assert status == 1 and "- a policy that cannot be read" in out and "+ S3KitOnlyMe" in out
