"""Published check values of S3's checksum algorithms, and bytes that arrive in pieces."""

import base64
import hashlib

# The digests of `123456789` in S3's base64.
NINE = b"123456789"
CHECK_VALUES = {"crc32": "y/Q5Jg==", "crc32c": "4waSgw==", "crc64nvme": "rosUhgp5mIg=",
                "xxhash64": "jLhB20DmroM=", "xxhash3": "ctyxi2ehff8=",
                "xxhash128": "MxGUd+3l3NXpcWQnaB1YYA==", "sha1": "98O8HYCOBHMq32eZZczDTKeuNEE=",
                "sha256": "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
                "md5": base64.b64encode(hashlib.md5(NINE).digest()).decode(),
                "sha512": base64.b64encode(hashlib.sha512(NINE).digest()).decode()}


def cut(data, places):
    """Return the bytes cut at the places, a generator of pieces; empty pieces included."""
    borders = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in zip(borders, borders[1:])]
