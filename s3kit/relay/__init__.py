"""The work of s3-relay."""
