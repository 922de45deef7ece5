"""The buckets' endpoints, as far as the workers of a run know them."""

from s3kit.s3.capabilities import KNOWN


class Endpoints:
    """Hands the Endpoints of `access` (s3.access.Access) to an executor, those of new credentials
    too.
    """

    def __init__(self, access, executor):
        self.access, self.executor = access, executor
        self.known = set()          # buckets whose endpoint the workers have

    def reach(self, row):
        """Make sure that the workers know how to reach a row's bucket.

        Raises NoSuchBucket, of whose rows nothing can come; NoAccess or another Fault where nothing
        can be done at all.
        """
        if row.bucket not in self.known:
            endpoint = self.access.endpoint(row.bucket)
            self.known.add(row.bucket)
            self.tell([endpoint])

    def refresh(self):
        """Hand over new credentials, if there are any: looked for from time to time."""
        if self.access:
            self.tell(self.access.fresh())

    def renew(self, generation, told=""):
        """Hand over credentials that are newer than those of a generation, which have expired, as
        S3 `told`.

        Raises NoCredentials where there are none.
        """
        self.tell(self.access.renew(generation, told))

    def learn(self, lack, tally):
        """Have all workers know what one of them found that a server lacks, and people, with -v;
        `lack` is what KNOWN.learn takes.
        """
        if KNOWN.learn(*lack):
            self.executor.tell(("lacks", lack))
            KNOWN.tell(tally.say, tally.verbose)

    def tell(self, endpoints):
        """Hand over Endpoints, to an executor with workers that keep them."""
        if endpoints and hasattr(self.executor, "tell"):
            self.executor.tell(("endpoints", endpoints), keep=True)
