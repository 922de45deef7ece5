"""What was uploaded from a directory, and what is under way: tables of its ledger.

`upload` has what is stored, by target; `covered` the versions of targets on top of which others
were stored later. `intent` has the targets to which an upload is being begun,
`sending` every multipart upload that was begun, `part` the parts that S3 has confirmed: after a
kill or a power cut only what was on its way is sent again, and no upload is forgotten, which would
be paid for without being seen.
"""

from typing import NamedTuple

from s3kit.disk.ledger import folded, has_identity
from s3kit.etags import is_same

COPY = """
    to_bucket TEXT NOT NULL, to_key TEXT NOT NULL, to_version_id TEXT NOT NULL,
    to_etag TEXT NOT NULL, bucket TEXT NOT NULL, key TEXT NOT NULL, version_id TEXT NOT NULL,
    etag TEXT NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL, checksum_algorithm TEXT NOT NULL, checksum_type TEXT NOT NULL,
    checksum TEXT NOT NULL, digest TEXT NOT NULL, proof TEXT NOT NULL, far_proof TEXT NOT NULL,
    changed_at TEXT NOT NULL"""
TABLE = f"""
CREATE TABLE IF NOT EXISTS upload ({COPY}, PRIMARY KEY (to_bucket, to_key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS covered ({COPY},
    PRIMARY KEY (to_bucket, to_key, to_version_id)) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS cover BEFORE INSERT ON upload BEGIN
    INSERT OR REPLACE INTO covered SELECT * FROM upload WHERE to_bucket = new.to_bucket
    AND to_key = new.to_key AND to_version_id NOT IN ('', 'null', new.to_version_id);
END;
CREATE TABLE IF NOT EXISTS sending (
    upload_id TEXT NOT NULL, to_bucket TEXT NOT NULL, to_key TEXT NOT NULL, path TEXT NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    part_size INTEGER NOT NULL, algorithm TEXT NOT NULL, token TEXT NOT NULL,
    changed_at TEXT NOT NULL, PRIMARY KEY (to_bucket, to_key, upload_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS intent (
    to_bucket TEXT NOT NULL, to_key TEXT NOT NULL, PRIMARY KEY (to_bucket, to_key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS part (
    upload_id TEXT NOT NULL, number INTEGER NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
    checksum TEXT NOT NULL, md5 TEXT NOT NULL, leaves TEXT NOT NULL,
    PRIMARY KEY (upload_id, number)) WITHOUT ROWID;
"""


LOOSE = ("", "null")        # version ids of what can be overwritten
BOTH = "(SELECT * FROM upload UNION ALL SELECT * FROM covered)"


class Upload(NamedTuple):
    """What is stored at a target (`to_...`), from which row and which file (`mtime_ns`, `inode`).

    `proof` is that of the row's object, `far_proof` that the copy has the file's bytes; '' where
    the copy may not be there any more.
    """

    to_bucket: str
    to_key: str
    to_version_id: str
    to_etag: str
    bucket: str
    key: str
    version_id: str
    etag: str
    path: str
    size: int
    mtime_ns: int
    inode: int
    checksum_algorithm: str
    checksum_type: str
    checksum: str
    digest: str
    proof: str
    far_proof: str
    changed_at: str

    def is_of(self, row):
        """Return whether it is the copy of a row's object, or the row is of the copy itself.

        A name that can be overwritten may be another object's by now: of that it is no copy.
        """
        etags = {(self.to_bucket, self.to_key, self.to_version_id): self.to_etag,
                 (self.bucket, self.key, self.version_id): self.etag}
        etag = etags.get((row.bucket, row.key, row.version_id))
        return (etag is not None and row.length in (None, self.size)
                and (not (row.etag and etag) or is_same(row.etag, etag)))

    def is_from(self, path, identity):
        """Return whether it is of the file at a path, and that was not changed since."""
        return is_untouched(self, path, identity)


class Sending(NamedTuple):
    """A multipart upload under way; `size`, `mtime_ns` and `inode` are its file's."""

    upload_id: str
    to_bucket: str
    to_key: str
    path: str
    size: int
    mtime_ns: int
    inode: int
    part_size: int
    algorithm: str
    token: str
    changed_at: str

    def is_of(self, path, identity):
        """Return whether it is of a file that was not changed since: `identity` has its size,
        mtime_ns and inode now.
        """
        return is_untouched(self, path, identity)


def is_untouched(record, path, identity):
    """Return whether a path and the identity of its file now are those of an Upload or a Sending.
    """
    return record.path == path and has_identity(record, identity.size, identity.mtime_ns,
                                                identity.inode)


def storable(record):
    """Return the values of an Upload or a Sending as SQLite has them."""
    return record._replace(mtime_ns=folded(record.mtime_ns), inode=folded(record.inode))


def uploads_of(ledger):
    """Return the Uploads of a Ledger, or None where it has none: no table is made.

    Raises the ledger's Fault.
    """
    with ledger.reading():
        found = ledger.base.execute("SELECT 1 FROM sqlite_master WHERE name = 'upload'").fetchone()
    return Uploads(ledger) if found else None


