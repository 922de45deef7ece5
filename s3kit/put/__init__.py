"""The work of s3-put."""
