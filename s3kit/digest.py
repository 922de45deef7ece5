"""Digests and checksums: what S3 says of an object's bytes, what we compute, and what that proves.

Facts on ETags, composites and encodings: formats.md section 3. Nothing here hashes per byte in Python:
awscrt (CRC32C, CRC64NVME), zlib, hashlib and xxhash do.
"""

import base64
import zlib
from functools import lru_cache
from typing import NamedTuple

import xxhash

LEAF = 8 << 20          # bytes under one leaf of our digest
OURS = "xxh3-128:"
# By cost, cheapest first: GB/s on one core 8.5 8.5 8 6 8 3.3 1.4 1.0 0.68 0.58.
ALGORITHMS = ("crc64nvme", "crc32c", "xxhash128", "xxhash3", "xxhash64", "crc32", "sha1", "sha256", "md5", "sha512")
CRC_BYTES = {"crc32": 4, "crc32c": 4, "crc64nvme": 8}
DIGEST_BYTES = CRC_BYTES | {"xxhash64": 8, "xxhash3": 8, "xxhash128": 16, "sha1": 20, "sha256": 32, "md5": 16, "sha512": 64}
# What the tools of this world cut multipart uploads into; formats.md section 3.2.
MIB = 1 << 20
COMMON_PARTS = (8 * MIB, 5 * MIB, 16 * MIB, 8_306_688, 15 * MIB, 17 * MIB, 50 * MIB, 64 * MIB, 100 * MIB, 10 * MIB, 20 * MIB,
                25 * MIB, 32 * MIB, 128 * MIB, 200 * MIB, 256 * MIB, 512 * MIB, 1024 * MIB, 5 * 1024 * MIB,
                5_000_000, 8_000_000, 10_000_000, 16_000_000, 100_000_000)
MOST_CANDIDATES = 8


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
    """Return the CRC of two byte strings joined, from their CRCs and the second's length in bytes."""
    from awscrt import checksums
    combine = {"crc32": checksums.combine_crc32, "crc32c": checksums.combine_crc32c,
               "crc64nvme": checksums.combine_crc64nvme}[algorithm]
    return combine(first, second, second_length)


def hasher(algorithm):
    """Return a fresh hash (update, digest) for S3's name of an algorithm, lower case."""
    if algorithm in CRC_BYTES:
        return Crc(algorithm)
    if algorithm.startswith("xxhash"):
        return {"xxhash64": xxhash.xxh64, "xxhash3": xxhash.xxh3_64, "xxhash128": xxhash.xxh3_128}[algorithm]()
    import hashlib      # OpenSSL takes longer to load than a small object to fetch
    return hashlib.new(algorithm, usedforsecurity=False)


class Digest:
    """Our digest of a byte stream that starts at a leaf's border: xxh3-128 over leaves of 8 MiB."""

    def __init__(self):
        self.leaves = []
        self.leaf = xxhash.xxh3_128()
        self.room = LEAF

    def update(self, data):
        """Take the next bytes."""
        if len(data) < self.room:
            self.leaf.update(data)
            self.room -= len(data)
            return
        view = memoryview(data)
        while view:
            piece, view = view[:self.room], view[self.room:]
            self.leaf.update(piece)
            self.room -= len(piece)
            if not self.room:
                self.leaves.append(self.leaf.digest())
                self.leaf, self.room = xxhash.xxh3_128(), LEAF

    def all_leaves(self):
        """Return the leaves' digests (bytes), the last one perhaps of a short leaf."""
        return self.leaves + ([self.leaf.digest()] if self.room < LEAF else [])

    def text(self):
        """Return the digest as the row has it."""
        return join_leaves(self.all_leaves())


def join_leaves(leaves):
    """Return our digest of a whole file as text, from its leaves' digests in order."""
    if not leaves:
        return OURS + xxhash.xxh3_128_hexdigest(b"")
    if len(leaves) == 1:
        return OURS + leaves[0].hex()
    return OURS + xxhash.xxh3_128_hexdigest(b"".join(leaves))


def digest_of(data):
    """Return our digest of bytes that are all there is of a file."""
    if len(data) <= LEAF:
        return OURS + xxhash.xxh3_128_hexdigest(data)
    whole = Digest()
    whole.update(data)
    return whole.text()


class Parts:
    """A hash of hashes: one per part of `part_size` bytes, as multipart ETags and composites are made."""

    def __init__(self, algorithm, part_size):
        self.algorithm, self.part_size = algorithm, part_size
        self.done = []
        self.current, self.room = hasher(algorithm), part_size

    def update(self, data):
        """Take the next bytes."""
        view = memoryview(data)
        while view:
            piece, view = view[:self.room], view[self.room:]
            self.current.update(piece)
            self.room -= len(piece)
            if not self.room:
                self.done.append(self.current.digest())
                self.current, self.room = hasher(self.algorithm), self.part_size

    def all_parts(self):
        """Return the parts' digests (bytes) so far, the last one perhaps of a short part.

        Of nothing at all there is one part, and it is empty.
        """
        return self.done + ([self.current.digest()] if self.room < self.part_size or not self.done else [])


