"""Whether the listing of a bucket shows the state of restores (RestoreStatus); no I/O.

Amazon's does if it is asked to (x-amz-optional-object-attributes of ListObjectsV2 and
ListObjectVersions); many other servers leave it out. A listing without it is no proof that nothing
was asked for, so one row of each bucket is the probe: HEAD looks at it before it is asked for, and
afterwards the listing must show the request. Until then nothing else of the bucket is asked for.
"""

from s3kit.restore.answers import ARCHIVED, ONGOING, READY


class Probes:
    """What is known of the listings of buckets, and the rows by which it is found out."""

    def __init__(self):
        self.shown = {}             # bucket: whether its listing shows restores
        self.under_way = {}         # bucket: its probe

    def begin(self, version):
        """Make a version the probe of its bucket if nothing is known of that yet."""
        if version.row.bucket not in self.shown:
            self.under_way[version.row.bucket] = version

    def end(self, version):
        """Let another row be the probe, if this one was."""
        if self.is_probe(version):
            del self.under_way[version.row.bucket]

    def is_probe(self, version):
        """Return whether a version is the probe of its bucket."""
        return self.under_way.get(version.row.bucket) is version

    def is_certain(self, version):
        """Return whether what was last said of a version can be relied on."""
        return version.is_headed or bool(self.shown.get(version.row.bucket))

    def wants_head(self, version):
        """Return whether HEAD must say how a version stands."""
        return (version.by_head or self.shown.get(version.row.bucket) is False
                or (self.is_probe(version) and not version.taken))

    def learn(self, version, status):
        """Take the Status that a look has found; return it corrected by what is known now.

        A probe that S3 has taken a request for, and that the listing shows as archived all the
        same, is `ongoing`.
        """
        bucket, shows = version.row.bucket, status.state in (ONGOING, READY)
        if shows and not status.by_head:
            self.shown[bucket] = True
        elif self.is_probe(version) and shows and version.asks and not version.taken:
            self.end(version)       # not known whether S3 took the request: try another
        elif self.is_probe(version) and (shows or (status.state == ARCHIVED and version.taken)):
            self.shown[bucket] = False
            status = status._replace(state=status.state if shows else ONGOING)
        if bucket in self.shown:
            self.under_way.pop(bucket, None)
        return status
