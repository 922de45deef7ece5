"""The ledger of s3-relay: every object version that the source has shown, where its bytes are now,
and on what proof it was delivered; SQLite in the work directory.

A row's way: `listed`; listed with a volume, whose room it has; `fetched`, there; `stored` at the
target. There is no other queue: what is not stored is what is to be done.
"""

import time
from typing import NamedTuple

from s3kit.disk.database import Database
from s3kit.errors import Usage
from s3kit.manifest import row as rows
from s3kit.units import from_epoch

BLOCK = 4096            # of most file systems
TABLE = """
CREATE TABLE IF NOT EXISTS route (
    source TEXT NOT NULL, target TEXT NOT NULL, id TEXT NOT NULL, listing INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS outage (side TEXT PRIMARY KEY, since TEXT NOT NULL, why TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS volume (path TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS delivery (
    key TEXT NOT NULL, version_id TEXT NOT NULL, etag TEXT NOT NULL, last_modified TEXT NOT NULL,
    size INTEGER NOT NULL, storage_class TEXT NOT NULL, checksum_algorithm TEXT NOT NULL,
    checksum_type TEXT NOT NULL, checksum TEXT NOT NULL, state TEXT NOT NULL, volume TEXT NOT NULL,
    path TEXT NOT NULL, digest TEXT NOT NULL, proof TEXT NOT NULL, far_proof TEXT NOT NULL,
    stored_at TEXT NOT NULL, error TEXT NOT NULL, tries INTEGER NOT NULL, listing INTEGER NOT NULL,
    dealt_at TEXT NOT NULL, fetched_at TEXT NOT NULL, changed_at TEXT NOT NULL,
    PRIMARY KEY (key, version_id, etag, last_modified)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS waiting_by_size ON delivery (size)
    WHERE state = 'listed' AND volume = '';
CREATE INDEX IF NOT EXISTS waiting_by_key ON delivery (key)
    WHERE state = 'listed' AND volume = '';
CREATE INDEX IF NOT EXISTS on_volume ON delivery (volume, state, key)
    WHERE volume != '' AND state != 'stored';
"""
DAMAGED = ("move it away: it alone knows what was delivered, but files on the volumes are used, "
           "and what is at the target with the same bytes is not sent again")
WAITING = "state = 'listed' AND volume = ''"
ON_VOLUME = "volume != '' AND state != 'stored'"
# An older row of the same key that is under way goes first: two would race to one target.
ALONE = ("NOT EXISTS (SELECT 1 FROM delivery other WHERE other.key = delivery.key "
         "AND other.volume != '' AND other.state IN ('listed', 'fetched'))")
# A version of the key was delivered after this one had failed.
SUPERSEDED = ("EXISTS (SELECT 1 FROM delivery later WHERE later.key = delivery.key "
              "AND later.state = 'stored' AND later.changed_at >= delivery.changed_at)")
AFTER_LOSS = ("WHEN state = 'unverifiable' THEN state "
              f"WHEN {SUPERSEDED} THEN 'vanished' ELSE 'listed'")
# Another version of the key took its place at the target.
REPLACED = ("EXISTS (SELECT 1 FROM delivery later WHERE later.key = delivery.key "
            "AND later.state IN ('stored', 'unverifiable') "
            "AND later.changed_at > delivery.changed_at)")
# What is seen again after it failed is tried again; what is on a volume, when the listing has
# ended; what is stored without proof is not, for it would be sent again. What is current once more,
# for the version that had followed was deleted, is delivered once more.
AGAIN = f"""ON CONFLICT DO UPDATE SET listing = excluded.listing,
 tries = CASE WHEN state IN ('listed', 'fetched') OR state != 'stored' AND changed_at > ?1
 THEN tries ELSE 0 END,
 changed_at = CASE state WHEN 'stored' THEN excluded.changed_at ELSE changed_at END,
 volume = CASE state WHEN 'stored' THEN '' ELSE volume END,
 state = CASE WHEN state IN ('listed', 'fetched')
 OR state != 'stored' AND (changed_at > ?1 OR volume != '') THEN state ELSE 'listed' END
 WHERE state NOT IN ('stored', 'unverifiable') OR state = 'stored' AND {REPLACED}"""


class Delivery(NamedTuple):
    """One object version on its way. Its name is the first four: what has no version id is known
    again by its ETag and time.
    """

    key: str
    version_id: str
    etag: str
    last_modified: str
    size: int
    storage_class: str = ""
    checksum_algorithm: str = ""
    checksum_type: str = ""
    checksum: str = ""
    state: str = rows.LISTED
    volume: str = ""
    path: str = ""
    digest: str = ""
    proof: str = ""
    far_proof: str = ""
    stored_at: str = ""
    error: str = ""
    tries: int = 0
    listing: int = 0
    dealt_at: str = ""
    fetched_at: str = ""
    changed_at: str = ""

    @property
    def name(self):
        """What it is known by."""
        return self[:4]

    def begun_anew(self):
        """Return it as it is where the file that it has on its volume is to be fetched again."""
        return self._replace(state=rows.LISTED, path="", digest="", proof="")

    def row(self, bucket):
        """Return its Row, for the commands."""
        return rows.Row(bucket=bucket, key=self.key, version_id=self.version_id,
                        size=str(self.size), last_modified=self.last_modified, etag=self.etag,
                        storage_class=self.storage_class, state=self.state, path=self.path,
                        checksum_algorithm=self.checksum_algorithm, digest=self.digest,
                        checksum_type=self.checksum_type, checksum=self.checksum,
                        proof=self.proof)


