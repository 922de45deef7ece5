"""The work of s3-put --uploads: the uploads below a prefix that were never finished, and their end.

Their parts are stored and billed, and no listing of objects shows them.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

import sys
import time

from s3kit.errors import Fault
from s3kit.manifest.row import FAILED, UNVERIFIABLE, Row
from s3kit.put.requests import Requests, good
from s3kit.s3 import unfinished
from s3kit.s3.access import Access
from s3kit.s3.address import is_amazon_s3
from s3kit.s3.asking import UNKNOWN_STATUSES
from s3kit.s3.capabilities import KNOWN, LISTED_PARTS
from s3kit.s3.headers import said
from s3kit.s3.patience import delay
from s3kit.text import count, visible
from s3kit.units import date_ns, from_epoch, show_size

ABORTS = 10             # of one upload, while parts are on their way to it
RESUMABLE = "resumable"


def run(args, people, is_ours=lambda bucket, key, upload_id: False):
    """List the unfinished uploads below args.target (bucket, prefix), with args.abort abort them;
    return the status.

    `people` are (tally, progress, signals); `is_ours` says of an upload whether this machine would
    resume it. Raises Usage, NoSuchBucket, NoAccess or Fault.
    """
    tally, progress, signals = people
    progress.close()            # the list has the terminal
    bucket, prefix = args.target
    access = Access(args, signals.at_once)
    requests = Requests(access.endpoint(bucket), signals.check, access.renewed)
    leftovers = Leftovers(args, tally, requests, is_ours)
    for uploads in ahead(Listing(requests, prefix).pages()):
        leftovers.take(uploads)
    KNOWN.tell(tally.say, args.verbose)
    tally.summary(progress, leftovers.summary())
    return tally.status()


def ahead(pages):
    """Yield pages, each when the one after it has been asked for: a listing goes on after an upload
    of the page before, which must be there still.
    """
    held = None
    for page in pages:
        if held is not None:
            yield held
        held = page
    if held is not None:
        yield held


class Listing:
    """The unfinished uploads of a bucket whose keys begin with a prefix."""

    def __init__(self, requests, prefix):
        self.requests, self.prefix = requests, prefix
        # MinIO takes a prefix for a whole key (https://github.com/minio/minio/issues/20989), so
        # other servers than Amazon's are asked for all.
        self.asked = prefix if is_amazon_s3(requests.endpoint.url) else ""

    def pages(self):
        """Yield (what the server's clock says, [Upload]) of each page. Raises Fault."""
        following, before = "", set()
        while True:
            now, uploads, after = self.page(following)
            fresh = [upload for upload in uploads if upload not in before]
            if after and (after == following or (uploads and not fresh)):
                raise Fault("the list of unfinished uploads of "
                            f"'{self.requests.endpoint.bucket}' goes in circles")
            yield now, [upload for upload in map(self.below, fresh) if upload]
            if not after:
                return
            following, before = after, set(uploads)

    def below(self, upload):
        """Return an upload with those spellings of its key that are below the prefix, or None."""
        key, other = [text if text.startswith(self.prefix) else ""
                      for text in (upload.key, upload.other)]
        return upload._replace(key=key or other, other=other or key) if key or other else None

    def page(self, following):
        """Return (the server's time, [Upload], the query of the following page or '')."""
        found = []
        action = f"list the unfinished uploads of s3://{self.requests.endpoint.bucket}"

        def take(transfer):
            root = unfinished.read(good(transfer, action).body)
            clock = date_ns(transfer.headers.get("date", ""))
            found[:] = [clock or time.time_ns(), *unfinished.uploads_in(root)]

        def fail(transfer, fault):
            if transfer.status in UNKNOWN_STATUSES:
                raise Fault(f"cannot {action}: the server does not know how ({said(transfer)})")
            raise fault

        self.requests.send("", unfinished.uploads_query(self.asked, following), take, fail)
        self.requests.run()
        return found


class Leftover:
    """An unfinished upload: `parts` and `bytes` that lie there, None where nobody tells.

    `is_gone`: somebody else has ended it. `is_aborted`: we have, and `error` says why that was not
    seen. Otherwise `error` says why it could not be.
    """

    def __init__(self, requests, upload):
        self.requests, self.upload = requests, upload
        self.parts = self.bytes = self.aborts = 0
        self.is_gone = self.is_aborted = False
        self.error, self.why = "", ("", "")     # why nobody tells of parts: S3's code, its words
        self.asked = None               # the last Question about its end

    def see_parts(self, after, take, fail):
        """Ask for a page of its parts."""
        self.requests.send(self.upload.key, unfinished.parts_query(self.upload.upload_id, after),
                           take, fail)

    def is_otherwise(self):
        """Take the other spelling of the key; return whether there is one left."""
        key, other = self.upload.key, self.upload.other
        self.upload = self.upload._replace(key=other)
        return key != other

    def look(self, after=0):
        """Ask how much lies there."""
        if KNOWN.lacks(self.requests.endpoint, LISTED_PARTS):
            self.parts = self.bytes = None
        else:
            self.see_parts(after, self.looked, self.not_looked)

    def looked(self, transfer):
        """Add a page of parts. Raises Fault."""
        if transfer.code in unfinished.NO_UPLOAD:
            if self.is_otherwise():
                self.look()
            else:
                self.is_gone = True
            return
        page = unfinished.parts_in(good(transfer, "see its parts").body)
        self.parts, self.bytes = self.parts + page.count, self.bytes + page.bytes
        if page.after:
            self.look(page.after)

    def not_looked(self, transfer, fault):
        """Note that the parts cannot be seen."""
        self.parts = self.bytes = None
        self.learn(transfer)
        self.why = transfer.code, str(fault)

    def learn(self, transfer):
        """Note what a server does not know."""
        if transfer.status in UNKNOWN_STATUSES:
            KNOWN.learn(self.requests.endpoint, LISTED_PARTS, said(transfer))

    def abort(self, wait=0.0):
        """Abort it, after so many seconds."""
        self.asked = self.requests.send(
            self.upload.key, unfinished.upload_query(self.upload.upload_id), self.aborted,
            self.not_aborted, method="DELETE", wait=wait)

    def aborted(self, transfer):
        """Look whether an abort has left anything. Raises Fault where there was none."""
        if transfer.code in unfinished.NO_UPLOAD:
            # after an answer that was lost it is our own work
            self.is_aborted = bool(self.aborts or self.asked.tries)
            if not self.is_aborted and self.is_otherwise():
                self.abort()
            else:
                self.is_gone = not self.is_aborted
            return
        good(transfer, "abort it")
        self.aborts += 1
        if KNOWN.lacks(self.requests.endpoint, LISTED_PARTS):
            self.is_aborted, self.error = True, "aborted, but the server does not tell of its parts"
        else:
            self.see_parts(0, self.checked, self.not_checked)

    def not_aborted(self, transfer, fault):
        """Note that it could not be aborted."""
        self.error = str(fault)

    def checked(self, transfer):
        """Abort it once more where parts have come meanwhile. Raises Fault for no answer.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html: parts that
        are on their way may be stored yet, so that more than one abort can be needed.
        """
        if transfer.code in unfinished.NO_UPLOAD:
            self.is_aborted = True
            return
        left = unfinished.parts_in(good(transfer, "see its parts").body)
        if not left.count:
            self.is_aborted = True
        elif self.aborts < ABORTS:
            self.abort(wait=0.1 + delay(self.aborts, most=10.0))
        else:
            self.error = (f"cannot abort it: {count(left.count, 'part')} "
                          f"({show_size(left.bytes)}) and more are there after "
                          f"{count(self.aborts, 'abort')}; what uploads it must be stopped first")

    def not_checked(self, transfer, fault):
        """Note that nobody can tell what is left."""
        self.learn(transfer)
        self.is_aborted = True
        self.error = f"aborted, but whether parts are left is not known: {fault}"


class Leftovers:
    """Prints uploads, aborts those that are to be, and counts."""

    def __init__(self, args, tally, requests, is_ours):
        self.args, self.tally, self.requests, self.is_ours = args, tally, requests, is_ours
        self.found = self.parts = self.bytes = self.failed = self.gone = self.undated = 0
        self.is_known = True            # how much all of them are
        self.told = set()

    def take(self, page):
        """Do what is to be done with the uploads of a page."""
        now, uploads = page
        leftovers = [Leftover(self.requests, upload) for upload in uploads
                     if self.is_old(upload, now)]
        self.each(leftovers, Leftover.look)
        there = [leftover for leftover in leftovers if not leftover.is_gone]
        if self.args.abort and not self.args.dry_run:
            self.each(there, Leftover.abort)
            there = [leftover for leftover in there if self.is_over(leftover)]
        for leftover in there:
            self.count(leftover)
            if not (self.args.abort and self.args.quiet):
                sys.stdout.buffer.write(self.line(leftover).encode("utf-8", "surrogateescape"))
        sys.stdout.flush()

    def each(self, leftovers, do):
        """Do something with each, many at once."""
        for leftover in leftovers:
            do(leftover)
        self.requests.run()

    def is_old(self, upload, now):
        """Return whether an upload began early enough; one of which nobody knows when did not."""
        if self.args.older is None:
            return True
        if upload.began is None:
            self.undated += 1
            return False
        return upload.began <= now - int(self.args.older * 1e9)

    def is_over(self, leftover):
        """Return whether an upload was aborted by us; say what went wrong with it."""
        upload = leftover.upload
        if leftover.error:
            state = UNVERIFIABLE if leftover.is_aborted else FAILED
            row = Row(self.requests.endpoint.bucket, upload.key, state=state,
                      error=f"upload {upload.upload_id}: {leftover.error}")
            self.tally.count(row, told=True)
            self.failed += state == FAILED
        self.gone += leftover.is_gone
        return leftover.is_aborted

    def count(self, leftover):
        """Count an upload that is listed, or that was aborted."""
        self.found += 1
        if leftover.parts is None:
            self.is_known = False
            code, words = leftover.why
            if words and code not in self.told:     # it will be so of all
                self.told.add(code)
                self.tally.say(f"'{leftover.upload.key}': {words}")
        else:
            self.parts, self.bytes = self.parts + leftover.parts, self.bytes + leftover.bytes

    def line(self, leftover):
        """Return the line of an upload, its columns those of s3-list -l."""
        upload, parts = leftover.upload, leftover.parts
        when = "-" if upload.began is None else from_epoch(upload.began // 10**9)
        size, number = ("?", "?") if parts is None else (leftover.bytes, parts)
        is_ours = self.is_ours(self.requests.endpoint.bucket, upload.key, upload.upload_id)
        return (f"{when:<20} {size:>12} {number:>6} {visible(upload.storage_class) or '-':<12} "
                f"{RESUMABLE if is_ours else '-':<9} {visible(upload.upload_id)} "
                f"{visible(upload.key)}\n")

    def summary(self):
        """Return the parts of the summary."""
        size = ("" if self.is_known else "at least ") + show_size(self.bytes)
        if not self.args.abort:
            done = [count(self.found, "unfinished upload"), count(self.parts, "part"), size]
        elif self.args.dry_run:
            done = [f"{count(self.found, 'upload')} to abort ({size})"]
        else:
            done = [f"{count(self.found, 'upload')} aborted ({size} freed)"]
        return [*done, f"{self.failed:,} failed" if self.failed else "",
                f"{self.gone:,} gone before" if self.gone else "",
                f"{self.undated:,} left of which nobody says when they began" if self.undated
                else ""]
