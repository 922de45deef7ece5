# A bucket, its versions, what it was; columns that differ from run to run are cut out.
try 's3-manifest s3://pipes-flat | cut -d, -f1-6,8,9,14'
try 's3-manifest --versions s3://pipes-versions | cut -d, -f1,2,4-6,8,14'
try 's3-manifest s3://pipes-versions/old | cut -d, -f1,2,4-6'
try 's3-manifest --at 2020-01-01 s3://pipes-versions'

# Forms.
try 's3-manifest -f xml s3://pipes-flat/img/ | untimed'
try 's3-manifest s3://pipes-flat/nothing-like-it | tail -n 1'
try 's3-manifest -o flat.csv.gz s3://pipes-flat; gzip -dc flat.csv.gz | tail -n 1'

# By hand: bare rows, columns in any order, a row that makes no sense.
try 'printf "key\na.txt\nimg/one.jpg\n" | s3-manifest --bucket pipes-flat | cut -d, -f1,2,14'
try 'printf "1,a.txt,me\n" | s3-manifest --bucket pipes-flat --columns size,key,owner | cut -d, -f1,2,6,19'
try 'printf "bucket,key,size\npipes-flat,a.txt,six\npipes-flat,b%%,1\n" | s3-manifest | cut -d, -f1,2,6,14,18'

# Filters: the last rule that matches decides.
try 's3-manifest --include "img/*" --exclude "*.png" s3://pipes-flat | keys | tr "\0" "\n"'
try 's3-manifest --exclude-regex "[^a-z./]" --min-size 6 --max-size 1k --newer 1h s3://pipes-flat | keys | tr "\0" "\n"'

# A directory.
mkdir -p tree/sub && printf 12345 > tree/sub/five && ln -s five tree/sub/link
try 's3-manifest --bucket anywhere tree | cut -d, -f1,2,6,14,15'

# A manifest that was cut, a count that is not true, and what is no manifest.
s3-manifest s3://pipes-flat -o flat.csv
try 'head -n 4 flat.csv | s3-manifest | cut -d, -f1,2'
try 'grep -v img flat.csv | s3-manifest | tail -n 1 | cut -d, -f1,2'
try 'grep -v img flat.csv > edited.csv; s3-manifest edited.csv | tail -n 1'
try 's3-manifest < /dev/null'
try 'echo "{}" | s3-manifest'
try 's3-manifest nothing-like-it'
try 's3-manifest s3://pipes-no-such-bucket'
try 's3-manifest --versions --at 1d s3://pipes-flat'
