"""s3-policy check: who may do what before and after."""

import json
from pathlib import Path

from policyruns import OLD, ONLY_ME


def test_show_diff_and_check(place, run):
    """The document itself; how it differs, with status 1; who may do what, before and after."""
    assert run("show", "b")[0] == 1 and "nothing is planned" in run("diff", "b")[2]
    assert (json.loads(run("show", "b", "--live")[1]) == OLD
            and run("show", "c", "--live")[1] == "null\n")
    assert run("plan", "b", *ONLY_ME)[0] == 0
    assert json.loads(run("show", "b")[1]) == json.loads(Path("policies/b.json").read_text())
    status, out, _ = run("diff", "b")
    assert (status == 1 and "+ S3KitOnlyMe" in out and "+   Effect Deny\n+   Principal *" in out
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
