"""Reports that Amazon's S3 writes into a bucket (S3 Inventory, Batch Operations), read there."""

import re
from tempfile import TemporaryFile

from s3kit.errors import Fault, NoAccess
from s3kit.manifest import foreign
from s3kit.manifest.foreign.data_files import MOST, checked, expanded, too_large
from s3kit.s3.reading import Reading
from s3kit.s3.verdicts import GONE_CODES


class Place:
    """Where the files of a report lie, in the buckets of S3 itself (see data_files.Folder).

    `key` is that of its manifest.json in `bucket`; `check()` is called often and may raise.
    """

    def __init__(self, access, bucket, key, check):
        self.access, self.bucket, self.key, self.check_signals = access, bucket, key, check
        self.name = f"s3://{bucket}/{key}"

    def reading(self, bucket, key):
        """Return what yields an object's bytes. Raises Fault."""
        return Reading(self.access.endpoint(bucket), key, self.access.renewed, self.check_signals)

    def whole(self, key):
        """Return the bytes of a small object of the report's bucket. Raises Fault."""
        found = bytearray()
        for block in self.reading(self.bucket, key):
            found += block
            if len(found) > MOST:
                raise too_large(f"s3://{self.bucket}/{key}")
        return bytes(found)

    def manifest(self):
        """Return the bytes of the manifest.json, which people may have compressed. Raises Fault."""
        return expanded(self.whole(self.key), self.name)

    def beside(self, name):
        """Return the bytes of an object beside the manifest.json, or None where there is none that
        we may read.
        """
        try:
            return self.whole(self.key.rpartition("/")[0] + "/" + name)
        except NoAccess:
            return None         # which is how S3 says so to whom may not list
        except Fault as fault:
            if fault.code in GONE_CODES:
                return None
            raise

    def check(self, files):
        """Look for no file before its turn: S3 says as soon what is not there."""

    def blocks(self, file):
        """Yield the bytes of a data file. Raises Fault.

        It lies in the bucket of its manifest.json, whatever name we reach that by, unless that was
        copied; and where a destination prefix ends in `/`, S3 has written two of them into the key.
        """
        places = [(bucket, key) for bucket in (self.bucket, file.bucket) if bucket
                  for key in (file.key, re.sub("//+", "/", file.key))]
        places = list(dict.fromkeys(places))
        for at, (bucket, key) in enumerate(places):
            try:
                yield from self.reading(bucket, key)
                return
            except Fault as fault:
                if fault.code not in GONE_CODES or at == len(places) - 1:
                    raise

    def opened(self, file):
        """Return a file object of a data file whose bytes are those that are meant, for it cannot
        be read from its start to its end. It lies in TMPDIR, without a name. Raises Fault.
        """
        kept = TemporaryFile()
        for block in checked(self.blocks(file), file):
            kept.write(block)
        kept.seek(0)
        return kept


def opened(access, args, bucket, key, check):
    """Return what reads a report. Raises Fault for a form that only files here can have."""
    return foreign.placed(args.from_form, Place(access, bucket, key, check), args.bucket or "")
