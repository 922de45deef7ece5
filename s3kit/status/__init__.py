"""The work of s3-status: what destinations and manifests say, counted, for people and programs."""
