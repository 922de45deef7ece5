"""One large upload in the parent's hands: its parts, handed out, and what they add up to."""

import base64

from s3kit.proof.checksums import CRC_BYTES, combine_crc, hasher
from s3kit.proof.claims import is_met
from s3kit.proof.digest import join_leaf_bytes
from s3kit.put.plan import parts_of
from s3kit.s3.uploads import MD5, type_of


class Multipart:
    """A multipart upload of a file of `size` bytes in parts of `step`.

    `next_part` returns (number, start, end) of one part after the other; what workers say of each
    goes to `took`. `pending` parts are on their way.
    """

    def __init__(self, upload_id, size, step, algorithm, token):
        self.upload_id, self.size, self.step = upload_id, size, step
        self.algorithm, self.token = algorithm, token
        self.all = parts_of(size, step)
        self.taken, self.sent, self.pending = {}, 0, 0

    def next_part(self):
        """Return the next part that is to be sent, or None."""
        while self.sent < len(self.all):
            part = self.all[self.sent]
            self.sent += 1
            if part[0] not in self.taken:
                return part
        return None

    def took(self, pieces):
        """Take what is known of a part that S3 has (see put_parts.Part)."""
        self.taken[pieces["number"]] = pieces

    @property
    def is_whole(self):
        """Whether S3 has all parts."""
        return len(self.taken) == len(self.all)

    def in_order(self):
        """Return what is known of all parts, in their order."""
        return [self.taken[number] for number, _, _ in self.all]

    def digest(self):
        """Return our digest of the file."""
        return join_leaf_bytes(b"".join(bytes.fromhex(part["leaves"])
                                        for part in self.in_order()))

    def checksum(self):
        """Return the raw checksum of the whole: of all bytes where it is a CRC, else of the parts'
        own.
        """
        sums = [bytes.fromhex(part["checksum"]) for part in self.in_order()]
        if self.algorithm not in CRC_BYTES:
            total = hasher(self.algorithm)
            total.update(b"".join(sums))
            return total.digest()
        value = 0
        for (_, start, end), each in zip(self.all, sums):
            value = combine_crc(self.algorithm, value, int.from_bytes(each, "big"), end - start)
        return value.to_bytes(CRC_BYTES[self.algorithm], "big")

    def completion(self):
        """Return (parts, checksum, its type) as the completion's PutJob has them; the checksum is
        '' where S3 is told none.
        """
        parts = tuple((part["number"], part["etag"], "" if self.algorithm == MD5 else
                       base64.b64encode(bytes.fromhex(part["checksum"])).decode())
                      for part in self.in_order())
        if self.algorithm == MD5:
            return parts, "", ""
        kind = type_of(self.algorithm)
        count = "" if kind == "FULL_OBJECT" else f"-{len(parts)}"
        return parts, base64.b64encode(self.checksum()).decode() + count, kind

    def proof_by(self, claim):
        """Return the proof's name where the file's bytes meet a Claim of S3's, '' where they do
        not; None where it says nothing of them, or they must be read for it.
        """
        if claim.kind == "full" and claim.algorithm == self.algorithm in CRC_BYTES:
            return claim.proof if claim.expected == self.checksum() else ""
        if claim.kind != "parts":
            return None
        name = "checksum" if claim.algorithm == self.algorithm else "md5"
        if claim.algorithm not in (self.algorithm, MD5):
            return None
        sums = [bytes.fromhex(part[name]) for part in self.in_order()]
        if all(sums) and is_met(claim, sums):
            return claim.with_part_size(self.step).proof
        return None
