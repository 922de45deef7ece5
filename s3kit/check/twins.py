"""Rows that come twice, however many rows there are."""

import xxhash

from s3kit.disk.scratch import Scratch

TOGETHER = 4096


class Twins:
    """Which object versions were named before; kept on disk, of 128-bit hashes."""

    def __init__(self):
        self.base = Scratch("CREATE TABLE seen (name BLOB, place INTEGER)", any_thread=True)
        self.waiting = []

    def add(self, row, place):
        """Take a row at a place."""
        name = "\0".join((row.bucket, row.key, row.version_id)).encode()
        self.waiting.append((xxhash.xxh3_128_digest(name), place))
        if len(self.waiting) >= TOGETHER:
            self.write()

    def write(self):
        """Write down what has gathered."""
        self.base.put_all("INSERT INTO seen VALUES (?, ?)", self.waiting)
        self.waiting = []

    def found(self):
        """Yield (place, the first place of the same version), in order."""
        self.write()
        return self.base.all(
            "SELECT place, first FROM (SELECT place, min(place) OVER (PARTITION BY name) AS first "
            "FROM seen) WHERE place > first ORDER BY place")
