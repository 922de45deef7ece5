# Nothing here is in an archive: all goes on as it came, and S3 is asked nothing.
try 's3-manifest s3://pipes-flat | s3-restore --yes --wait --include "img/*" | rows 2,6,9,13,14'
same 'what needs nothing is passed on' 's3-manifest s3://pipes-flat | s3-restore --yes --wait' 's3-manifest s3://pipes-flat'

# What it would cost, by what a manifest says; S3 need not even be there.
printf '%s\n' bucket,key,size,storage_class b,one,1073741824,GLACIER b,two,1073741824,DEEP_ARCHIVE b,three,5,GLACIER_IR > m.csv
try 's3-restore --estimate m.csv'
try 's3-restore --estimate --tier Bulk --days 30 --max-pending 1 m.csv'
try 's3-restore --estimate -o x m.csv'

# S3 is believed, not the manifest: one can be read, the other is not there.
printf '%s\n' bucket,key,storage_class pipes-flat,a.txt,GLACIER pipes-flat,b/nowhere,DEEP_ARCHIVE > m.csv
try 's3-restore -n m.csv'
try 's3-restore --yes --wait m.csv | rows 2,9,13,14,18'
