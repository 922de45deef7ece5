"""The manifests that a command reads, and the one it writes."""

import os
import shlex
from contextlib import contextmanager

from s3kit.cli.messages import say
from s3kit.cli.standard import NotWritten
from s3kit.errors import Fault, Usage, of_file
from s3kit.text import visible

# How a command is called behind a manifest, where its name alone would not do.
BEHIND = {"s3-fetch": "s3-fetch -d DIR", "s3-verify": "s3-verify -d DIR",
          "s3-prune": "s3-prune -d DIR", "s3-status": "s3-status",
          "s3-put": "s3-fetch -d DIR | s3-put -d DIR --to s3://..."}


class Source:
    """The manifests a command was given, as one stream of batches of rows."""

    def __init__(self, args):
        self.name = args.prog
        self.files = args.file or ["-"]
        self.bucket, self.columns = args.bucket or "", args.columns
        self.told, self.prefix = getattr(args, "from_form", None), getattr(args, "prefix", None)
        self.replaces = getattr(args, "in_place", False)
        self.takes_trees = args if getattr(args, "takes_trees", False) else None
        self.is_held_to_all = getattr(args, "merge", False)     # of the shards, by who reads
        for path in self.files:
            self.check_name(path)
        if "-" in self.files and os.isatty(0):
            raise Usage("a manifest is expected on stdin or as FILE, " + (
                "or a directory, all of whose files are sent, like: "
                f"{self.name} --to s3://bucket/ DIR" if self.takes_trees
                else f"like: {self.pipeline('s3://bucket/')}"))
        if self.files.count("-") > 1:
            raise Usage("'-' can be read once")
        if self.told in ("keys", "keys0") and not self.bucket:
            raise Usage("a list of keys names no bucket: --bucket B")
        self.input, self.readers, self.names = None, [], []     # names: of the readers' inputs
        self.form_of_first = None
        # of the inputs up to the one `counted`, and of all, once that was asked for
        self.read_bytes, self.all_bytes, self.counted = 0, None, None

    def share(self):
        """Return how much of all inputs was read, from 0 to 1; None where nobody knows how long
        they are.
        """
        if not self.input or self.input.total is None:
            return None
        if self.all_bytes is None:
            self.all_bytes = (sum(map(size_of, self.files)) if len(self.files) > 1
                              else self.input.total)
        taken = 0 if self.input is self.counted else self.input.taken
        return min(1.0, (self.read_bytes + taken) / max(self.all_bytes, 1))

    def check_name(self, path):
        """Raise Usage for the name of what cannot be a manifest, with what may be meant."""
        if path.startswith("-") and path != "-":
            raise Usage(f"unknown option '{path}' (a file of that name is './{path}')")
        if path.startswith("s3://") and not os.path.exists(path):
            raise Usage(f"takes a manifest: {self.pipeline(path)}")
        if os.path.isdir(path) and not self.takes_trees:
            from s3kit.manifest.foreign import is_folder
            if not is_folder(self.told):
                raise Usage(f"takes a manifest, and '{path}' is a directory"
                            + (f" (-d {shlex.quote(path)} says where files lie)"
                               if self.name in BEHIND else ""))

    def pipeline(self, address):
        """Return the command line that has this command act on what is at an address."""
        return f"s3-manifest {shlex.quote(address)} | {BEHIND.get(self.name, self.name)}"

    @property
    def form(self):
        """The form of the first input, known once a batch has come."""
        return self.form_of_first or "csv"

    def extras(self):
        """The names of unknown columns seen so far, in all inputs: rows may leave out of order."""
        found = [reader.extras for reader in self.begun() if reader]
        return found[0] if len(found) == 1 else list(dict.fromkeys(sum(found, [])))

    def begun(self):
        """Return the readers of all inputs that were begun, also of the one at hand."""
        current = self.input.reader if self.input else None
        return self.readers if self.readers and self.readers[-1] is current else [
            *self.readers, current]

    def shards(self):
        """Return the marks of shards of all that was read so far, '' for what is not one."""
        return [mark for reader in self.begun() for mark in (reader and reader.shards) or [""]]

    def inputs_of(self, mark):
        """Return the names of the inputs that are a shard, or have it in them; '' is what is none.
        """
        return [name for name, reader in zip(self.names, self.begun())
                if mark in (reader and reader.shards or [""])]

    def shard(self):
        """Return the mark of the shard that all of the input is of, or '' where it is not of one.

        Where it is of several, and not of all, the mark is that of the first: no part must look
        like the whole. It is known once a batch has come. Of several inputs only files are looked
        at.
        """
        from s3kit.manifest.shards import missing_shards
        if len(self.files) == 1:
            return self.input.shards[0] if self.input else ""
        marks = []
        for path in self.files:
            marks.append(shard_of(path, self.told))
            if not marks[-1]:
                return ""
        return marks[0] if missing_shards(marks) else ""

    def has_header(self):
        """Return whether the input has named all its columns before its first row."""
        reader = self.input and self.input.reader
        return bool(reader and reader.has_header)

    def batches(self):
        """Yield lists of rows.

        Raises Cut at the end of an input that was cut, Fault for one of no use.
        """
        from s3kit.manifest.row import with_prefix
        for path in self.files:
            if self.takes_trees and os.path.isdir(path):
                yield from self.rows_of_tree(path)
                continue
            try:
                fd = 0 if path == "-" else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                raise of_file("open", path, error) from None
            self.names.append("standard input" if path == "-" else path)
            self.input = self.begin(fd, self.names[-1])
            for rows in self.input.batches():
                self.note_form()
                yield with_prefix(self.prefix, rows) if self.prefix else rows
            self.note_form()
            self.readers.append(self.input.reader)
            for warning in self.input.warnings:
                say(self.name, f"warning: {warning}")
            self.read_bytes += self.input.total or 0
            self.counted = self.input
            if fd:
                os.close(fd)
        self.warn_of_shards()

    def begin(self, fd, name):
        """Return the Input of a descriptor."""
        from s3kit.manifest.streams import Input
        return Input(fd, name, self.bucket, self.columns, self.told)

    def rows_of_tree(self, path):
        """Yield lists of the rows of a directory; what is no regular file has one, too."""
        from s3kit.manifest.local_tree import tree_rows
        return tree_rows(path, self.bucket, irregular=lambda row, kind: row,
                         follows=self.takes_trees.follow_links)

    def warn_of_shards(self):
        """Tell people where the inputs are some of the shards of a manifest, and not all."""
        from s3kit.manifest.shards import missing_shards
        marks = self.shards()
        missing = missing_shards(marks)
        if missing and len(set(marks)) > 1 < len(self.files) and not self.is_held_to_all:
            say(self.name, f"warning: the inputs are shards, and {missing[0]} is not among them "
                           "(s3-filter --merge takes all)")

    def note_form(self):
        """Note the form of the first input.

        Raises Fault where it is another tool's and was to be rewritten: it would be one of ours.
        """
        if self.form_of_first is None:
            if self.replaces and self.input.is_foreign:
                raise Fault(f"{self.input.name}: -i would put a manifest in the place of another "
                            "tool's file: -o FILE writes one beside it")
            self.form_of_first = self.input.form


