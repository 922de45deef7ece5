"""What a worker is asked to do for an upload. It answers with the Outcomes of other jobs."""

from typing import Any, NamedTuple

from s3kit.proof.claims import NO_CLAIM
from s3kit.proof.digest import LEAF
from s3kit.transfer.expected import Expected

# What becomes of a PutJob beside what becomes of others: the bytes are there, by us or since
# before; an upload was begun; it has this part; it is complete; it is not there any more; what its
# parts are; the target was looked at; the file is not what it was, not what the row says, or
# perhaps not; a delete marker was made.
SENT, THERE, CREATED, TAKEN, COMPLETED, LOST, LISTED, LOOKED, ABORTED, HIDDEN = (
    "sent", "there", "created", "taken", "completed", "lost", "listed", "looked", "aborted",
    "hidden")
UNSTABLE, IN_THE_WAY = "unstable", "in the way"
WHOLE_MOST = LEAF       # bytes that are sent in one request, and held in memory
TOKEN = "x-amz-meta-s3kit-token"


class Identity(NamedTuple):
    """What tells that a file was not changed: of os.stat_result."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, status):
        """Return that of an os.stat_result."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


NO_FILE = Identity(0, 0, 0, 0)      # as of a key that ends in `/`: it has no bytes


class PutJob(NamedTuple):
    """What a worker is to do for one object that goes to `bucket` and `key`.

    `kind`: `put` all in one request; `look` at what is there; `create` a multipart upload, send one
    `part` of it, list its `parts`, `complete` or `abort` it; `check` the file against a Claim;
    `hide` what is there under a delete marker. The file lies at `path` below the destination ('':
    there is none, as of a key that ends in `/`), links are followed where it `follows`. `headers`
    (`Name: value`) are the object's own. `token` is in its metadata, and tells our write from
    others'. `is_looked`: what is there is compared first; `confirms`: so is what was sent, before
    it counts. `only_absent`: nothing that is there is ever replaced, but for the version `over`,
    which is covered whatever it is, the same bytes, too. `condition` is the ETag that must be there
    still, '*' if nothing may be, '' for none. A part has bytes `start` to `end` (not included).
    `parts` of a completion is (number, ETag, base64 checksum) for each, `checksum` that of the
    whole object. `stored` is what a ledger has of the same file at the target: (the copy's ETag,
    its proof, our digest), () for nothing.
    """

    kind: str
    bucket: str
    key: str
    path: str
    identity: Identity
    headers: tuple = ()
    token: str = ""
    algorithm: str = ""
    expected: Expected = Expected()
    is_looked: bool = False
    only_absent: bool = False
    condition: str = ""
    follows: bool = False
    confirms: bool = False
    upload_id: str = ""
    number: int = 0
    start: int = 0
    end: int = 0
    parts: tuple = ()
    checksum: str = ""
    checksum_type: str = ""
    version_id: str = ""
    etag: str = ""
    unless: str = ""
    claim: Any = NO_CLAIM
    given: str = ""
    direct: bool = False
    inode: int = 0
    stored: tuple = ()
    over: str = ""

    def with_token(self, token):
        """Return the same job with another token, in its metadata, too."""
        headers = tuple(line for line in self.headers if not line.startswith(f"{TOKEN}:"))
        return self._replace(token=token, headers=(*headers, f"{TOKEN}: {token}"))

    @property
    def size(self):
        """The file's size in bytes."""
        return self.identity.size

    @property
    def memory(self):
        """Return how many bytes of memory the body takes on its way, at most."""
        if self.kind == "put":
            return self.size
        length = self.end - self.start
        return length if length <= WHOLE_MOST else 0
