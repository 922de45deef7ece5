"""The queue on disk: in order, and no larger than what waits in it."""

import os
import random
from collections import deque

from s3kit.manifest import spool as spools
from s3kit.manifest.spool import CHUNK, Spool


def room(spool):
    """Return how many bytes its files have on the disk."""
    return sum(os.fstat(segment.file.fileno()).st_blocks * 512 for segment in spool.segments)


def test_first_in_first_out(monkeypatch):
    """Whatever is added and taken in whatever turns, across files of a few chunks."""
    monkeypatch.setattr(spools, "SEGMENT", 5000)
    for seed in range(20):
        chance, spool, wanted = random.Random(seed), Spool(), deque()
        for number in range(3000):
            if chance.random() < 0.98:
                spool.add(number)
                wanted.append(number)
            else:
                found = spool.take()
                assert len(found) <= CHUNK and found == [wanted.popleft() for _ in found]
            assert len(spool) == len(wanted)
        while found := spool.take():
            assert found == [wanted.popleft() for _ in found]
        assert not wanted and not len(spool) and len(spool.segments) == 1


def test_what_was_taken_gives_its_room_back(monkeypatch):
    """A queue that is never empty, for hours: its files hold what waits, not all that ever came."""
    monkeypatch.setattr(spools, "SEGMENT", 1 << 18)
    spool, most = Spool(), 0
    for number in range(8 * CHUNK):
        spool.add(bytes(1000))
    for turn in range(1000):
        for number in range(CHUNK):
            spool.add(bytes(1000))
        assert len(spool.take()) == CHUNK
        most = max(most, room(spool))
    assert len(spool) == 8 * CHUNK
    assert most < 4 << 20           # of 64 MB that went through


def test_an_empty_one_has_no_room():
    """Once all is taken its one file is empty."""
    spool = Spool()
    for number in range(10 * CHUNK):
        spool.add(bytes(1000))
    while spool.take():
        pass
    assert room(spool) == 0
