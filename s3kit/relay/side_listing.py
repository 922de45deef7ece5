"""What lies below a side's address now, listed by s3-manifest with the side's own credentials."""

import subprocess

from s3kit.errors import Fault
from s3kit.manifest.streams import Input
from s3kit.pipeline.processes import LastWords, argv_of

TRUE_STATUSES = (0, 1)      # 1: there is nothing below the prefix yet


class SideListing:
    """The listing of a Side that runs from now on."""

    def __init__(self, side):
        self.process = subprocess.Popen(
            argv_of(["manifest", "--quiet", *side.words, f"s3://{side.bucket}/{side.prefix}"]),
            env=side.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.words = LastWords(self.process)

    def batches(self):
        """Yield lists of its rows of objects. Raises Fault where it was cut."""
        source = Input(self.process.stdout.fileno(), "s3-manifest")
        try:
            for batch in source.batches():
                yield [row for row in batch if not row.is_marker and not row.verbatim]
        except (Fault, OSError) as error:
            self.process.wait()
            self.words.join(1)
            raise Fault(self.words.text or str(error)) from None
        status = self.process.wait()
        self.words.join(1)
        if status not in TRUE_STATUSES:
            raise Fault(self.words.text or f"s3-manifest ended with status {status}")

    def stop(self):
        """End it."""
        self.process.kill()
