"""The checksums of bytes that are all in memory, each computed when it is asked for."""

import base64

from s3kit.proof.checksums import hasher
from s3kit.proof.claims import is_met


class Sums:
    """Those of a buffer's first `size` bytes."""

    def __init__(self, buffer, size):
        self.view, self.found = memoryview(buffer)[:size], {}

    def of(self, algorithm):
        """Return a raw checksum by S3's name of its algorithm, lower case."""
        if algorithm not in self.found:
            made = hasher(algorithm)
            made.update(self.view)
            self.found[algorithm] = made.digest()
        return self.found[algorithm]

    def base64(self, algorithm):
        """Return a checksum as S3's headers have it."""
        return base64.b64encode(self.of(algorithm)).decode()

    def proof_by(self, claim):
        """Return the proof's name where the bytes meet a Claim, '' where they do not, None where it
        says nothing of them, or may.
        """
        if claim.kind == "full":
            is_ours = self.of(claim.algorithm) == claim.expected
        elif claim.kind == "parts" and claim.count == 1:
            is_ours = is_met(claim, [self.of(claim.algorithm)])
        else:
            return None
        if is_ours:
            return claim.proof
        return None if claim.is_unsure else ""
