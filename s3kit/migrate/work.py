"""The work directory: the folders of all buckets that were begun, one run at a time."""

import os
from contextlib import contextmanager
from fnmatch import fnmatchcase

from s3kit.disk import durable, lock
from s3kit.errors import Held, Usage
from s3kit.manifest.row import BUCKET

LOCK = ".lock"


class Work:
    """The work directory `path` of the destination `dest`; without a path, the one in it."""

    def __init__(self, path, dest):
        self.dest, self.path = dest, path or os.path.join(dest, ".s3kit", "migration")

    def check_place(self):
        """Make sure that it is not among the files. Raises Usage."""
        dest, work = os.path.realpath(self.dest), os.path.realpath(self.path)
        if os.path.commonpath((dest, work)) == dest and os.path.relpath(
                work, dest).partition("/")[0] != ".s3kit":
            raise Usage(f"'{self.path}' is among the files of '{self.dest}': choose another "
                        "directory with -w")

    def buckets(self):
        """Return the buckets that were begun in it."""
        try:
            return sorted(name for name in os.listdir(self.path) if not name.startswith(".")
                          and os.path.isdir(os.path.join(self.path, name)))
        except FileNotFoundError:
            return []

    # --- one run at a time

    @contextmanager
    def held(self):
        """Make it and hold it; where no bucket was begun, nothing is left of it.

        Raises Held where another run has it.
        """
        new = new_folders(self.dest) + new_folders(self.path)
        os.makedirs(self.dest, exist_ok=True)
        held = self.hold()
        try:
            yield
        finally:
            self.leave_nothing(new)
            os.close(held)

    def hold(self):
        """Return a descriptor that holds it. Raises Held where another has it."""
        held = lock.hold_made(self.path, LOCK)
        if held is None:
            raise Held(f"another s3-migrate works in '{self.path}'")
        return held

    def leave_nothing(self, new):
        """Remove what this run made if no bucket was begun: `new` directories."""
        if os.path.abspath(self.path) not in new or os.listdir(self.path) != [LOCK]:
            return
        durable.unlink(os.path.join(self.path, LOCK), None)
        for path in sorted(set(new), key=len, reverse=True):
            try:
                os.rmdir(path)
            except OSError:
                pass            # there is more in it than ours

    # --- which buckets are meant

    def chosen(self, args, verb, words, every):
        """Return the buckets that a command line means; `every()` returns all that we may see.

        Raises Usage, Fault.
        """
        named, known = [bucket_of(word) for word in words], self.buckets()
        if args.all_buckets and verb == "run":
            named += every()
        elif args.all_buckets or (not named and verb not in ("run", "reset")):
            if not known:
                raise Usage(f"no bucket was begun in '{self.path}' (see -d and -w)")
            named += known
        elif not named:
            raise Usage("no bucket: name some, or give --all-buckets")
        named = [name for name in dict.fromkeys(named)
                 if not any(fnmatchcase(name, glob) for glob in args.exclude_bucket)]
        unknown = ([name for name in named if name not in known] if verb != "run"
                   else [name for name in args.yes if name not in named])
        if unknown:
            raise Usage(f"'{unknown[0]}' is not a bucket of '{self.path}'" if verb != "run"
                        else f"--yes {unknown[0]}: no such bucket in this run")
        return named


def bucket_of(word):
    """Return the bucket of a command line's word, NAME or s3://NAME. Raises Usage."""
    name = word.removeprefix("s3://").rstrip("/")
    if not BUCKET.fullmatch(name):
        raise Usage(
            f"'{word}' is not a bucket: whole buckets are migrated, named as NAME or s3://NAME")
    return name


def new_folders(path):
    """Return those of a directory and its parents that do not exist, the innermost first."""
    found, path = [], os.path.abspath(path)
    while not os.path.lexists(path):
        found.append(path)
        path = os.path.dirname(path)
    return found
