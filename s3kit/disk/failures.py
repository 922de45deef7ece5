"""What became of object versions that could not be fetched, or were found wrong: a table of the
destination's ledger.

The table `object` has what is there; this one has what is not as it should be, so that it can be
counted by cause and tried again without the manifest that named it. Whatever is recorded of an
object version later puts an end to its failure: a trigger sees to that, whoever records.
"""

from typing import NamedTuple, Union

TABLE = """
CREATE TABLE IF NOT EXISTS failure (
    bucket TEXT NOT NULL, key TEXT NOT NULL, version_id TEXT NOT NULL,
    etag TEXT NOT NULL, size INTEGER, last_modified TEXT NOT NULL, storage_class TEXT NOT NULL,
    checksum_algorithm TEXT NOT NULL, checksum_type TEXT NOT NULL, checksum TEXT NOT NULL,
    path TEXT NOT NULL, digest TEXT NOT NULL, proof TEXT NOT NULL, state TEXT NOT NULL,
    error TEXT NOT NULL, changed_at TEXT NOT NULL,
    PRIMARY KEY (bucket, key, version_id)) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS failure_is_over AFTER INSERT ON object BEGIN
    DELETE FROM failure WHERE bucket = NEW.bucket AND key = NEW.key AND version_id = NEW.version_id;
END;
"""


class Failure(NamedTuple):
    """An object version as its row named it, its state and why; `size` is None where the row does
    not say it.
    """

    bucket: str
    key: str
    version_id: str
    etag: str
    size: Union[int, None]
    last_modified: str
    storage_class: str
    checksum_algorithm: str
    checksum_type: str
    checksum: str
    path: str
    digest: str
    proof: str
    state: str
    error: str
    changed_at: str


PLACES = ", ".join("?" * len(Failure._fields))


class Failures:
    """The table, by the connection of a Ledger, which may be None: then nothing is kept.

    It is made with the first failure. `exist` says whether there can be any.
    """

    def __init__(self, ledger):
        self.ledger, self.news, self.gone = ledger, {}, []
        self.exist = False
        if ledger:
            with ledger.reading():
                self.exist = ledger.base.execute(
                    "SELECT 1 FROM sqlite_master WHERE name = 'failure'").fetchone() is not None

    def add(self, failure):
        """Take a Failure."""
        if self.ledger:
            self.news[failure[:3]] = failure

    def over(self, rows):
        """Take rows that are as they should be, though nothing new is recorded of them."""
        if self.exist:
            self.gone += [(row.bucket, row.key, row.version_id) for row in rows]

    def record(self):
        """Write what was taken in one transaction. Raises the ledger's Fault."""
        if not (self.news or self.gone):
            return
        news, self.news, gone, self.gone = self.news, {}, self.gone, []
        if not self.exist:
            with self.ledger.told("write"):
                self.ledger.base.executescript(TABLE)
            self.exist = True
        with self.ledger.changing():
            self.ledger.base.executemany(
                "DELETE FROM failure WHERE bucket = ? AND key = ? AND version_id = ?", gone)
            self.ledger.base.executemany(f"INSERT OR REPLACE INTO failure VALUES ({PLACES})",
                                         news.values())