class Claim(NamedTuple):
    """What S3 says of an object's bytes, in the one form we chose to check.

    `kind` is `full`, `parts` or `none`; `expected` the raw digest; `proof` its name in the row;
    `count` and `part_size` belong to `parts` (part_size 0: not known).
    """

    kind: str
    algorithm: str = ""
    expected: bytes = b""
    proof: str = "size"
    count: int = 0
    part_size: int = 0

    def with_part_size(self, part_size):
        """Return the same claim, its parts' size in bytes now known."""
        proof = f"{self.proof.partition(':')[0]}:{part_size}"
        return Claim(self.kind, self.algorithm, self.expected, proof, self.count, part_size)


NO_CLAIM = Claim("none")


def claim_of(algorithm, kind, checksum, etag, size, md5_etag=True):
    """Return the cheapest Claim that a checksum (S3's base64) and an ETag allow.

    `kind` is S3's checksum type or empty; `md5_etag` is false where encryption makes the ETag
    something else than an MD5 (SSE-KMS, SSE-C; formats.md section 3.1). Never two checks at once.
    """
    claim = checksum_claim(algorithm.lower(), kind, checksum) if checksum else NO_CLAIM
    if claim.kind == "full":
        return claim
    by_etag = etag_claim(etag, size) if md5_etag else NO_CLAIM
    if by_etag.kind == "full" or claim.kind == "none":
        return by_etag
    return claim


def checksum_claim(algorithm, kind, checksum):
    """Return the Claim of S3's checksum field, or NO_CLAIM if it cannot be read."""
    if algorithm not in ALGORITHMS:
        return NO_CLAIM
    text, dash, count = checksum.partition("-")
    try:
        expected = base64.b64decode(text, validate=True)
    except ValueError:
        return NO_CLAIM
    if len(expected) != DIGEST_BYTES[algorithm] or (dash and not is_count(count)):
        return NO_CLAIM
    if not dash and kind.upper() != "COMPOSITE":
        return Claim("full", algorithm, expected, algorithm)
    return Claim("parts", algorithm, expected, f"{algorithm}-parts", int(count) if dash else 0)


def is_count(text):
    """Return whether the text after a dash is a number of parts; S3 allows 10,000."""
    return text.isascii() and text.isdigit() and len(text) <= 5


def etag_claim(etag, size):
    """Return the Claim of an ETag taken as MD5, or as the MD5 of parts' MD5s."""
    text, dash, count = etag.partition("-")
    try:
        expected = bytes.fromhex(text)
    except ValueError:
        return NO_CLAIM
    if len(expected) != 16 or (dash and not is_count(count)):
        return NO_CLAIM
    if not dash:
        return Claim("full", "md5", expected, "etag-md5")
    claim = Claim("parts", "md5", expected, "etag-md5-parts", int(count))
    return claim.with_part_size(max(size, 1)) if claim.count == 1 and size is not None else claim


def candidates(size, count):
    """Return the part sizes that `count` parts of an object of `size` bytes may have, likeliest first.

    All parts but the last are equal: part is in [ceil(size / n), (size - 1) // (n - 1)].
    """
    if count <= 1:
        return [max(size, 1)]
    low, high = -(-size // count), (size - 1) // (count - 1)
    fitting = [part for part in COMMON_PARTS if low <= part <= high]
    whole = -(-low // MIB)
    while whole * MIB <= high and len(fitting) < MOST_CANDIDATES:
        if whole * MIB not in fitting:
            fitting.append(whole * MIB)
        whole += 1
    return fitting[:MOST_CANDIDATES]


def is_met(claim, parts):
    """Return whether the digests of parts (bytes, in order) add up to what a `parts` claim expects."""
    if claim.count and len(parts) != claim.count:
        return False
    total = hasher(claim.algorithm)
    total.update(b"".join(parts))
    return total.digest() == claim.expected


class Check:
    """A claim being checked while the bytes go by: `update`, then `proof` (empty: they are not S3's).

    Where a part size is not known, the likely ones are all computed in the same pass.
    """

    def __init__(self, claim, size):
        self.claim = claim
        self.hash = None
        self.trials = []
        if claim.kind == "full":
            self.hash = hasher(claim.algorithm)
        elif claim.kind == "parts":
            sizes = [claim.part_size] if claim.part_size else candidates(size, claim.count)
            self.trials = [Parts(claim.algorithm, part) for part in sizes]

    def update(self, data):
        """Take the next bytes."""
        if self.hash:
            self.hash.update(data)
        for trial in self.trials:
            trial.update(data)

    def proof(self):
        """Return the proof's name; `size` where nothing can be said; empty where the bytes are wrong.

        A guessed part size that does not fit proves nothing against the bytes.
        """
        if self.hash:
            return self.claim.proof if self.hash.digest() == self.claim.expected else ""
        for trial in self.trials:
            if is_met(self.claim, trial.all_parts()):
                return self.claim.with_part_size(trial.part_size).proof
        return "" if self.claim.part_size else "size"
