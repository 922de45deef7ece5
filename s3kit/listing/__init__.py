"""What a bucket holds, in the order of its keys."""
