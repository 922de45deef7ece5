"""One part of a large object, which any worker sends."""

import base64
import os

from s3kit.proof.checksums import hasher
from s3kit.proof.digest import Digest
from s3kit.proof.sums import Sums
from s3kit.s3.content import Content, FilePiece
from s3kit.s3.headers import CHECKSUM, clean_etag
from s3kit.s3.uploads import MD5, hash_header
from s3kit.transfer.engine import READ
from s3kit.transfer.job import AGAIN, Outcome
from s3kit.transfer.local_file import read_into
from s3kit.transfer.put_job import TAKEN
from s3kit.transfer.put_multipart import UploadTask
from s3kit.transfer.put_task import NO_ETAG


class Part(UploadTask):
    """Sends one part. Its bytes are hashed from the buffer that is sent; of parts too long for
    memory they are read twice, and what was sent is held against what was hashed.
    """

    def begin(self):
        """Read the part's bytes, and send them."""
        if self.guard(self.load):
            if self.job.memory:
                self.put(Sums(self.buffer, self.job.memory))
            else:
                self.begin_hashing()

    def load(self):
        """Open the file, and read what fits into memory."""
        self.open()
        if self.job.memory:
            self.buffer = read_into(self.fd, self.job.start, self.job.memory, self.engine.leaves)
            self.hold_to_file()

    @property
    def length(self):
        """The part's bytes."""
        return self.job.end - self.job.start

    # --- a part that is too long for memory

    def begin_hashing(self):
        """Hash the part a few megabytes at a time, so that the network is not kept waiting."""
        self.at = self.job.start
        self.sums = Running(self.names())
        self.engine.reading.append(self)

    def names(self):
        """Return the algorithms that the request needs."""
        names = {self.algorithm}
        if hash_header(self.endpoint, lambda: "", self.is_denied) == ["x-amz-content-sha256: "]:
            names.add("sha256")
        return names

    def step(self):
        """Hash the next bytes; after the last send them."""
        data = os.pread(self.fd, min(READ, self.job.end - self.at), self.at)
        self.sums.update(data)
        self.at += len(data)
        if data and self.at < self.job.end:
            self.engine.reading.rotate(-1)
            return
        self.engine.reading.remove(self)
        if self.guard(self.hold_to_file):
            self.put(self.sums)

    # --- sending

    def put(self, sums):
        """Send the bytes."""
        self.sums = sums
        allow = lambda: self.may_send(self.transfer)     # noqa: E731
        if self.job.memory:
            content = Content(self.buffer, self.length, allow, self.sent)
        else:
            self.again = hasher(self.algorithm)
            content = FilePiece(self.fd, self.job.start, self.length, self.again.update, allow,
                                self.sent)
        self.transfer = self.ask("PUT", f"partNumber={self.job.number}&{self.query}",
                                 self.content_headers(sums), content)

    def answered(self, transfer):
        """Take S3's answer to the part. Raises OSError where the file could not be read."""
        if transfer.content.oserror:
            raise transfer.content.oserror
        if self.can_do_without(transfer):
            self.begin_again()
        elif not self.is_lost(transfer) and not self.is_refused(transfer):
            wrong = self.fault_in(transfer)
            if wrong:
                self.fail(AGAIN, wrong)
            elif self.guard(self.hold_to_file):
                self.end(Outcome(TAKEN, moved=self.moved, pieces=self.pieces(transfer)))

    def begin_again(self):
        """Send the same with other headers."""
        self.drop()
        self.begin()

    def fault_in(self, transfer):
        """Return why an answer is not that to these bytes, or ''."""
        told = transfer.headers.get(CHECKSUM + self.algorithm, "")
        if not clean_etag(transfer.headers):
            return NO_ETAG
        if told and told != self.sums.base64(self.algorithm):
            return "the checksum in S3's answer is not that of the part that was sent"
        if not self.job.memory and self.again.digest() != self.sums.of(self.algorithm):
            return "the bytes of the part changed while they were sent"
        return ""

    def pieces(self, transfer):
        """Return what is to be known of the part: JSON's types only. The MD5 is there where S3 says
        no other checksum, so that its ETag can be held against the whole.
        """
        told = transfer.headers.get(CHECKSUM + self.algorithm, "")
        has_md5 = not told and self.job.memory or self.algorithm == MD5
        return {"number": self.job.number, "size": self.length,
                "etag": clean_etag(transfer.headers),
                "checksum": self.sums.of(self.algorithm).hex(),
                "md5": self.sums.of(MD5).hex() if has_md5 else "",
                "leaves": b"".join(leaves_of(self.sums)).hex()}

    def drop(self):
        """Leave the readers' queue, too."""
        if self in self.engine.reading:
            self.engine.reading.remove(self)
        super().drop()


class Running:
    """Checksums of bytes that go by, with the face of Sums, and the leaves of our digest."""

    def __init__(self, names):
        self.hashes, self.digest = {name: hasher(name) for name in names}, Digest()

    def update(self, data):
        """Take the next bytes."""
        self.digest.update(data)
        for each in self.hashes.values():
            each.update(data)

    def of(self, algorithm):
        """Return a raw checksum."""
        return self.hashes[algorithm].digest()

    def base64(self, algorithm):
        """Return a checksum as S3's headers have it."""
        return base64.b64encode(self.of(algorithm)).decode()


def leaves_of(sums):
    """Return the digests of the leaves of a part."""
    if isinstance(sums, Running):
        return sums.digest.all_leaves()
    digest = Digest()
    digest.update(sums.view)
    return digest.all_leaves()
