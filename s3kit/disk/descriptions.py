"""What S3 says of objects besides their bytes: a table of the destination's ledger.

It is there so that nobody asks twice: whoever wants it with each row would else ask for all that is
there already, whenever a run goes on.
"""

import json

TABLE = """
CREATE TABLE IF NOT EXISTS description (
    bucket TEXT NOT NULL, key TEXT NOT NULL, version_id TEXT NOT NULL, etag TEXT NOT NULL,
    columns TEXT NOT NULL, PRIMARY KEY (bucket, key, version_id)) WITHOUT ROWID;
"""


class Descriptions:
    """The table, by the connection of a Ledger; all methods raise its Fault."""

    def __init__(self, ledger):
        self.ledger, self.base = ledger, ledger.base
        with ledger.told("write"):
            self.base.executescript(TABLE)

    def find(self, name, etag):
        """Return {column: text} of the object with this (bucket, key, version id) and ETag, or None
        where it is not known.
        """
        with self.ledger.reading():
            found = self.base.execute(
                "SELECT columns FROM description WHERE bucket = ? AND key = ? AND version_id = ? "
                "AND etag = ?", (*name, etag)).fetchone()
        return json.loads(found[0]) if found else None

    def record(self, found):
        """Write {(bucket, key, version id): (ETag, {column: text})} in one transaction."""
        rows = [(*name, etag, json.dumps(columns)) for name, (etag, columns) in found.items()]
        with self.ledger.changing():
            self.base.executemany("INSERT OR REPLACE INTO description VALUES (?, ?, ?, ?, ?)", rows)