class Uploads:
    """The tables, by the connection of a Ledger; all methods raise its Fault."""

    def __init__(self, ledger):
        self.ledger, self.base = ledger, ledger.base
        with ledger.told("write"):
            self.base.executescript(TABLE)

    def is_empty(self):
        """Return whether nothing was ever uploaded."""
        with self.ledger.reading():
            return self.base.execute("SELECT 1 FROM upload UNION ALL SELECT 1 FROM sending LIMIT 1"
                                     ).fetchone() is None

    def at(self, bucket, key):
        """Return the Upload that was stored at a target last, or None."""
        return self.one("upload WHERE to_bucket = ? AND to_key = ?", bucket, key)

    def of_copy(self, bucket, key, version_id):
        """Return the Upload of one version at a target; where that is not known, of what was stored
        there last, or None.
        """
        found = self.one(f"{BOTH} WHERE to_bucket = ? AND to_key = ? AND to_version_id = ?",
                         bucket, key, version_id)
        return found or self.at(bucket, key)

    def of_source(self, target, name):
        """Return the Upload to a target (bucket, key) of the object of this name (bucket, key,
        version id), the last of them, or None.
        """
        return self.one(f"{BOTH} WHERE to_bucket = ? AND to_key = ? AND bucket = ? AND key = ? "
                        "AND version_id = ? ORDER BY changed_at DESC", *target, *name)

    def one(self, where, *values):
        """Return the first Upload of what a SELECT finds, or None."""
        with self.ledger.reading():
            found = self.base.execute(f"SELECT * FROM {where} LIMIT 1", values).fetchone()
        return Upload._make(found) if found else None

    def record(self, uploads):
        """Write Uploads in one transaction; versions that were stored at their targets before are
        covered by them.
        """
        places = ", ".join("?" * len(Upload._fields))
        with self.writing():
            self.base.executemany(f"INSERT OR REPLACE INTO upload VALUES ({places})",
                                  map(storable, uploads))

    def note(self, uploads):
        """Write what was found of Uploads since they were recorded."""
        fields = ", ".join(f"{name} = ?" for name in Upload._fields)
        with self.writing():
            for table in ("upload", "covered"):
                self.base.executemany(
                    f"UPDATE {table} SET {fields} WHERE to_bucket = ? AND to_key = ? AND "
                    "to_version_id = ?", [storable(upload) + upload[:3] for upload in uploads])

    def sent_from(self, path):
        """Return the Uploads of the file at a path."""
        found = []
        with self.ledger.told("read"):
            for table in ("upload", "covered"):
                self.base.execute(f"CREATE INDEX IF NOT EXISTS {table}_path ON {table} (path)")
                found += self.base.execute(f"SELECT * FROM {table} WHERE path = ?",
                                           (path,)).fetchall()
        return [Upload._make(values) for values in found]

    def doubt(self, names):
        """Write of copies (bucket, key, version id) that they may not be there any more."""
        names = [(bucket, key, "" if version_id in LOOSE else version_id)
                 for bucket, key, version_id in names]
        with self.writing():
            for table in ("upload", "covered"):
                self.base.executemany(
                    f"UPDATE {table} SET far_proof = '' WHERE to_bucket = ? AND to_key = ? AND "
                    "CASE to_version_id WHEN 'null' THEN '' ELSE to_version_id END = ?", names)

    def under_way(self, bucket, key):
        """Return the Sendings to a target."""
        with self.ledger.reading():
            found = self.base.execute("SELECT * FROM sending WHERE to_bucket = ? AND to_key = ?",
                                      (bucket, key)).fetchall()
        return [Sending._make(values) for values in found]

    def begin(self, sending):
        """Write a Sending before its first part is sent; it survives a power cut."""
        places = ", ".join("?" * len(Sending._fields))
        with self.writing(is_durable=True):
            self.base.execute(f"INSERT OR REPLACE INTO sending VALUES ({places})",
                              storable(sending))

    def intend(self, bucket, key):
        """Note that an upload to a target is about to be begun: if nobody hears of its id, S3 may
        have it all the same.
        """
        with self.writing():
            self.base.execute("INSERT OR REPLACE INTO intent VALUES (?, ?)", (bucket, key))

    def is_intended(self, bucket, key):
        """Return whether an upload to a target may have been begun whose id nobody knows."""
        with self.ledger.reading():
            return self.base.execute("SELECT 1 FROM intent WHERE to_bucket = ? AND to_key = ?",
                                     (bucket, key)).fetchone() is not None

    def settle(self, bucket, key):
        """Note that the beginning of an upload to a target was answered, or that people were told.
        """
        with self.writing():
            self.base.execute("DELETE FROM intent WHERE to_bucket = ? AND to_key = ?",
                              (bucket, key))

    def took(self, upload_id, pieces):
        """Write a part that S3 has confirmed, as put_parts has it."""
        with self.writing():
            self.base.execute("INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?, ?)",
                              (upload_id, pieces["number"], pieces["size"], pieces["etag"],
                               pieces["checksum"], pieces["md5"], pieces["leaves"]))

    def parts(self, upload_id):
        """Return {number: what `took` has of it} of an upload."""
        names = ("number", "size", "etag", "checksum", "md5", "leaves")
        with self.ledger.reading():
            found = self.base.execute(f"SELECT {', '.join(names)} FROM part WHERE upload_id = ?",
                                      (upload_id,)).fetchall()
        return {values[0]: dict(zip(names, values)) for values in found}

    def end(self, upload_id):
        """Forget an upload that is over: complete, aborted, or gone."""
        with self.writing():
            self.base.execute("DELETE FROM part WHERE upload_id = ?", (upload_id,))
            self.base.execute("DELETE FROM sending WHERE upload_id = ?", (upload_id,))

    def writing(self, is_durable=False):
        """Return a context of one transaction; with `is_durable` a power cut does not take it."""
        return self.ledger.changing(is_durable)
