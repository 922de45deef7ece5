"""What a worker is asked to do, and what it answers."""

from typing import Any, NamedTuple

from s3kit.disk import direct_io
from s3kit.proof.claims import NO_CLAIM

FETCHED, WRITTEN, NAMED, SURVEYED, RECEIVED, CHECKED, UNCHANGED, DESCRIBED = (
    "fetched", "written", "named", "surveyed", "received", "checked", "unchanged", "described")
UNDIVIDED = "undivided"         # a range was asked for, and the whole object came
AGAIN, HELD, BIG, FULL, ARCHIVED, VANISHED, CHANGED, CONFLICT, FAILED, FATAL = (
    "again", "held", "big", "full", "archived", "vanished", "changed", "conflict", "failed",
    "fatal")


class Job(NamedTuple):
    """What a worker is to do for one object version; `size` is -1 and `mtime_ns` NO_TIME where
    they are not known.

    `kind`: `get` the whole object; `survey` a large one; `parts` the same, with the sizes of all
    parts; `describe` what S3 says of it besides its bytes; `range` bytes `start` to `end` (not
    included) of it into the part file with inode `inode`; `check` the file at `path` (a part's name
    if `inode`); `name` the part files that `pieces` names, which were written before. `direct`
    reads past the page cache, from the disk itself. `pieces` of a range is what an earlier run
    noted of it, if it should be there already. `unless` is the ETag of what is there already: an
    object that still has it is not sent again. `suspect` is our digest of the bytes that came
    before and did not meet a derived claim (see proof.claims). `given` is a digest that a `check`
    also compares the bytes with (see proof.given), or ''.
    """

    kind: str
    bucket: str
    key: str
    version_id: str
    etag: str
    size: int
    mtime_ns: int
    path: str
    checksum_type: str = ""
    start: int = 0
    end: int = 0
    inode: int = 0
    claim: Any = NO_CLAIM
    pieces: Any = None
    direct: bool = False
    unless: str = ""
    suspect: str = ""
    given: str = ""

    @property
    def memory(self):
        """Return how many bytes of memory the body takes on its way, at most."""
        most = direct_io.BLOCK
        if self.kind == "get":
            return min(self.size, most) if self.size >= 0 else most
        return min(self.end - self.start, most) if self.kind == "range" else 0


class Outcome(NamedTuple):
    """What became of a Job. `moved` counts body bytes; `pieces` is a range's, see `ranges`.

    Of a file that was WRITTEN `path` is the part's name, and `holder` the process that holds it
    until it is told to `name` it. `meets_given` says whether the bytes are those of the Job's given
    digest, None where there was none. `description` is what S3 says of the object besides its
    bytes, {column: text}, None where that was not to be kept.
    """

    state: str
    error: str = ""
    path: str = ""
    size: int = -1
    etag: str = ""
    version_id: str = ""
    last_modified: str = ""
    storage_class: str = ""
    checksum_algorithm: str = ""
    checksum_type: str = ""
    checksum: str = ""
    digest: str = ""
    proof: str = ""
    mtime_ns: int = 0
    inode: int = 0
    moved: int = 0
    slow: bool = False
    claim: Any = NO_CLAIM
    pieces: Any = None
    holder: int = 0
    meets_given: Any = None
    description: Any = None
