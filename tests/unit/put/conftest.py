"""What tests of s3-put's modules share: options, the people of a run, and uploads in a fake."""

from types import SimpleNamespace

import pytest
from conftest import env_of
from fakes3.store import Part, Upload

from s3kit.cli.progress import Progress
from s3kit.cli.signals import Signals
from s3kit.cli.tally import Tally
from s3kit.put import requests
from s3kit.s3.address import parse_s3
from s3kit.s3.capabilities import Capabilities
from unit.put.in_process import STEP
from unit.transfer.conftest import PutDesk

OPTIONS = {"prog": "s3-put", "quiet": False, "verbose": False, "target": ("b", ""), "abort": False,
           "older": None, "dry_run": False, "profile": None, "region": None, "endpoint_url": None,
           "no_sign_request": False, "request_payer": None, "ca_bundle": None,
           "no_verify_ssl": False, "read_timeout": 300}


@pytest.fixture
def alone(monkeypatch, tmp_path, fake):
    """Let this process have the settings that lead to the fake, and no others."""
    for name, value in {**env_of(fake), "AWS_CONFIG_FILE": tmp_path / "none",
                        "AWS_SHARED_CREDENTIALS_FILE": tmp_path / "none"}.items():
        monkeypatch.setenv(name, str(value))


@pytest.fixture
def at_once(monkeypatch):
    """Let nothing be waited for between two tries; return the list of what would have been."""
    waits = []
    real = requests.Requests.put
    monkeypatch.setattr(requests.Requests, "put",
                        lambda self, question, wait: (waits.append(wait), real(self, question, 0)))
    return waits


def made(**options):
    """Return (args, people) of a run; `to` is the address below which it looks."""
    if "to" in options:
        options["target"] = parse_s3(options.pop("to"))
    args = SimpleNamespace(**OPTIONS | options)
    return args, (Tally(args), Progress(args), Signals)


def begun(fake, key, *sizes, age=0.0, bucket="b", storage_class="STANDARD"):
    """Have an upload in a fake that began `age` seconds ago, with parts of these sizes; return its
    id.
    """
    upload = Upload(fake.random_name(64), key, fake.clock.now() - age, fake.next_seq(), None, None,
                    {"storage_class": storage_class})
    upload.parts = {number: Part(number, size, "0" * 32) for number, size in enumerate(sizes, 1)}
    fake.buckets[bucket].uploads[upload.id] = upload
    return upload.id


@pytest.fixture
def desk(fake, tmp_path, monkeypatch):
    """A PutDesk with an empty bucket `b`, where large files are those above STEP bytes."""
    known = Capabilities()
    for module in ("transfer.put_task", "transfer.task", "transfer.engine", "s3.uploads"):
        monkeypatch.setattr(f"s3kit.{module}.KNOWN", known)
    for module, name in (("proof.digest", "LEAF"), ("put.plan", "LEAF"),
                         ("put.deciding", "WHOLE_MOST")):
        monkeypatch.setattr(f"s3kit.{module}.{name}", STEP)
    fake.bucket("b", versioning="Enabled")
    fake.min_part = 1
    made = PutDesk(fake, tmp_path / "d")
    yield made
    for engine in made.engines:
        engine.close()