def size_of(path):
    """Return the size of a file in bytes, 0 of what is none."""
    try:
        return os.path.getsize(path) if os.path.isfile(path) else 0
    except OSError:
        return 0


def shard_of(path, form):
    """Return the mark in the head of a manifest that lies in a file, or '': what comes through a
    pipe is not touched before its turn, and what cannot be read is told when it has come.
    """
    from s3kit.manifest.streams import Input
    try:
        if path == "-" or not os.path.isfile(path):
            return ""
        with open(path, "rb", 0) as file:
            return Input(file.fileno(), path, form=form).shard_of_head()
    except (OSError, Fault):
        return ""


class Sink:
    """Where the manifest goes: a file, stdout, or on a terminal nowhere, where people get the
    summary.

    `form()` and `shard()` are asked when the first rows come: the form of the input, and the mark
    for the head. `makes` are the optional columns that the command gives to rows: the head names
    them, behind the input's own unknown columns.
    """

    def __init__(self, args, form, source_rows=False, shard=str, makes=()):
        from s3kit.manifest.streams import Output
        path = None if args.output in (None, "-") else args.output
        if getattr(args, "in_place", False):
            if len(args.file) != 1 or args.file == ["-"] or path:
                raise Usage("-i rewrites one FILE, and goes with no -o")
            path = args.file[0]
        self.name, self.path, self.shard, self.makes = args.prog, path, shard, makes
        self.form = lambda: args.format or form_of_name(args.output or "") or form()
        shown = source_rows or path or args.output == "-" or not os.isatty(1)
        try:
            self.output = Output(path=path) if shown else None
            if shown and not path and os.isatty(1):
                self.output.file = Shown(self.output.file)
        except OSError as error:
            raise of_file("write", path or "stdout", error) from None

    @contextmanager
    def writing(self):
        """Say an error of writing as what it is: about the file, or NotWritten about stdout."""
        try:
            yield
        except OSError as error:
            if self.path:
                raise of_file("write", self.path, error) from None
            raise NotWritten(error.errno, error.strerror) from None

    def write(self, rows, extras=()):
        """Write rows. Raises Fault about a file, NotWritten about stdout."""
        if self.output:
            self.prepare()
            with self.writing():
                self.output.write(rows, self.with_made(extras))

    def with_made(self, extras):
        """Return the names of unknown columns and of those that the command makes."""
        return [*extras, *(name for name in self.makes if name not in extras)]

    def prepare(self):
        """Say what the head is to be, as long as there is none."""
        if not self.output.begun:
            self.output.form, self.output.shard = self.form(), self.shard()

    def close(self):
        """Write the end mark. Raises what `write` does."""
        if self.output:
            self.prepare()
            with self.writing():
                if not self.output.begun:
                    self.output.begin(self.makes)
                self.output.close()
            if self.output.lost:
                say(self.name,
                    f"warning: columns first seen after CSV's header was written are lost: "
                    f"{', '.join(sorted(self.output.lost))} (-f xml keeps them)")

    def abandon(self):
        """Leave without the end mark."""
        if self.output:
            try:
                self.output.abandon()
            except OSError:
                pass            # what led here is what people must know


def form_of_name(path):
    """Return the form that a file's name tells: `m.xml.gz` is XML."""
    for compression in (".gz", ".zst", ".zstd"):
        path = path.removesuffix(compression)
    return {".csv": "csv", ".xml": "xml"}.get(os.path.splitext(path)[1], "")


class Shown:
    """A terminal that a manifest is written to: what could act on it is written out, as everywhere.
    """

    def __init__(self, file):
        self.file = file
        self.flush, self.close = file.flush, file.close

    def write(self, data):
        """Write bytes of whole lines."""
        text = bytes(data).decode("utf-8", "surrogateescape")
        view = memoryview("\n".join(map(visible, text.split("\n"))).encode())
        while view:
            view = view[self.file.write(view):]
        return len(data)


@contextmanager
def closing(sink, *others):
    """Close the sink with its end mark if all went well, without it if not (nor can be); close the
    others anyway.

    The sink is made for this very context, nowhere before: what fails between would leave behind
    what it has begun to write.
    """
    try:
        yield sink
        sink.close()
    except BaseException:
        sink.abandon()
        raise
    finally:
        for other in others:
            other.close()
