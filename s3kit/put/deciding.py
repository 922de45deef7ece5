"""Which file goes where: what s3-put decides of a row before S3 is asked."""

import os
from stat import S_ISDIR

from s3kit.disk.path_owners import PathOwners, hash_of
from s3kit.disk.paths import is_inside, path_of
from s3kit.disk.uploads import LOOSE
from s3kit.errors import Fault, NoSuchBucket
from s3kit.etags import is_same
from s3kit.manifest import row as rows
from s3kit.manifest import states
from s3kit.manifest.stored_at import Copy, is_the_copy
from s3kit.pipeline.errand import Errand
from s3kit.pipeline.locating import locate
from s3kit.proof.claims import NO_CLAIM, claim_of
from s3kit.proof.given import parted, proof_of
from s3kit.put.headers import Headers
from s3kit.put.targets import is_local, target_of, why_no_target
from s3kit.transfer.expected import Expected
from s3kit.transfer.local_file import look, why_no_file
from s3kit.transfer.put_job import NO_FILE, WHOLE_MOST, Identity, PutJob
from s3kit.units import from_epoch


class PutErrand(Errand):
    """A row whose file goes to a target: what was uploaded there before (an Upload or None), and
    what the upload is at if it has several parts.
    """

    __slots__ = ("before", "large", "hop", "failed")

    def __init__(self, row, job, before, hop):
        super().__init__(row, job)
        self.before, self.hop = before, hop
        self.large = self.failed = None


class Deciding:
    """What `putting` (the verb) does with a row first; `is_fresh`: nothing was at any target when
    the run began.
    """

    def __init__(self, putting, is_fresh):
        self.putting, self.stage, self.args = putting, putting.stage, putting.args
        self.place, self.tree, self.uploads = putting.place, putting.tree, putting.uploads
        self.bucket, self.prefix = self.args.target
        self.is_fresh, self.terms = is_fresh, putting.terms
        self.has_record = bool(self.uploads) and not self.uploads.is_empty()
        self.owners, self.headers = PathOwners(), Headers(self.args)

    def take(self, row, entry):
        """Find a row's file and its target; send it."""
        if entry is not None and not states.is_same_object(row, entry):
            entry = None
        target = Copy(*target_of(row, self.bucket, self.prefix, self.args.strip))
        path, status, is_folder = self.file_of(row, entry)
        why = why_no_target(target.key, self.terms.key)
        if why:
            self.fail(row, rows.FAILED, why)
        elif not self.owners.take(hash_of(*target[:2]), self.owner_of(row, path)):
            self.fail(row, rows.CONFLICT,
                      f"another row has the target 's3://{target.bucket}/{target.key}'")
        elif is_folder:
            self.begin(row, entry, target, "", NO_FILE)
        elif status is None and (before := self.stored_before(row, target, path)):
            self.look_alone(row, before)
        elif why := why_no_file(status, path):
            where = "" if status else f"{also(row, path)} below '{self.args.dest}'"
            self.fail(row, rows.FAILED, why + where)
        elif row.length not in (None, status.st_size):
            self.fail(row, rows.FAILED if is_local(row) else rows.MISMATCH,
                      f"the file has {status.st_size:,} bytes, not {row.length:,}")
        else:
            self.begin(row, entry, target, path, Identity.of(status))

    def owner_of(self, row, path):
        """Return what stands for a row, or with --history for its key, among those of a target."""
        return hash_of(row.bucket, row.key) if self.args.history else hash_of(*name_of(row), path)

    def fail(self, row, state, why):
        """Let a row go that is not sent."""
        self.putting.fail(row, state, why)

    def file_of(self, row, entry):
        """Return (path, os.stat_result or None, whether it is the directory of a key that ends in
        `/` and has no bytes) of a row's file.
        """
        path, status = locate(self.tree, row, entry)
        if self.args.follow_links:
            status = look(self.tree, path, True)
        is_empty = row.length == 0 if status is None else not row.length and S_ISDIR(status.st_mode)
        return path, status, row.key.endswith("/") and is_empty

    def stored_before(self, row, target, path):
        """Return the Upload of a row's object that the ledger has of its target, or None."""
        found = self.before(target)
        is_its = found and (found.is_of(row) or is_local(row) and is_of_file(row, found, path))
        return found if is_its else None

    def begin(self, row, entry, target, path, identity):
        """Send a row's file on its way. Raises Fault where there is no such bucket."""
        expected, hop = expected_of(row, entry, identity.size)
        token, before = os.urandom(16).hex(), self.before(target)
        only_absent = self.args.if_absent or self.is_last_copy(row, before)
        job = PutJob("put", target.bucket, target.key, path, identity,
                     self.headers.of(row, identity.mtime_ns if path else None, token), token,
                     self.args.checksum or "", expected,
                     # asked for, too, where conditions may be passed over
                     only_absent or not self.is_fresh, only_absent,
                     "*" if self.is_fresh else "", self.args.follow_links,
                     confirms=self.args.remove_local,
                     stored=stored_of(before, path, identity))
        if self.putting.history:
            job = self.putting.history.on_top(target, job)
        errand = PutErrand(row, job, None, hop)
        try:
            self.stage.reach(target)
        except NoSuchBucket as fault:
            raise Fault(str(fault)) from None
        self.putting.progress.expect(identity.size)
        if identity.size > WHOLE_MOST:
            self.putting.large.begin(errand)
        else:
            self.stage.send(errand, weight=identity.size)

    def before(self, target):
        """Return the Upload that the ledger has of a target, or None."""
        return self.uploads.at(*target[:2]) if self.has_record else None

    def is_last_copy(self, row, found):
        """Return whether a target, of which the ledger has an Upload or None, may have the only
        copy of another version, which s3-prune has deleted: where a bucket is moved twice, older
        versions come to light, and go to its place. A target with versions keeps both.
        """
        if found is None or found.to_version_id not in LOOSE or found.is_of(row):
            return False
        source = self.stage.ledger.find(found.bucket, found.key, found.version_id)
        return (source is not None and source.state == rows.PRUNED
                and is_same(source.etag, found.etag))

    def look_alone(self, row, before):
        """A row's file is gone and was stored before: see whether the copy is still there."""
        job = PutJob("look", before.to_bucket, before.to_key, "", NO_FILE,
                     version_id=before.to_version_id)
        self.stage.reach(Copy(before.to_bucket, before.to_key))
        self.stage.send(PutErrand(row, job, before, before.proof))


