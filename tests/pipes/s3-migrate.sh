# All phases but the last; then where everything is.
try 's3-migrate --no-delete -d data pipes-migrate pipes-migrate-versions'
try 's3-migrate status --no-delete -d data; ls data/.s3kit/migration/*'

# Nobody to ask, and no yes: nothing goes. A file that changes is found when it is verified, and keeps its whole bucket.
try 's3-migrate -d data pipes-migrate-versions'
echo more >> data/pipes-migrate/a.txt; rm data/.s3kit/migration/pipes-migrate/4-verified.csv
try 's3-migrate -d data --yes pipes-migrate --yes pipes-migrate-versions pipes-migrate pipes-migrate-versions'
try 's3-migrate errors -d data | rows 1,2,14,18; s3-list -R s3://pipes-migrate; s3-list --versions -R s3://pipes-migrate-versions'

# Fetched again, verified, and deleted with a yes; what came since stays.
try 's3-migrate retry-errors -d data'
try 's3-migrate run -q -d data --yes pipes-migrate pipes-migrate; s3-list -R s3://pipes-migrate'
try 's3-migrate status -d data'
try 's3-migrate reset -d data pipes-migrate'
