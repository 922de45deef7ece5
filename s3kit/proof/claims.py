"""What S3 claims of an object's bytes, and whether the bytes meet it.

S3's own word is a checksum of the whole object, and one of parts whose sizes are all told. The rest
is derived: that an ETag is an MD5, that all parts are of one size. Where bytes do not meet a
derived claim, the claim may be wrong as well as the bytes: the same bytes, sent twice, count as the
object's, with the proof `size`, and no file is removed for it.
"""

import base64
from itertools import chain, repeat
from typing import NamedTuple

from s3kit.etags import old
from s3kit.proof.checksums import ALGORITHMS, CRC_BYTES, DIGEST_BYTES, hasher
from s3kit.units import number

# What tools cut multipart uploads into: their defaults, the likeliest first.
MIB = 1 << 20
COMMON_PARTS = (8 * MIB, 5 * MIB, 16 * MIB, 8_306_688, 15 * MIB, 17 * MIB, 50 * MIB, 64 * MIB,
                100 * MIB, 10 * MIB, 20 * MIB, 25 * MIB, 32 * MIB, 128 * MIB, 200 * MIB, 256 * MIB,
                512 * MIB, 1024 * MIB, 5 * 1024 * MIB, 5_000_000, 8_000_000, 10_000_000, 16_000_000,
                100_000_000)
MOST_CANDIDATES = 8
GUESS_MOST = 128 * MIB      # a range is one part at least: what is only guessed makes none longer


class Parts:
    """A hash of hashes: one per part of `part_size` bytes, or of the `sizes` that parts have, as
    multipart ETags and composites are made.
    """

    def __init__(self, algorithm, part_size, sizes=()):
        self.algorithm, self.part_size = algorithm, part_size
        self.done, self.sizes = [], chain(sizes, repeat(part_size or 1 << 62))
        self.begin()

    def begin(self):
        """Begin the next part."""
        self.current, self.room = hasher(self.algorithm), next(self.sizes)
        self.is_empty = True

    def update(self, data):
        """Take the next bytes."""
        view = memoryview(data)
        while view:
            piece, view = view[:self.room], view[self.room:]
            self.current.update(piece)
            self.is_empty = False
            self.room -= len(piece)
            if not self.room:
                self.done.append(self.current.digest())
                self.begin()

    def all_parts(self):
        """Return the parts' digests (bytes) so far, the last one perhaps of a short part.

        Of nothing at all there is one part, and it is empty.
        """
        return self.done + ([] if self.is_empty and self.done else [self.current.digest()])


class Claim(NamedTuple):
    """What S3 says of an object's bytes, in the one form we chose to check.

    `kind` is `full`, `parts` or `none`; `expected` the raw digest; `proof` its name in the row;
    `count`, `part_size` (0: not known) and `sizes` (of all parts, where they were told) belong to
    `parts`. `is_derived`: it rests on more than S3's word.
    """

    kind: str
    algorithm: str = ""
    expected: bytes = b""
    proof: str = "size"
    count: int = 0
    part_size: int = 0
    sizes: tuple = ()
    is_derived: bool = False

    @property
    def has_many_parts(self):
        """Whether its value depends on where the parts begin."""
        return self.kind == "parts" and self.count != 1

    @property
    def base(self):
        """The proof's name without a size of parts."""
        return self.proof.partition(":")[0]

    @property
    def is_unsure(self):
        """Whether bytes that do not meet it can be right all the same: it rests on an ETag, or on
        a guess.
        """
        return self.kind == "none" or self.is_derived or self.base.startswith("etag")

    def proof_by(self, found, digest, before):
        """Return what bytes are proven by: `found` is what a check of the claim says, `digest` ours
        of them, `before` ours of those that came before and did not meet it either, or ''.
        """
        return "size" if not found and self.is_derived and digest == before else found

    def with_part_size(self, part_size):
        """Return the same claim, its parts' size in bytes now known."""
        return self._replace(proof=f"{self.base}:{part_size}", part_size=part_size, sizes=())

    def with_sizes(self, sizes):
        """Return the same claim, the sizes of all parts now known; a checksum's is S3's word."""
        is_even = len(set(sizes[:-1])) == 1 and sizes[-1] <= sizes[0]
        return self._replace(proof=f"{self.base}:{sizes[0]}" if is_even else self.base,
                             count=len(sizes), part_size=0, sizes=tuple(sizes),
                             is_derived=self.base.startswith("etag"))


