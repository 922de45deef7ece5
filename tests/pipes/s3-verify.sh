# What was fetched is right; the proof is what S3 said.
try 's3-manifest s3://pipes-flat | s3-fetch -j 2 -d data -o flat.csv; s3-verify -j 2 -d data flat.csv | rows 2,14,15,17,18'

# What the disk did to it.
echo more >> data/pipes-flat/a.txt
printf X | dd of=data/pipes-flat/b/c\ d.txt conv=notrunc status=none
rm data/pipes-flat/img/one.jpg
rm data/pipes-flat/=sum.csv && mkdir data/pipes-flat/=sum.csv
try 's3-verify -j 2 -d data flat.csv | rows 2,14,17 | grep -v ,verified,'
try 's3-verify -d data -o bad.csv flat.csv; s3-fetch -d data bad.csv | s3-verify -d data | rows 2,14,15,17'

# What another tool left, under the keys themselves; what S3 says of it is asked.
mkdir -p other/img && printf 'alpha\n' > other/a.txt && printf '1234\n' > other/=sum.csv
try 's3-manifest s3://pipes-flat --include a.txt --include "=*" | s3-verify -d other | rows 2,14,15,17'
try 'printf "key\na.txt\n" | s3-verify --bucket pipes-flat -d other | rows 1,2,6,14,15,17'

# Nobody asked, nobody can tell: that is not verified. What is known as another bucket's is not this one's.
mkdir unknown && cp other/a.txt unknown
try 'printf "key\na.txt\n" | s3-verify --quick --bucket nowhere -d unknown | rows 1,2,14,15,17'
try 'printf "key\na.txt\n" | s3-verify --quick --bucket nowhere -d other | rows 1,2,14,15,17'
try 's3-verify --quick -d data flat.csv | rows 14,17 | uniq -c'
try 's3-manifest s3://pipes-flat --include "=*" | s3-verify -d other --discard | rows 2,14,17; ls other'

# Rows that are not ours to judge, cut input, no place.
try 'printf "bucket,key,state\nb,k,vanished\nb,k2,failed\n" | s3-verify -d other | rows 1,2,14'
try 'head -n 4 flat.csv | s3-verify -d data | grep -v ^bucket | cut -d, -f1,14'
try 's3-verify -d nothing-like-it flat.csv'
