"""S3's checksums: computing them, and combining those of parts."""

import zlib
from functools import lru_cache

import xxhash

# By cost, cheapest first: GB/s on one core 8.5 8.5 8 6 8 3.3 1.4 1.0 0.68 0.58.
ALGORITHMS = ("crc64nvme", "crc32c", "xxhash128", "xxhash3", "xxhash64", "crc32", "sha1", "sha256",
              "md5", "sha512")
# The type of a checksum that is one of the whole object's bytes, also if it came in parts: a CRC.
FULL_OBJECT = "FULL_OBJECT"
CRC_BYTES = {"crc32": 4, "crc32c": 4, "crc64nvme": 8}
DIGEST_BYTES = CRC_BYTES | {"xxhash64": 8, "xxhash3": 8, "xxhash128": 16, "sha1": 20, "sha256": 32,
                            "md5": 16, "sha512": 64}


class Crc:
    """A CRC with hashlib's face, and `value` for combining."""

    def __init__(self, algorithm):
        self.bytes = CRC_BYTES[algorithm]
        self.function = crc_function(algorithm)
        self.value = 0

    def update(self, data):
        """Take the next bytes."""
        self.value = self.function(data, self.value)

    def digest(self):
        """Return the CRC, big-endian, as S3 encodes it."""
        return self.value.to_bytes(self.bytes, "big")


@lru_cache
def crc_function(algorithm):
    """Return f(data, previous) -> int for a CRC; awscrt is loaded only where it is needed."""
    if algorithm == "crc32":
        return zlib.crc32
    from awscrt import checksums
    return checksums.crc32c if algorithm == "crc32c" else checksums.crc64nvme


def combine_crc(algorithm, first, second, second_length):
    """Return the CRC of two byte strings joined, from their CRCs and the second's length in bytes.
    """
    from awscrt import checksums
    combine = {"crc32": checksums.combine_crc32, "crc32c": checksums.combine_crc32c,
               "crc64nvme": checksums.combine_crc64nvme}[algorithm]
    return combine(first, second, second_length)


def hasher(algorithm):
    """Return a fresh hash (update, digest) for S3's name of an algorithm, lower case."""
    if algorithm in CRC_BYTES:
        return Crc(algorithm)
    if algorithm.startswith("xxhash"):
        return {"xxhash64": xxhash.xxh64, "xxhash3": xxhash.xxh3_64, "xxhash128": xxhash.xxh3_128}[
            algorithm]()
    import hashlib  # OpenSSL takes longer to load than a small object to fetch
    return hashlib.new(algorithm, usedforsecurity=False)
