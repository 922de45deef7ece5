"""Digests that another program took of a file's bytes, as the column `digest` has them: `md5:HEX`,
`sha256:HEX` and the like, of the whole file.
"""

from s3kit.proof.digest import OURS

BYTES = {"md5": 16, "sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64,
         "xxh32": 4, "xxh64": 8, "xxh3": 8, "xxh128": 16}
BLAKE2B_BYTES = 64      # at most; any length has its own digest (RFC 7693)
XXHASH = {"xxh32": "xxh32", "xxh64": "xxh64", "xxh3": "xxh3_64", "xxh128": "xxh3_128"}
PROOF = "given-"


def is_given(digest):
    """Return whether a digest is of another kind than ours."""
    return ":" in digest and not digest.startswith(OURS)


def parted(digest):
    """Return (our own digest, one that was given) of a row's `digest`, '' for what it is not; one
    of a kind that nobody knows is neither.
    """
    if not is_given(digest):
        return digest, ""
    return "", digest if taken_apart(digest) else ""


def given(algorithm, text):
    """Return the column's text for hexadecimal digits, the highest byte first.

    Raises ValueError where they are not what the algorithm makes.
    """
    expected = bytes.fromhex(text)      # which passes over blanks
    fits = (0 < len(expected) <= BLAKE2B_BYTES if algorithm == "blake2b"
            else len(expected) == BYTES.get(algorithm))
    if not fits or len(text) != 2 * len(expected):
        raise ValueError(f"{len(text)} digits are not a digest of {algorithm}")
    return f"{algorithm}:{text.lower()}"


def taken_apart(digest):
    """Return (algorithm, hexadecimal digits) of a given digest, or None where it cannot be read."""
    algorithm, _, text = digest.partition(":")
    try:
        given(algorithm, text)
    except ValueError:
        return None
    return algorithm, text.lower()


class Given:
    """The bytes held against a given digest while they go by: `update`, then `is_met`."""

    def __init__(self, digest):
        self.algorithm, self.expected = taken_apart(digest)
        self.hash = hash_of(self.algorithm, len(self.expected) // 2)

    def update(self, data):
        """Take the next bytes."""
        self.hash.update(data)

    def is_met(self):
        """Return whether the bytes are those that the digest was taken of."""
        return self.hash.hexdigest() == self.expected


def is_by_given(proof):
    """Return whether a proof rests on a given digest."""
    return proof.startswith(PROOF)


def hash_of(algorithm, length):
    """Return a fresh hash for an algorithm of ours and a digest of `length` bytes."""
    if algorithm in XXHASH:
        import xxhash
        return getattr(xxhash, XXHASH[algorithm])()
    import hashlib
    if algorithm == "blake2b":
        return hashlib.blake2b(digest_size=length)
    return hashlib.new(algorithm, usedforsecurity=False)


def kind_of(digest):
    """Return the name of a digest's algorithm."""
    return digest.partition(":")[0]


def proof_of(digest):
    """Return the proof's name of bytes that meet a given digest."""
    return PROOF + kind_of(digest)
