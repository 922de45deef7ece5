"""What servers cannot do that Amazon's can, learned from their answers.

An optional extra is never required: where a server refuses one, the same is asked without it, and
all that is asked of that server later. A server is the scheme://host of an Endpoint's URL.
"""

from functools import lru_cache
from threading import Lock
from urllib.parse import urlsplit

RESTORE_STATUS = "the state of restores in listings (x-amz-optional-object-attributes)"
CHECKSUM_MODE = "checksums of objects (x-amz-checksum-mode)"
MANY_DELETES = "the deletion of many versions in one request (DeleteObjects)"


class Capabilities:
    """What each server was found to lack; may be shared by threads."""

    def __init__(self):
        self.lock, self.missing = Lock(), {}    # {(server, what): why}, in the order of learning

    def lacks(self, endpoint, what):
        """Return whether the server of an Endpoint is known to lack something."""
        return bool(self.missing) and (server_of(endpoint.url), what) in self.missing

    def learn(self, endpoint, what, why=""):
        """Note that a server lacks something, `why` in its own words; return whether it is news."""
        name = server_of(endpoint.url), what
        with self.lock:
            is_news = name not in self.missing
            self.missing.setdefault(name, why)
        return is_news

    def lines(self):
        """Return what was learned, a line for each thing, as people are told it."""
        with self.lock:
            found = list(self.missing.items())
        return [f"{server} does not know {what}: asked without it" + (f" ({why})" if why else "")
                for (server, what), why in found]


KNOWN = Capabilities()      # what this process has learned


@lru_cache(64)
def server_of(url):
    """Return the scheme://host of a URL."""
    return "://".join(urlsplit(url)[:2])
