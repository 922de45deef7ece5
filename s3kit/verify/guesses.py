"""Rows of s3-verify that neither say where their files lie nor are known to the ledger.

Other tools lay a bucket's files with its folder or without. Each place is tried; a file that is
right is the row's. A row without one must be put, and a file that is wrong must be judged, by how
most of the bucket's files lie (see pipeline.layout), and by which files are other rows': such rows
wait, on disk, until all others are done, where that can make a difference.
"""

import os
from itertools import chain

from s3kit.disk.paths import path_of
from s3kit.disk.tree import OURS
from s3kit.errors import Fault, reason
from s3kit.manifest.row import FAILED
from s3kit.manifest.spool import Spool
from s3kit.pipeline.layout import Layouts, places_of
from s3kit.pipeline.locating import can_be
from s3kit.pipeline.places import Places
from s3kit.verify.file_errand import FileErrand

TAKEN = "the file is another row's"


class Guess:
    """The places that are yet to be tried for a row, an iterator, and what was found wrong: [(path,
    why, whether that is derived)].
    """

    __slots__ = ("places", "wrong")

    def __init__(self, places):
        self.places, self.wrong = places, []


class Guesses:
    """What `verifying` (the verb) does with such rows."""

    def __init__(self, verifying):
        self.verifying, self.tree = verifying, verifying.tree
        ledger = verifying.stage.ledger
        self.layouts = Layouts(ledger, is_new(self.tree))
        self.places = Places(ledger, self.tree, self.layouts)
        self.waiting = None         # (row, entry, wrong)

    def take(self, row, entry):
        """Look for a row's file; `entry` is the ledger's, without a path, or None."""
        is_flat = self.layouts.is_flat(row.bucket)
        self.go_on(row, entry, Guess(chain(places_of(row, is_flat), places_of(row, not is_flat))))

    def go_on(self, row, entry, guess):
        """Look at the next place where something can be a row's file."""
        for path in guess.places:
            status = self.tree.look(path)
            if can_be(row, status):
                row.path = path
                self.verifying.look_at(FileErrand(row, path, status, entry, guess))
                return
        row.path = ""
        if self.must_wait(row, guess):
            self.waiting = self.waiting or Spool()
            self.waiting.add((row, entry, guess.wrong))
        else:
            self.settle(row, entry, guess.wrong)

    def must_wait(self, row, guess):
        """Return whether what becomes of a row may depend on those that come: on the layout, or on
        whose a file is that is not the row's. An older version never has the place of another.
        """
        if not self.layouts.is_settled(row.bucket):
            return True
        return row.is_latest != "false" and not all(
            self.is_own(row, path) for path, *_ in guess.wrong)

    def is_own(self, row, path):
        """Return whether the ledger has a row's own object, or one before it of the very name, at a
        path.
        """
        ledger = self.verifying.stage.ledger
        entry = ledger.at_path(path) if ledger else None
        return entry is not None and entry[:3] == (row.bucket, row.key, row.version_id)

    # --- what was found at a place

    def is_right(self, errand):
        """Return whether a file that is right, or as right as can be known, is this row's; else go
        on.
        """
        row, path = errand.row, errand.path
        if errand.guess is None:
            self.places.take(row, path)
        elif not self.places.may_have(row, path):
            self.differs(errand, TAKEN)
            return False
        if errand.status.st_size and not path.endswith("/"):
            self.layouts.note(row.bucket, row.key, path)
        return True

    def differs(self, errand, why, is_derived=False):
        """What lies at a path is not a row's file: go on, where the path was one among others."""
        if errand.guess:
            errand.guess.wrong.append((errand.path, why, is_derived))
            self.go_on(errand.row, errand.entry, errand.guess)
        else:
            self.verifying.results.differs(errand, why, is_derived)

    def failed(self, errand, why):
        """Nobody can say what lies at a path."""
        if errand.guess:
            errand.row.path = ""
        self.verifying.results.fail(errand.row, FAILED, why)

    # --- afterwards

    def at_end(self):
        """All other rows are done."""
        while self.waiting:
            for row, entry, wrong in self.waiting.take():
                self.settle(row, entry, wrong)
            self.verifying.stage.look()

    def settle(self, row, entry, wrong):
        """Let a row go none of whose places has its file."""
        home = set(places_of(row, self.layouts.is_flat(row.bucket)))
        at_home = [found for found in wrong if found[0] in home]
        for path, why, is_derived in at_home:
            status = self.tree.look(path)
            if status is not None and self.is_to_replace(row, path):
                row.path = path
                self.differs(FileErrand(row, path, status, entry), why, is_derived)
                return
        row.path = self.place_of(row, bool(at_home))
        where = row.path or path_of(row.bucket, row.key)
        others = "".join(f"; '{path}' is not it: {why}" for path, why, _ in wrong)
        self.verifying.results.missing(row, f"there is no file '{where}'{others}")

    def is_to_replace(self, row, path):
        """Return whether a wrong file, in the place of a row's, may be nobody else's."""
        is_older = row.is_latest == "false" and path != self.places.beside(row)
        return not is_older and self.places.may_have(row, path)

    def place_of(self, row, is_taken):
        """Return where the file of a row is to be put, '' where s3-fetch finds that by itself;
        `is_taken`: another file has its plain name.
        """
        if is_taken and row.version_id:
            return self.places.beside(row)
        if is_taken or self.layouts.is_flat(row.bucket):
            return self.places.path_for(row)
        return ""


def is_new(tree):
    """Return whether a Tree has no files. Raises Fault."""
    try:
        return not set(os.listdir(tree.fd)) - {OURS}
    except OSError as error:
        raise Fault(f"cannot list '{tree.path}': {reason(error)}") from None
