"""Our own digest of a file: xxh3-128 over leaves of 8 MiB, so that parts can be hashed apart.

Nothing here hashes per byte in Python: xxhash does.
"""

import xxhash

LEAF = 8 << 20          # bytes under one leaf of our digest
LEAF_BYTES = 16         # of a leaf's digest
OURS = "xxh3-128:"


class Digest:
    """Our digest of a byte stream that starts at a leaf's border: xxh3-128 over leaves of 8 MiB."""

    def __init__(self):
        self.leaves = []
        self.leaf = xxhash.xxh3_128()
        self.room = LEAF

    def update(self, data):
        """Take the next bytes."""
        if len(data) < self.room:
            self.leaf.update(data)
            self.room -= len(data)
            return
        view = memoryview(data)
        while view:
            piece, view = view[:self.room], view[self.room:]
            self.leaf.update(piece)
            self.room -= len(piece)
            if not self.room:
                self.leaves.append(self.leaf.digest())
                self.leaf, self.room = xxhash.xxh3_128(), LEAF

    def all_leaves(self):
        """Return the leaves' digests (bytes), the last one perhaps of a short leaf."""
        return self.leaves + ([self.leaf.digest()] if self.room < LEAF else [])

    def text(self):
        """Return the digest as the row has it."""
        return join_leaves(self.all_leaves())


def join_leaves(leaves):
    """Return our digest of a whole file as text, from its leaves' digests in order."""
    return join_leaf_bytes(b"".join(leaves))


def join_leaf_bytes(leaves):
    """Return our digest of a whole file as text, from its leaves' digests one after the other."""
    if not leaves:
        return OURS + xxhash.xxh3_128_hexdigest(b"")
    if len(leaves) == LEAF_BYTES:
        return OURS + leaves.hex()
    return OURS + xxhash.xxh3_128_hexdigest(leaves)


def digest_of(data):
    """Return our digest of bytes that are all there is of a file."""
    if len(data) <= LEAF:
        return OURS + xxhash.xxh3_128_hexdigest(data)
    whole = Digest()
    whole.update(data)
    return whole.text()
