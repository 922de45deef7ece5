# Levels, whole buckets, versions; names for people, for scripts, for machines.
try 's3-list s3://pipes-flat'
try 's3-list s3://pipes-flat/b/ s3://pipes-flat/img/o'
try 's3-list -R s3://pipes-flat/'
try 's3-list -R0 s3://pipes-flat/t | od -An -c'
try 's3-list -lH s3://pipes-flat/ | untimed'
try 's3-list -lR --versions s3://pipes-versions/ | untimed'
try 's3-list -R --versions --json s3://pipes-versions/old | untimed'
try 's3-list -R --summarize s3://pipes-flat/img/'
try 's3-list -R --json --summarize s3://pipes-versions/doc --versions | wc -l'
try 's3-list -R --versions --summarize s3://pipes-versions/old/'

# What is not there, and what cannot be.
try 's3-list s3://pipes-flat/nothing-like-it'
try 's3-list s3://pipes-no-such-bucket'
try 's3-list pipes-flat'
try 's3-list --json'" | grep pipes- | sed 's/, \"created.*//'"
