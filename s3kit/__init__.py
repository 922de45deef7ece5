"""s3kit: small Unix commands that move whole S3 buckets with proof.

The house. A package may use itself, the packages named behind it, and what lies here: `cores`,
`errors`, `etags`, `executor`, `process`, `storage_classes`, `units` and `text`. tests/test_house.py
reads this table.

package  | what it is for                    | may use
proof    | S3's checksums, and our digest    |
disk     | a destination's files and ledger  | proof
s3       | requests to S3, and its answers   | proof
manifest | rows, and what streams carry them | proof disk
transfer | bytes between S3 and files        | proof disk s3
runs     | what running commands tell        | disk
listing  | a bucket's contents in key order  | disk s3 manifest
pipeline | rows through executors, and out   | disk s3 manifest transfer
policy   | bucket policies                   | disk s3 manifest
migrate  | a bucket's journey, in phases     | disk manifest pipeline
cli      | options, streams, signals, status | manifest runs
cluster  | rows on a Dask cluster's workers  | disk s3 transfer pipeline
fetch    | the work of s3-fetch              | proof disk s3 manifest transfer pipeline cluster runs
verify   | the work of s3-verify             | proof disk s3 manifest transfer pipeline cluster
put      | the work of s3-put                | proof disk s3 manifest transfer pipeline cluster
prune    | the work of s3-prune              | proof disk s3 manifest pipeline
restore  | the work of s3-restore            | s3 manifest listing pipeline cluster
filter   | the work of s3-filter             | disk s3 manifest
check    | the work of s3-manifest --check   | disk s3 manifest pipeline fetch restore
relay    | the work of s3-relay              | disk s3 manifest pipeline put filter
status   | the work of s3-status             | disk s3 manifest pipeline runs
doctor   | the work of s3-doctor             | proof disk s3 manifest transfer listing pipeline
commands | a command's options and its work  | *
"""

__version__ = "0.1.0"
