# Selecting keeps the order, and what is written is a whole manifest.
s3-manifest --versions s3://pipes-versions -o all.csv
try 's3-filter --latest --no-markers all.csv | cut -d, -f1,2,4-6'
try 's3-filter --noncurrent --state listed all.csv | cut -d, -f1,2,4-6'
try 's3-filter --markers all.csv | cut -d, -f1,2,4-6'
try 's3-filter --skip 1 --first 2 --exclude doc.txt all.csv | cut -d, -f1,2,4-6'
try 's3-filter --state verified all.csv | tail -n 1'
same 'no option selects nothing away' 's3-filter all.csv' 'cat all.csv'

# A row that makes no sense is named and stays; an input that was cut has no end mark.
try 'printf "bucket,key,size\nb,a,six\nb,c,1\n" | s3-filter --min-size 2 | cut -d, -f1,2,6,14,18'
try 'head -n 3 all.csv | s3-filter | cut -d, -f1,2'

# Asked wrongly.
try 's3-filter --state gone all.csv'
try 's3-filter --latest --noncurrent all.csv'
try 's3-filter < /dev/null'

# Shards: which part it is stands in the head, and goes on with the rows.
try 's3-filter --shard 1/3 all.csv | s3-manifest | cut -d, -f1,2,4-6'
try 's3-filter --shard 2/2 -f xml all.csv | sed -n 1p'
same 'the shards are the whole' 'for k in 1 2 3; do s3-filter --shard $k/3 all.csv; done | rows' 'cat all.csv | rows'
try 's3-filter --shard 0/2 all.csv'
try 's3-filter --shard auto/2 all.csv'
try 'JOB_COMPLETION_INDEX=1 s3-filter --shard auto/2 all.csv | sed -n 2p'

# Conditions.
try 's3-filter --where "size > 5 and not key like '"'old%'"' or is_delete_marker = true" all.csv | cut -d, -f1,2,4-6'
try 's3-filter --where "siez > 5" all.csv'
try 's3-filter --where "size > and key = 1" all.csv'

# Samples, pieces, and CSV for tools that know no comments.
try 's3-filter --sample 3 --seed 1 all.csv | tail -n 1'
try 's3-filter --split-rows 4 -o part-%02d.csv all.csv; tail -qn 1 part-*.csv'
try 's3-filter --split-size 30 -o part-%02d.csv all.csv'
try 's3-filter --split-size 30 -o size-%d.csv.gz all.csv; zcat size-*.gz | grep end'
try 's3-filter --bare --first 1 all.csv | cut -d, -f1,2,4-6'
try 's3-filter -f keys --latest --no-markers all.csv'
