# What does not change from machine to machine: who we are, and what a bucket is set to.
try 's3-doctor pipes-flat pipes-versions 2> /dev/null | grep -e ^s3:// -e ^credentials'
try 's3-doctor --json pipes-versions 2> /dev/null | "$PYTHON" -c "import json, sys; print(*(each[\"versioning\"] for each in map(json.loads, sys.stdin) if \"bucket\" in each))"'

# Keys that S3 does not take; no keys; a bucket that is not there.
try 'AWS_SECRET_ACCESS_KEY=wrong s3-doctor -q | grep ^credentials'
try 'AWS_ACCESS_KEY_ID= AWS_SECRET_ACCESS_KEY= s3-doctor -q | grep ^credentials'
try 's3-doctor -q pipes-none | grep ^s3://'

try 's3-doctor --speed s3://pipes-flat pipes-flat'
