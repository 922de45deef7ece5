"""make bench: s3kit beside its peers, on the same work."""
