"""What S3 says of an object's bytes, and what we compute of them."""
