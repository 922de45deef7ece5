"""What follows from a listing of the source that has ended: what failed on volumes goes on, what is
of no use gives its room back, and what fits nowhere fails.
"""

from s3kit.manifest import row as rows
from s3kit.relay.deliveries import ALONE, ON_VOLUME, SUPERSEDED
from s3kit.relay.posts import TRIES

AT_ONCE = 1000          # rows that are written down together
FAILED = f"{ON_VOLUME} AND state NOT IN ('listed', 'fetched', 'unverifiable')"
# Of whose key nothing else is on the volume: the name of its file may be that of the other's.
ONLY_ONE = ("1 = (SELECT count(*) FROM delivery other WHERE other.key = delivery.key "
            "AND other.volume = delivery.volume AND other.state != 'stored')")


class Following:
    """Finds it, as lists of (Delivery before, after), in the Deliveries; the `dealer` says what
    fits.
    """

    def __init__(self, deliveries, dealer):
        self.deliveries, self.dealer = deliveries, dealer

    def pieces(self, number, failed_before):
        """Yield them: each is written down before the next is looked for, for there can be a
        million.
        """
        while changed := self.again(number, failed_before):
            yield changed
        while changed := self.superseded(number):
            yield changed
        while changed := self.dealer.too_large():
            yield changed

    def again(self, number, failed_before):
        """Return some of what failed on volumes and is in a listing, if no other version of its key
        is under way: it goes on from there where it failed before a time; a file that was wrong is
        fetched anew while there are tries left.
        """
        found = self.deliveries.select(
            f"WHERE {FAILED} AND listing >= ? AND (changed_at <= ? OR state = 'mismatch' "
            f"AND tries < {TRIES}) AND {ALONE} LIMIT {AT_ONCE}", (number, failed_before))
        alone = {each.key: each for each in found}
        return [(each, each.begun_anew() if each.state == rows.MISMATCH
                 else each._replace(state=rows.FETCHED)) for each in alone.values()]

    def superseded(self, number):
        """Return some of what failed on volumes, is not in a listing, and was followed by a version
        of its key that was delivered: it is of no use. A volume that is away is waited for.
        """
        there = [volume.path for volume in self.dealer.volumes if not volume.trouble]
        marks = ", ".join("?" * len(there))
        return [(each, each._replace(state=rows.VANISHED, volume="", path=""))
                for each in self.deliveries.select(
                    f"WHERE {FAILED} AND volume IN ({marks}) AND listing < ? AND {SUPERSEDED} "
                    f"AND {ONLY_ONE} LIMIT {AT_ONCE}", (*there, number))]
