# Through two volumes to another bucket; then again: nothing is to be delivered.
ends="--source-endpoint-url $AWS_ENDPOINT_URL_S3 --target-endpoint-url $AWS_ENDPOINT_URL_S3"
try 's3-relay --once --volume one --volume two $ends s3://pipes-flat/ s3://uploaded/relayed/'
try 's3-list -R s3://uploaded/relayed/'
try 's3-relay --once --volume one --volume two $ends s3://pipes-flat/ s3://uploaded/relayed/'
try 's3-relay status --volume one | sed "s:$PWD/::; /last hour/d"; find one two -type f | grep -v .s3kit'

# One that is larger than its volume may take fails, and stops no other.
try 's3-relay --once -w work --budget 10000 --volume three s3://pipes-flat/img/ s3://uploaded/small'
printf 'source: s3://pipes-flat/b/\ntarget: s3://uploaded/other/\nvolumes: [four]\nwork: elsewhere\n' > relay.yaml
try 's3-relay --once --config relay.yaml; s3-list s3://uploaded/other/'
try 's3-relay --once --config relay.yaml -w work'
try 's3-relay reset -w work --yes; ls -A work'
