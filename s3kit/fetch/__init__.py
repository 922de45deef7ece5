"""The work of s3-fetch."""
