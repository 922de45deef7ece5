"""A random sample of the rows, each as likely as any other, in their order: an operation."""

import random
from operator import itemgetter

from s3kit.errors import Cut


class Sample:
    """`count` rows, all if there are not more; the same `seed` takes the same of the same input.

    Memory holds no more than `count` rows (J. S. Vitter, "Random Sampling with a Reservoir", ACM
    Transactions on Mathematical Software 11, 1985: algorithm R).
    """

    def __init__(self, count, seed=None):
        self.count, self.random = count, random.Random(seed)

    def __call__(self, batches):
        """Yield the sample, once all rows have come; of a cut input that of the rows that came."""
        kept, cut = [], None
        try:
            self.choose(batches, kept)
        except Cut as found:
            cut = found
        if kept:
            kept.sort(key=itemgetter(0))
            yield [row for _, row in kept]
        if cut:
            raise cut

    def choose(self, batches, kept):
        """Keep in `kept` the chosen rows, each behind its number."""
        at, count, chance = 0, self.count, self.random.random
        for rows in batches:
            for row in rows:
                if at < count:
                    kept.append((at, row))
                else:
                    place = int(chance() * (at + 1))
                    if place < count:
                        kept[place] = at, row
                at += 1
