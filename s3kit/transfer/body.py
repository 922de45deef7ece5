"""The bytes of a whole object while they come: held against what S3 claims, under our digest."""

import os

from s3kit.proof.claims import Check, by_likeliest, candidates
from s3kit.proof.digest import Digest, digest_of
from s3kit.transfer.job import AGAIN, Outcome
from s3kit.transfer.present import hash_file
from s3kit.transfer.sizes import SMALL


class Body:
    """A body of `size` bytes by a Claim: `update` with each piece, or `take` all, then `proof`.

    Where nobody told the size of its parts, the likeliest one is tried while it comes (`likely` as
    by_likeliest takes it); of what is small, all.
    """

    def __init__(self, claim, size, likely=0):
        self.claim, self.size = claim, size
        is_long = claim.has_many_parts and size > SMALL
        self.check = Check(by_likeliest(claim, size, likely) if is_long else claim, size)
        self.digest, self.text = None, ""

    def update(self, data):
        """Take the next bytes."""
        self.digest = self.digest or Digest()
        self.check.update(data)
        self.digest.update(data)

    def take(self, data):
        """Take all bytes."""
        self.check.update(data)
        self.text = digest_of(data)

    def digest_text(self):
        """Return our digest, as the row has it."""
        return self.text or (self.digest or Digest()).text()

    def proof(self, fd, buffer):
        """Return the proof, as Check.proof gives it; where a part size was only tried, and is not
        right, the bytes are read from `fd` for the others, into what `buffer()` gives.

        Raises OSError.
        """
        tried, proof = self.check.claim, self.check.proof()
        if proof or tried.part_size == self.claim.part_size:
            return proof
        if candidates(self.size, tried.count) == [tried.part_size]:
            return "size"
        os.lseek(fd, 0, os.SEEK_SET)
        return hash_file(fd, self.claim, self.size, buffer())[0]


def unmet(claim, digest):
    """Return the Outcome of bytes with our `digest` that do not meet a Claim."""
    return Outcome(AGAIN, f"the bytes do not match S3's {claim.proof}",
                   digest=digest if claim.is_derived else "")
