"""A row of s3-verify whose file is looked at."""

from s3kit.manifest import row as rows
from s3kit.pipeline.errand import Errand
from s3kit.proof.claims import NO_CLAIM
from s3kit.proof.given import is_by_given, is_given, parted


class FileErrand(Errand):
    """A row whose file is verified: where that lies, what the ledger knows, what S3 claims; `read`
    is what was found in it. `is_measured`: S3 was asked for the sizes of all parts. `given` is a
    digest that another program took, or ''. `guess` is None where the path is known, or what is
    known of a row's other places (see verify.guesses).
    """

    __slots__ = ("path", "status", "entry", "claim", "is_asked", "is_measured", "read", "why",
                 "given", "guess")

    def __init__(self, row, path, status, entry, guess=None):
        super().__init__(row)
        self.path, self.status, self.entry, self.guess = path, status, entry, guess
        self.claim, self.is_asked, self.is_measured, self.read = NO_CLAIM, False, False, None
        _, self.given = parted(row.digest)
        self.why = ""
        if is_given(row.digest) and not self.given:
            self.why = f": '{row.digest}' is no digest of a known kind"

    @property
    def length(self):
        """How many bytes the object has by its row, or else by the ledger; None: nobody knows."""
        if self.row.length is not None:
            return self.row.length
        return self.entry.size if self.entry else None

    @property
    def ours(self):
        """Our own digest in the row, or ''."""
        return parted(self.row.digest)[0]

    @property
    def known_proof(self):
        """What was proven of the object's bytes before, by the row or the ledger."""
        return self.row.proof or (self.entry.proof if self.entry else "")

    @property
    def proof_by_record(self):
        """What a file proves that has its recorded digest: `digest`; but where that was taken from
        a file that met a given one, no more than the given one did.
        """
        proofs = (self.row.proof if self.ours else "", self.entry.proof if self.entry else "")
        return next(filter(is_by_given, proofs), "digest")

    def is_verified_since(self, since):
        """Return whether the file was verified since a time, and is untouched since then."""
        row, entry = self.row, self.entry
        return (entry is not None and entry.state == rows.VERIFIED and entry.path == row.path
                and entry.changed_at >= since and entry.is_file(self.status)
                and (not row.digest or row.digest == entry.digest))

    def is_recorded(self, digest):
        """Return whether a file's digest is the one recorded when its bytes came; None where none
        was.

        That of an unverifiable row was only read from its file: it can tell a change, and proves
        nothing.
        """
        recorded = self.ours or (self.entry.digest if self.entry else "")
        if not recorded or (recorded == digest and self.row.state == rows.UNVERIFIABLE):
            return None
        return recorded == digest
