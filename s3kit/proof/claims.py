"""What S3 claims of an object's bytes, and whether the bytes meet it."""

import base64
from typing import NamedTuple

from s3kit.proof.checksums import ALGORITHMS, DIGEST_BYTES, hasher

# What tools cut multipart uploads into: their defaults, the likeliest first.
MIB = 1 << 20
COMMON_PARTS = (8 * MIB, 5 * MIB, 16 * MIB, 8_306_688, 15 * MIB, 17 * MIB, 50 * MIB, 64 * MIB,
                100 * MIB, 10 * MIB, 20 * MIB, 25 * MIB, 32 * MIB, 128 * MIB, 200 * MIB, 256 * MIB,
                512 * MIB, 1024 * MIB, 5 * 1024 * MIB, 5_000_000, 8_000_000, 10_000_000, 16_000_000,
                100_000_000)
MOST_CANDIDATES = 8


class Parts:
    """A hash of hashes: one per part of `part_size` bytes, as multipart ETags and composites are
    made.
    """

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
        return self.done + ([self.current.digest()] if self.room < self.part_size or not self.done
                            else [])


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
    something else than an MD5 (Amazon S3 API Reference, "Object": SSE-KMS, SSE-C). Never two checks
    at once.
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
    """Return the Claim of an ETag taken as MD5, or as the MD5 of parts' MD5s.

    `size` is the object's, in bytes, None or -1 where it is not known.
    """
    text, dash, count = etag.partition("-")
    try:
        expected = bytes.fromhex(text)      # which passes over blanks
    except ValueError:
        return NO_CLAIM
    if len(expected) != 16 or len(text) != 32 or (dash and not is_count(count)):
        return NO_CLAIM
    if not dash:
        return Claim("full", "md5", expected, "etag-md5")
    claim = Claim("parts", "md5", expected, "etag-md5-parts", int(count))
    is_one = claim.count == 1 and size is not None and size >= 0
    return claim.with_part_size(max(size, 1)) if is_one else claim


def candidates(size, count):
    """Return the part sizes that `count` parts of an object of `size` bytes may have, likeliest
    first.

    All parts but the last are equal: part is in [ceil(size / n), (size - 1) // (n - 1)]. Of a size
    that is not known, -1, there are none.
    """
    if size < 0:
        return []
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
    """Return whether the digests of parts (bytes, in order) add up to what a `parts` claim expects.
    """
    if claim.count and len(parts) != claim.count:
        return False
    total = hasher(claim.algorithm)
    total.update(b"".join(parts))
    return total.digest() == claim.expected


class Check:
    """A claim being checked while the bytes go by: `update`, then `proof` (empty: they are not
    S3's).

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
        """Return the proof's name; `size` where nothing can be said; empty where the bytes are
        wrong.

        A guessed part size that does not fit proves nothing against the bytes.
        """
        if self.hash:
            return self.claim.proof if self.hash.digest() == self.claim.expected else ""
        for trial in self.trials:
            if is_met(self.claim, trial.all_parts()):
                return self.claim.with_part_size(trial.part_size).proof
        return "" if self.claim.part_size else "size"
