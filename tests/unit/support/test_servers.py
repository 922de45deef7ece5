"""The real servers that tests and demo stand on: each starts, holds an object, and is gone
afterwards.
"""

from functools import partial

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
