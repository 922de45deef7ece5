"""What a restore costs and how long it takes, by a table of prices that anybody can replace."""

import json
import os

from s3kit.errors import Fault, reason
from s3kit.text import count
from s3kit.units import show_size

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "prices.json")
GB = 1 << 30
DAYS_OF_MONTH = 30


class Prices:
    """A table of prices; the form is that of prices.json. Raises Fault for a file that is none."""

    def __init__(self, path=None):
        path = path or TABLE
        try:
            with open(path, encoding="utf-8-sig") as file:
                table = json.load(file)
            self.source, self.date, self.currency = (str(table[name])
                                                     for name in ("source", "date", "currency"))
            self.copy = float(table["copy_gb_month"])
            self.retrieval = {(storage_class, tier): (float(price["gb"]), float(price["thousand"]),
                                                      *map(float, price["hours"]))
                              for storage_class, tiers in table["retrieval"].items() for tier,
                              price in tiers.items()}
            if any(len(price) != 4 for price in self.retrieval.values()):
                raise ValueError("hours are two numbers: the least and the most")
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            missing = f"it has no {error}" if isinstance(error, KeyError) else reason(error)
            raise Fault(f"cannot use the prices in '{path}': {missing}") from None


class Estimate:
    """Counts objects to restore, by class and tier; `lines` says what they cost and when they are
    here.
    """

    def __init__(self, prices, days, most, most_bytes):
        self.prices, self.days, self.most, self.most_bytes = prices, days, most, most_bytes
        self.found = {}             # (class, tier): [objects, bytes, of unknown size]
        self.others = {}            # what there is to say of those that cost nothing: number

    def add(self, storage_class, tier, size):
        """Count an object that S3 must be asked for; `size` is None where nobody knows."""
        at = self.found.setdefault((storage_class, tier), [0, 0, 0])
        at[0] += 1
        at[1] += size or 0
        at[2] += size is None

    def note(self, text):
        """Count an object of which only this can be said."""
        self.others[text] = self.others.get(text, 0) + 1

    @property
    def objects(self):
        """How many objects S3 must be asked for."""
        return sum(number for number, _, _ in self.found.values())

    @property
    def bytes(self):
        """How many bytes they have."""
        return sum(size for _, size, _ in self.found.values())

    def cost(self, storage_class, tier):
        """Return the price of bringing back what was counted of a class, or None where the table
        has none.
        """
        price = self.prices.retrieval.get((storage_class, tier))
        if not price:
            return None
        objects, size, _ = self.found[storage_class, tier]
        return size / GB * price[0] + objects / 1000 * price[1]

    def rounds(self):
        """Return how many times one group must wait for another, since only so many may be pending.
        """
        return max(1, -(-self.objects // self.most),
                   -(-self.bytes // self.most_bytes) if self.most_bytes else 1)

    def lines(self):
        """Yield the estimate for people."""
        longest, total, unknown = 0.0, 0.0, False
        for (storage_class, tier), (objects, size, unsized) in sorted(self.found.items()):
            cost, price = (self.cost(storage_class, tier),
                           self.prices.retrieval.get((storage_class, tier)))
            hours = (f"{show_hours(price[2])} to {show_hours(price[3])}" if price
                     else "hours unknown")
            longest, total = max(longest, price[3] if price else 0), total + (cost or 0)
            unknown = unknown or cost is None or bool(unsized)
            yield (f"{storage_class:<13} {objects:>12,}  {show_size(size):>6}  {tier:<9}  "
                   f"{hours:<16}  {self.money(cost)}"
                   + (f"  ({unsized:,} of unknown size)" if unsized else ""))
        for text, number in sorted(self.others.items()):
            yield f"{number:,}: {text}"
        if not self.found:
            yield "nothing is to be asked for"
            return
        copies = self.bytes / GB * self.prices.copy * self.days / DAYS_OF_MONTH
        (yield f"copies of {show_size(self.bytes)} for {count(self.days, 'day')}: "
         f"{self.money(copies)}")
        (yield f"in all: {count(self.objects, 'object')}, "
         f"{'at least ' if unknown else ''}{self.money(total + copies)}, without transfer")
        if self.rounds() > 1:
            most = f"{self.most:,}{f' or {show_size(self.most_bytes)}' if self.most_bytes else ''}"
            yield (f"no more than {most} are pending at a time (--max-pending, "
                   f"--max-pending-size): up to {show_hours(self.rounds() * longest)} in all")
        yield f"prices of {self.prices.date}: {self.prices.source}"

    def money(self, amount):
        """Return a sum for people."""
        if amount is None:
            return "price unknown"
        return (f"{amount:,.2f} {self.prices.currency}" if amount >= 0.005 or not amount
                else f"under 0.01 {self.prices.currency}")


def show_hours(hours):
    """Return a span of hours for people: `5 min`, `12 h`, `20 days`."""
    if hours < 1:
        return f"{max(1, round(hours * 60))} min"
    return f"{hours:.0f} h" if hours <= 72 else f"{hours / 24:.0f} days"
