"""Rows that s3-fetch passes on because their bytes came before: whether their files are here."""

import shlex
from collections import Counter

from s3kit.errors import DONE, SOME_FAILED
from s3kit.manifest import row as rows
from s3kit.manifest import states
from s3kit.pipeline.locating import locate
from s3kit.pipeline.places import is_intact
from s3kit.text import count


class Elsewhere:
    """What becomes of rows that are verified, unverifiable or pruned: all pass, but those that
    `--again` fetches anew.

    `tree` is the destination (None: there is none yet), `places` has the paths of its files. `here`
    is how many have their file in it, `away` {state: how many have it not}.
    """

    def __init__(self, args, tree, places):
        self.args, self.tree, self.places = args, tree, places
        self.here, self.away = 0, Counter()

    def passes(self, row, entry):
        """Return whether a row passes as it is, else make it `listed`; `entry` is the ledger's of
        its file, or None.
        """
        if self.has(row, entry):
            self.here += 1
        elif self.args.again and row.state != rows.PRUNED:      # which S3 has no more
            states.make_listed(row)
            return False
        else:
            self.away[row.state] += 1
        return True

    def has(self, row, entry):
        """Return whether a row's file is here: by its size, with --again as it was when its bytes
        were checked. It then keeps its path from other rows.
        """
        if self.tree is None:
            return False
        if entry is not None and not states.is_same_object(row, entry):
            entry = None
        if self.args.again:
            return (entry is not None and is_intact(self.tree, row, entry)
                    and self.places.keep(row, entry))
        path, status = locate(self.tree, row, entry)
        is_here = status is not None and (path.endswith("/")
                                          or row.length in (None, status.st_size))
        return is_here and self.places.take(row, path)

    @property
    def passed(self):
        """How many rows have passed."""
        return self.here + sum(self.away.values())

    def tell(self, tally):
        """Tell people what is not here, and what to do."""
        fetched = {state: number for state, number in self.away.items() if state != rows.PRUNED}
        if fetched:
            many, are, lie = words_of(sum(fetched.values()))
            files = " ".join(map(shlex.quote, self.args.file)) or "FILE"
            tally.say(f"{many} {are} {' or '.join(sorted(fetched, reverse=True))} already and "
                      f"{lie} elsewhere: give --again (or run s3-verify -i -d "
                      f"{shlex.quote(self.args.dest)} {files} first)")
        if self.away[rows.PRUNED]:
            many, are, lie = words_of(self.away[rows.PRUNED])
            tally.say(f"{many} {are} pruned and {lie} elsewhere: S3 has them no more")

    def status(self, others):
        """Return the exit status: 1 where nothing is here of what was named, none of `others` nor
        of these.
        """
        return SOME_FAILED if self.away and not (self.here or others) else DONE


def words_of(number):
    """Return (how many rows, `is` or `are`, `lies` or `lie`)."""
    return count(number, "row"), *(("is", "lies") if number == 1 else ("are", "lie"))
