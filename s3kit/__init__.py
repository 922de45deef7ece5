"""s3kit: small Unix commands that move whole S3 buckets with proof.

The house. A package may use `cores`, `errors`, `executor`, `units` and `text`, which lie here, itself, and the
packages named behind it. tests/test_house.py reads this table.

package   | what it is for                                 | may use
proof     | what S3 says of bytes, what we compute of them |
disk      | the destination: names, files, locks, ledger   | proof
s3        | reaching S3: settings, requests, answers       | proof
manifest  | rows, and the streams that carry them          | disk
transfer  | workers move bytes between S3 and files        | proof disk s3
listing   | what a bucket holds, in the order of its keys  | disk s3 manifest
pipeline  | rows through executors, and out again          | disk s3 manifest transfer
policy    | bucket policies: documents, evaluation, plans  | disk s3 manifest
migrate   | the whole journey of a bucket, in phases       | disk manifest
cli       | options, streams, signals, exit status         | manifest
fetch     | the work of s3-fetch                           | proof disk s3 manifest transfer pipeline
verify    | the work of s3-verify                          | proof disk s3 manifest transfer pipeline
prune     | the work of s3-prune                           | disk s3 manifest listing pipeline
restore   | the work of s3-restore                         | s3 manifest listing pipeline
doctor    | the work of s3-doctor                          | proof disk s3 manifest transfer listing pipeline
commands  | the options of each command, then its work     | *
"""

__version__ = "0.1.0"
