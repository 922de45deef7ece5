"""The versions that S3 is at work on, looked at from time to time; no I/O."""

import time

WATCHED = 10_000        # versions that others asked for, watched at a time
SILENT_SECONDS = 900    # before people hear that looks keep failing


class Watching:
    """Pending versions: at least WATCHED of them, or `most` where that is more."""

    def __init__(self, most):
        self.most, self.pending = max(WATCHED, most), set()
        self.warned = time.monotonic()

    def __len__(self):
        """Return how many are watched."""
        return len(self.pending)

    def __contains__(self, version):
        """Return whether a version is watched."""
        return version in self.pending

    def add(self, version):
        """Watch a version; return whether there is room for it."""
        if version not in self.pending and len(self.pending) >= self.most:
            return False
        self.pending.add(version)
        return True

    def discard(self, version):
        """Watch a version no longer."""
        self.pending.discard(version)

    def in_order(self):
        """Return the versions that nobody asks about now, neighbours together."""
        idle = (version for version in self.pending if not version.reason)
        return sorted(idle, key=lambda version: version.name)

    def oldest(self):
        """Return for how many seconds the oldest has been waited for, None without any."""
        if not self.pending:
            return None
        return time.monotonic() - min(version.began for version in self.pending)

    def should_warn(self):
        """Return whether people are to hear of a look that failed: once in SILENT_SECONDS."""
        now = time.monotonic()
        if now - self.warned <= SILENT_SECONDS:
            return False
        self.warned = now
        return True
