"""The storage classes of S3 from which objects cannot be read at any time.

See "Storage class" of PutObject and "Restoring an archived object" in the Amazon S3 User Guide
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html).
"""

ARCHIVED_CLASSES = ("GLACIER", "DEEP_ARCHIVE")      # until they are restored
TIERING = "INTELLIGENT_TIERING"                     # where one of its archive tiers has them
