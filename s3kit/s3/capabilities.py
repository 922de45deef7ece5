"""What servers cannot do that Amazon's can, learned from their answers.

An optional extra is never required: where a server refuses one, the same is asked without it, and
all that is asked of that server later. A server is the scheme://host of an Endpoint's URL.
"""

from functools import lru_cache
from threading import Lock
from urllib.parse import urlsplit

from s3kit.s3 import verdicts

REFUSING = (400, 405, 501)      # statuses of servers that do not know what they are asked for
RESTORE_STATUS = "the state of restores in listings (x-amz-optional-object-attributes)"
CHECKSUM_MODE = "checksums of objects (x-amz-checksum-mode)"
PART_SIZES = "the sizes of parts (partNumber)"
UPLOAD_CHECKSUMS = "checksums of what is uploaded (x-amz-checksum-*)"
CONDITIONS = "conditions of what is uploaded (If-Match, If-None-Match)"
UNSIGNED_BODIES = "bodies without a hash in their signature (UNSIGNED-PAYLOAD)"
LISTED_PARTS = "the parts of an upload (ListParts)"
MANY_DELETES = "the deletion of many versions in one request (DeleteObjects)"


class Capabilities:
    """What each server was found to lack; may be shared by threads."""

    def __init__(self):
        self.lock, self.missing = Lock(), {}    # {(server, what): why}, in the order of learning
        self.implied, self.told = set(), 0      # (server, what) that went with others

    def lacks(self, endpoint, what):
        """Return whether the server of an Endpoint is known to lack something."""
        if not self.missing:
            return False
        name = server_of(endpoint.url), what
        return name in self.missing or name in self.implied

    def learn(self, endpoint, what, why="", also=()):
        """Note that a server lacks something, `why` in its own words, and what goes with it `also`,
        which people need not be told; return whether it is news.
        """
        server = server_of(endpoint.url)
        with self.lock:
            is_news = (server, what) not in self.missing
            self.missing.setdefault((server, what), why)
            self.implied.update((server, each) for each in also if is_news)
        return is_news

    def lines(self):
        """Return what was learned, a line for each thing, as people are told it."""
        with self.lock:
            found = list(self.missing.items())
        return [f"{server} does not know {what}: asked without it" + (f" ({why})" if why else "")
                for (server, what), why in found]

    def tell(self, say, is_wanted):
        """Say, where `is_wanted`, what was learned since that was last said; `say(line)` says it.
        """
        lines = self.lines()
        news, self.told = lines[self.told:], len(lines)
        for line in news if is_wanted else ():
            say(line)


KNOWN = Capabilities()      # what this process has learned


def may_refuse(transfer):
    """Return whether an answer may be the refusal of an extra, and not of all that was asked.

    Servers name the extra, or not: whether it was that shows where the same is asked without it.
    """
    return (transfer.status in REFUSING and not transfer.errno
            and verdicts.verdict_of(transfer) == verdicts.WRONG and transfer.code != "NoSuchBucket")


@lru_cache(64)
def server_of(url):
    """Return the scheme://host of a URL."""
    return "://".join(urlsplit(url)[:2])