FIELDS = ", ".join(Delivery._fields)
PLACES = ", ".join("?" * len(Delivery._fields))
SEEN = ", ".join(f"?{number + 2}" for number in range(len(Delivery._fields)))   # ?1 is a time
CHANGED = ", ".join(f"{name} = " + ("max(listing, excluded.listing)" if name == "listing"
                                    else f"excluded.{name}") for name in Delivery._fields[4:])
# So the order of deliveries is known whatever was done to the clock.
LATEST = "(SELECT max(changed_at) FROM delivery later WHERE later.key = delivery.key)"
BY_NAME = "key = ? AND version_id = ? AND etag = ? AND last_modified = ?"


def delivery_of(row, listing):
    """Return the Delivery of a Row of the source's listing."""
    return Delivery(row.key, row.version_id, row.etag, row.last_modified, row.length or 0,
                    row.storage_class, row.checksum_algorithm, row.checksum_type, row.checksum,
                    listing=listing, changed_at=now())


def now():
    """Return the time as the ledger has it."""
    return from_epoch(time.time())


class Deliveries(Database):
    """One connection to the ledger at `path`, of rows of `bucket`; all methods raise its Fault."""

    table, schema, damaged = TABLE, 1, DAMAGED

    def __init__(self, path, bucket=""):
        super().__init__(path)
        self.bucket = bucket
        self.sync_always()

    def take_route(self, source, target, new_id):
        """Return the id of the relay from one address to another, `new_id` for a new ledger. Raises
        Usage where the ledger is that of others: it knows what was delivered where.
        """
        with self.changing():
            found = self.one("SELECT source, target, id FROM route")
            if found is None:
                self.base.execute("INSERT INTO route VALUES (?, ?, ?, 0)", (source, target, new_id))
                found = source, target, new_id
        if found[:2] != (source, target):
            raise Usage(f"the ledger '{self.path}' is that of the relay from {found[0]} to "
                        f"{found[1]}: choose another directory with --work")
        return found[2]

    def one(self, query, values=()):
        """Return the first row that a query finds, or None."""
        with self.reading():
            return self.base.execute(query, values).fetchone()

    def all(self, query, values=()):
        """Return the rows that a query finds."""
        with self.reading():
            return self.base.execute(query, values).fetchall()

    def select(self, rest, values=(), index=""):
        """Return the Deliveries that a query finds, `rest` being what follows the table, and
        `index` the one to use where SQLite would take another.
        """
        hint = f"INDEXED BY {index} " if index else ""
        return list(map(Delivery._make, self.all(f"SELECT {FIELDS} FROM delivery {hint}{rest}",
                                                 values)))

    # --- listings

    def begin_listing(self):
        """Return the number of a new listing."""
        with self.changing():
            self.base.execute("UPDATE route SET listing = listing + 1")
        return self.one("SELECT listing FROM route")[0]

    def see(self, listed, number, failed_before):
        """Take Rows of a listing: new ones wait, those that failed before a time wait again."""
        with self.changing():
            self.base.executemany(
                f"INSERT INTO delivery ({FIELDS}) VALUES ({SEEN}) {AGAIN}",
                [(failed_before, *delivery_of(row, number)) for row in listed])

    def end_listing(self, number):
        """What waits and is not in the listing that has ended has vanished; return how many."""
        with self.changing():
            return self.base.execute(
                f"UPDATE delivery SET state = 'vanished', changed_at = ? WHERE {WAITING} "
                "AND listing < ?", (now(), number)).rowcount

    def is_listed(self, name):
        """Return whether a name is in the listing that runs, or in the last."""
        return self.one(f"SELECT 1 FROM delivery, route WHERE {BY_NAME} "
                        "AND delivery.listing = route.listing", name) is not None

    # --- dealing

    def waiting(self, room, most, by_size):
        """Return at most so many Deliveries of at most `room` bytes that wait, the largest or the
        first first.
        """
        index, order = (("waiting_by_size", "size DESC") if by_size
                        else ("waiting_by_key", "key"))
        return self.select(f"WHERE {WAITING} AND size <= ? AND {ALONE} ORDER BY {order} LIMIT ?",
                           (room, most), index)

    def is_any_waiting(self):
        """Return whether anything waits."""
        return self.one("SELECT 1 FROM delivery INDEXED BY waiting_by_size "
                        f"WHERE {WAITING} LIMIT 1") is not None

    def waiting_at(self, key, size):
        """Return the newest Delivery of a key that waits and has so many bytes, or None."""
        found = self.select(f"WHERE key = ? AND size = ? AND {WAITING} "
                            "ORDER BY last_modified DESC LIMIT 1", (key, size))
        return found[0] if found else None

    def find(self, name):
        """Return the Delivery of a name, or None."""
        found = self.select(f"WHERE {BY_NAME}", name)
        return found[0] if found else None

    def stored(self):
        """Yield the Deliveries that are stored, by key."""
        with self.reading():
            cursor = self.base.execute(
                f"SELECT {FIELDS} FROM delivery WHERE state = 'stored' ORDER BY key")
            yield from map(Delivery._make, cursor)

    def too_large(self, size, most):
        """Return at most so many Deliveries that wait and are larger than `size`."""
        return self.select(f"WHERE {WAITING} AND size > ? LIMIT ?", (size, most),
                           "waiting_by_size")

    def deal(self, dealt):
        """Write down on which volume each of [(Delivery, volume's path)] has its room now."""
        with self.changing():
            self.base.executemany(
                f"UPDATE delivery SET volume = ?, dealt_at = ? WHERE {BY_NAME}",
                [(volume, now(), *delivery.name) for delivery, volume in dealt])

    def release(self, volumes):
        """Have what was dealt to other volumes than these, and has not come there, wait again."""
        marks = ", ".join("?" * len(volumes))
        with self.changing():
            self.base.execute(f"UPDATE delivery SET volume = '' WHERE {ON_VOLUME} "
                              f"AND state = 'listed' AND volume NOT IN ({marks})", [*volumes])

    def on_volume(self, volume, state, after, most):
        """Return at most so many Deliveries of a volume in a state whose keys come after one."""
        return self.select(f"WHERE {ON_VOLUME} AND volume = ? AND state = ? AND key > ? "
                           "ORDER BY key LIMIT ?", (volume, state, after, most))

    def reserved(self):
        """Return {(volume, state): (rows, bytes)} of what has its room on volumes, in whole blocks,
        with one more for names.
        """
        return {(volume, state): (count, size) for volume, state, count, size in self.all(
            f"SELECT volume, state, count(*), sum({charge('size')}) FROM delivery "
            f"WHERE {ON_VOLUME} GROUP BY volume, state")}

    # --- on the way

    def record(self, changed):
        """Write Deliveries as they are now, in one transaction that a power cut does not take; in
        which listing they were last is known better here.
        """
        with self.changing():
            self.base.executemany(
                f"INSERT INTO delivery ({FIELDS}) VALUES ({PLACES}) ON CONFLICT DO UPDATE SET "
                f"{CHANGED}", [each._replace(changed_at=now()) for each in changed])
            self.base.executemany(
                f"UPDATE delivery SET changed_at = {LATEST} WHERE {BY_NAME}",
                [each.name for each in changed if each.state == rows.STORED])

    def volumes(self):
        """Return the paths of volumes that were ever used."""
        return {path for path, in self.all("SELECT path FROM volume")}

    def lose(self, path):
        """Have what was on a volume wait again, which is none any more. What is at the target, if
        without proof, is not sent again, nor what was delivered in a later version since.
        """
        with self.changing():
            self.base.execute(f"UPDATE delivery SET volume = '', state = CASE {AFTER_LOSS} END, "
                              "path = '', digest = '', proof = '', tries = 0 "
                              f"WHERE {ON_VOLUME} AND volume = ?", (path,))
            self.base.execute("DELETE FROM volume WHERE path = ?", (path,))

    def add_volume(self, path):
        """Note that a volume is used."""
        with self.changing():
            self.base.execute("INSERT OR IGNORE INTO volume VALUES (?)", (path,))

    # --- what people ask

    def note_outage(self, side, why):
        """Note that a side is out, or with an empty text that it is back."""
        with self.changing():
            if why:
                self.base.execute("INSERT OR IGNORE INTO outage VALUES (?, ?, ?)",
                                  (side, now(), why))
            else:
                self.base.execute("DELETE FROM outage WHERE side = ?", (side,))

    def census(self):
        """Return {state: (rows, bytes)}; `dealt` are those listed that have their room."""
        return {state: (count, size) for state, count, size in self.all(
            "SELECT CASE WHEN state = 'listed' AND volume != '' THEN 'dealt' ELSE state END, "
            "count(*), sum(size) FROM delivery GROUP BY 1")}


def charge(size):
    """Return the room that so many bytes are given, in Python or (a text) in SQL."""
    if isinstance(size, str):
        return f"({size} + {2 * BLOCK - 1}) / {BLOCK} * {BLOCK}"
    return (size + 2 * BLOCK - 1) // BLOCK * BLOCK
