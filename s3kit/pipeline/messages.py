"""What all workers of a pool hear."""

import threading


class Messages:
    """What all workers hear. Of what those started later must hear, too, the newest of each kind is
    kept, and of each bucket where there are several. Any thread may use it.
    """

    def __init__(self):
        self.lock, self.new, self.newest = threading.Lock(), [], {}

    def add(self, message, keep=False):
        """Take (kind, value); kept values take the place of the one before, a list's members bucket
        by bucket.
        """
        kind, value = message
        with self.lock:
            self.new.append(message)
            if keep and isinstance(value, list):
                self.newest.setdefault(kind, {}).update((member.bucket, member) for member in value)
            elif keep:
                self.newest[kind] = value

    def take(self):
        """Return the messages that came since the last time."""
        with self.lock:
            new, self.new = self.new, []
        return new

    def kept(self):
        """Return what is kept, as messages."""
        with self.lock:
            return [(kind, list(value.values()) if isinstance(value, dict) else value)
                    for kind, value in self.newest.items()]
