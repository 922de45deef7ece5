"""The directory whose files are uploaded, with what its ledger knows of that."""

import os
from contextlib import contextmanager

from s3kit.disk import durable
from s3kit.disk.ledger import NAME, Ledger, is_same_file
from s3kit.disk.tree import DIRECTORY, OURS, Tree
from s3kit.disk.uploads import Uploads
from s3kit.errors import Fault, reason
from s3kit.manifest.states import is_strong


class Place:
    """A directory that need not be writable: then there is no ledger, and `uploads` is None.

    `say(text)` tells people. As the ledger of an outbox, `record` writes what is stored, and then
    removes the files where `removes`; `removed` is how many.
    """

    def __init__(self, args, say):
        self.dest, self.removes, self.say = args.dest, args.remove_local, say
        self.tree = Tree(args.dest, make=False)
        self.ledger = self.uploads = self.writer = self.folder_fd = None
        self.removed, self.own = 0, None
        self.open()

    def open(self):
        """Open the ledger, twice: to ask, and for the outbox's thread.

        Raises Fault where there is one that cannot be used, and where files are to be removed and
        none can be made: nobody would know what was stored.
        """
        folder = os.path.join(self.dest, OURS)
        try:
            os.makedirs(folder, 0o700, exist_ok=True)
            self.ledger, second = Ledger(folder), Ledger(folder)
            self.uploads, self.writer = Uploads(self.ledger), Uploads(second)
            self.folder_fd = os.open(folder, DIRECTORY)
        except (OSError, Fault) as error:
            if self.removes or os.path.exists(os.path.join(folder, NAME)):
                raise
            self.say(f"warning: '{self.dest}' cannot be written to ({reason(error)}): an upload "
                     "that is broken off begins anew")
            return
        if self.removes:
            second.sync_always()
            self.own = Tree(self.dest, make=False)      # for the outbox's thread

    def record(self, uploads):
        """Write Uploads; when they are on the disk their files may go."""
        self.writer.record(uploads)
        if self.removes:
            self.remove([upload for upload in uploads if is_strong(upload.far_proof)])

    def remove(self, uploads):
        """Remove the files of Uploads, each if it is still the one whose bytes were sent."""
        folders = {}
        for upload in uploads:
            try:
                status = self.own.look(upload.path) if upload.path else None
                if status is None or not is_same_file(upload, status):
                    continue
                self.own.remove(upload.path)
                folders[os.path.dirname(upload.path)] = upload.path
                self.removed += 1
            except (OSError, Fault) as error:
                self.say(f"cannot remove '{upload.path}', which is stored: {reason(error)}")
        for path in folders.values():
            try:
                durable.sync_directory(self.own.folder(path, make=False)[0])
            except (OSError, Fault):
                pass        # after a power cut the file may be there once more: no harm


@contextmanager
def resumable(dest):
    """Give what tells of (bucket, key, upload id) whether the ledger of a directory, if it has one,
    knows it as an upload under way.
    """
    folder = os.path.join(dest, OURS)
    if not os.path.exists(os.path.join(folder, NAME)):
        yield lambda bucket, key, upload_id: False
        return
    ledger = Ledger(folder)
    uploads = Uploads(ledger)
    try:
        yield lambda bucket, key, upload_id: any(
            sending.upload_id == upload_id for sending in uploads.under_way(bucket, key))
    finally:
        ledger.close()
