"""What ClusterPool needs of Dask, in this process: a Client whose workers are threads."""

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

from s3kit.cluster import remote


class FakeWorker:
    """A Dask worker: `calls` gets what the parent has called on it. While `is_held` its tasks are
    not done.
    """

    def __init__(self, client, address, threads=1):
        self.client, self.address, self.calls, self.is_held = client, address, [], False
        self.state, self.status = SimpleNamespace(nthreads=threads), SimpleNamespace(name="running")

    def log_event(self, topic, event):
        """Have the client hear an event."""
        self.client.loop.call_soon_threadsafe(lambda: self.client.handler((0.0, event)))


class FakeClient:
    """A Client of a scheduler with `workers`, {address: FakeWorker}; `sent` are the keys and the
    addresses of tasks, `cancelled` how many were given up.
    """

    def __init__(self, *addresses):
        self.status, self.sent, self.cancelled, self.handler = "running", [], 0, None
        self.workers = {address: FakeWorker(self, address) for address in addresses}

    @asynccontextmanager
    async def connected(self, scheduler, jobs):
        """Stand for connection.connected."""
        self.loop = asyncio.get_running_loop()
        yield self

    def subscribe_topic(self, topic, handler):
        """Have a handler of events."""
        self.handler = handler

    async def nthreads(self):
        """Return {address: threads}."""
        return {address: worker.state.nthreads for address, worker in self.workers.items()}

    async def run(self, function, *args, workers, on_error):
        """Call a function on workers."""
        found = {}
        for address in workers:
            worker = self.workers.get(address)
            if worker is None:
                found[address] = OSError("no such worker")
                continue
            worker.calls.append((function.__name__, args))
            answer = (function(*args, dask_worker=worker) if function is remote.greet
                      else function(*args))
            found[address] = await answer if asyncio.iscoroutine(answer) else answer
        return found

    def submit(self, function, sealed, key, workers, allow_other_workers, pure, retries):
        """Have a worker do a task; return its future."""
        assert (allow_other_workers, pure, retries) == (False, False, 0)
        self.sent.append((key, workers[0]))
        worker = self.workers.get(workers[0])
        return FakeFuture(self.do(function, sealed, worker) if worker else asyncio.sleep(3600))

    async def do(self, function, sealed, worker):
        """Do a task."""
        while worker.is_held:
            await asyncio.sleep(0.01)
        return await asyncio.to_thread(with_worker, worker, function, sealed)

    async def cancel(self, futures, force):
        """Give futures up."""
        self.cancelled += len(futures)


class FakeFuture:
    """A Dask future."""

    def __init__(self, coroutine):
        self.task = asyncio.ensure_future(coroutine)

    def __await__(self):
        return self.task.__await__()

    def release(self):
        """The result is not wanted any more."""


CURRENT = {}


def with_worker(worker, function, value):
    """Call a function as a worker's thread does."""
    import threading
    CURRENT[threading.get_ident()] = worker
    return function(value)


def distributed():
    """Return what stands for the library in a worker."""
    import threading
    return SimpleNamespace(secede=lambda: None,
                           get_worker=lambda: CURRENT[threading.get_ident()])
