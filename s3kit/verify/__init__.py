"""The work of s3-verify."""
