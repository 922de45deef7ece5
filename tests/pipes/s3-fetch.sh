# The whole bucket; rows come in the order in which they are done.
try 's3-manifest s3://pipes-flat | s3-fetch -j 2 -d data | rows 1-6,8,14-'
try 'cd data && find . -type f -not -path "./.s3kit/*" | sort && cat pipes-flat/b/* && ls .s3kit/parts && cd ..'

# Again: nothing to do. -n says so, and passes all rows on.
s3-manifest s3://pipes-flat -o flat.csv
try 's3-fetch -n -d data flat.csv | rows 14 | uniq -c'
try 's3-fetch -d data flat.csv | tail -n 1'
try 'rm data/pipes-flat/a.txt; s3-fetch -n -d data flat.csv | rows 14 | uniq -c'
try 's3-fetch -d data -o fetched.csv flat.csv; rows 14,17 < fetched.csv | uniq -c'

# All versions: a key's first has its name, a key beside others below it gives way.
try 's3-manifest --versions s3://pipes-versions | s3-fetch -j 1 -c 1 -d all | untimed | rows 2,4-6,14,15,17'

# By hand: only keys. What is not there is named; the others are fetched.
try 'printf "a.txt\nnothing\nimg/one.jpg\n" | s3-fetch --bucket pipes-flat --columns key -d hand | rows 2,6,14,15,17,18'
try 'printf "bucket,key\npipes-flat,a.txt\npipes-flat,100%%\n" | s3-fetch -d hand | rows 1,2,14,18'

# Lists of keys as they are: of another command, and in a file.
try 's3-list -R0 s3://pipes-flat/b/ | s3-fetch --bucket pipes-flat -0 -d keys | rows 2,14'
try 'echo b/100%.txt > keys.txt; s3-fetch --bucket pipes-flat --keys keys.txt -d keys | rows 2,14'

# What others found out is passed on as it is.
try 'printf "bucket,key,state\npipes-flat,a.txt,verified\npipes-flat,b,vanished\n" | s3-fetch -d other | rows 1,2,14,15; ls other'

# Cut input: the rows that came are done, the end mark is not written.
try 'head -n 4 flat.csv | s3-fetch -d cut | grep -v ^bucket | cut -d, -f1,2,14'
try 's3-fetch -d cut nothing.csv'
try 's3-fetch -i -d cut < flat.csv'
try 's3-fetch -f json'
