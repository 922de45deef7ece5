"""s3kit: small Unix commands that move whole S3 buckets with proof."""

__version__ = "0.1.0"
