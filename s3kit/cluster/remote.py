"""What the parent calls on Dask's workers.

Nothing here raises: Dask would write what was given to us to its logs. The module costs the
scheduler nothing, which loads it to know the name of `do`.
"""

import os
import pickle
import socket
import threading
import traceback

from s3kit.cluster.parcel import Answer, Greeting, WrongVersion, seal, unseal

TOPIC = "s3kit"         # of the events that workers send to parents
LEFT = ("closing", "closed", "failed")          # a Dask worker's last states

SITES, LOCK = {}, threading.Lock()              # {run: Site}


async def greet(sealed, dask_worker=None):
    """Return a sealed Greeting for the parent whose sealed Setup we get."""
    import asyncio
    try:
        return seal(await asyncio.to_thread(greeting, unseal(sealed), dask_worker))
    except WrongVersion:
        return seal(None)       # whose version the parent finds wrong as well
    except Exception:
        return seal(Greeting("", 0, 0, traceback.format_exc()))


def greeting(setup, worker):
    """Return the Greeting of a Dask worker for a Setup."""
    from s3kit.cluster import probe
    from s3kit.disk.tree import clock
    trouble = probe.trouble(setup.destination, setup.probe) if setup.destination else ""
    return Greeting(socket.gethostname(), os.getpid(), worker.state.nthreads, trouble, clock())


def do(sealed):
    """The task: do the jobs of a sealed Parcel; return the sealed Answer.

    It leaves the thread pool of the Dask worker, so that the next parcel can begin before all of
    this one is done; the parent sees that there are not too many.
    """
    try:
        from distributed import get_worker, secede
        worker = get_worker()
        secede()
        parcel = unseal(sealed)
        return seal(site_of(parcel.setup, worker).do(parcel))
    except WrongVersion as wrong:
        return seal(Answer(lost=str(wrong)))
    except BaseException:
        return seal(Answer(fault=traceback.format_exc()))


def hear(sealed):
    """Hear messages of the parent: (run, messages)."""
    try:
        run, messages = unseal(sealed)
        site = SITES.get(run)
        if site:
            with site.lock:
                site.hear(messages)
    except Exception:
        pass            # the next parcel has them as well


def forget(run):
    """Break off what is left of a run."""
    with LOCK:
        site = SITES.pop(run, None)
    if site:
        threading.Thread(target=site.close, daemon=True).start()


def site_of(setup, worker):
    """Return the Site of a run in this process."""
    from s3kit.cluster.site import Site
    with LOCK:
        if setup.run not in SITES:
            SITES[setup.run] = Site(
                setup, worker.address, worker.state.nthreads,
                lambda report: worker.log_event(TOPIC, {report.run: pickle.dumps(report)}),
                lambda: worker.status.name in LEFT, lambda site: forget(site.setup.run))
        return SITES[setup.run]
