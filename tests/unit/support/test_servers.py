"""The real servers that tests and demo stand on: each starts, holds an object, and is gone
afterwards.
"""

import os
from functools import partial

import demo
import pytest
import servers

OVER_TLS = pytest.param(partial(servers.Seaweed, tls=True), marks=pytest.mark.system("minutes"),
                        id="Seaweed over TLS")


@pytest.mark.parametrize("kind", [servers.Seaweed, servers.Ministack, servers.Moto,
                                  servers.Rclone, OVER_TLS])
def test_a_server_starts_and_ends(kind):
    """An object that was put is there; afterwards neither process nor folder is left."""
    with kind() as server:
        client = server.client()
        client.create_bucket(Bucket="started")
        client.put_object(Bucket="started", Key="k", Body=b"bytes")
        assert client.get_object(Bucket="started", Key="k")["Body"].read() == b"bytes"
        pid, folder = server.process.pid, server.folder
    assert not servers.is_alive(pid) and not folder.exists()


@pytest.mark.parametrize("fixture", ["ministack", "moto"])
def test_the_pipeline_on_other_servers(fixture, request, pipe, tmp_path):
    """What works on SeaweedFS works on other servers: list, fetch, verify."""
    server = request.getfixturevalue(fixture)
    client = server.client()
    client.create_bucket(Bucket="other")
    for key in ("plain", "with space", "a//b", "é"):
        client.put_object(Bucket="other", Key=key, Body=key.encode())
    done = pipe(
        f"s3-manifest s3://other | s3-fetch -d {tmp_path}/d | s3-verify -d {tmp_path}/d -o "
        f"{tmp_path}/out.csv", env=server.env)
    assert done.status == [0, 0, 0], done.err
    assert "4 rows verified" in done.err


@pytest.mark.parametrize("pid, says", [(7, "ended SeaweedFS (process 7), removed .demo/ (2 MiB)"),
                                       (None, "no server ran, removed .demo/ (2 MiB)")])
def test_the_end_of_the_demo_says_what_it_did(tmp_path, monkeypatch, pid, says):
    """And that there is nothing to do."""
    monkeypatch.setattr(demo, "DEMO", tmp_path / ".demo")
    monkeypatch.setattr(servers, "stop_detached", lambda folder: pid)
    (tmp_path / ".demo/server").mkdir(parents=True)
    (tmp_path / ".demo/server/volume").write_bytes(bytes(2 << 20))
    assert demo.stop() == says and not demo.DEMO.exists()
    assert demo.stop() == "there is no demo: nothing to do"


def test_a_server_that_runs_no_more_is_not_ended(tmp_path):
    """Its number may be another process's by now."""
    assert servers.stop_detached(tmp_path) is None
    (tmp_path / "server.json").write_text('{"pid": 1}')
    assert servers.stop_detached(tmp_path) is None and os.listdir(tmp_path) == []
