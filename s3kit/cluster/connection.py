"""The connection to a Dask scheduler."""

import asyncio
import logging
import signal
from contextlib import asynccontextmanager

from s3kit.errors import Fault, Usage, reason

LOCAL = "local"
SECONDS_TO_CONNECT = 15
SECONDS_TO_CLOSE = 0.5
LOGS = ("distributed", "tornado", "asyncio")    # which would write to our stderr what we say better


def loaded():
    """Return the library. Raises Fault where it is not installed."""
    try:
        import distributed
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("distributed", "dask"):
            raise
        raise Fault("--scheduler needs the library 'distributed' (pip install s3kit[cluster])"
                    ) from None
    for name in [*LOGS, *logging.root.manager.loggerDict]:      # each may have a level of its own
        if name.partition(".")[0] in LOGS:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return distributed


@asynccontextmanager
async def connected(scheduler, jobs):
    """Give a Client of the scheduler at an address, or of LOCAL: one of our own, with so many
    worker processes.

    Raises Fault where none can be reached, Usage where there can be none.
    """
    distributed = loaded()
    cluster, address = None, scheduler
    if scheduler == LOCAL:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])   # the terminal's, for us alone
        cluster = await distributed.LocalCluster(
            n_workers=jobs, threads_per_worker=1, dashboard_address=None, asynchronous=True,
            silence_logs=logging.CRITICAL)
        address = cluster.scheduler_address
    try:
        client = await client_of(distributed, address)
        try:
            yield client
        finally:
            await within(client.close())
    finally:
        if cluster:
            await within(cluster.close())


async def client_of(distributed, address):
    """Return a Client. Raises Fault, Usage."""
    try:
        return await distributed.Client(address, asynchronous=True, set_as_default=False,
                                        timeout=SECONDS_TO_CONNECT, name="s3kit")
    except (OSError, TimeoutError, asyncio.TimeoutError) as error:
        raise Fault(f"cannot reach the scheduler at {address}: {reason(error)}") from None
    except (ValueError, TypeError) as error:
        raise Usage(f"'{address}' is no scheduler's address: {reason(error)}") from None


async def within(closing):
    """Wait a moment for something that closes; what does not ends with our process."""
    try:
        await asyncio.wait_for(closing, SECONDS_TO_CLOSE)
    except Exception:
        pass
