# A plan is a document; nothing is put. One more principal than oneself must keep access.
GLASS=arn:aws:iam::000000000000:user/glass
try 's3-policy plan pipe-policy -t only-me'
try "s3-policy plan pipe-policy -t only-me --exempt $GLASS; s3-policy show pipe-policy | tr -d ' \n' | cut -c1-150"
try 's3-policy diff pipe-policy'
try 's3-policy check pipe-policy'

# Applied, looked at, taken back.
try 's3-policy apply pipe-policy'
try 's3-policy apply -n pipe-policy > /dev/null'
try 's3-policy apply --yes pipe-policy && s3-policy diff pipe-policy && s3-policy show --live pipe-policy | grep Sid'
try 's3-policy apply --all --yes'
try 's3-policy rollback --yes pipe-policy && s3-policy show --live pipe-policy'
try 's3-policy rollback --yes pipe-policy'

# What a pipeline needs, on the keys of a manifest; what an editor broke is not put.
try "s3-manifest s3://pipe-policy | s3-policy plan - -t migrate --pipeline 's3-fetch -d data'; s3-policy diff pipe-policy | grep -v -e Effect -e Principal"
echo '{' > policies/pipe-policy.json
try 's3-policy apply --yes pipe-policy'
