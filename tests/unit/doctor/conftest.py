"""What tests of s3-doctor share: its options, a Speed that has measured, and none of this machine's
settings.
"""

import pytest

from s3kit.doctor.machine import Disk
from s3kit.doctor.objects import Objects
from s3kit.doctor.sampling import Step
from s3kit.doctor.speed import Speed
from s3kit.manifest.row import Row

MIB = 1 << 20

OPTIONS = {"profile": None, "region": "us-east-1", "endpoint_url": None, "no_sign_request": False,
           "request_payer": None, "ca_bundle": None, "no_verify_ssl": False,
           "read_timeout": 300, "bucket": [],
           "buckets": 1000, "together": 4}


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """No settings of this machine's."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "AWS_PROFILE",
                 "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in {"AWS_CONFIG_FILE": tmp_path / "config",
                        "AWS_SHARED_CREDENTIALS_FILE": tmp_path / "credentials",
                        "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
                        "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, str(value))


def measured(steps, size=4096, disk=1000 * MIB, hashing=1000 * MIB, cores=4, most=(4, 128)):
    """Return a Speed that has measured {(workers, connections): requests a second}, each request an
    object of `size` bytes.
    """
    speed = object.__new__(Speed)
    speed.dest = "data"
    speed.objects = Objects(None, [Row("b", "k", size=str(size))])
    speed.disk, speed.hashing, speed.cores = Disk(".", disk, 0.001), hashing, cores
    speed.most_workers, speed.most_connections = most
    speed.done = [Step(workers, connections, 1.0, rate * size, rate, min(cores, rate * 0.0002),
                       (0.01, 0.02), 0) for (workers, connections), rate in steps.items()]
    return speed
