"""What lies below a side's address now, listed by s3-manifest with the side's own credentials."""

import os
import subprocess
import threading

from s3kit.errors import Fault
from s3kit.manifest.streams import Input
from s3kit.pipeline.processes import argv_of

TRUE_STATUSES = (0, 1)      # 1: there is nothing below the prefix yet


class SideListing:
    """The listing of a Side that runs from now on."""

    def __init__(self, side, words=()):
        self.said = ""
        self.process = subprocess.Popen(
            argv_of(["manifest", "--quiet", *side.words, *words,
                     f"s3://{side.bucket}/{side.prefix}"]),
            env=side.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.listener = threading.Thread(target=self.listen, name="s3-manifest's words",
                                         daemon=True)
        self.listener.start()

    def batches(self):
        """Yield lists of its rows of objects. Raises Fault where it was cut."""
        source = Input(self.process.stdout.fileno(), "s3-manifest")
        try:
            for batch in source.batches():
                yield [row for row in batch if not row.is_marker and not row.verbatim]
        except (Fault, OSError) as error:
            self.process.wait()
            self.listener.join(1)
            raise Fault(self.said or str(error)) from None
        status = self.process.wait()
        self.listener.join(1)
        if status not in TRUE_STATUSES:
            raise Fault(self.said or f"s3-manifest ended with status {status}")

    def listen(self):
        """Keep the last that it says."""
        with open(os.dup(self.process.stderr.fileno()), encoding="utf-8",
                  errors="backslashreplace") as lines:
            for line in lines:
                self.said = line.rstrip("\n").partition(": ")[2]

    def stop(self):
        """End it."""
        self.process.kill()