NO_CLAIM = Claim("none")


def claim_of(algorithm, kind, checksum, etag, size, md5_etag=True):
    """Return the cheapest Claim that a checksum (S3's base64) and an ETag allow.

    `kind` is S3's checksum type or empty; `md5_etag` is false where encryption makes the ETag
    something else than an MD5 (Amazon S3 API Reference, "Object": SSE-KMS, SSE-C). Never two checks
    at once.
    """
    claim = checksum_claim(algorithm.lower(), kind, checksum, etag) if checksum else NO_CLAIM
    if claim.kind == "full":
        return claim
    by_etag = etag_claim(etag, size) if md5_etag else NO_CLAIM
    if by_etag.kind == "full" or claim.kind == "none":
        return by_etag
    return claim


def checksum_claim(algorithm, kind, checksum, etag=""):
    """Return the Claim of S3's checksum field, or NO_CLAIM if it cannot be read.

    `kind` is its type, or ''. Without that, and without the number of parts that Amazon's S3 adds,
    the checksum of an object whose ETag says that it was made of parts is one of parts, too, if it
    is of a kind that S3 does not combine; of a CRC nobody can tell
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html).
    """
    if algorithm not in ALGORITHMS:
        return NO_CLAIM
    text, dash, count = checksum.partition("-")
    try:
        expected = base64.b64decode(text, validate=True)
    except ValueError:
        return NO_CLAIM
    if len(expected) != DIGEST_BYTES[algorithm] or (dash and not is_count(count)):
        return NO_CLAIM
    parts = number(count if dash else etag.partition("-")[2][:5]) or 0
    is_crc, is_told = algorithm in CRC_BYTES, bool(kind) or algorithm == "crc64nvme"
    if not dash and kind.upper() != "COMPOSITE" and (is_told or is_crc or not parts):
        return Claim("full", algorithm, expected, algorithm,
                     is_derived=bool(parts) and not is_told)
    return Claim("parts", algorithm, expected, f"{algorithm}-parts", parts, is_derived=parts != 1)


def is_count(text):
    """Return whether the text after a dash is a number of parts; S3 allows 10,000."""
    return text.isascii() and text.isdigit() and len(text) <= 5


def etag_claim(etag, size):
    """Return the Claim of an ETag taken as MD5, or as the MD5 of parts' MD5s.

    `size` is the object's, in bytes, None or -1 where it is not known.
    """
    text, dash, count = old(etag).partition("-")
    try:
        expected = bytes.fromhex(text)      # which passes over blanks
    except ValueError:
        return NO_CLAIM
    if len(expected) != 16 or len(text) != 32 or (dash and not is_count(count)):
        return NO_CLAIM
    if not dash:
        return Claim("full", "md5", expected, "etag-md5", is_derived=True)
    claim = Claim("parts", "md5", expected, "etag-md5-parts", int(count), is_derived=True)
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


def part_size_of(proof):
    """Return the part size in bytes that a proof names, or None."""
    return number(proof.partition(":")[2])


def by_likeliest(claim, size, likely):
    """Return a Claim by which ranges of an object of `size` bytes are hashed as they come: with the
    size that parts likely have, where nobody told it; with none where ranges cannot be hashed so.

    `likely` is the part size in bytes of another object of the bucket, or 0.
    """
    if claim.kind != "parts" or claim.count == 1 or claim.sizes:
        return claim._replace(part_size=0, sizes=())
    if claim.part_size or not claim.count:
        return claim
    if likely and -(-size // likely) == claim.count:
        return claim.with_part_size(likely)
    guessed = [part for part in candidates(size, claim.count)[:1] if part <= GUESS_MOST]
    return claim.with_part_size(guessed[0]) if guessed else claim


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
            self.trials = ([Parts(claim.algorithm, 0, claim.sizes)] if claim.sizes
                           else [Parts(claim.algorithm, part) for part in sizes])

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
                return (self.claim if self.claim.sizes
                        else self.claim.with_part_size(trial.part_size)).proof
        return "" if self.claim.part_size or self.claim.sizes else "size"
