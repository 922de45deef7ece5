import asyncio
import sys
from types import SimpleNamespace

import pytest

from s3kit.cluster import connection
from s3kit.errors import Fault, Usage


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(Fault, match=r"--scheduler needs the library 'distributed' "
                                    r"\(pip install s3kit\[cluster\]\)"):
        connection.loaded()


def test_the_library_writes_nothing_of_its_own(monkeypatch, caplog):
    """What it would say of a scheduler that is gone is a page of traces."""
    import logging
    monkeypatch.setitem(sys.modules, "distributed", SimpleNamespace())
    client = logging.getLogger("distributed.client")
    client.setLevel(logging.INFO)
    connection.loaded()
    client.critical("a page of traces")
    assert not caplog.records


@pytest.mark.parametrize("error, kind, said", [
    (OSError(111, "Connection refused"), Fault, "cannot reach the scheduler at x:1: Connection"),
    (TimeoutError("timed out"), Fault, "cannot reach the scheduler at x:1: timed out"),
    (ValueError("unknown scheme 'ftp'"), Usage, "'x:1' is no scheduler's address: unknown scheme")])
def test_a_scheduler_that_cannot_be_reached(monkeypatch, error, kind, said):
    async def client(*_, **more):
        raise error

    async def use():
        async with connection.connected("x:1", 1):
            raise AssertionError

    monkeypatch.setitem(sys.modules, "distributed", SimpleNamespace(Client=client))
    with pytest.raises(kind, match=said):
        asyncio.run(use())


def test_a_cluster_of_our_own_ends_with_its_client(monkeypatch):
    """However long it would take to close."""
    closed = []

    class Thing(SimpleNamespace):
        async def close(self):
            closed.append(self.name)
            await asyncio.sleep(60)

    async def cluster(**options):
        closed.append(options["n_workers"])
        return Thing(name="cluster", scheduler_address="tcp://127.0.0.1:1")

    async def client(address, **_):
        return Thing(name=address)

    async def use():
        async with connection.connected("local", 3) as found:
            return found.name

    monkeypatch.setattr(connection, "SECONDS_TO_CLOSE", 0.01)
    monkeypatch.setattr(connection.signal, "pthread_sigmask", lambda *_: None)
    monkeypatch.setitem(sys.modules, "distributed", SimpleNamespace(
        Client=client, LocalCluster=cluster))
    assert asyncio.run(use()) == "tcp://127.0.0.1:1"
    assert closed == [3, "tcp://127.0.0.1:1", "cluster"]
