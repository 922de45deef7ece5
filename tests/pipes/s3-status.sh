# What is there, and what it rests on.
s3-manifest s3://pipes-flat | s3-fetch -q -j 2 -d data | s3-verify -q -j 2 -d data -o flat.csv
try 's3-status -d data | sed "s|^/.*/data:|DIR:|" | untimed'
try 's3-status < flat.csv'
same 'a manifest and its destination have the same figures' 's3-status --json flat.csv | figures' 's3-status --json -d data | figures'

# What the disk did to it: by cause, and once more.
echo more >> data/pipes-flat/a.txt
rm data/pipes-flat/img/*
try 's3-verify -j 2 -d data flat.csv | s3-status --errors | rows 1,2,14,18'
try 's3-status --errors -q -d data | s3-fetch -j 2 -d data | rows 1,2,14'
try 's3-status --errors -q -d data | tail -n 1'

# What was cut says so; rows without a state are wrong in no way, and nothing is proven.
try 'head -n 4 flat.csv | s3-status | head -n 2'
try 'printf "bucket,key,size\nb,k,7\nb,l,\n" | s3-status'

# What runs: nothing, where nobody has begun anything.
try 'XDG_RUNTIME_DIR=. s3-status < /dev/null'

# Asked wrongly.
try 's3-status -d nothing-like-it'
try 's3-status -d data flat.csv'
try 's3-status -o x flat.csv'
try 's3-status data'
