"""The work of s3-restore."""
