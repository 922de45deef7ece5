"""What buckets are asked, many at once."""

from collections import deque
from urllib.parse import quote

from s3kit.doctor.bucket_list import TRIES, verdict_of
from s3kit.doctor.properties import ASKS
from s3kit.s3 import verdicts
from s3kit.s3.failures import TIMED_OUT
from s3kit.s3.wire import Wire

SECONDS_OF_BUCKET = 10.0    # of one of its questions: S3 has answered by then, and is only slow


class Questions:
    """All that buckets are asked, many at once; the answers go to each Bucket."""

    def __init__(self, checkup, buckets):
        self.session, self.home, self.check, self.trace = (checkup.session, checkup.home,
                                                           checkup.check, checkup.trace)
        self.progress, self.custom = checkup.progress, checkup.account.is_custom
        self.buckets = buckets
        self.together = checkup.args.together
        self.wire = Wire(self.together, SECONDS_OF_BUCKET)
        self.queue = deque()        # (Bucket, ask, Endpoint, URL, method, tries)

    def run(self):
        """Ask where buckets are, then everything else."""
        unknown = [bucket
                   for bucket in self.buckets if not bucket.told.get("region") and not self.custom]
        for bucket in unknown:      # Amazon tells it to anyone, in a header
            self.queue.append((bucket, "head", self.home,
                               f"{self.home.url}/{quote(bucket.name, safe='')}", "HEAD", 1))
        self.turn()
        here = [bucket for bucket in self.buckets if not bucket.is_missing]
        endpoints = self.session.located({bucket.name: bucket.told.get("region") or self.home.region
                                          for bucket in here})
        for bucket in here:
            for ask, query in ASKS.items():
                if ask != "region" or (self.custom and not bucket.told.get("region")):
                    endpoint = endpoints[bucket.name]
                    self.queue.append((bucket, ask, endpoint, f"{endpoint.url}?{query}", "GET", 1))
        self.turn()

    def turn(self):
        """Send what waits, take what comes, until there is neither."""
        if self.progress:
            self.progress.expect(len(self.queue))
        while self.queue or self.wire.active:
            self.check()
            while self.queue and self.wire.active < self.together:
                question = self.queue.popleft()
                self.wire.start(question, question[2], question[3], method=question[4])
            for transfer in self.wire.turn(0.5):
                self.answered(transfer)

    def answered(self, transfer):
        """Take an answer; ask again for what was only slow; look whether the first key can be read.
        """
        bucket, ask, endpoint, url, method, tries = transfer.owner
        self.trace(
            f"{method} {url}: {transfer.status or transfer.failure} {transfer.code}".rstrip())
        verdict = verdict_of(transfer)
        # An errno beside a status is an answer that was cut, whatever it began with.
        is_passing = (verdict in (verdicts.SLOW, verdicts.AGAIN)
                      or (transfer.errno and verdict != verdicts.UNTRUSTED))
        if is_passing and tries < TRIES and transfer.errno != TIMED_OUT:
            self.queue.append((bucket, ask, endpoint, url, method, tries + 1))
            return
        bucket.take(ask, transfer)
        if self.progress and ask != "read":
            self.progress.move(1)
        region = transfer.headers.get("x-amz-bucket-region", "")
        if region:
            bucket.told.setdefault("region", region)
        if ask == "list" and bucket.key:
            self.queue.append((bucket, "read", endpoint, endpoint.object_url(bucket.key), "HEAD",
                               1))
