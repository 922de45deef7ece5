"""The figures of manifests, row by row."""

import hashlib
import os

from s3kit.errors import Cut
from s3kit.status.figures import Figures

BLOCK = 1 << 20


class Heard:
    """What was read of an input: how many bytes, and their SHA-256."""

    def __init__(self):
        self.size, self.hash = 0, hashlib.sha256()

    def update(self, block):
        """Take the next bytes."""
        self.size += len(block)
        self.hash.update(block)


def figures_of(source, write=None, name=None, move=None):
    """Return (Figures, more facts, the Cut that ended the input or None) of a Source whose `inputs`
    are all that it has begun to read, each with a Heard as its `hash`.

    `write(rows)` gets the rows that tell of something wrong or unverifiable, `name(row)` each of
    them, `move(number)` hears how many rows have come, if they are given. Raises Fault.
    """
    figures, counts, cut = Figures(), {}, None
    try:
        for batch in source.batches():
            at = len(source.inputs)
            counts[at] = counts.get(at, 0) + len(batch)
            wrong = figures.add(batch)
            if write and wrong:
                write(wrong)
            for row in wrong if name else ():
                name(row)
            if move:
                move(len(batch))
    except Cut as fault:
        cut = fault
    facts = [facts_of(each, counts.get(at, 0), cut and at == len(source.inputs))
             for at, each in enumerate(source.inputs, 1)]
    return figures, {"manifests": facts}, cut


def facts_of(each, number, is_cut):
    """Return what there is to say of an Input of so many rows, as JSON has it."""
    heard = each.hash
    if is_cut:
        size, digest = heard and heard.size, None
    else:
        size, digest = (heard.size, heard.hash.hexdigest()) if heard else of_file(each.name)
    return {"name": each.name, "rows": number, "bytes": size, "sha256": digest,
            "shards": [mark for mark in each.shards if mark]}


def of_file(path):
    """Return the size of a file that was not read as a stream of bytes, and the SHA-256 of it; None
    for what cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with open(path, "rb", 0) as file:
            while block := file.read(BLOCK):
                digest.update(block)
            return os.fstat(file.fileno()).st_size, digest.hexdigest()
    except OSError:
        return None, None
