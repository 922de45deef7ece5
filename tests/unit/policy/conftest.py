"""What tests of s3-policy's verbs share: a place to work in, and a way to run them."""

import json
import sys
from functools import cache

import botocore.session
import pytest
from aws import Services
from conftest import env_of, set_aws
from fakes3 import FakeS3
from policyruns import GLASS, ME, OLD

from s3kit.commands import policy
from s3kit.errors import Fault

create_loader = cache(botocore.session.create_loader)  # service models are read once for all tests


@pytest.fixture
def place(monkeypatch, tmp_path):
    """A fake S3 with a bucket `b` that has a policy, and one `c` that has none; services; a
    directory to work in.
    """
    with FakeS3() as fake, Services(ME) as services:
        monkeypatch.setattr(botocore.session, "create_loader", create_loader)
        set_aws(monkeypatch, env_of(fake) | services.env | {
            "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"})
        monkeypatch.chdir(tmp_path)
        fake.bucket("b").policy = json.dumps(OLD)
        fake.put("b", "k", b"bytes")
        fake.bucket("c")
        fake.services, fake.user = services, ME
        services.users["glass"] = GLASS
        yield fake


@pytest.fixture
def run(place, capsys):
    """Return run(words...) -> (status, stdout, stderr)."""
    def run(*words):
        args = policy.build_parser().parse_args(words)
        try:
            args.settle = 0 if words[0] in policy.CHANGING else None
            status = policy.policy(args)
        except Fault as fault:
            status = fault.status
            print(fault, file=sys.stderr)
        said = capsys.readouterr()
        return status, said.out, said.err
    return run
