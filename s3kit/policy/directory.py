"""Where s3-policy keeps its documents: what is planned, of which live policy, and a backup of each
before it was replaced.

    DIR/BUCKET.json                     the planned policy, as S3 takes it; people may edit it
    DIR/.s3kit/plans/BUCKET.json        whom it was planned for, and for which live policy
    DIR/.s3kit/backups/BUCKET/TIME.json a live policy (`text`, null: there was none), and what took
                                        its place (`next`)

Folders are 0700 and files 0600. A backup is on the disk, with its name, before anything is put.
"""

import json
import os
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import NamedTuple

from s3kit.disk import durable, lock
from s3kit.errors import Fault, Held, of_file
from s3kit.manifest.row import BUCKET
from s3kit.text import read_text

OURS, LOCK = ".s3kit", ".lock"
APPLY, ROLLBACK, BACKUP = "apply", "rollback", "backup"


class Backup(NamedTuple):
    """A policy that was live, as text (None: there was none), and for what it was kept: `next` is
    what apply put then.
    """

    bucket: str
    taken: str
    text: str
    next: str
    why: str
    path: str = ""


class Shelf:
    """The directory of planned documents."""

    def __init__(self, top):
        self.top = top
        self.own = os.path.join(top, OURS)

    @contextmanager
    def held(self):
        """Hold the directory, made if need be: one s3-policy at a time writes here.

        Raises Held or Fault.
        """
        make(self.own)
        fd = lock.hold_below(self.own, LOCK)
        if fd is None:
            raise Held(f"another s3-policy works in '{self.top}'")
        try:
            yield
        finally:
            os.close(fd)

    def buckets(self):
        """Return the buckets that something is planned for."""
        try:
            names = sorted(name.removesuffix(".json")
                           for name in os.listdir(self.top) if name.endswith(".json"))
        except FileNotFoundError:
            return []
        return [name for name in names if BUCKET.fullmatch(name)]

    def place(self, bucket):
        """Return the path of a bucket's planned document."""
        return os.path.join(self.top, f"{bucket}.json")

    def planned(self, bucket):
        """Return the text that is planned for a bucket, or None."""
        return read(self.place(bucket))

    def facts(self, bucket):
        """Return what is known of a plan (see `save`), or {} of a document that somebody else
        wrote.
        """
        text = read(os.path.join(self.own, "plans", f"{bucket}.json"))
        if text is None:
            return {}
        try:
            found = json.loads(text)
            if isinstance(found["exempt"], list) and all(isinstance(each, str) for each in [
                    found["text"], found["base"] or "", found["key"], *found["exempt"]]):
                return found
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        raise Fault(
            f"cannot understand '{self.own}/plans/{bucket}.json': plan again, with --overwrite")

    def save(self, bucket, text, facts):
        """Keep a planned document with its facts: `base` (the live policy), `exempt`, `key`,
        `template`.
        """
        make(os.path.join(self.own, "plans"))
        # The facts first: a plan without them, or with older ones, is taken for edited.
        write(os.path.join(self.own, "plans", f"{bucket}.json"),
              json.dumps(facts | {"text": text}, indent=1))
        write(self.place(bucket), text)

    def discard(self, bucket):
        """Remove a planned document. Raises Fault."""
        try:
            durable.unlink(self.place(bucket), None)
        except OSError as error:
            raise of_file("remove", self.place(bucket), error) from None

    def is_edited(self, bucket):
        """Return whether the planned document is not what s3-policy wrote."""
        text = self.planned(bucket)
        return text is not None and text != self.facts(bucket).get("text")

    def keep(self, bucket, text, following=None, why=BACKUP):
        """Write a Backup, on the disk when this returns; return it."""
        folder = os.path.join(self.own, "backups", bucket)
        make(folder)
        taken = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
        made = Backup(bucket, taken, text, following, why, os.path.join(folder, f"{taken}.json"))
        write(made.path, json.dumps(made._replace(path="")._asdict(), indent=1))
        return made

    def backups(self, bucket):
        """Return the Backups of a bucket, the newest first.

        Raises Fault for one that cannot be read.
        """
        folder = os.path.join(self.own, "backups", bucket)
        try:
            names = sorted((name for name in os.listdir(folder)
                            if name.endswith(".json") and name[0] != "."), reverse=True)
        except FileNotFoundError:
            return []
        return [read_backup(os.path.join(folder, name)) for name in names]


def read_backup(path):
    """Return the Backup in a file. Raises Fault."""
    text = read(path)
    if text is None:
        raise Fault(f"cannot open '{path}': No such file or directory")
    try:
        found = Backup(**json.loads(text))
        if all(isinstance(value, str) or value is None
               for value in found) and found.bucket and found.why:
            return found._replace(path=path)
    except (ValueError, TypeError, RecursionError):
        pass
    raise Fault(f"'{path}' is not a backup of s3-policy")


def make(folder):
    """Make a folder, and those above it, for us alone, their names on the disk. Raises Fault."""
    above, name = os.path.split(folder.rstrip("/"))
    if above and name and not os.path.isdir(above):
        make(above)
    try:
        os.mkdir(folder, 0o700)
        durable.sync_name(folder)
    except FileExistsError:
        pass
    except OSError as error:
        raise of_file("make", folder, error) from None


def read(path):
    """Return a file's text, or None where there is none. Raises Fault."""
    return read_text(path) if os.path.exists(path) else None


def write(path, text):
    """Write a file, atomically and durably."""
    try:
        with durable.Replacement(path) as new:
            new.file.write(text.encode())
    except OSError as error:
        raise of_file("write", path, error) from None