def stored_of(upload, path, identity):
    """Return PutJob.stored of an Upload of a target (or None) to which the file at a path goes."""
    if upload is None or not upload.far_proof or not upload.is_from(path, identity):
        return ()
    return upload.to_etag, upload.far_proof, upload.digest


def is_of_file(row, upload, path):
    """Return whether an Upload is of the file at a path that a row of a file alone tells of: the
    record has the identity of the copy, of which the row knows nothing.
    """
    return (upload.path == path and row.length in (None, upload.size)
            and row.last_modified in ("", from_epoch(upload.mtime_ns / 10**9)))


def also(row, path):
    """Return where a row's file was looked for beside a path, for people."""
    is_guessed = not row.path and path == path_of(row.bucket, row.key) and is_inside(row.key)
    return f" or '{row.key}'" if is_guessed else ""


def name_of(row):
    """Return what a row names."""
    return row.bucket, row.key, row.version_id


def expected_of(row, entry, size):
    """Return (Expected of a row's file, the proof that it is the row's object).

    That proof is None where the row is of a file alone, '' where nothing says it.
    """
    ours, given = parted(row.digest)
    if is_local(row) or is_the_copy(row):
        return Expected(ours, NO_CLAIM, given), None
    ours = ours or (entry.digest if entry else "")
    if ours:
        return Expected(ours, NO_CLAIM, given), row.proof or (entry.proof if entry else "")
    claim = claim_of(row.checksum_algorithm, row.checksum_type, row.checksum, row.etag, size)
    hop = claim.proof if claim.kind != "none" else proof_of(given) if given else ""
    return Expected("", claim, given), hop
