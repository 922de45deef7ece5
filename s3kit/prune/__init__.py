"""The work of s3-prune."""
