# Two pipelines that must agree, in what they fetch and what they say of it.
all='s3-manifest s3://pipes-flat'

same 'through a pipe or through files' "$all | s3-fetch -d p1 | s3-verify -d p1 | rows" \
    "$all -o m; s3-fetch -d p2 m -o f; s3-verify -d p2 f -o v; rows < v"
same 'in place' "$all -o i.csv; s3-fetch -i -d p1 i.csv; rows < i.csv" "$all | s3-fetch -d p1 | rows"
same 'XML through the pipeline' "$all -f xml | s3-fetch -d p3 | s3-verify -d p3 | s3-manifest -f csv | rows" \
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
