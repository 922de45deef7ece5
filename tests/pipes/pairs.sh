# Two pipelines that must agree, each in words of its own.
all='s3-manifest s3://pipes-flat'

# Forms.
same 'XML and back' "$all -f xml | s3-manifest -f csv" "$all"
same 'XML and back, versions' 's3-manifest --versions -f xml s3://pipes-versions | s3-manifest -f csv -' 's3-manifest --versions s3://pipes-versions'
same 'CSV to XML is XML at once' "$all | s3-manifest -f xml" "$all -f xml"
same 'a conversion keeps the form' "$all -f xml | s3-manifest" "$all -f xml"
same 'gzip and back' "$all -o all.csv.gz; s3-manifest all.csv.gz" "$all"
same 'through a file of rows without header' "$all | rows | s3-manifest | rows" "$all | rows"
same 'a manifest of manifests' "$all -o all.csv; s3-manifest s3://pipes-versions -o v.csv; s3-manifest all.csv v.csv" \
    's3-manifest s3://pipes-flat s3://pipes-versions'

# Names.
same 'list names what the manifest names' 's3-list -R0 s3://pipes-flat' "$all | keys"
same 'list --versions too' 's3-list -R0 --versions s3://pipes-versions' 's3-manifest --versions s3://pipes-versions | keys'
same 'JSON counts as many' 's3-list -R --json s3://pipes-flat | wc -l' "$all | rows | wc -l"
same 'buckets in a file' 'echo pipes-flat > list; s3-manifest --buckets-file list' "$all"

# Which versions.
same 'the latest versions are what is there' "s3-manifest --versions s3://pipes-versions | grep ,true,false, | rows" \
    's3-manifest s3://pipes-versions | rows'
same 'now is now' 's3-manifest --at 0s s3://pipes-versions' 's3-manifest s3://pipes-versions'

# Filters.
same 'include is exclude all but' "$all --include '*.txt'" "$all --exclude '*' --include '*.txt'"
same 'a glob is a regular expression' "$all --include '*.txt'" "$all --include-regex '\.txt\$'"
same 'a filter is grep' "$all --include 'img/*' | rows" "$all | grep ,img/ | rows"
same 'filter now or later' "$all --min-size 8" "$all | s3-manifest --min-size 8"
same 'both sides of a size make all' "($all --min-size 9; $all --max-size 8) | rows" "$all | rows"
