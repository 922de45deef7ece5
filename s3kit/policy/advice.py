"""What people should see and know of a document before it is put."""

from s3kit.policy import review
from s3kit.policy.evaluator import ALLOW, answer
from s3kit.policy.template import RECOVERY, arn_of

UNSEEN = "an organization's control policies may bind even the root, and cannot be seen from here"
ALLOW_ONLY = "this denies nothing: whoever has rights of their own in the account keeps them"
LIFECYCLE = "lifecycle rules go on deleting: no policy binds them"


def advise(run, bucket, document, circle):
    """Say what people should know before they rely on a document."""
    statements = document["Statement"]
    if "S3KitFreeze" in {each.get("Sid") for each in statements}:
        run.warn(LIFECYCLE)
    if not any(each["Effect"] == "Deny" for each in statements):
        run.warn(ALLOW_ONLY)
    _, stranger = circle.strangers()[0]
    if run.live.is_amazons and any(answer(document, stranger, action, arn_of(bucket, circle))
                                   .is_barred for action in RECOVERY):
        run.warn(UNSEEN)
    for name, cells in review.rows_of(bucket, None, document, circle):
        if name in review.OUTSIDE and any(will == ALLOW for _, will in cells):
            run.warn(f"{bucket}: this lets in requests of {name}" if name == "other accounts"
                     else f"{bucket}: this lets in requests {name}")


def show_table(run, bucket, documents, circle, file=None):
    """Print who may do what by (the old document, the new one), on stdout unless that is for JSON.
    """
    if run.args.json and not file:
        return
    args = run.args
    run.print([f"s3://{bucket} (the caller is {circle.caller.arn})", *review.table(
        bucket, *documents, circle, args.principal, args.action, args.key),
               "(- not said here: their own policies decide; ? depends on the request)"], file)
