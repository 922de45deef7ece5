"""What an engine is at, for people who look: said once a second."""

import time

SECONDS = 1.0
LONGEST_NAME = 300


class UnderWay:
    """Watches an engine's tasks; `total` is all bytes that they have moved or read."""

    def __init__(self, engine):
        self.engine, self.total, self.was_idle = engine, 0, True
        self.said_at = time.monotonic()

    def due(self, now):
        """Return what `said` says where it is time to say something, else None."""
        is_idle = not (self.engine.wire.active or self.engine.reading)
        if now - self.said_at < SECONDS or is_idle and self.was_idle:
            return None
        self.said_at, self.was_idle = now, is_idle
        return self.said(now)

    def said(self, now):
        """Return how many requests are on their way, of the task that has been longest at it the
        key, bytes moved, bytes in all (0: not known) and seconds, and the bytes of all tasks ever.
        """
        task = self.oldest()
        if task is None:
            return self.engine.wire.active, "", 0, 0, 0.0, self.total
        job, moved = task.job, getattr(task, "at", task.moved)
        return (self.engine.wire.active, job.key[:LONGEST_NAME], moved, extent(job),
                now - task.since, self.total)

    def oldest(self):
        """Return the task that was begun first of those under way, or None."""
        tasks = [transfer.owner for transfer in self.engine.wire.busy.values()]
        tasks += self.engine.reading
        return min((task for task in tasks if task is not None), key=lambda task: task.since,
                   default=None)


def extent(job):
    """Return how many bytes a job is of, 0 where that is not known."""
    if job.end:
        return job.end - job.start
    return max(0, job.identity.size if hasattr(job, "identity") else job.size)
