# Nobody to ask, nothing verified, no destination: nothing is deleted.
try 's3-manifest s3://pipes-prune | s3-fetch -q -d data -o p.csv; s3-prune -d data p.csv'
try 's3-prune --yes -d data p.csv | rows 2,14,18'
try 's3-prune -n -d elsewhere p.csv'

# A plan, then what it says; a file that was changed meanwhile keeps its object.
try 's3-verify -q -i -d data p.csv; s3-prune -n -d data p.csv | rows 2,14'
echo more >> data/pipes-prune/a.txt
try 's3-prune --yes -i -d data --undo undo.csv p.csv; rows 2,14,18 < p.csv; s3-list -R s3://pipes-prune'
try 'rows 2,14 < undo.csv; s3-prune --yes -i -d data p.csv; s3-verify -d data p.csv | rows 2,14'

# Old versions, then the newest but one, then all, and the delete marker.
try 's3-manifest --versions s3://pipes-prune-versions | s3-fetch -q -d data | s3-verify -q -d data -o v.csv'
try 's3-prune --yes --undo back.csv --keep-newest 2 -d data v.csv | rows 2,4,14'
try 's3-prune --yes --undo back.csv --noncurrent-only --max-delete 1 -d data v.csv | rows 2,4,14'
try 's3-prune --yes --undo back.csv --delete-markers -d data v.csv | rows 2,4,5,14; s3-list --versions -R s3://pipes-prune-versions'

# And back, in their order.
try 's3-put --history -d data --to s3://pipes-prune-versions/ back.csv | rows 2,4,5,14'
try 's3-manifest --versions s3://pipes-prune-versions -o w.csv; for m in v w; do rows 2,4-6,8 < $m.csv > $m; done; diff v w'
try 's3-put --history -d data --to s3://pipes-prune-versions/ back.csv -o again.csv'
try 's3-put --history -d data --to s3://pipes-prune/ back.csv'

# The other way round: local files that a whole manifest does not name.
try 's3-manifest s3://pipes-prune -o now.csv; touch data/pipes-prune/new.txt; sleep 0.1; s3-prune --local -n -d data now.csv | rows 2,15'
try 's3-prune --local --yes -d data now.csv | rows 2; ls data/pipes-prune'
try 'grep -v end now.csv | s3-prune --local --yes -d data'
