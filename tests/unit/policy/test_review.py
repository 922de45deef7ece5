"""What people read of policies: tables, differences, statements in words."""

from s3kit.policy import review
from s3kit.policy.identity import Caller, Circle

ME, GLASS = "arn:aws:iam::111111111111:user/me", "arn:aws:iam::111111111111:user/glass"
DENY = {"Sid": "D", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"], "Condition": {
            "StringNotEquals": {"aws:PrincipalArn": [ME, GLASS]},
            "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}}
READ = {"Effect": "Allow", "Principal": {"AWS": GLASS}, "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::b/*"}


def document(*statements):
    """Return a document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def test_table():
    """Before and after, columns that say the same joined."""
    circle = Circle(Caller(ME), [GLASS])
    assert review.table("b", document(READ), document(READ, DENY), circle) == [
        "                       Get/Put/DeleteBucketPolicy  ListBucket  GetObject  "
        "Put/DeleteObject",
        "the caller             -                           -           -          -",
        "user/glass             -                           -           allow      -",
        "the root               - > deny                    - > deny    - > deny   - > deny",
        "others of the account  - > deny                    - > deny    - > deny   - > deny",
        "other accounts         no > deny                   no > deny   no > deny  no > deny",
        "without signature      no > deny                   no > deny   no > deny  no > deny",
        "AWS services           -                           -           -          -"]
    lines = review.table("b", None, document(DENY), circle, ["arn:aws:iam::111111111111:role/x/Y"],
                         ["s3:GetObject", "s3:*"], "a/b")
    assert lines[0].split() == ["GetObject", "*"] and [line for line in lines
                                                       if line.startswith("role/x/Y")]


def test_differences():
    """Added, removed, changed; in IAM's words."""
    assert (review.differences(document(READ), document(READ)) == []
            == review.differences(None, None))
    assert review.differences(document(READ), document(DENY)) == [
        "- a statement without Sid", "-   Effect Allow", f"-   Principal AWS {GLASS}",
        "-   Action s3:GetObject", "-   Resource arn:aws:s3:::b/*", "+ D", "+   Effect Deny",
        "+   Principal *", "+   Action s3:*", "+   Resource arn:aws:s3:::b",
        "+   Resource arn:aws:s3:::b/*",
        f"+   Condition StringNotEquals aws:PrincipalArn {ME}, {GLASS}",
        "+   Condition BoolIfExists aws:PrincipalIsAWSService false"]
    other = DENY | {"NotAction": "s3:Get*", "Condition": {"Null": {"aws:TokenIssueTime": "true"},
                                                          "DateLessThan":
                                                          {"aws:CurrentTime": "2030-01-01"}}}
    del other["Action"]
    assert review.differences(document(DENY), document(other)) == [
        "~ D", "-   Action s3:*", f"-   Condition StringNotEquals aws:PrincipalArn {ME}, {GLASS}",
        "-   Condition BoolIfExists aws:PrincipalIsAWSService false", "+   NotAction s3:Get*",
        "+   Condition Null aws:TokenIssueTime true",
        "+   Condition DateLessThan aws:CurrentTime 2030-01-01"]
    spared = READ | {"Effect": "Deny", "NotPrincipal": {"AWS": [ME], "Service": "s3.amazonaws.com"}}
    del spared["Principal"]
    assert review.differences(None, document(spared))[2:4] == [
        f"+   NotPrincipal AWS {ME}", "+   NotPrincipal Service s3.amazonaws.com"]
    assert (review.differences(document(READ), document(READ) | {"Id": "x"})
            == ["~ Version or Id of the document"])


def test_where_an_action_is_asked():
    """Of an object or of its bucket: the resource of the one is never that of the other."""
    assert [review.is_of_objects(f"s3:{name}")
            for name in ("GetObject", "DeleteObjectVersion", "AbortMultipartUpload")] == [True] * 3
    assert ([review.is_of_objects(f"s3:{name}") for name in (
        "ListBucket", "ListBucketMultipartUploads", "GetBucketObjectLockConfiguration",
        "PutLifecycleConfiguration")] == [False] * 4)
