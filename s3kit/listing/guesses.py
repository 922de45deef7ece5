"""Where to split a range of keys: guessed from the keys seen so far, so that a guess falls where
keys are.

Keys are read as numbers, each position with the characters seen there as its digits: so the
distance of a page is known, and where some pages later will be. A guess need not be a key, and may
be wrong; that costs a request, never a row.
"""

from bisect import bisect_right
from itertools import accumulate, zip_longest
from math import inf

PAGE = 1000
SAMPLE = 16             # every so many keys of a page are looked at
WRAP = 4                # so many positions after one that changed begin anew
CARRY, PRECISE = 16, 8  # positions before and after the first one at which a page's keys differ
CLASSES = ("09", "af", "az", "AF", "AZ")
LAST = 0x10FFFF


class Shape:
    """Which characters were seen at which position of the keys."""

    def __init__(self):
        self.seen = []
        self.alphabets = {}
        self.wrapped = set()    # positions that began anew when one just before them changed

    def learn(self, keys):
        """Look at some of a page's keys."""
        sample = [*keys[::SAMPLE], keys[-1]]
        wraps = {shared(one, other) for one, other in zip(sample, sample[1:])}
        wraps = {position + after for position in wraps for after in range(1, WRAP)}
        if not wraps <= self.wrapped:
            self.wrapped |= wraps
            self.alphabets.clear()
        for position, column in enumerate(zip_longest(*sample, fillvalue="")):
            known = self.seen[position] if position < len(self.seen) else set()
            found = outline(known.union(column))
            if found == known:
                continue
            self.seen[position:position + 1] = [found]
            self.alphabets.clear()

    def alphabet(self, position):
        """Return the Alphabet of a position."""
        if position not in self.alphabets:
            self.alphabets[position] = Alphabet(*self.characters(position))
        return self.alphabets[position]

    def characters(self, position):
        """Return (the characters to expect at a position, whether more of their kind are expected).

        Where a position began anew, all of them have come round. Elsewhere the positions after it
        tell what is usual, as the digits and letters of a hash.
        """
        if position >= len(self.seen):
            return {""}, False
        found = set(self.seen[position])
        if position in self.wrapped:
            return found, False
        is_run = True
        for following in self.seen[position + 1:position + 9]:
            is_word = all(map(str.isalnum, following))
            is_run = is_run and is_word
            if is_run or is_word and any(map(str.isdigit, following)) and any(
                    map(str.isalpha, following)):
                found |= following
        return found, True

    def number(self, key, start, end):
        """Return positions `start` to `end` of a key as a number."""
        number = 0
        for position in range(start, end):
            alphabet = self.alphabet(position)
            number = number * alphabet.size + alphabet.rank(key[position:position + 1])
        return number

    def text(self, number, start, end):
        """Return the text of a number; None if it is too large."""
        found = []
        for position in reversed(range(start, end)):
            alphabet = self.alphabet(position)
            number, rank = divmod(number, alphabet.size)
            found.append(alphabet.character(rank))
        return None if number else "".join(reversed(found))

    def span(self, gauge):
        """Return (start, end, what a page spans) of a gauge: the positions that tell, and a number
        of rows.
        """
        first, last, rows = gauge
        top = shared(first, last)
        start, end = max(0, top - CARRY), top + PRECISE
        return start, end, (self.number(last, start, end)
                            - self.number(first, start, end)) * PAGE // max(1, rows)

    def ahead(self, gauge, key, pages):
        """Return the key about `pages` pages after `key`, or None where nothing is known of it.

        `gauge` is (first key, last key, rows) of a page, or of a piece of one, nearby.
        """
        start, end, page = self.span(gauge)
        if not page:
            return None
        tail = self.text(self.number(key, start, end) + int(page * pages), start, end)
        if tail is not None:
            return safe(key[:start] + tail)
        return after_all(key[:start]) if start else None

    def pages(self, gauge, key, until):
        """Return about how many pages lie between two keys; `until` None is the end of all."""
        start, end, page = self.span(gauge)
        if until is None or key[:start] != until[:start]:
            return inf
        return (self.number(until, start, end)
                - self.number(key, start, end)) / page if page else inf


class Alphabet:
    """The digits of one position, in order: ranges of code points, and nothing (where keys end)
    first.
    """

    def __init__(self, characters, is_open):
        points = {ord(c) for c in characters if c}
        ranges = [(point, point) for point in points if point < 128]
        if is_open:
            ranges = sorted({kind_of(chr(point), characters) for point, _ in ranges})
        others = [point for point in points if point >= 128]
        if others:
            ranges.append((min(others), LAST if is_open else max(others)))
        ranges.sort()
        self.lows = [low for low, _ in ranges]
        self.highs = [high for _, high in ranges]
        self.bases = list(accumulate((high - low + 1 for low, high in ranges),
                                     initial=int("" in characters or not points)))
        self.size = self.bases[-1]

    def rank(self, character):
        """Return a digit's number; of a character that is none, that of the one before it."""
        at = bisect_right(self.lows, ord(character)) - 1 if character else -1
        return (self.bases[at] + min(ord(character), self.highs[at]) - self.lows[at] if at >= 0
                else 0)

    def character(self, rank):
        """Return the digit of this number."""
        at = bisect_right(self.bases, rank) - 1
        return chr(self.lows[at] + rank - self.bases[at]) if at >= 0 else ""


def outline(characters):
    """Return ASCII as it is, of all other characters the first and the last."""
    others = [c for c in characters if c > "\x7f"]
    return (characters.difference(others) | {min(others), max(others)} if len(others) > 2
            else characters)


def kind_of(character, among):
    """Return the range of a character's kind: hexadecimal letters only, if there are no others."""
    for low, high in CLASSES:
        if low <= character <= high and not (high in "fF" and any(
                high < c <= chr(ord(low) + 25) for c in among)):
            return ord(low), ord(high)
    return ord(character), ord(character)


def shared(a, b):
    """Return how many characters two keys have in common."""
    for position, (one, other) in enumerate(zip(a, b)):
        if one != other:
            return position
    return min(len(a), len(b))


def after_all(prefix):
    """Return a text that sorts after every key with a prefix, or None."""
    prefix = prefix.rstrip(chr(LAST))
    return safe(prefix[:-1] + chr(ord(prefix[-1]) + 1)) if prefix else None


def safe(text):
    """Return a text with characters that XML and UTF-8 can carry in place of those they cannot."""
    return "".join(map(safe_character, text))


def safe_character(character):
    """Return a character, or the next one that can be carried."""
    for low, high in (("\0", "\x1f"), ("\x7f", "\x9f"), ("\ud800", "\udfff"), ("\ufffe", "\uffff")):
        if low <= character <= high:
            return chr(ord(high) + 1)
    return character
