# A tree: files, one of them in parts, a link that is named and not sent.
mkdir -p tree/d
printf 'alpha\n' > tree/a.txt
printf '<p>\n' > 'tree/d/b c.html'
: > tree/d/100%
yes s3kit | head -c 9000000 > tree/d/large
ln -s a.txt tree/link

# What would go, then up, then again: nothing is sent twice.
try 's3-put -n --to s3://uploaded/up/ tree | rows 2,6,14; ls -A tree'
try 's3-put -j 2 --to s3://uploaded/up/ tree | rows 1,2,6,8,14-'
rm tree/link
try 's3-put -j 2 --to s3://uploaded/up/ tree | rows 2,14,17'
try 's3-put -n --to s3://uploaded/up/ tree | rows 14 | uniq -c'

# Listed, fetched and compared: the same tree.
try 's3-manifest s3://uploaded/up/ | s3-fetch -j 2 -q -d down | rows 2,6,14,17'
try 'diff -r -x .s3kit tree down/uploaded/up && echo the same'

# From bucket to bucket: rows stay those of their source, and say where the copy is.
try 's3-manifest s3://pipes-flat | s3-fetch -q -d data | s3-put -j 2 -d data --to s3://uploaded-versions/ -o copied.csv'
try 'rows 1,2,8,14,17,19 < copied.csv | untimed'

# What is there is replaced if it may be, and is an old version then.
printf 'other\n' > data/pipes-flat/a.txt
try 'echo a.txt | s3-put --from keys -d data/pipes-flat --to s3://uploaded-versions/ --if-absent | rows 2,14,17,18'
try 'grep -e ^bucket -e ",a.txt," copied.csv | s3-put -d data --to s3://uploaded-versions/ | rows 2,14,17,18'
try 'echo a.txt | s3-put --from keys -d data/pipes-flat --to s3://uploaded-versions/ | rows 2,14,17,18'
try 's3-list --versions -R s3://uploaded-versions/a.txt | wc -l'

# Files that go when their copies are proven; the same rows, once more.
s3-manifest --bucket uploaded -o tree.csv tree
try 's3-put -d tree --remove-local --to s3://uploaded/up/ tree.csv | rows 14 | uniq -c; find tree -type f -not -path "*/.s3kit/*"'
try 's3-put -d tree --remove-local --to s3://uploaded/up/ tree.csv | rows 14 | uniq -c'

# By hand, cut input, and what is asked wrongly.
try 'printf "key\na.txt\nnothing\n" | s3-put -d data/pipes-flat --to s3://uploaded/hand/ | rows 2,14,18'
try 'head -n 4 copied.csv | s3-put -d data --to s3://uploaded/cut/ | grep -v ^bucket | cut -d, -f2,14 | sort'
try 's3-put --to s3://no-such-bucket/ data'
try 's3-put --to uploaded/up tree'
try 's3-put --to s3://uploaded/up/ --abort'
