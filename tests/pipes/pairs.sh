# Two pipelines that must agree, each in words of its own.
all='s3-manifest s3://pipes-flat'

# Forms.
same 'XML and back' "$all -f xml | s3-manifest" "$all"
same 'XML and back, versions' 's3-manifest --versions -f xml s3://pipes-versions | s3-manifest -' 's3-manifest --versions s3://pipes-versions'
same 'CSV to XML is XML at once' "$all | s3-manifest -f xml" "$all -f xml"
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

# Fetching and verifying.
same 'through a pipe or through files' "$all | s3-fetch -d p1 | s3-verify -d p1 | rows" \
    "$all -o m; s3-fetch -d p2 m -o f; s3-verify -d p2 f -o v; rows < v"
same 'in place' "$all -o i.csv; s3-fetch -i -d p1 i.csv; rows < i.csv" "$all | s3-fetch -d p1 | rows"
same 'XML through the pipeline' "$all -f xml | s3-fetch -d p3 | s3-verify -d p3 | s3-manifest | rows" \
    "$all | s3-fetch -d p1 | s3-verify -d p1 | rows"
same 'output has the form of the input' "$all -f xml | s3-fetch -d p1 | sort" "$all | s3-fetch -d p1 | s3-manifest -f xml | sort"
same 'only keys are enough' "$all | rows 2 | s3-fetch --columns key --bucket pipes-flat -d p4 | rows 1,2,6,8,12,14-17" \
    "$all | s3-fetch -d p1 | rows 1,2,6,8,12,14-17"
same 'two at once share the work' "($all | s3-fetch -d p5 > f1 & $all | s3-fetch -d p5 > f2; wait; cat f1 f2) | rows 1,2,6,8,14-16" \
    'cat f f | rows 1,2,6,8,14-16'
same 'a dry run changes nothing' "$all | s3-fetch -n -d p6; ls p6" "$all"
same 'verify once more' "s3-verify -d p1 v | rows" 'rows < v'
same 'the tree names what was fetched' 's3-manifest p1 | rows 1,2,6,15' 'rows 1,2,6,15 < f'
same 'the tree is in the bucket' 's3-manifest p1 | cut -d, -f1,2,6,15 | s3-verify -d p1 | rows 1,2,6,14,15' 'rows 1,2,6,14,15 < v'
same 'the same tree' 'cd p1/pipes-flat; find . -type f -exec cat {} +' 'cd p4/pipes-flat; find . -type f -exec cat {} +'
