"""Files of commands for `s5cmd run`: one `cp` a row, to where s3-fetch would put the file.

Quoting is that of a shell, and a line feed cannot be quoted
(https://github.com/peak/s5cmd/blob/master/command/run.go).
"""

from xxhash import xxh3_64_intdigest

from s3kit.disk.path_owners import PathOwners
from s3kit.disk.paths import is_inside, path_of
from s3kit.errors import Fault


class Writer:
    """Turns rows to bytes: `begin`, `rows` as often as wanted, `end`.

    No two rows have the same path, where one file would replace the other.
    """

    is_marked = False
    extras = ()

    def __init__(self):
        self.owners = PathOwners()

    def begin(self, extras):
        """Return nothing: there is no header."""
        return b""

    def rows(self, rows):
        """Return the commands of rows. Raises Fault for one that s5cmd cannot fetch so."""
        return "".join(map(self.line, rows)).encode()

    def line(self, row):
        """Return a row's command. Raises Fault where another row has its path."""
        path = place_of(row)
        if not self.owners.take(hash_of(path), hash_of(row.name)):
            raise Fault(f"{row.name}: another row has the path '{path}' (a row's own path, or "
                        "is_latest, keeps versions apart)")
        return command(row, path)

    def end(self, count):
        """Return nothing: there is no end mark."""
        return b""


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
    if not is_inside(path):
        raise Fault(f"{row.name}: '{path}' cannot be the name of a file below a directory")
    return path


def command(row, path):
    """Return the command that fetches a row; `--raw`, for a `*` in a key is nothing but that."""
    version = f" --version-id {quoted(row.version_id)}" if row.version_id else ""
    made = f"cp --raw{version} {quoted(f's3://{row.bucket}/{row.key}')} {quoted(path)}\n"
    if made.count("\n") > 1 or "\0" in made:
        raise Fault(f"{row.name}: a command of s5cmd can have no line feed and no NUL")
    return made


def hash_of(text):
    """Return a 64-bit signed hash of a text, which PathOwners takes."""
    return xxh3_64_intdigest(text.encode("utf-8", "surrogateescape")) - (1 << 63)


def quoted(text):
    """Return a word in a shell's quotes."""
    return "'" + text.replace("'", "'\\''") + "'"


def writer(form):
    """Return a writer of commands."""
    return Writer()
