"""Workers move bytes between S3 and files."""
