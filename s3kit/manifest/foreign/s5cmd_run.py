"""Files of commands for `s5cmd run`: one `cp` a row, to where s3-fetch would put the file.

Quoting is that of a shell, and a line feed cannot be quoted
(https://github.com/peak/s5cmd/blob/master/command/run.go). Read are the commands that name one
object each.
"""

import re

from s3kit.disk.path_owners import PathOwners, hash_of
from s3kit.disk.paths import is_inside, path_of
from s3kit.errors import Fault
from s3kit.manifest import base
from s3kit.manifest.foreign.pairs import nonsense
from s3kit.manifest.foreign.plain import plain_row
from s3kit.manifest.foreign.shell_words import words_of
from s3kit.manifest.foreign.text_lines import Lines

SCHEME = "s3://"
FOLDER = hash_of("a directory")     # the owner of a path that others are below
BLANKS = " \t\r\v\f\x85\xa0"
COPIES = ("cp", "mv")
# The options of cp and mv that do not choose what is copied, with a value and without
# (https://github.com/peak/s5cmd/blob/master/command/cp.go).
VALUED = frozenset((
    "version-id", "storage-class", "concurrency", "c", "part-size", "p", "metadata",
    "metadata-directive", "sse", "sse-kms-key-id", "acl", "cache-control", "expires",
    "source-region", "destination-region", "content-type", "content-encoding",
    "content-disposition"))
PLAIN = frozenset((
    "raw", "flatten", "f", "no-clobber", "n", "if-size-differ", "s", "if-source-newer", "u",
    "show-progress", "sp", "no-follow-symlinks", "force-glacier-transfer",
    "ignore-glacier-warnings"))


class Reader(Lines):
    """Reads commands; one that does not name one object is a failed row."""

    form, needs_end = "s5cmd", False

    def row(self, text):
        """Return the Row of a line, None of an empty one and of a comment."""
        text = text.strip(BLANKS)
        if not text or text.startswith("#"):
            return None
        try:
            words = words_of(text)
            if words[0] not in COPIES:
                raise ValueError(f"'{words[0]}' is not cp or mv, which name objects to be fetched")
            columns = columns_of(*arguments_of(words))
        except ValueError as error:
            return nonsense("", text, self.line, str(error))
        return plain_row(columns, f"line {self.line}")


def arguments_of(words):
    """Return (source, destination, options) of a command; options as {name: value}.

    Raises ValueError for other than two arguments, and an option that is not known.
    """
    options, left = {}, words[1:]
    while left and left[0].startswith("-") and left[0] != "-":
        word = left.pop(0)
        if word == "--":
            break
        name, equals, value = word.removeprefix("-").removeprefix("-").partition("=")
        if name in VALUED:
            if not equals and not left:
                raise ValueError(f"{word} has no value")
            options[name] = value if equals else left.pop(0)
        elif name in PLAIN and not equals:
            options[name] = ""
        else:
            raise ValueError(f"what {word} does to the command is not known")
    if len(left) != 2:
        raise ValueError(f"{len(left)} arguments, not a source and a destination")
    return *left, options


def columns_of(source, destination, options):
    """Return the columns of the object that is copied. Raises ValueError where it is not one."""
    if not source.startswith(SCHEME):
        raise ValueError(f"the source '{source}' is not in S3")
    bucket, _, key = source[len(SCHEME):].partition("/")
    if not key or key.endswith("/"):
        raise ValueError(f"'{source}' is a bucket or a folder, not an object")
    if "raw" not in options and re.search("[*?]", key):
        below = re.split("[*?]", key)[0]
        raise ValueError(f"'{source}' is more than one object: s3-manifest "
                         f"{quoted(f'{SCHEME}{bucket}/{below}')} lists them (or, where it is a "
                         "key, --raw)")
    return {"bucket": bucket, "key": key, "version_id": options.get("version-id", ""),
            "path": path_at(destination, key)}


def path_at(destination, key):
    """Return where s5cmd puts an object's file, below the directory that it runs in; '' where that
    is another place, or in S3.
    """
    if destination.startswith(SCHEME):
        return ""
    if destination == "." or destination.endswith("/"):
        destination = f"{destination.removesuffix('/')}/{key.rpartition('/')[2]}"
    while destination.startswith("./"):
        destination = destination[2:]
    return destination if is_inside(destination) else ""


class Writer(base.Writer):
    """Turns rows to bytes: `begin`, `rows` as often as wanted, `end`.

    No two rows have the same path, where one file would replace the other, and none has a path
    below another's: s5cmd puts a file whose path is a directory into that, under its own name.
    """

    def __init__(self):
        self.owners, self.folder = PathOwners(), ""

    def rows(self, rows):
        """Return the commands of rows. Raises Fault for one that s5cmd cannot fetch so."""
        return "".join(map(self.line, rows)).encode()

    def line(self, row):
        """Return a row's command. Raises Fault where another row has its path."""
        path = place_of(row)
        if not self.owners.take(hash_of(path), hash_of(row.name)):
            raise Fault(f"{row.name}: another row has the path '{path}', or one below it (a row's "
                        "own path, or is_latest, keeps them apart)")
        self.take_folders(row, path)
        return command(row, path)

    def take_folders(self, row, path):
        """Note the directories of a path. Raises Fault where one is another row's file."""
        folder = path.rpartition("/")[0]
        if folder == self.folder:
            return
        self.folder = folder
        while folder:
            if not self.owners.take(hash_of(folder), FOLDER):
                raise Fault(f"{row.name}: another row has the path '{folder}', which must be a "
                            f"directory for '{path}' (a row's own path keeps them apart)")
            folder = folder.rpartition("/")[0]


def place_of(row):
    """Return the path of a row's file. Raises Fault where s5cmd cannot fetch it."""
    if row.verbatim is not None:
        raise Fault(f"{row.error}: it has no place among commands")
    if row.is_marker:
        raise Fault(f"{row.name}: a delete marker has no bytes")
    if row.is_latest == "false" and not row.version_id:
        raise Fault(f"{row.name}: it is not the latest version, and has no version id")
    if row.key.endswith("/"):
        raise Fault(f"{row.name}: s5cmd makes no directories")
    path = row.path or path_of(row.bucket, row.key,
                               row.version_id if row.is_latest == "false" else "")
    if not is_inside(path) or path.endswith("/"):       # s5cmd puts a file below that
        raise Fault(f"{row.name}: '{path}' cannot be the name of a file below a directory")
    return path


def command(row, path):
    """Return the command that fetches a row; `--raw`, for a `*` in a key is nothing but that."""
    version = f" --version-id {quoted(row.version_id)}" if row.version_id else ""
    made = f"cp --raw{version} {quoted(f's3://{row.bucket}/{row.key}')} {quoted(path)}\n"
    if made.count("\n") > 1 or "\0" in made:
        raise Fault(f"{row.name}: a command of s5cmd can have no line feed and no NUL")
    return made


def quoted(text):
    """Return a word in a shell's quotes."""
    return "'" + text.replace("'", "'\\''") + "'"


def reader(form, bucket, columns):
    """Return a reader of commands."""
    return Reader(bucket)


def writer(form):
    """Return a writer of commands."""
    return Writer()
