"""The whole journey of a bucket, in phases."""
