"""How S3 is reached in one run: the buckets in use, and one place where credentials expire."""

import contextlib
import time

from s3kit.errors import NoCredentials
from s3kit.s3.request_rate import LIMIT
from s3kit.s3.session import Session

FRESH_SECONDS = 60  # between two looks at the credentials, while nobody says that they have expired
EXPIRED = "the credentials have expired; renew them and run the same command again"


class Access:
    """The buckets that a run works with, and the credentials it has for them.

    `options` has the AWS CLI's names (see options.s3_options), and may have `limit_requests`, which
    holds for this process. `at_once()` makes a context in which
    a signal ends a wait here and now: nobody knows how long boto3 takes. Not to be shared by
    threads.
    """

    def __init__(self, options, at_once=contextlib.nullcontext):
        self.session, self.at_once = Session(options), at_once
        LIMIT.allow(getattr(options, "limit_requests", 0))
        self.states = {}        # bucket: versioning
        self.looked = time.monotonic()

    @property
    def generation(self):
        """A number that grows with every change of credentials; Endpoints have that of theirs."""
        return self.session.generation

    def known(self, bucket):
        """Return whether a bucket's Endpoint has been asked for."""
        return bucket in self.session.endpoints

    def endpoint(self, bucket):
        """Return a bucket's Endpoint with the newest credentials, asked for once.

        Raises NoSuchBucket, NoCredentials, NoAccess or Fault.
        """
        if self.known(bucket):
            return self.session.endpoints[bucket]
        with self.at_once():
            return self.session.endpoint(bucket)

    def buckets(self):
        """Return [(name, created as an aware datetime or None)] of all buckets we may see.

        Raises NoAccess or Fault.
        """
        with self.at_once():
            return self.session.buckets()

    def versioning(self, bucket):
        """Return a bucket's versioning, asked for once: Enabled, Suspended, '' (never).

        None where we may not ask. Raises what `endpoint` does.
        """
        if bucket not in self.states:
            from s3kit.s3 import asking
            endpoint = self.endpoint(bucket)
            with self.at_once():
                self.states[bucket] = asking.versioning(endpoint, self.renewed)
        return self.states[bucket]

    # --- credentials

    def fresh(self):
        """Return the new Endpoints of all known buckets if the credentials have changed, else [].

        Looks once in FRESH_SECONDS at most, so it may be called as often as convenient. Raises
        NoCredentials or Fault.
        """
        now = time.monotonic()
        if now - self.looked < FRESH_SECONDS:
            return []
        return self.look()

    def renew(self, generation, told=""):
        """Return the Endpoints of all known buckets, with credentials newer than those of a
        generation.

        To be called when S3 says that these have expired; `told` are its words. Raises
        NoCredentials where there are no newer.
        """
        if generation >= self.generation and not self.look():
            raise NoCredentials(
                f"{told}; renew the credentials and run the same command again" if told
                else EXPIRED)
        return list(self.session.endpoints.values())

    def renewed(self, endpoint):
        """Return the Endpoint of the same bucket with newer credentials. Raises NoCredentials."""
        self.renew(endpoint.generation)
        return self.session.endpoints[endpoint.bucket]

    def look(self):
        """Look at the credentials now; return all Endpoints if they have changed, else []."""
        with self.at_once():
            fresh = self.session.refresh()
        self.looked = time.monotonic()
        return fresh
