"""The work of s3-doctor."""
