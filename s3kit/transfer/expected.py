"""What a row says of the bytes of its file, held against them before they become its copy."""

from typing import Any, NamedTuple

from s3kit.proof.claims import NO_CLAIM, Check
from s3kit.proof.given import Given, kind_of, proof_of

MISMATCH, DOUBTFUL = "mismatch", "doubtful"
DIFFERS = "the bytes are not those that were fetched: the digest differs"


class Expected(NamedTuple):
    """What a row says of a file's bytes: our digest, or a Claim of S3's, or a digest that was given
    (see proof.given); '' and NO_CLAIM where it says nothing.
    """

    digest: str = ""
    claim: Any = NO_CLAIM
    given: str = ""

    def unlike_given(self):
        """Return (state, why) of bytes that do not meet the digest that was given."""
        return MISMATCH, f"the bytes do not match the given {kind_of(self.given)}"

    def unlike_claim(self):
        """Return (state, why) of bytes that do not meet the Claim; one that we derived ourselves
        may be wrong.
        """
        why = f"the bytes do not match S3's {self.claim.proof}"
        return (DOUBTFUL, f"{why}, which may be wrong itself") if self.claim.is_derived else (
            MISMATCH, why)


class Held:
    """Bytes of a file of `size`, held against what is Expected: `update`, then `verdict`."""

    def __init__(self, expected, size):
        self.expected = expected
        # our own digest was taken of bytes that were checked as they came
        self.check = None if expected.digest or expected.claim.kind == "none" else Check(
            expected.claim, size)
        self.given = Given(expected.given) if expected.given else None

    def update(self, data):
        """Take the next bytes."""
        for held in (self.check, self.given):
            if held:
                held.update(data)

    @property
    def is_idle(self):
        """Whether nothing but our digest is asked for."""
        return not (self.check or self.given)

    def verdict(self, digest):
        """Return (MISMATCH or DOUBTFUL, why) of bytes with our `digest` that are not what is
        expected, or None.
        """
        expected = self.expected
        if expected.digest and expected.digest != digest:
            return MISMATCH, DIFFERS
        if self.given and not self.given.is_met():
            return expected.unlike_given()
        if self.check and not self.check.proof():
            return expected.unlike_claim()
        return None

    def proof(self):
        """Return the proof that the bytes are those of the row, '' where it says nothing of them.
        """
        if self.expected.digest:
            return "digest"
        if self.check:
            return self.check.proof()
        return proof_of(self.expected.given) if self.given else ""
