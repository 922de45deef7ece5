"""What s3-manifest --check finds: in a manifest, below a destination, and in S3."""
