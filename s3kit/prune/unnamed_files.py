"""s3-prune --local: files below a destination that a complete manifest does not name.

What is done here follows from what a manifest does not say, so nothing is done before its end mark
has come, and never outside the directories of the buckets that it names. What may be the only copy
of a version that s3-prune deleted stays: only the ledger knows, and only of what came after it was
made. It also knows what s3-put has stored elsewhere.

Nothing of this goes through the Stage: no row of the manifest leaves again, S3 is not asked, and
what is acted on are the files that no row is about.
"""

import os
import stat
import time

from s3kit.disk import durable
from s3kit.disk.ledger import Ledger
from s3kit.disk.paths import key_of
from s3kit.disk.tree import DIRECTORY, OURS, Tree
from s3kit.disk.uploads import Uploads
from s3kit.errors import Cut
from s3kit.manifest.named import Named, is_text
from s3kit.manifest.row import PRUNED, Row
from s3kit.manifest.shards import missing_shards
from s3kit.prune.copies import is_elsewhere
from s3kit.text import count
from s3kit.units import show_size


class UnnamedFiles:
    """The run of one s3-prune --local; `run`, then `status` and `summary`."""

    def __init__(self, args, streams, people, ask):
        self.args, self.ask = args, ask
        self.source, self.sink = streams
        self.tally, _, self.signals = people
        self.began = time.time()
        self.named = Named()
        self.buckets = set()
        self.found = self.bytes = self.removed = 0
        self.young = self.last = self.unvouched = 0     # files that are left

    def run(self):
        """Remove what no row names; ask before, unless --yes.

        Raises Fault (Cut) where the manifest is not whole.
        """
        self.tree = Tree(self.args.dest, make=False)
        folder = os.path.join(self.args.dest, OURS)
        self.ledger = Ledger(folder) if os.path.isdir(folder) else None
        self.made_ns = self.ledger.made_ns() if self.ledger else None
        self.uploads = Uploads(self.ledger) if self.ledger else None
        for batch in self.source.batches():
            self.signals.check()
            self.name(batch)
        self.hold_to_its_end()
        if self.args.dry_run:
            self.sweep(self.show)
            return
        if not self.args.yes:
            self.sweep(self.count)
            if not self.found or not self.ask(
                    f"Remove {count(self.found, 'file')} ({show_size(self.bytes)}) below "
                    f"'{self.args.dest}' for good?"):
                return
            self.found = self.bytes = self.young = self.last = self.unvouched = 0
        self.sweep(self.remove)

    def hold_to_its_end(self):
        """See that all of the manifest came. Raises Cut."""
        for reader in self.source.readers:
            if not reader.marked or not reader.ended or reader.miscounts:
                raise Cut(
                    "nothing was removed: --local wants a manifest that says how many rows it has, "
                    "and has them ('s3-manifest FILE' makes one of a bare manifest)")
        parts = missing_shards(mark for reader in self.source.readers for mark in reader.shards)
        if parts:
            raise Cut("nothing was removed: the manifest is a part of another; "
                      f"missing: {count(len(parts), 'shard')} ({parts[0]} is the first)")

    def name(self, batch):
        """Remember what rows name, and the paths that the ledger knows their files by."""
        names = [(row.bucket, row.key, row.version_id) for row in batch]
        entries = self.ledger.find_all(names) if self.ledger else {}
        for row in batch:
            if row.verbatim is not None:
                raise Cut("nothing was removed: a row of the manifest makes no sense")
            self.buckets.add(row.bucket)
            self.named.add(row, entries.get((row.bucket, row.key, row.version_id)))

    def sweep(self, act):
        """Walk the buckets' directories, links never followed; call `act` with what no row names.
        """
        for bucket in sorted(self.buckets):
            try:
                top = os.open(bucket, DIRECTORY, dir_fd=self.tree.fd)
            except (FileNotFoundError, NotADirectoryError):
                continue
            try:
                for folder, folders, names, fd in os.fwalk(".", dir_fd=top, topdown=False,
                                                           follow_symlinks=False):
                    self.signals.check()
                    where = os.path.normpath(os.path.join(bucket, folder))
                    for name in names:
                        self.consider(f"{where}/{name}", name, fd, act)
                    if act == self.remove:
                        self.tidy(where, folders, fd)
            finally:
                os.close(top)

    def consider(self, path, name, fd, act):
        """Call `act` for a regular file that no row names, and that is known not to be an only
        copy.
        """
        status = os.stat(name, dir_fd=fd, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            return
        entry = self.entry_of(path)
        if self.named.has_file(path, entry):
            return
        if status.st_ctime > self.began:
            self.young += 1
        elif self.is_last(path, entry, status):
            self.last += 1          # S3 has it no more, because it is here
        elif not self.is_vouched_for(entry, status):
            self.unvouched += 1
        else:
            self.found += 1
            self.bytes += status.st_size
            act(path, name, fd, status)

    def is_last(self, path, entry, status):
        """Return whether a file may be the only copy of a version that s3-prune has deleted.

        Not of one that was stored elsewhere. What was has no entry where something else than
        s3-fetch brought its file: where its copy may be there no more, nobody knows.
        """
        if entry and entry.state != PRUNED:
            return False
        uploads = self.uploads.sent_from(path) if self.uploads and is_text(path) else []
        return bool(entry or uploads) and not is_elsewhere(entry, status, uploads)

    def is_vouched_for(self, entry, status):
        """Return whether the ledger can say that a file is not the only copy of a version that was
        deleted.

        s3-prune deletes nothing whose file the ledger does not know. So it can say so of files that
        came after it was made. Of older ones an earlier ledger may have known better, one that was
        moved away: s3-verify may have made them known again, as merely verified. A file that the
        ledger does not know may have come from another destination, with its time.
        """
        if self.args.older_than_ledger:
            return True
        since = status.st_ctime_ns if entry else min(status.st_ctime_ns, status.st_mtime_ns)
        return self.made_ns is not None and since >= self.made_ns

    def entry_of(self, path):
        """Return what the ledger knows of a path; nothing of a name that is not UTF-8, which no key
        has.
        """
        return self.ledger.at_path(path) if self.ledger and is_text(path) else None

    def count(self, path, name, fd, status):
        """Count it, and no more."""

    def show(self, path, name, fd, status):
        """Write it as a row; the key of a path that is not one of ours is the path itself."""
        try:
            bucket, key = key_of(path)
        except ValueError:
            bucket, _, key = path.partition("/")
        self.sink.write([Row(bucket, key, size=str(status.st_size), path=path)])

    def remove(self, path, name, fd, status):
        """Remove it, and what the ledger says of it."""
        durable.unlink(name, fd)
        self.removed += 1
        if self.entry_of(path):
            self.ledger.forget(path)
        if self.args.verbose:
            self.tally.say(f"'{path}' removed")

    def tidy(self, where, folders, fd):
        """Remove directories that are empty now and that no row names."""
        for name in folders:
            if not self.named.has_folder(f"{where}/{name}"):
                try:
                    os.rmdir(name, dir_fd=fd)
                except OSError:
                    pass        # not empty, or not ours to remove

    def summary(self):
        """Return the parts of the summary."""
        what = "to remove" if self.args.dry_run else "removed"
        size = f" ({show_size(self.bytes)})" if self.bytes else ""
        return [f"{count(self.found if self.args.dry_run else self.removed, 'file')} {what}{size}",
                self.last
                and f"{count(self.last, 'file')} left: the only copies of what s3-prune deleted",
                self.unvouched
                and f"{count(self.unvouched, 'file')} left: older than the ledger, which cannot "
                "say whether they are the only copies (--older-than-ledger)",
                self.young and f"{count(self.young, 'file')} left: made since this began"]

    def status(self):
        """Return the exit status."""
        return 0
