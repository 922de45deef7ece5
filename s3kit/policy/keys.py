"""The keys of a manifest as a policy names them: as few patterns as have them all.

A policy has room for some patterns only, so where keys are many their directories stand for them.
"""

PATTERNS = 30           # of keys in one policy, at most: it has 20 KB


class Patterns:
    """The keys of a manifest as few patterns: keys themselves, then directories, the deepest given
    up first.
    """

    def __init__(self):
        self.found = set()

    def add(self, key):
        """Take a key."""
        if key not in self.found and not any(above in self.found for above in parents(key)):
            self.found.add(key)
            while len(self.found) > PATTERNS:
                self.give_up()

    def give_up(self):
        """Replace what lies deepest by the directories that it lies in."""
        depth = max(name.rstrip("/").count("/") for name in self.found)
        self.found = {next(parents(name)) if name.rstrip("/").count("/") == depth else name
                      for name in self.found}
        self.found = {name for name in self.found
                      if not any(above in self.found for above in parents(name))}

    def all(self):
        """Return the patterns as policies write them: what is a wildcard there stands in braces."""
        return tuple(escape(name) + "*" * (name.endswith("/") or not name)
                     for name in sorted(self.found))


def parents(name):
    """Yield the directories that a key or directory lies in, the nearest first, '' last."""
    name = name.rstrip("/")
    while name:
        name = name.rpartition("/")[0].rstrip("/")
        yield f"{name}/" if name else ""


def escape(text):
    """Return a key as a policy writes it."""
    return "".join(f"${{{char}}}" if char in "*?$" else char for char in text)
