"""An object that is sent in one request, from memory: its bytes are read once, and those that are
hashed are those that are sent.
"""

from s3kit.etags import is_same
from s3kit.proof.digest import digest_of
from s3kit.proof.sums import Sums
from s3kit.s3.content import Content
from s3kit.s3.headers import claim_in, clean_etag, version_in
from s3kit.transfer.job import AGAIN, CONFLICT
from s3kit.transfer.local_file import read_into
from s3kit.transfer.expected import Held
from s3kit.transfer.put_job import SENT, THERE
from s3kit.transfer.put_task import MEANWHILE, NO_ETAG, OTHERS, PutTask

WRONG = "the checksum in S3's answer is not that of the bytes that were sent"


class PutWhole(PutTask):
    """Reads a file into memory, looks what is there if it must, sends the bytes, and holds what S3
    says of them against them.
    """

    def begin(self):
        """Read the file; then look, or send."""
        if not self.guard(self.load):
            return
        job, size = self.job, self.job.size
        self.sums = Sums(self.buffer, size)
        self.digest = digest_of(self.sums.view)
        self.held = Held(job.expected, size)
        self.held.update(self.sums.view)
        wrong = self.held.verdict(self.digest)
        if wrong:
            self.fail(*wrong)
        elif job.is_looked:
            self.look("look")
        else:
            self.put()

    def load(self):
        """Read all of the file."""
        if not self.job.path:
            self.buffer = b""
            return
        self.open()
        self.buffer = read_into(self.fd, 0, self.job.size, self.engine.leaves)
        self.hold_to_file()
        self.close()

    def put(self):
        """Send the bytes."""
        self.asked = "put"
        content = Content(self.sums.view, self.job.size, lambda: self.may_send(self.transfer),
                          self.sent)
        self.transfer = self.ask("PUT", headers=[*self.job.headers, *self.conditions(),
                                                 *self.content_headers(self.sums)], body=content)

    def answered(self, transfer):
        """Take an answer: to the PUT, or to a HEAD before or after it."""
        {"put": self.take_put, "look": self.take_look, "who": self.take_who,
         "confirm": self.take_confirmation}[self.asked](transfer)

    def take_look(self, transfer):
        """Take what is there before anything is sent: the same bytes are not sent again."""
        if self.is_absent(transfer):
            self.job = self.job._replace(condition="*")
            self.put()
        elif transfer.status == 403 and not self.job.only_absent:
            self.put()
        elif not self.is_refused(transfer):
            etag = clean_etag(transfer.headers)
            if not etag:
                self.fail(AGAIN, NO_ETAG)
            elif not self.is_there(transfer):
                if self.job.only_absent and not self.is_covered(version_in(transfer.headers)):
                    self.fail(CONFLICT, OTHERS)
                else:
                    self.job = self.job._replace(condition=etag)
                    self.put()

    def is_there(self, transfer):
        """End if what is there has the very bytes, or was put by us; return whether that is so."""
        if self.is_covered(version_in(transfer.headers)):
            return False
        is_own = self.is_our_own(transfer.headers)
        size, claim = self.claim_in(transfer.headers)
        if size != self.job.size:
            return False
        proof = self.sums.proof_by(claim)
        if proof is None:
            proof = "size" if is_own else self.stored_proof(transfer)
        if proof:
            self.finish(SENT if is_own else THERE, transfer, proof)
        return bool(proof)

    def stored_proof(self, transfer):
        """Return by what the ledger knows that what is there was made of this very file, or ''."""
        etag, proof, digest = self.job.stored or ("", "", "")
        return proof if etag == clean_etag(transfer.headers) and digest == self.digest else ""

    def take_put(self, transfer):
        """Take S3's answer to the bytes."""
        if self.is_in_the_way(transfer):
            self.look("who")
        elif self.can_do_without(transfer):
            self.put()
        elif not self.is_refused(transfer):
            if not clean_etag(transfer.headers):
                self.fail(AGAIN, NO_ETAG)
                return
            proof = self.proof_in(transfer.headers)
            if proof == "":
                self.fail(AGAIN, WRONG)
            elif proof and not self.job.confirms:
                self.finish(SENT, transfer, proof)
            else:
                self.answer, self.proven = transfer, proof or "size"
                self.look("confirm", version_in(transfer.headers))

    def proof_in(self, headers):
        """Return what an answer proves of the bytes, as Sums.proof_by does."""
        return self.sums.proof_by(claim_in(headers, self.job.size))

    def take_who(self, transfer):
        """Take who wrote what is in the way: a try of ours whose answer was lost, or another."""
        if self.is_absent(transfer):
            self.fail(AGAIN, MEANWHILE)     # and has gone again
        elif not self.is_refused(transfer) and not self.is_there(transfer):
            self.fail(CONFLICT, MEANWHILE)

    def take_confirmation(self, transfer):
        """Take the head of what was sent, for the answer to the PUT said nothing of its bytes, or
        its file is to go.
        """
        if self.is_absent(transfer):
            self.fail(AGAIN, "what was sent is not there")
        elif transfer.status == 403:
            self.finish(SENT, self.answer, self.proven)
        elif not self.is_refused(transfer):
            is_ours = self.is_our_own(transfer.headers) or is_same(
                clean_etag(transfer.headers), clean_etag(self.answer.headers))
            size, claim = self.claim_in(transfer.headers)
            proof = self.sums.proof_by(claim) if size == self.job.size else ""
            if not is_ours:
                self.fail(CONFLICT, MEANWHILE)
            elif proof == "":
                self.fail(AGAIN, WRONG)
            else:
                self.finish(SENT, transfer, proof or self.proven)

    def finish(self, state, transfer, proof):
        """End: the bytes are there; `pieces` is the proof that they are the row's."""
        self.end(self.outcome(state, transfer, proof, digest=self.digest,
                              pieces=self.held.proof()))
